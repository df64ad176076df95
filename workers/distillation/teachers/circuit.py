"""A quantum circuit as teacher, and the trigonometric sum that a student of it is solved as."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

import torch

from qstill.contract.distillations.architectures.fourier import MAX_NODES, Fourier, nodes_of, spread
from qstill.contract.distillations.datasets import BuiltinText, TextFile
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.rules.circuits import highest_that_fits, too_large
from qstill.contract.distillations.spec import is_solved
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.data.unlabelled import Answer, inputs_of, load_unlabelled
from workers.distillation.networks.fourier import sum_of
from workers.distillation.teachers.ask import Use, signal_and_use
from workers.distillation.teachers.base import Teacher
from workers.distillation.training.plan import Lesson, student_lesson
from workers.distillation.training.solution import Solution, grid, solved_on_grid, solved_on_rows
from workers.run import Run, Stopped

if TYPE_CHECKING:
    from workers.quantum.teachers.values import CircuitValues

NODES_BETWEEN = 1_024  # of a grid, between two reports of how far it is


def values_of(spec: CircuitTeacher, run: Run) -> CircuitValues:
    """What answers. Raises Problem, with a pointer into the job."""
    try:
        return _values(spec.model_dump_json(), run.threads)
    except Problem as problem:
        raise problem.within("/teacher") from None


@lru_cache(1)  # a job asks for it more than once
def _values(spec: str, threads: int) -> CircuitValues:
    from workers.quantum.teachers.values import CircuitValues  # Qiskit, a second that other teachers are spared

    return CircuitValues(CircuitTeacher.model_validate_json(spec), threads=threads)


def load_for_circuit(job: DistillationJob, spec: CircuitTeacher, run: Run) -> Data:
    """The rows of a job, with the circuit's values where labels would be. Raises Problem.

    Only a sum reads the rows of a job that solves one, and it reads them as they stand.
    """
    values = values_of(spec, run)
    data = job.dataset.model_copy(update={"standardise": "none"}) if is_solved(job) else job.dataset
    assert not isinstance(data, TextFile | BuiltinText)  # refused at the door

    def within(answer: Answer) -> Answer:
        def checked(rows: torch.Tensor) -> torch.Tensor:
            if rows.shape[1] != len(spec.parameters):
                title = f"A row of this data has {rows.shape[1]} numbers, and {len(spec.parameters)} inputs are named."
                raise Problem("inputs_mismatch", title, pointer="/teacher/inputs")
            try:
                return answer(rows)
            except Problem as problem:
                raise problem.within("/teacher") from None

        return checked

    return load_unlabelled(
        data,
        run.files,
        values.names,
        said=within(lambda rows: values.asked(rows, lambda: _stop_if_asked(run)).values),
        exact=within(values.exact),
        judged_by=values.judged_by,
    )


def from_circuit(spec: CircuitTeacher, run: Run) -> Teacher:
    """Raises Problem, also when it is asked."""
    values = _values(spec.model_dump_json(), run.threads)
    each = "A row is asked for by" if values.circuits > 1 else "A row is"
    said = f"{each} {values.circuits} circuit{'s' * (values.circuits > 1)}"
    return Teacher(
        lambda rows: values.asked(inputs_of(rows.raw), lambda: _stop_if_asked(run)).values,
        sha256(spec.model_dump_json().encode()).hexdigest(),
        circuit=values,
        notes=(f"{said} of {spec.shots:,} shots." if spec.shots else f"{said}, whose values are exact.",),
    )


def with_frequencies(job: DistillationJob, run: Run) -> DistillationJob:
    """The job whose student says which sum it is, as its circuit has it where the job does not say.

    Raises Problem: not_periodic, grid_too_large.
    """
    architecture, teacher = job.student.architecture, job.teacher
    if not (isinstance(architecture, Fourier) and isinstance(teacher, CircuitTeacher)):
        return job
    inputs, frequencies, units = len(teacher.parameters), architecture.frequencies, architecture.units
    try:
        found = values_of(teacher, run).frequencies()
    except Problem as problem:
        if problem.code != "not_periodic" or frequencies is None:
            raise
    else:
        frequencies = list(found.highest) if frequencies is None else frequencies
        units = list(found.units) if units is None else units
    highest = [int(each) for each in spread(frequencies, inputs)]
    if nodes_of(highest) > MAX_NODES:
        most = highest_that_fits(inputs)
        ways_out = [{"frequencies": most}] if most else []
        title = f"Of the circuit's frequencies {too_large(highest)}; it is solved on the job's rows then."
        pointer = "/student/architecture/frequencies"
        raise Problem("grid_too_large", title, pointer=pointer, ways_out=[*ways_out, {"kind": "mlp", "hidden": [64]}])
    told = architecture.model_copy(update={"frequencies": highest, "units": spread(units, inputs)})
    return job.model_copy(update={"student": job.student.model_copy(update={"architecture": told})})


def solved_lesson(job: DistillationJob, data: Data, teacher: Teacher, run: Run) -> tuple[Lesson, Use]:
    """What the student's weights follow from, and what it cost. job: of `with_frequencies`.

    On the grid where the student has all frequencies of its circuit, by ridge regression on the rows where it has not.
    """
    architecture, circuit = job.student.architecture, teacher.circuit
    assert isinstance(architecture, Fourier)
    assert circuit is not None
    assert data.task.targets is not None
    frequencies, units = sum_of(architecture, len(circuit.spec.inputs), "/student/architecture")
    if not _has_all(circuit, frequencies, units):
        signal, use = signal_and_use(teacher, data, job.signal, run)
        taught, held_out = (
            (inputs_of(rows.raw), said.double())
            for rows, said in ((data.train, signal.logits), (data.validation, data.validation.y))
        )
        coefficients = solved_on_rows(taught, held_out, frequencies, units)
        lesson = student_lesson(job, data, signal)
        heard = inputs_of(torch.cat([data.train.raw, data.validation.raw]))
        known = heard, torch.cat([taught[1], held_out[1]])
        return replace(lesson, solution=Solution(tuple(frequencies), coefficients, known)), use
    nodes = grid(frequencies, units)
    parts = []
    try:
        for part in torch.split(nodes, NODES_BETWEEN):
            parts.append(circuit.asked(part, lambda: _stop_if_asked(run)))
            run.progress(
                phase="circuit at nodes", done=sum(len(each.values) for each in parts), total=len(nodes), unit="nodes"
            )
    except Problem as problem:
        raise problem.within("/teacher") from None
    values, variances = torch.cat([each.values for each in parts]), torch.cat([each.variances for each in parts])
    deviations = data.task.targets.std
    solution = Solution(
        tuple(frequencies),
        solved_on_grid((values - data.task.targets.mean) / deviations, frequencies),
        (nodes, (values - data.task.targets.mean) / deviations),
        nodes=len(nodes),
        exact=True,
        standard_error=float(variances.max().sqrt()) if circuit.shots else None,
        spread=float((variances / deviations.square()).mean().sqrt()),
    )
    lesson = Lesson(data.learned, len(data.learned), data.seen, solution=solution)
    digest = sha256(values.numpy().tobytes()).hexdigest()
    return lesson, Use(digest, len(nodes), 0, values.numel() * values.element_size(), "float64", None, None, 0.0)


def _has_all(circuit: CircuitValues, frequencies: list[int], units: list[float]) -> bool:
    try:
        return circuit.frequencies().within(frequencies, units)
    except Problem:
        return False


def _stop_if_asked(run: Run) -> None:
    if run.stop_requested():
        raise Stopped
