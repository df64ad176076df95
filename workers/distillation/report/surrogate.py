"""What a report says of the student in place of its circuit: its errors, what it cost, and when that pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from qstill.contract.distillations.architectures.fourier import nodes_of
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.mitigation import CliffordGains
from qstill.contract.distillations.report.surrogate import (
    MitigatedTeacher,
    Spectrum,
    SurrogateErrors,
    SurrogatePoint,
    SurrogateSection,
)
from qstill.contract.distillations.spec import is_solved
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.data.unlabelled import inputs_of
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.network import Network
from workers.distillation.report.landscape import minimum_of, slice_of
from workers.distillation.report.measurements import RowMeasurements, row_counts
from workers.distillation.tasks.expectations import Expectations
from workers.distillation.tasks.targets import Targets
from workers.distillation.teachers import Teacher, Use
from workers.distillation.training.plan import Lesson
from workers.distillation.training.solution import Solution
from workers.run import Run

if TYPE_CHECKING:
    from workers.quantum.teachers.values import CircuitValues

POINTS = 200  # test rows of a picture
EPSILON = torch.finfo(torch.float32).eps


def surrogate_section(
    job: DistillationJob, data: Data, teacher: Teacher, lesson: Lesson, student: Network, answers: Tensor, run: Run
) -> SurrogateSection | None:
    """None where no circuit teaches. lesson: the student's. answers: the teacher's (test rows, observables).

    Publishes the certificate of a minimum that the job asks for. Raises Stopped.
    """
    circuit, task, solution = teacher.circuit, data.task, lesson.solution
    if circuit is None or not isinstance(task, Expectations):
        return None
    targets, truth = task.targets, task.targets.in_units(data.test.y)
    rows = len(data.train.y) + len(data.validation.y)
    asked = rows if solution is None or solution.nodes is None else solution.nodes
    said, heard = targets.in_units(logits_of(student, data.test.x)), targets.in_units(answers)
    own, direct = _errors(said, truth), _errors(heard, truth)
    before, each = circuit.circuits_before, circuit.spec.shots or 0
    found = minimum_of(job, data, circuit, solution, run)
    shown = 0 if job.evaluation.minimise is None else job.evaluation.minimise.observable
    return SurrogateSection(
        nodes=None if solution is None else solution.nodes,
        exact=solution is not None and solution.exact,
        rmse=own.rmse,
        student=own,
        direct=direct,
        linear=_errors(_linear(inputs_of(data.train.raw), circuit.exact(inputs_of(data.train.raw)), data), truth),
        mitigation=_mitigated(circuit, data, truth, direct),
        judged_by=circuit.judged_by,
        standard_error=None if solution is None else solution.standard_error,
        rounding=None if solution is None else _rounding(solution, targets, inputs_of(data.test.raw)),
        spectrum=_spectrum(teacher, solution),
        circuits=asked * circuit.circuits + before,
        shots_spent=asked * circuit.shots + before * each,
        circuits_per_query=circuit.circuits,
        shots_per_query=circuit.shots,
        pays_after_queries=asked,
        slice=slice_of(data, circuit, student, found, shown),
        points=[
            SurrogatePoint(circuit=row[0], student=row[1], asked=row[2])
            for row in torch.stack([truth, said, heard])[:, :POINTS, shown].T.tolist()
        ],
        optimum=found,
    )


def _mitigated(circuit: CircuitValues, data: Data, truth: Tensor, direct: SurrogateErrors) -> MitigatedTeacher | None:
    """truth: of the test rows (rows, observables). direct: the errors with it."""
    mitigation = circuit.spec.mitigation
    if mitigation is None:
        return None
    said = circuit.unmitigated().asked(inputs_of(data.test.raw)).values
    without = _errors(said, truth)
    helped = direct.rmse < without.rmse
    verdict = f"an RMSE of {direct.rmse:.3g} with it and of {without.rmse:.3g} without"
    return MitigatedTeacher(
        kind=mitigation.kind,
        without=without,
        helped=helped,
        circuits_before=circuit.circuits_before,
        gains=circuit.gains.tolist() if isinstance(mitigation, CliffordGains) else None,
        sentence=f"{'helped' if helped else 'did not help'}: {verdict}, for as many shots",
    )


def circuit_notes(job: DistillationJob, data: Data, measured: RowMeasurements) -> list[str]:
    """What a reader must know, in plain words, where others are told of labels and a baseline."""
    rows, use = row_counts(data), measured.signal
    if not is_solved(job):
        how = [
            f"The answers to {rows['validation']} validation rows chose the best epoch of every student.",
            _heard(use),
        ]
    elif use.dtype == "float64":
        how = [f"Nothing was trained: the weights follow from what the circuit answers at {use.computed_rows} nodes."]
    else:
        how = [
            "Nothing was trained: the student has not all frequencies of its circuit, and its weights are those of a "
            f"ridge regression, whose penalty the {rows['validation']} validation rows chose.",
            _heard(use),
        ]
    return [
        data.task.lesson_note(data.train, data.seen, data.learned),
        *measured.teacher_notes,
        *how,
        f"The {rows['test']} test rows were read once, at the end.",
        *(note.said for note in data.reading_notes if not note.doubt),
        *data.task.data_notes(),
    ]


def _heard(use: Use) -> str:
    if use.reused_rows:
        return f"The circuit's answers to {use.reused_rows} training rows were there from an earlier job."
    return f"The circuit was asked about each of {use.computed_rows} training rows."


def _errors(found: Tensor, truth: Tensor) -> SurrogateErrors:
    """Both (rows, observables), in units."""
    off = (found - truth).abs()
    return SurrogateErrors(rmse=float(off.square().mean().sqrt()), max_error=float(off.max()))


def _linear(inputs: Tensor, values: Tensor, data: Data) -> Tensor:
    """What a linear model of the training rows says of the test rows."""

    def whole(rows: Tensor) -> Tensor:
        return torch.cat([torch.ones(len(rows), 1, dtype=rows.dtype), rows], 1)

    found: Tensor = whole(inputs_of(data.test.raw)) @ (torch.linalg.pinv(whole(inputs)) @ values)
    return found


def _rounding(solution: Solution, targets: Targets, inputs: Tensor) -> float:
    """A term is off by its own rounding, by that of each wave, and by that of each angle times its frequency."""
    highest = torch.tensor(solution.frequencies, dtype=torch.float64)
    angles = float((inputs.abs().amax(0) * highest).sum())
    sizes = solution.coefficients.abs().sum(0) * targets.std
    return float(sizes.max()) * EPSILON * (2 * len(solution.frequencies) + 2 + angles)


def _spectrum(teacher: Teacher, solution: Solution | None) -> Spectrum | None:
    assert teacher.circuit is not None
    try:
        found = teacher.circuit.frequencies()
    except Problem:
        return None
    return Spectrum(
        frequencies=list(found.highest),
        units=list(found.units),
        nodes=nodes_of(found.highest),
        ranks=[] if solution is None else solution.ranks(),
    )
