"""A look at a distillation before it is submitted: everything is read, nothing is trained but a few batches.

What a job would fail with at once is raised here as the job would raise it, with the same code and pointer.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from qstill.contract.distillations import objectives
from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import (
    Found,
    LabelsCheck,
    Preflight,
    PreflightQuestion,
    RegressorCheck,
    Shapes,
    TeacherCheck,
)
from qstill.contract.distillations.preflight_parts import Capacity
from qstill.contract.distillations.spec import is_solved, trains_baseline
from qstill.contract.distillations.teachers import EnsembleTeacher, Single, TrainedTeacher, parts
from qstill.contract.distillations.teachers.remote import AtAnAddress
from workers.distillation import teachers
from workers.distillation.budget.candidates import choices_within
from workers.distillation.budget.compared import comparing
from workers.distillation.compress.section import refuse_without_network
from workers.distillation.data.dataset import Data
from workers.distillation.data.faults import check_data
from workers.distillation.distil import first_heard, load_data
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.costs import multiply_adds, parameters
from workers.distillation.objectives import refuse_undefined
from workers.distillation.preflight.advice import advice_on
from workers.distillation.preflight.budget import of_what_is_chosen, time_of_search
from workers.distillation.preflight.costs import NOTHING, Costs, capacity_of, memory_of, time_of
from workers.distillation.preflight.engine import engine_cost
from workers.distillation.preflight.files import time_of_compression, time_of_exports
from workers.distillation.preflight.rehearsal import Rehearsal, as_long, excerpt_of, rehearse
from workers.distillation.quantum.controls import Controls, control_lesson, control_stages
from workers.distillation.quantum.on_engine import refuse_unrunnable
from workers.distillation.rows import Rows
from workers.distillation.signals.signals import Signal
from workers.distillation.tasks.task import Check
from workers.distillation.teachers import Teacher
from workers.distillation.teachers.checks import (
    ENDPOINT_ROWS,
    ROWS,
    asked_rows,
    checked,
    most_rows,
    there_already,
)
from workers.distillation.teachers.circuit import with_frequencies
from workers.distillation.teachers.features import wanted_features, with_features
from workers.distillation.teachers.folders.begun import as_read_by, trained_here
from workers.distillation.teachers.initialise import initial_weights
from workers.distillation.teachers.written_texts import sequence_lesson
from workers.distillation.training.learner import refuse_unfit
from workers.distillation.training.plan import (
    Lesson,
    Stage,
    baseline_lesson,
    student_lesson,
    student_stages,
    teacher_lesson,
    teacher_stage,
)
from workers.distillation.training.reproducible import reproducible
from workers.memory import peak_memory, watched
from workers.run import Run

FIRST_ROWS = 8  # asked first; then ever more, while the teacher is fast
TEACHER_SECONDS = 3.0  # for all its parts together
ENDPOINT_TIMEOUT = 10.0  # seconds; the request that waits has no more patience than for one attempt


@dataclass(frozen=True)
class Member:
    """A teacher by itself. data: as it reads them. stage: how it is trained; None: it is there already."""

    pointer: str
    teacher: Teacher
    data: Data
    stage: Stage | None = None
    spec: TrainedTeacher | None = None


def preflight(job: DistillationJob | BudgetedJob, asked: PreflightQuestion, run: Run) -> dict[str, Any]:
    """Returns a Preflight as JSON. Raises Problem where the job would fail before anything is trained."""
    with reproducible(run.threads), watched():
        return _look(job, asked, run).model_dump(mode="json")


def _look(submitted: DistillationJob | BudgetedJob, asked: PreflightQuestion, run: Run) -> Preflight:
    began = time.perf_counter()
    budgeted = submitted if isinstance(submitted, BudgetedJob) else None
    job = with_frequencies(submitted.standing_in() if isinstance(submitted, BudgetedJob) else submitted, run)
    data = load_data(job, run)
    choices = None if budgeted is None else choices_within(budgeted, data, run)
    if budgeted is not None and choices is not None:
        job = budgeted.with_architecture(choices.candidates[0].architecture)
    loading, process = time.perf_counter() - began, peak_memory()
    pairs = student_stages(job)
    student_stage, baseline_stage = pairs[0]
    if is_solved(job):  # in about the time of an epoch
        student_stage = replace(student_stage, training=job.training.model_copy(update={"epochs": 1}))
    refuse_undefined(job.objective, len(data.classes))
    refuse_unfit(student_stage, data)
    refuse_unrunnable(job.evaluation.quantum, student_stage.begin(data), job.training.seed)
    members = _members(job, data, run)
    teacher = _together(job, data, members)
    refuse_without_network(job, teacher)
    if budgeted is not None:
        job, _ = comparing(budgeted, job.student.architecture, teacher)
    wanted = wanted_features(job.objective, student_stage.begin(data), teacher, data)
    initial_weights(job, student_stage, teacher, data)  # for what it refuses; steps take as long from any weights
    checks, per_row = _checks(job, data, teacher)
    rows = _rows_for(job, data, per_row)

    lesson = student_lesson(job, data, Signal(torch.zeros(0), ""))
    few = excerpt_of(data, lesson.positions, student_stage, rows)
    taught, said = _student_lesson(job, few, teacher, wanted, run)
    student = rehearse(student_stage, as_long(taught, lesson, few), few, data)
    baseline = None
    if trains_baseline(job):
        alone = baseline_lesson(data)
        known = excerpt_of(data, alone.positions, baseline_stage, ROWS)
        baseline = rehearse(baseline_stage, as_long(baseline_lesson(known), alone, known), known, data)
    stood_beside = control_stages(job, [student for student, _ in pairs], data)
    controls = [
        rehearse(stages[0], as_long(control_lesson(taught), lesson, few), few, data) for stages in stood_beside.values()
    ]
    engine = engine_cost(
        job.evaluation.quantum,
        _on_engine(job, student_stage, stood_beside, teacher, data),
        data,
        threads=run.threads,
        seed=job.training.seed,
    )
    search = NOTHING
    if budgeted is not None and choices is not None:
        search = time_of_search(budgeted, choices.candidates, taught, lesson, few, data)
    trained = [_teacher_rehearsal(member) for member in members if member.stage is not None]

    costs = Costs(
        job=job,
        data=data,
        loading=loading,
        process=process,
        teacher=teacher,
        per_row=per_row,
        rows_asked=most_rows(job, data),
        features=sum(each[:1].numel() * each.element_size() for each in said.features.values()),
        trained=[each for each in trained if each is not None],
        student=student,
        baseline=baseline,
        controls=controls,
        engine=engine.time,
        engine_memory=engine.memory,
        exports=time_of_exports(
            sum(each.startswith("onnx") for each in job.export), student_stage.begin(data), student.per_epoch
        ),
        compression=time_of_compression(job, data, teacher, student_stage, student, most=ROWS),
        search=search,
    )
    found = Found(
        shapes=_shapes(costs, said),
        teachers=[each for each in checks if isinstance(each, TeacherCheck)],
        regressors=[each for each in checks if isinstance(each, RegressorCheck)],
        of_labels=[each for each in checks if isinstance(each, LabelsCheck)],
        capacity=_capacity(student_stage, members, data),
        time=time_of(costs, limit=asked.seconds_limit),
        memory=memory_of(costs, run, limit=asked.memory_limit),
        data=check_data(data),
        columns=[] if data.columns is None else list(data.columns.said),
    )
    finite = all(each.finite for each in (student, *costs.trained))
    advice = advice_on(job, found, finite=finite, warnings=teacher.warnings, notes=data.reading_notes)
    if choices is None:
        return Preflight(**dict(found), advice=advice)
    return Preflight(
        **dict(found),
        candidates=choices.candidates,
        left_out=choices.left_out,
        advice=[*of_what_is_chosen(advice)],
    )


def _members(job: DistillationJob, data: Data, run: Run) -> list[Member]:
    """Every teacher: as it is read, or untrained. Those that can be refused come first."""
    found: dict[int, Member] = {}
    named = list(enumerate(parts(job.teacher)))
    for number, (place, spec) in sorted(named, key=lambda each: isinstance(each[1][1], TrainedTeacher)):
        pointer = "".join(f"/{step}" for step in place)
        alone = not isinstance(job.teacher, EnsembleTeacher)
        found[number] = _member(job, spec, None if alone else number, pointer, data, run)
    return [found[number] for number in sorted(found)]


def _member(job: DistillationJob, spec: Single, number: int | None, pointer: str, data: Data, run: Run) -> Member:
    if not isinstance(spec, TrainedTeacher):
        return Member(pointer, teachers.loaded(_impatient(spec), data, run, pointer, storage=job.signal), data)
    stage = teacher_stage(job, spec, number)
    own = as_read_by(spec.architecture, job, data, run, stage.pointer)
    refuse_unfit(stage, own)
    return Member(pointer, trained_here(stage.begin(own), pointer.encode(), own), own, stage, spec)


def _impatient(spec: Any) -> Any:
    """A server is asked once, because a request waits."""
    if not isinstance(spec, AtAnAddress):
        return spec
    return spec.model_copy(update={"attempts": 1, "timeout_seconds": min(spec.timeout_seconds, ENDPOINT_TIMEOUT)})


def _together(job: DistillationJob, data: Data, members: Sequence[Member]) -> Teacher:
    if isinstance(job.teacher, EnsembleTeacher):
        return teachers.ensemble(job.teacher, data, [member.teacher for member in members])
    return members[0].teacher


def _checks(job: DistillationJob, data: Data, teacher: Teacher) -> tuple[list[Check], float]:
    """What there is to say of each teacher that is there already, and the seconds that the whole takes for a row."""
    there = there_already(job, teacher)
    checks, per_row = list[Check](), dict[str, float]()
    for pointer, each in there:
        logits, asked, per_row[pointer] = _hear(each, job, data, TEACHER_SECONDS / len(there))
        checks.append(checked(pointer, logits, asked, data))
    if "/teacher" not in per_row:
        per_row["/teacher"] = _hear(teacher, job, data, TEACHER_SECONDS / 2)[2]
    return checks, per_row["/teacher"]


def _hear(teacher: Teacher, job: DistillationJob, data: Data, seconds: float) -> tuple[Tensor, Rows, float]:
    """(logits, the validation rows that they are of, seconds a row). Ever more rows, while there is time."""
    order, most = asked_rows(job, data), most_rows(job, data)
    heard: list[Tensor] = []
    first, block, spent, fastest = 0, min(FIRST_ROWS, most), 0.0, math.inf
    if most == ENDPOINT_ROWS:
        block = most
    while first < len(order) and (not heard or spent * 3 < seconds):
        rows = data.validation.some(order[first : first + block])
        began = time.perf_counter()
        heard.append(teachers.answers_of(teacher, data, rows, None))
        took = time.perf_counter() - began
        first, block, spent = first + len(rows.y), block * 2, spent + took
        fastest = min(fastest, took / len(rows.y))
    return torch.cat(heard), data.validation.some(order[:first]), fastest


def _rows_for(job: DistillationJob, data: Data, per_row: float) -> int:
    """Training rows that the teacher is asked about: as many as it answers in the time that is left."""
    return max(2, min(most_rows(job, data), int(TEACHER_SECONDS / 2 / max(per_row, 1e-9))))


def _student_lesson(
    job: DistillationJob, few: Data, teacher: Teacher, wanted: frozenset[str], run: Run
) -> tuple[Lesson, Signal]:
    """As the job's own, but nothing that is heard is kept."""
    if isinstance(job.objective, objectives.sequence.Sequence):
        lesson, _ = sequence_lesson(job.objective, few, teacher, run, seed=job.training.seed)
        return lesson, teachers.signal_and_use(teacher, few, job.signal, None)[0]

    def ask(rows: Rows, view: str) -> Signal:
        said, _ = teachers.signal_and_use(teacher, replace(few, train=rows), job.signal, None, view=view)
        return with_features(said, teacher, rows, wanted)

    said = ask(*first_heard(job, few))
    return student_lesson(job, few, said, ask), said


def _teacher_rehearsal(member: Member) -> Rehearsal | None:
    if member.stage is None or member.spec is None:
        return None
    data = member.data
    lesson = teacher_lesson(data, member.spec)
    few = excerpt_of(data, lesson.positions, member.stage, ROWS)
    return rehearse(member.stage, as_long(teacher_lesson(few, member.spec), lesson, few), few, data)


def _on_engine(
    job: DistillationJob, student: Stage, controls: Controls, teacher: Teacher, data: Data
) -> list[tuple[CircuitNetwork, int]]:
    """Networks that run on the circuit engine, and how many alike; a frozen circuit costs what the student does."""
    alike = 1 + trains_baseline(job) + ("frozen" in controls)
    others = [stages[0].begin(data) for name, stages in controls.items() if name != "frozen"]
    found = [(student.begin(data), alike), *((each, 1) for each in (*others, teacher.network))]
    return [(each, count) for each, count in found if isinstance(each, CircuitNetwork)]


def _shapes(costs: Costs, said: Signal) -> Shapes:
    data, student = costs.data, costs.student
    batches, steps = {}, {}
    for role, each in (("student", student), *(("teacher", each) for each in costs.trained[:1])):
        batches[role] = each.batch
        steps[role] = each.steps_per_epoch
    return Shapes.model_validate(
        {
            "rows": {name: len(getattr(data, name).y) for name in ("train", "validation", "test")},
            "inputs": list(data.input_shape),
            "classes": len(data.classes),
            "class_names": data.task.answer_names,
            "teacher_logits": [len(said.logits), len(data.classes)],
            "student_logits": list(student.answered),
            "batch_sizes": batches,
            "steps_per_epoch": steps,
            "total_steps": costs.total_steps(),
        }
    )


def _capacity(stage: Stage, members: Sequence[Member], data: Data) -> Capacity:
    network = stage.begin(data)
    sizes = [member.teacher.parameters for member in members]
    counts = [_multiply_adds(member.teacher, data) for member in members]
    theirs = sum(sizes) if all(sizes) else None, sum(counts) if all(counts) else None
    return capacity_of((parameters(network), multiply_adds(network, data.input_shape)), theirs)


def _multiply_adds(teacher: Teacher, data: Data) -> int:
    """For one row; 0 where nobody knows."""
    return teacher.multiply_adds if teacher.network is None else multiply_adds(teacher.network, data.input_shape)
