"""A trigonometric sum in place of its circuit: iris' four numbers, four qubits, two layers, 81 nodes.

`python -m benchmarks.quantum.surrogate`

Circuits of this form with other angles, as whole jobs. Errors are from the circuit's own values, without shots, on test
rows. Beside the sum stands what else would answer a row: a linear model that was shown the exact values of the training
rows, and the circuit itself with as many shots for the row as each node was given.
"""

import json
import sys
import tempfile
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from benchmarks.distillation.work import Quiet
from benchmarks.report import Line, report
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.document import read_report
from qstill.contract.distillations.report.surrogate import SurrogateSection
from workers.distillation.jobs import distil_job
from workers.distillation.networks.fourier import Waves
from workers.distillation.training.solution import grid, solved_on_grid
from workers.quantum.teachers.values import CircuitValues

QUBITS, LAYERS, NODES, CIRCUITS = 4, 2, 81, 10
EXACT = 1e-5  # of a value, in single precision
DOUBLE = 1e-12  # the same in double precision, before it is written to a file
SHOTS = ((1_024, 0.035), (8_192, 0.0125))  # of a node, and the error that they may leave


class Reported(Quiet):
    """Keeps the report."""

    def __init__(self, scratch: Path) -> None:
        super().__init__(scratch)
        self.files: dict[str, Path] = {}

    def publish(self, path: Path, *, name: str, **_: Any) -> None:
        if name == "report.json":
            self.report = read_report(json.loads(path.read_text()))

    def event(self, *_: Any) -> None: ...


def circuit(seed: int) -> str:
    """RY of each input, then layers of RY, RZ and a ring of CX."""
    draw = np.random.default_rng(seed)
    inputs = range(QUBITS)
    lines = [f"input float[64] x{n};" for n in inputs] + [f"qubit[{QUBITS}] q;"] + [f"ry(x{n}) q[{n}];" for n in inputs]
    for _ in range(LAYERS):
        for n in inputs:
            turned = draw.uniform(-np.pi, np.pi, 2)
            lines += [f"ry({turned[0]:.6f}) q[{n}];", f"rz({turned[1]:.6f}) q[{n}];"]
        lines += [f"cx q[{n}], q[{(n + 1) % QUBITS}];" for n in inputs]
    return 'OPENQASM 3.0; include "stdgates.inc"; ' + " ".join(lines)


def job(seed: int, shots: int | None) -> DistillationJob:
    teacher = {
        "source": "circuit",
        "circuit": {"format": "openqasm3", "source": circuit(seed)},
        "inputs": [f"x{n}" for n in range(QUBITS)],
        "observables": [{"terms": [{"paulis": "Z", "qubits": [0], "coefficient": 1.0}]}],
        "shots": shots,
        "seed": seed,
    }
    body = {
        "dataset": {"source": "builtin", "name": "iris"},
        "teacher": teacher,
        "student": {"architecture": {"kind": "fourier"}},
        "objective": {"kind": "logit_mse"},
    }
    return DistillationJob.model_validate(body)


def surrogate(seed: int, shots: int | None) -> SurrogateSection:
    with tempfile.TemporaryDirectory() as folder:
        run = Reported(Path(folder))
        distil_job(job(seed, shots), run)  # type: ignore[arg-type]
    found = run.report.surrogate
    assert found is not None
    assert found.exact
    assert found.nodes == NODES
    assert found.shots_spent == NODES * (shots or 0)
    return found


def in_double(seed: int) -> float:
    """The largest error before the coefficients are rounded to a file of single precision."""
    teacher: Any = job(seed, None).teacher
    values = CircuitValues(teacher, threads=1)
    found = values.frequencies()
    coefficients = solved_on_grid(values.exact(grid(found.highest, found.units)), found.highest)
    rows = torch.from_numpy(np.random.default_rng(seed).uniform(-9, 9, (100, QUBITS)))
    return float((Waves(found.highest)(rows) @ coefficients - values.exact(rows)).abs().max())


def measure() -> list[Line]:
    torch.set_num_threads(1)
    seeds = range(1, 1 + CIRCUITS)
    exact = [surrogate(seed, None) for seed in seeds]
    worst, linear = max(each.student.max_error for each in exact), max(each.linear.max_error for each in exact)
    lines = [
        _less(
            "largest error in double precision; as the file has it, in single",
            max(map(in_double, seeds)),
            worst,
            DOUBLE,
            1e15,
        ),
        _less(f"largest error of {NODES} nodes, exact values; a linear model", worst, linear, EXACT, 1e6),
    ]
    for shots, goal in SHOTS:
        found = [surrogate(seed, shots) for seed in seeds]
        ours, direct = (_rms([getattr(each, arm).rmse for each in found]) for arm in ("student", "direct"))
        claim = f"RMSE of {NODES} nodes at {shots:,} shots each; {shots:,} shots for every row"
        lines.append(_less(claim, ours, direct, goal, 1e3))
    return lines


def _rms(values: list[float]) -> float:
    return sqrt(fmean(value**2 for value in values))


def _less(claim: str, ours: float, plain: float, goal: float, scale: float) -> Line:
    unit = f"· 10^-{len(str(int(scale))) - 1}"
    return Line(claim=claim, ours=ours * scale, plain=plain * scale, unit=unit, goal=goal * scale, better="less")


if __name__ == "__main__":
    sys.exit(report(measure()))
