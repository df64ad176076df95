"""What a report says of the landscape that a student stands for: along one input, and where it is lowest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from qstill.contract.circuits.job import CircuitJob, seeded_spec, spec_of
from qstill.contract.distillations.architectures.fourier import Fourier
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.surrogate import Optimum, Slice, SlicePoint
from qstill.contract.kinds import CIRCUIT
from workers.distillation.data.dataset import Data
from workers.distillation.data.unlabelled import inputs_of
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.fourier import sum_of
from workers.distillation.networks.network import Network
from workers.distillation.training.solution import Solution
from workers.run import Run, Stopped

if TYPE_CHECKING:
    from workers.quantum.teachers.values import CircuitValues

CERTIFICATE = "certificate.json"
ALONG = 41  # points of a slice


def minimum_of(
    job: DistillationJob, data: Data, circuit: CircuitValues, solution: Solution | None, run: Run
) -> Optimum | None:
    """None where the job does not ask. job: of `with_frequencies`. Publishes the certificate. Raises Stopped."""
    asked, architecture = job.evaluation.minimise, job.student.architecture
    if asked is None or solution is None:
        return None
    from workers.distillation.quantum.optimum import optimum  # Qiskit, which other jobs are spared
    from workers.distillation.quantum.searches import Box, Sum

    assert isinstance(architecture, Fourier)
    assert data.task.targets is not None
    targets, number = data.task.targets, asked.observable
    _, units = sum_of(architecture, len(circuit.spec.inputs), "/student/architecture")
    coefficients = solution.coefficients[:, number] * targets.std[number]
    coefficients[0] += targets.mean[number]
    rows, answers = solution.known
    low, high = _span(data)

    def between() -> None:
        if run.stop_requested():
            raise Stopped

    def submit(certificate: CircuitJob) -> str:
        path = run.scratch / CERTIFICATE
        path.write_text(json.dumps(spec_of(certificate)), encoding="utf-8")
        meta = {"format": "circuit_job", "compares": "expectations/0/value"}
        run.publish(path, kind="export", name=path.name, media_type="application/json", meta=meta)
        assert certificate.name is not None
        return run.submit(CIRCUIT, seeded_spec(certificate), name=certificate.name, labels=certificate.labels)

    run.progress(phase="minimum", done=0, total=1, unit="searches")
    return optimum(
        asked,
        circuit,
        Sum(solution.frequencies, units, coefficients),
        Box(low.numpy(), high.numpy()),
        (rows, answers[:, number] * targets.std[number] + targets.mean[number]),
        between,
        submit,
    )


def slice_of(data: Data, circuit: CircuitValues, student: Network, found: Optimum | None, observable: int) -> Slice:
    """Along the input that moves the student most, through the minimum, or the middle of the rows."""
    low, high = _span(data)
    middle = (low + high) / 2 if found is None else torch.tensor(found.searches["surrogate"].angles).double()
    shares = torch.linspace(0, 1, ALONG, dtype=torch.float64)
    lines = middle.repeat(len(middle), ALONG, 1)
    for place in range(len(middle)):
        lines[place, :, place] = low[place] + shares * (high[place] - low[place])
    said = _said(data, student, lines.flatten(0, 1))[:, observable].reshape(len(middle), ALONG)
    moved = int((said.max(1).values - said.min(1).values).argmax())
    own, asked = circuit.exact(lines[moved]), circuit.asked(lines[moved]).values
    names = circuit.spec.inputs
    table = torch.stack([lines[moved][:, moved], said[moved], own[:, observable], asked[:, observable]], 1).tolist()
    return Slice(
        input=names[moved],
        observable=circuit.names[observable],
        through=dict(zip(names, middle.tolist(), strict=True)),
        points=[SlicePoint(at=at, student=student, circuit=own, asked=asked) for at, student, own, asked in table],
    )


def _said(data: Data, student: Network, rows: Tensor) -> Tensor:
    """The student's values (B, observables), of rows (B, inputs) as they stand in the data."""
    assert data.task.targets is not None
    shaped = rows.float().reshape(-1, *data.input_shape)
    return data.task.targets.in_units(logits_of(student, data.standardisation(shaped)))


def _span(data: Data) -> tuple[Tensor, Tensor]:
    """(lowest, highest) of each input over all rows; an input that does not vary has some room."""
    rows = inputs_of(torch.cat([part.raw for part in (data.train, data.validation, data.test)]))
    low, high = rows.amin(0), rows.amax(0)
    return low, torch.where(high > low, high, low + 1)
