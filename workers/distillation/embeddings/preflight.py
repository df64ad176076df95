"""A look at an encoder and its student before the job is submitted: the folder is opened, and some steps are taken.

What a job would fail with at once is raised here as the job would raise it, with the same code and pointer.
"""

import time
from collections.abc import Iterator
from typing import Any

import torch

from ledger.settings import machine_memory
from qstill.contract.distillations.embeddings.job import EmbeddingJob
from qstill.contract.distillations.embeddings.preflight import EmbeddingPreflight, EncoderMemory, EncoderTime
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.preflight_parts import Advice, advice
from workers.distillation.embeddings.ask import Answers
from workers.distillation.embeddings.data import load_sentences
from workers.distillation.embeddings.distil import teacher_of
from workers.distillation.embeddings.learner import EncoderLearner
from workers.distillation.embeddings.plan import student_stages
from workers.distillation.embeddings.students import COPIES, Material, refuse_too_large
from workers.distillation.networks.costs import parameters
from workers.distillation.preflight.costs import BYTES, REPORT_SECONDS, around, total_of
from workers.distillation.preflight.pace import seconds_of_step, timed
from workers.distillation.training.reproducible import reproducible
from workers.run import Run

STEPS = 3  # the first is left out of the time
ASKED = 64  # sentences that the teacher answers


def preflight_of_encoder(job: EmbeddingJob, asked: PreflightQuestion, run: Run) -> dict[str, Any]:
    """Returns an EmbeddingPreflight as JSON. Raises Problem where the job would fail before anything is learned."""
    with reproducible(run.threads):
        return _look(job, asked, run).model_dump(mode="json")


def _look(job: EmbeddingJob, asked: PreflightQuestion, run: Run) -> EmbeddingPreflight:
    teacher = teacher_of(job, run)
    data = load_sentences(job.dataset, run.files)
    tokens = teacher.tokenizer.within(job.dataset.max_length).encode(data.texts)
    stage = student_stages(job)[0][0]
    count = len(tokens)
    some = torch.arange(min(ASKED, count))
    per_sentence = timed(lambda: teacher.encoder.vectors(tokens[some])) / len(some)
    unheard = Answers(torch.randn(count, teacher.encoder.width, generator=torch.Generator().manual_seed(0)), 0)
    material = Material(data, teacher, unheard)
    refuse_too_large(job.student.architecture, teacher, run.memory)
    began = time.perf_counter()
    learner = EncoderLearner(stage, material, job)
    beginning = time.perf_counter() - began
    batches = [learner.batches()[number % learner.batches_per_epoch] for number in range(STEPS)]
    step = sum([seconds_of_step(learner, batch) for batch in batches][1:]) / (STEPS - 1)
    epochs, seeds = job.training.epochs, job.evaluation.seeds
    learning = seeds * (epochs * learner.batches_per_epoch * step + beginning)
    answering, rest = around(per_sentence * count), around(REPORT_SECONDS + per_sentence * len(data.test))
    students = around(learning, learning / epochs * min(epochs, job.training.patience or epochs))
    times = EncoderTime(
        steps_measured=STEPS,
        teacher_answers=answering,
        students=students,
        total=total_of([answering, students, rest]),
        limit=asked.seconds_limit,
    )
    memory = EncoderMemory(
        teacher=BYTES * parameters(teacher.encoder),
        student=BYTES * (1 + COPIES) * parameters(learner.network),
        limit=asked.memory_limit or machine_memory() // 2,
    )
    found = EmbeddingPreflight(
        sentences={"train": len(data.train), "validation": len(data.validation), "test": len(data.test)},
        tokens=float((tokens != teacher.tokenizer.pad).sum(1).double().mean()),
        width=teacher.encoder.width,
        student_parameters=parameters(learner.network),
        teacher_parameters=parameters(teacher.encoder),
        time=times,
        memory=memory,
        advice=[],
    )
    order = ("problem", "warning", "note")
    said = sorted(_advice(job, found), key=lambda one: order.index(one.severity))
    return found.model_copy(update={"advice": said})


def _advice(job: EmbeddingJob, found: EmbeddingPreflight) -> Iterator[Advice]:
    times, memory = found.time, found.memory
    if times.total.low > times.limit:
        detail = f"The job takes at least {times.total.low:,.0f} s, and an attempt may take {times.limit:,.0f}."
        yield advice("time", "problem", detail, "/training/epochs")
    if memory.teacher + memory.student > memory.limit:
        detail = (
            f"Teacher and student take {memory.teacher + memory.student >> 20:,} MiB, and a job may take "
            f"{memory.limit >> 20:,}."
        )
        yield advice("memory", "problem", detail, "/student/architecture")
    if found.student_parameters >= found.teacher_parameters:
        yield advice(
            "student_larger", "warning", "The student is no smaller than the teacher.", "/student/architecture"
        )
    if job.evaluation.seeds < 2:
        yield advice("one_seed", "note", "One seed gives no interval, and no verdict.", "/evaluation/seeds", 3)
