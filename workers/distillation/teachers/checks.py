"""Whether teachers that are there already fit the data: advised on in a preflight, asked again in the job itself."""

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import LabelsCheck, RegressorCheck, TeacherCheck
from qstill.contract.distillations.preflight_parts import Rule, Severity, advice
from qstill.contract.distillations.teachers import (
    EnsembleTeacher,
    Single,
    SoftLabels,
    TrainedTeacher,
    UploadedTeacher,
    parts,
)
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.distillations.teachers.pieces import Objection
from qstill.contract.distillations.teachers.remote import EndpointTeacher
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.rows import Rows
from workers.distillation.tasks.task import Check
from workers.distillation.teachers import Teacher, answers_of
from workers.run import Run

ROWS = 256  # that a teacher is asked about at most, of the validation rows and of the training rows
ENDPOINT_ROWS = 32  # one request, whose owner may count them
TEXT_TOKENS = 2048  # of a language model, which answers every token

WORSE: Objection = "teacher_worse_than_chance"


def accepted(
    job: DistillationJob, data: Data, pointer: str, teacher: Teacher, run: Run, answers: Tensor | None = None
) -> Teacher:
    """The teacher, and among its warnings what the job accepts of it.

    answers: its logits to all validation rows; None: it is asked about some. Raises Problem: class_order,
    teacher_worse_than_chance.
    """
    rows = data.validation if answers is not None else data.validation.some(asked_rows(job, data))
    heard = answers if answers is not None else answers_of(teacher, data, rows, run)
    check = checked(pointer, heard, rows, data)
    objections = [*objections_to(job, [check], data.task.answer_names)]
    for first in objections:
        if first.severity == "problem":
            ways_out = [{"classes": first.suggestion.value}] if first.suggestion else []
            ways_out.append({"accept": [said.code for said in objections]})
            raise Problem(first.code, first.detail, pointer=first.pointer, ways_out=ways_out)
    said = [each for each in objections if each.code in _accepts(job, pointer)]
    for each in said:
        run.event("warning", {"code": each.code, "detail": each.detail})
    return replace(teacher, warnings=(*teacher.warnings, *(each.detail for each in said)))


def there_already(job: DistillationJob, teacher: Teacher) -> list[tuple[str, Teacher]]:
    """(pointer, teacher) of those that the job does not train: an ensemble where it trains no member, and members.

    A circuit is judged by itself: that its shots and its noise hide what it says ends no job.
    """
    if not isinstance(job.teacher, EnsembleTeacher):
        return [] if isinstance(job.teacher, TrainedTeacher | CircuitTeacher) else [("/teacher", teacher)]
    members = enumerate(zip(job.teacher.members, teacher.members, strict=True))
    found = [(f"/teacher/members/{i}", each) for i, (spec, each) in members if not isinstance(spec, TrainedTeacher)]
    return [("/teacher", teacher), *found] if len(found) == len(teacher.members) else found


def most_rows(job: DistillationJob, data: Data) -> int:
    """How many rows teachers are asked about to be judged."""
    if data.task.every_token:
        return max(2, TEXT_TOKENS // data.input_shape[0])
    return ENDPOINT_ROWS if any(isinstance(spec, EndpointTeacher) for _, spec in parts(job.teacher)) else ROWS


def asked_rows(job: DistillationJob, data: Data) -> Tensor:
    """Positions of validation rows, drawn: those that teachers are judged by, and no more than need be."""
    order = torch.randperm(len(data.validation.y), generator=torch.Generator().manual_seed(0))
    return order[: most_rows(job, data)]


def checked(pointer: str, logits: Tensor, rows: Rows, data: Data) -> Check:
    """What there is to say of a teacher's answers to validation rows. logits: (answers, classes)."""
    return data.task.check(pointer, logits, rows.labels, data.train.labels)


def objections_to(job: DistillationJob, checks: Iterable[Check], class_names: list[str]) -> Rule:
    """What speaks against teachers. A problem ends the job; what the job accepts is a warning.

    class_names: in the order of the logits; empty where classes are tokens.
    """
    for check in checks:
        if isinstance(check, RegressorCheck):
            yield from _no_better_than_the_mean(job, check)
            continue
        if isinstance(check, LabelsCheck):
            yield from _no_better_than_shares(job, check)
            continue
        yield from _out_of_order(job, check, class_names)
        yield from _no_better_than_chance(job, check)


def _out_of_order(job: DistillationJob, check: TeacherCheck, class_names: list[str]) -> Rule:
    """Columns that stand for other classes than they are taken for."""
    if check.class_order is None or check.accuracy_in_that_order is None:
        return
    names, better = _names(job, class_names, check), check.accuracy_in_that_order
    detail = (
        f"The teacher is right on {check.accuracy:.0%} of {check.rows} validation rows, and on {better:.0%} if its "
        "columns are assigned to other classes: the order of its classes seems not to be the data's."
    )
    pointer = f"{check.pointer}/classes" if names is not None else check.pointer
    severity: Severity = "warning" if "class_order" in _accepts(job, check.pointer) else "problem"
    yield advice("class_order", severity, detail, pointer, names)


def _names(job: DistillationJob, class_names: list[str], check: TeacherCheck) -> list[str] | None:
    """The field `classes` with which the teacher's columns stand for what they seem to be; None: it has none."""
    spec = spec_at(job, check.pointer)
    if not isinstance(spec, UploadedTeacher | SoftLabels | EndpointTeacher) or check.class_order is None:
        return None
    claimed = spec.classes or class_names
    return [class_names[check.class_order[class_names.index(name)]] for name in claimed]


def _no_better_than_chance(job: DistillationJob, check: TeacherCheck) -> Rule:
    """A teacher that has nothing to teach: as good as chance it is doubted, worse it ends the job."""
    if check.accuracy <= check.chance:
        detail = (
            f"The teacher is right on {check.accuracy:.1%} of {check.rows} validation rows; always answering the "
            f"most frequent class is right on {check.chance:.1%}. Look at its inputs (`standardised` or `raw`), "
            "its classes and its file."
        )
        stops = check.accuracy < check.chance and WORSE not in _accepts(job, check.pointer)
        yield advice(WORSE, "problem" if stops else "warning", detail, check.pointer)


def _no_better_than_the_mean(job: DistillationJob, check: RegressorCheck) -> Rule:
    """A teacher of real numbers that has nothing to teach."""
    if check.r2 <= 0:
        detail = (
            f"On {check.rows} validation rows the teacher explains nothing (R² {check.r2:.2f}): their mean is as "
            "good. Look at its inputs (`standardised` or `raw`), and at the unit of its answers."
        )
        stops = check.r2 < 0 and WORSE not in _accepts(job, check.pointer)
        yield advice(WORSE, "problem" if stops else "warning", detail, check.pointer)


def _no_better_than_shares(job: DistillationJob, check: LabelsCheck) -> Rule:
    """A teacher of several labels that has nothing to teach. Badly calibrated ones may still rank well: no problem."""
    if check.log_loss >= check.chance:
        detail = (
            f"On {check.rows} validation rows the teacher's log-loss is {check.log_loss:.3f} nats a label, and that of "
            f"how often each label comes {check.chance:.3f} (its macro F1 is {check.f1_macro:.1%}). Look at its "
            "inputs, at the order of its labels, and at what its answers are (`kind`)."
        )
        yield advice(WORSE, "warning", detail, check.pointer)


def _accepts(job: DistillationJob, pointer: str) -> set[str]:
    """What is accepted of the teacher there; an ensemble accepts for its members, too."""
    return {code for each in (job.teacher, spec_at(job, pointer)) for code in getattr(each, "accept", ())}


def spec_at(job: DistillationJob, pointer: str) -> Single | None:
    """What the job says of the teacher there; None of an ensemble."""
    return {"".join(f"/{step}" for step in place): spec for place, spec in parts(job.teacher)}.get(pointer)
