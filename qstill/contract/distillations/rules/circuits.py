"""Circuits as teachers, and trigonometric sums: what has no labels, and what a sum must know of its inputs."""

from typing import Any

from qstill.contract.distillations.architectures.fourier import MAX_NODES, Fourier, nodes_of, spread
from qstill.contract.distillations.datasets import (
    BUILTIN_FEATURES,
    AnyDataset,
    BuiltinData,
    BuiltinText,
    DrawnData,
    TextFile,
)
from qstill.contract.distillations.evaluation import Minimise
from qstill.contract.distillations.objectives import OnFeatures, singles
from qstill.contract.distillations.spec import DistillationSpec, architectures, is_solved
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.schemas import FieldPath, refuse


def refuse_unfit_for_circuits(job: DistillationSpec) -> None:
    """Raise a validation error where a circuit cannot teach this job, or nothing else can."""
    if isinstance(job.teacher, CircuitTeacher):
        _refuse_without_rows(job, job.teacher)
        _refuse_uses_of_labels(job)
    elif isinstance(job.dataset, DrawnData):
        reason = "drawn rows have no labels: a circuit teaches without, other teachers are judged by some"
        refuse(("teacher", "source"), "labels_needed", reason, job.teacher.source)
    for place, architecture in architectures(job):
        if isinstance(architecture, Fourier):
            _refuse_impossible_sum(job, architecture, (*place, "architecture"))
    if job.evaluation.minimise is not None:
        _refuse_impossible_minimum(job, job.evaluation.minimise)
    if is_solved(job):
        for place, single in singles(job.objective):
            if single.kind != "logit_mse":
                reason = "a sum that a circuit teaches is solved, and what it minimises then is logit_mse"
                refuse((*place, "kind"), "objective_mismatch", reason, single.kind)


def features_of(data: AnyDataset) -> int | None:
    """How many numbers a row has; None where that is known once it is read."""
    if isinstance(data, DrawnData):
        return len(data.ranges)
    return BUILTIN_FEATURES[data.name] if isinstance(data, BuiltinData) else None


def _refuse_without_rows(job: DistillationSpec, teacher: CircuitTeacher) -> None:
    if isinstance(job.dataset, TextFile | BuiltinText):
        refuse(("teacher", "source"), "teacher_mismatch", "a circuit's inputs are numbers, and this data is text", "")
    known = features_of(job.dataset)
    if known is not None and known != len(teacher.parameters):
        reason = f"a row of this data has {known} numbers: name the circuit's parameter for each of them"
        refuse(("teacher", "inputs"), "inputs_mismatch", reason, teacher.parameters)


def _refuse_uses_of_labels(job: DistillationSpec) -> None:
    data = job.dataset
    asked: list[tuple[FieldPath, bool, Any]] = [
        (("dataset", "labelled"), data.labelled is not None, data.labelled),
        (("dataset", "unlabelled_pool"), not data.unlabelled_pool, False),
        (("dataset", "label_noise"), bool(data.label_noise), data.label_noise),
        (("dataset", "leave_out"), bool(data.leave_out), data.leave_out),
    ]
    for place, given, value in asked:
        if given:
            reason = "what a circuit teaches are its own values; labels of the data play no part"
            refuse(place, "no_labels", reason, value)
    for place, single in singles(job.objective):
        if isinstance(single, OnFeatures):
            reason = f"{single.kind} compares features, and a circuit gives answers only"
            refuse((*place, "kind"), "features_unavailable", reason, single.kind)
    if job.training.augmentation is not None:
        reason = "a circuit is asked about rows as they stand"
        refuse(("training", "augmentation"), "views_unavailable", reason, None)


def _refuse_impossible_sum(job: DistillationSpec, architecture: Fourier, place: FieldPath) -> None:
    if architecture.frequencies is None and not (place[0] == "student" and is_solved(job)):
        reason = "only a circuit says which frequencies it has: name the highest of each input"
        refuse((*place, "frequencies"), "frequencies_needed", reason, None)
    known = features_of(job.dataset)
    for field in ("frequencies", "units"):
        given = getattr(architecture, field)
        if isinstance(given, list) and known is not None and len(given) != known:
            reason = f"a row of this data has {known} numbers"
            refuse((*place, field), "inputs_mismatch", reason, given)
    if known is not None and architecture.frequencies is not None:
        frequencies = [int(each) for each in spread(architecture.frequencies, known)]
        if nodes_of(frequencies) > MAX_NODES:
            refuse((*place, "frequencies"), "grid_too_large", too_large(frequencies), architecture.frequencies)


def _refuse_impossible_minimum(job: DistillationSpec, asked: Minimise) -> None:
    place = ("evaluation", "minimise")
    if not (isinstance(job.teacher, CircuitTeacher) and is_solved(job)):
        reason = "it is of a student `fourier` that a circuit teaches: its angles are the inputs"
        refuse(place, "minimum_unavailable", reason, None)
    count = max(1, len(job.teacher.observables))
    if asked.observable >= count:
        refuse((*place, "observable"), "no_such_observable", f"the teacher has {count}, from 0", asked.observable)
    if asked.start is not None and len(asked.start) != len(job.teacher.parameters):
        reason = f"the circuit has {len(job.teacher.parameters)} inputs: a number for each"
        refuse((*place, "start"), "inputs_mismatch", reason, asked.start)


def too_large(frequencies: list[int]) -> str:
    """Why a sum has too many coefficients, and what fits."""
    most = highest_that_fits(len(frequencies))
    fits = f"a frequency of {most} for each input fits" if most else "fewer inputs, or an mlp, fit"
    return f"these are {nodes_of(frequencies):,} coefficients, and {MAX_NODES:,} are at most: {fits}"


def highest_that_fits(inputs: int) -> int:
    """The frequency that all of so many inputs may have; 0: none."""
    most = 0
    while nodes_of([most + 1] * inputs) <= MAX_NODES:
        most += 1
    return most
