"""One distillation of an encoder of texts, from its folder and sentences to its report."""

import hashlib
from dataclasses import replace
from typing import Any

from qstill.contract.distillations.embeddings.job import EmbeddingJob, EmbeddingResult, UploadedEncoder
from qstill.contract.distillations.report.measured import written
from qstill.contract.errors import Problem
from workers.distillation.artifacts.onnx_file import publish_exports
from workers.distillation.embeddings.ask import Answers, answers_of
from workers.distillation.embeddings.data import load_sentences
from workers.distillation.embeddings.export import exported
from workers.distillation.embeddings.learner import EncoderLearner
from workers.distillation.embeddings.plan import Stage, student_stages
from workers.distillation.embeddings.report import (
    EmbeddingMeasurements,
    measure,
    report,
    tokens_of_test,
)
from workers.distillation.embeddings.students import Material, begun, refuse_too_large
from workers.distillation.networks.pretrained.folder import Pretrained, opened, zipped
from workers.distillation.report.frame import publish_documents, result
from workers.distillation.training.keeper import Keeper, thinned
from workers.distillation.training.train import drive, hand_over
from workers.run import Run

ENDING = ".zip"  # of a student's file: a folder that other programs open


def distil_encoder(job: EmbeddingJob, run: Run) -> dict[str, Any]:
    """Compute a job. Returns an EmbeddingResult as JSON; publishes folders as checkpoints, and report.json.

    Raises Problem when the job cannot succeed, Stopped after saving its state.
    """
    keeper = Keeper(job, run)
    teacher, pairs = teacher_of(job, run), student_stages(job)
    data = load_sentences(job.dataset, run.files)
    tokens = teacher.tokenizer.within(job.dataset.max_length).encode(data.texts)
    whole = teacher.tokenizer.encode(data.texts)[:, tokens.shape[1] :]
    truncated = int((whole != teacher.tokenizer.pad).any(1).sum())
    unasked = Material(data, teacher, Answers(tokens.new_zeros(0), 0))
    device = pairs[0][0].device()
    refuse_too_large(job.student.architecture, teacher, run.memory)
    begun(job.student.architecture, unasked, 0, blank=True)  # refuses, before the teacher is asked, what cannot be made
    teacher.encoder.to(device)
    answers = answers_of(teacher, tokens, data, run)
    teacher.encoder.cpu()
    material = replace(unasked, answers=_whole(answers, keeper))
    for student, _ in pairs:
        _teach(job, student, material, keeper)
    run.progress(phase="evaluation", done=0, total=1, unit="reports")
    first = _file(pairs[0][0], material, keeper)
    measured = measure(job, material, pairs, keeper.outcomes, len(first))
    short = result(
        EmbeddingResult,
        measured,
        checkpoints=len(keeper.published),
        student_sha256=hashlib.sha256(first).hexdigest(),
        seconds=keeper.seconds(),
    )
    exports = _export(job, pairs[0][0], material, measured, keeper)
    document = report(job, material, measured, short, exports, truncated)
    publish_documents({"report.json": written(document)}, run)
    return short.model_dump(mode="json")


def teacher_of(job: EmbeddingJob, run: Run) -> Pretrained:
    """The teacher's folder, opened. Raises Problem, below /teacher."""
    uploaded = isinstance(job.teacher, UploadedEncoder)
    name = job.teacher.file if isinstance(job.teacher, UploadedEncoder) else job.teacher.model
    path = run.files.get(name)
    field = "file" if uploaded else "model"
    if path is None or not path.is_file():
        raise Problem("file_gone", f"{name} was deleted before the job could read it.", pointer=f"/teacher/{field}")
    try:
        return opened(path, run.scratch, memory=run.memory)
    except Problem as problem:
        problem.pointer = f"/teacher/{field}"
        raise


def _whole(answers: Answers, keeper: Keeper) -> Answers:
    """What the whole job computed: an attempt that goes on finds what an earlier one did."""
    whole = replace(answers, computed=max(answers.computed, keeper.notes.get("computed", 0)))
    keeper.note("computed", whole.computed)
    return whole


def _teach(job: EmbeddingJob, stage: Stage, material: Material, keeper: Keeper) -> None:
    """Train a student and publish its best epoch, unless an earlier attempt has."""
    if stage.name in keeper.outcomes:
        return
    learner = EncoderLearner(stage, material, job)
    drive(learner, keeper, measure="spearman")
    outcome = replace(learner.best, curve=thinned(learner.curve))
    network = stage.trained({stage.name: outcome}, material)
    content = zipped(network, material.tokenizer(stage.architecture))
    hand_over(f"{stage.name}{ENDING}", stage, outcome, content, keeper, measure="spearman")
    keeper.finish(stage.name, outcome)


def _file(stage: Stage, material: Material, keeper: Keeper) -> bytes:
    return zipped(stage.trained(keeper.outcomes, material), material.tokenizer(stage.architecture))


def _export(
    job: EmbeddingJob, stage: Stage, material: Material, measured: EmbeddingMeasurements, keeper: Keeper
) -> list[dict[str, Any]]:
    """Publish a student as ONNX, its tokenizer beside it. Returns what it is, for the report."""
    if not job.export:
        return []
    network, run = stage.trained(keeper.outcomes, material), keeper.run
    tokens = tokens_of_test(job, stage, material)
    longest = min(job.dataset.max_length, material.teacher.tokenizer.length)
    files = exported(network, tokens, longest, measured.judge, run.threads)
    told = publish_exports(files, stage.name, {"role": stage.role, "seed": stage.seed}, run)
    path = run.scratch / "tokenizer.json"
    path.write_text(material.teacher.tokenizer.json)
    meta = {"format": "tokenizer", "tokens": len(material.teacher.tokenizer.tokens), "max_length": longest}
    run.publish(path, kind="export", name=path.name, media_type="application/json", meta=meta)
    return told
