"""One distillation job from its data to its report: the teacher, students and baselines in pairs, the test rows."""

import hashlib
import json
from dataclasses import replace
from typing import Any

from torch import Tensor

from qstill.contract.distillations.architectures.pretrained import Pretrained
from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.datasets import BuiltinText, DrawnData, TextFile
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import Sequence
from qstill.contract.distillations.report.measured import written
from qstill.contract.distillations.results import DistillationResult
from qstill.contract.distillations.spec import is_solved, trains_baseline
from qstill.contract.distillations.teachers import EnsembleTeacher, Single, TrainedTeacher
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.distillations.tokenizers import TeachersTokenizer
from workers.distillation import teachers
from workers.distillation.artifacts.checkpoints import ending_of, to_bytes
from workers.distillation.artifacts.exports import exported
from workers.distillation.artifacts.onnx_file import publish_exports
from workers.distillation.artifacts.student_circuit import picture
from workers.distillation.budget.choose import choices_of, chosen
from workers.distillation.budget.compared import comparing
from workers.distillation.compress.section import compression_section, refuse_without_network
from workers.distillation.data.dataset import Data, load
from workers.distillation.data.membership import membership
from workers.distillation.data.texts import load_text
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.objectives import refuse_undefined
from workers.distillation.quantum.controls import control_lesson, control_stages
from workers.distillation.quantum.on_engine import refuse_unrunnable
from workers.distillation.quantum.section import quantum_section
from workers.distillation.report.asked import judged
from workers.distillation.report.frame import publish_documents, result
from workers.distillation.report.measure import checkpoint, measure
from workers.distillation.report.report import Sections, report
from workers.distillation.report.surrogate import surrogate_section
from workers.distillation.rows import Rows
from workers.distillation.signals.signals import PLAIN, Signal
from workers.distillation.stored.shelf import shelf_of
from workers.distillation.teachers.checks import accepted, there_already
from workers.distillation.teachers.circuit import load_for_circuit, solved_lesson, with_frequencies
from workers.distillation.teachers.features import asked_with_features, wanted_features, with_features
from workers.distillation.teachers.folders.begun import as_read_by, begun_from, trained_here
from workers.distillation.teachers.initialise import baselines_lesson, initial_weights
from workers.distillation.teachers.written_texts import sequence_lesson
from workers.distillation.training.augment import rows_of_epoch
from workers.distillation.training.hearing import gradient_of_teacher, warn_of_silence
from workers.distillation.training.keeper import Keeper, Outcome
from workers.distillation.training.learner import refuse_unfit
from workers.distillation.training.plan import (
    Lesson,
    Stage,
    student_lesson,
    student_stages,
    teacher_lesson,
    teacher_stage,
)
from workers.distillation.training.train import hand_over, train
from workers.run import Run


def distil(submitted: DistillationJob | BudgetedJob, run: Run) -> dict[str, Any]:
    keeper = Keeper(submitted, run)
    budgeted = submitted if isinstance(submitted, BudgetedJob) else None
    asked = submitted.standing_in() if isinstance(submitted, BudgetedJob) else submitted
    job = with_frequencies(asked, run)
    data = load_data(job, run)
    if budgeted is not None:
        choices = choices_of(budgeted, data, keeper)
        job = asked = budgeted.with_architecture(choices.candidates[0].architecture)  # until one is chosen
    pairs = student_stages(job)
    refuse_undefined(job.objective, len(data.classes))
    refuse_unfit(pairs[0][0], data)  # before a teacher is trained
    refuse_unrunnable(job.evaluation.quantum, pairs[0][0].begin(data), job.training.seed)
    for doubt in pairs[0][0].begin(data).doubts():
        run.event("warning", {"code": doubt.code, "detail": doubt.said})
    teacher = teacher_of(job, data, keeper)
    refuse_without_network(job, teacher)
    wanted = wanted_features(job.objective, pairs[0][0].begin(data), teacher, data)
    begun = initial_weights(job, pairs[0][0], teacher, data)
    teacher = fit_to_teach(job, data, teacher, run)
    heard, use = heard_lesson(job, data, teacher, wanted, run)
    use = whole_use(use, keeper)
    lesson = replace(heard, begun=begun)
    budget = None
    if budgeted is not None:
        budget = chosen(budgeted, choices, lesson, data, keeper)
        job, why_alone = comparing(budgeted, budget.student.architecture, teacher)
        budget = budget.model_copy(update={"notes": [*budget.notes, *filter(None, [why_alone])]})
        asked, pairs = job, student_stages(job)
    answers = teachers.answers_of(teacher, data, data.test, run)
    keep_round_trips(teacher, keeper)
    heard_at_first = gradient_of_teacher(pairs[0][0], lesson, data)
    warn_of_silence(heard_at_first, run)

    for student, baseline in pairs:
        teach(student, lesson, data, keeper, every=job.training.checkpoint_every)
        if trains_baseline(job):
            teach(baseline, baselines_lesson(job, data, begun), data, keeper)
    controls = control_stages(job, [student for student, _ in pairs], data)
    for stage in (stage for stages in controls.values() for stage in stages):
        teach(stage, control_lesson(heard), data, keeper)
    compression = compression_section(job, data, teacher, heard, pairs, keeper)
    run.progress(phase="evaluation", done=0, total=1, unit="reports")
    measured = measure(job, data, teacher, heard_at_first, pairs, keeper.outcomes, answers=answers, use=use)
    as_the_data = teacher.standardisation is None and teacher.order is None and not teacher.other_classes
    circuit = teacher.network if as_the_data else None
    quantum = quantum_section(job, data, measured, pairs, controls, keeper, answers, circuit)
    short = result(
        DistillationResult,
        measured,
        checkpoints=len(keeper.published),
        student_sha256=hashlib.sha256(checkpoint(pairs[0][0], keeper.outcomes, data)).hexdigest(),
        seconds=keeper.seconds(),
    )
    exports = _export(job, data, pairs[0][0], keeper)
    first = pairs[0][0].trained(keeper.outcomes, data)
    surrogate = surrogate_section(job, data, teacher, lesson, first, answers, run)
    sections = Sections(exports, budget, compression, surrogate, quantum)
    document = report(asked, data, measured, short, sections, submitted)
    publish_documents({"split.json": json.dumps(membership(data)), "report.json": written(document)}, run)
    return short.model_dump(mode="json")


def whole_use(use: teachers.Use, keeper: Keeper) -> teachers.Use:
    """What the signal cost the whole job. An attempt that goes on finds what an earlier one computed, or computes it
    again: neither makes it an earlier job's.
    """
    computed = keeper.notes.get("computed_rows")
    whole = use if computed is None else use.of_attempts(computed)
    keeper.note("computed_rows", whole.computed_rows)
    return whole


def keep_round_trips(teacher: teachers.Teacher, keeper: Keeper) -> None:
    """An endpoint costs what all requests of the job took, those of earlier attempts too."""
    for each in (teacher, *teacher.members):
        if each.round_trips is not None:
            name = f"round trips of {each.digest}"
            each.round_trips[:0] = keeper.notes.get(name, [])
            keeper.note(name, list(each.round_trips))


def load_data(job: DistillationJob, run: Run) -> Data:
    """The rows of a job, split and judged as it asks; of texts as tokens of its own tokenizer or the teacher's.

    Raises Problem.
    """
    return judged(_rows_of(job, run), job.evaluation)


def _rows_of(job: DistillationJob, run: Run) -> Data:
    spec = job.dataset
    if isinstance(job.teacher, CircuitTeacher):
        return load_for_circuit(job, job.teacher, run)
    assert not isinstance(spec, DrawnData)  # which only a circuit can answer
    if not isinstance(spec, TextFile | BuiltinText):
        return load(spec, run.files, shelf_of(run))
    student = job.student.architecture
    if isinstance(student, Pretrained):
        return load_text(spec, run.files, source=begun_from(student, run, "/student/architecture"))
    asked = isinstance(spec.tokenizer, TeachersTokenizer)
    return load_text(spec, run.files, teachers.tokenizer_of(job.teacher, run, task=spec.task) if asked else None)


def heard_lesson(
    job: DistillationJob, data: Data, teacher: teachers.Teacher, wanted: frozenset[str], run: Run
) -> tuple[Lesson, teachers.Use]:
    """What every student learns from, and what it cost to hear it. wanted: the teacher's features that it compares."""
    if isinstance(job.objective, Sequence):
        return sequence_lesson(job.objective, data, teacher, run, seed=job.training.seed)
    if is_solved(job):
        return solved_lesson(job, data, teacher, run)
    rows, view = first_heard(job, data)
    said, use = teachers.signal_and_use(teacher, replace(data, train=rows), job.signal, run, view=view)

    def ask(rows: Rows, view: str) -> Signal:
        def heard() -> Signal:
            return teachers.signal_and_use(teacher, replace(data, train=rows), job.signal, run, view=view)[0]

        return asked_with_features(heard, teacher, rows, wanted)

    return student_lesson(job, data, with_features(said, teacher, rows, wanted), ask), use


def first_heard(job: DistillationJob, data: Data) -> tuple[Rows, str]:
    """The training rows that a teacher is asked about before students are trained, and the name of that view of them.

    Those of the first epoch for masked language models: there is nothing to fill in where nothing is hidden.
    """
    of_epoch = rows_of_epoch(data, student_stages(job)[0][0], 0) if data.task.hides else None
    return of_epoch or (data.train, PLAIN)


def _export(job: DistillationJob, data: Data, stage: Stage, keeper: Keeper) -> list[dict[str, Any]]:
    """Publish a student in the formats that are wanted. Returns what each of them is, for the report."""
    network, run = stage.trained(keeper.outcomes, data), keeper.run
    files = exported(job.export, network, stage.architecture, data, stage.name, run.threads)
    told = publish_exports(files, stage.name, {"role": stage.role, "seed": stage.seed}, run)
    for name, content, meta in data.inputs.companions(data.input_shape) if told else ():
        path = run.scratch / name
        path.write_text(content)
        run.publish(path, kind="export", name=name, media_type="application/json", meta=meta)
    if isinstance(network, CircuitNetwork) and not {"openqasm3", "cirq"}.isdisjoint(job.export):
        path = run.scratch / f"{stage.name}.svg"
        path.write_text(picture(network, stage.name), encoding="utf-8")
        run.publish(path, kind="export", name=path.name, media_type="image/svg+xml", meta={"format": "svg"})
    return told


def teacher_of(job: DistillationJob, data: Data, keeper: Keeper) -> teachers.Teacher:
    """The teacher of any source; what can be refused is refused before anything is trained."""
    if not isinstance(job.teacher, EnsembleTeacher):
        return _member(job, job.teacher, None, data, keeper)
    members = sorted(enumerate(job.teacher.members), key=lambda numbered: isinstance(numbered[1], TrainedTeacher))
    made = {number: _member(job, member, number, data, keeper) for number, member in members}
    return teachers.ensemble(job.teacher, data, [made[number] for number in sorted(made)])


def _member(job: DistillationJob, spec: Single, number: int | None, data: Data, keeper: Keeper) -> teachers.Teacher:
    """One teacher. number: in an ensemble; None: it is the only one."""
    if not isinstance(spec, TrainedTeacher):
        pointer = "/teacher" if number is None else f"/teacher/members/{number}"
        teacher = teachers.loaded(spec, data, keeper.run, pointer, storage=job.signal)
        for said in teacher.warnings:
            keeper.run.event("warning", {"code": "teacher_of_another_split", "detail": said})
        return teacher if number is None else accepted(job, data, pointer, teacher, keeper.run)
    stage = teacher_stage(job, spec, number)
    own = as_read_by(spec.architecture, job, data, keeper.run, stage.pointer)
    refuse_unfit(stage, own)
    teach(stage, teacher_lesson(own, spec), own, keeper)
    file = checkpoint(stage, keeper.outcomes, own)
    return trained_here(stage.trained(keeper.outcomes, own), file, own)


def fit_to_teach(job: DistillationJob, data: Data, teacher: teachers.Teacher, run: Run) -> teachers.Teacher:
    """The teacher, after it has answered the validation rows, with what the job accepts of it among its warnings.

    A teacher of this job that has nothing to teach is warned of at once. Raises Problem where another has not, or has
    its classes in another order.
    """
    answers = teachers.answers_of(teacher, data, data.validation, run)
    there = "/teacher" in dict(there_already(job, teacher))
    judged = accepted(job, data, "/teacher", teacher, run, answers) if there else teacher
    if len(judged.warnings) == len(teacher.warnings):
        _warn_early(answers, data, run)
    return judged


def _warn_early(answers: Tensor, data: Data, run: Run) -> None:
    """Say at once what the report would say at the end: that this teacher has nothing to teach.

    answers: its logits (validation rows, classes).
    """
    if data.task.useless_answers(answers, data.validation.labels, data.train.labels):
        run.event("warning", {"code": "teacher_no_better_than_chance", "detail": data.task.no_better})


def teach(stage: Stage, lesson: Lesson, data: Data, keeper: Keeper, *, every: int | None = None) -> None:
    """Train a network and publish its best epoch, unless an earlier attempt has. every: also each n-th epoch."""
    if stage.name in keeper.outcomes:
        return

    def after_epoch(latest: Outcome) -> None:
        if every and latest.epoch % every == 0:
            publish(f"{stage.name}-epoch-{latest.epoch}", stage, latest, data, keeper)

    outcome = train(stage, lesson, data, keeper, after_epoch=after_epoch)
    publish(stage.name, stage, outcome, data, keeper)
    keeper.finish(stage.name, outcome)


def publish(name: str, stage: Stage, outcome: Outcome, data: Data, keeper: Keeper) -> None:
    """Hand over a checkpoint. name: without its ending."""
    content = to_bytes(outcome.weights, stage.architecture, data)
    file = f"{name}{ending_of(stage.architecture)}"
    hand_over(file, stage, outcome, content, keeper, measure=data.task.measure.validation)
