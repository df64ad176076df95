"""Shots made into a model of their distribution, against the histogram of the same shots and independent bits.

`python -m benchmarks.quantum.distribution`

The jobs are those of `POST /v1/distillations`. Total variation is to the circuit's exact distribution; "all shots" are
the plain frequencies of all shots, the held-out ones too: more than the student learned from. Seeds are not those by
which the student's defaults were chosen.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from qiskit import QuantumCircuit
from qiskit.circuit.library import quantum_volume

from benchmarks.distillation.work import Quiet
from benchmarks.report import Line, report
from qstill.contract.distillations.circuits.distribution.job import DistributionJob
from qstill.contract.distillations.circuits.distribution.report import DistributionReport
from workers.circuits.export.openqasm3 import to_openqasm3
from workers.distillation.jobs import distil_job

SEEDS = (7301, 7302, 7303)  # of the shots, and of the training
SHOTS = 1024
GOAL = 1.8  # total variation of all shots' frequencies over the student's
TRAINING = {"epochs": 100, "batch_size": 128, "learning_rate": 0.01, "patience": 15}
HEADINGS = (
    "circuit",
    "seed",
    "keys",
    "student",
    "histogram",
    "independent",
    "gain",
    "student",
    "histogram",
    "independent",
    "all shots",
    "given back",
    "s",
)


class Reader(Quiet):
    """Keeps the report. files: nobody uploaded any."""

    files: dict[str, Path] = {}  # noqa: RUF012
    report: DistributionReport

    def publish(self, path: Path, *, name: str, **_: Any) -> None:
        if name == "report.json":
            self.report = DistributionReport.model_validate_json(path.read_bytes())


@dataclass(frozen=True)
class Case:
    """returned: what is to be given back."""

    name: str
    circuit: QuantumCircuit
    returned: str


def ising(qubits: int, time: float, steps: int) -> QuantumCircuit:
    """exp(-itH) of H = -½(ΣZZ + ΣX) on an open chain, to first order."""
    circuit = QuantumCircuit(qubits)
    for _ in range(steps):
        for qubit in range(qubits - 1):
            circuit.rzz(-time / steps, qubit, qubit + 1)
        circuit.rx(-time / steps, range(qubits))
    return circuit


def cat(qubits: int) -> QuantumCircuit:
    """(|0…0⟩ + |1…1⟩)/√2."""
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    return circuit


CASES = (
    Case("transverse-field Ising, 12 qubits", ising(12, 3.0, 20), "student"),
    Case("GHZ, 12 qubits", cat(12), "histogram"),
    Case("random, 12 qubits", quantum_volume(12, 12, seed=5), "histogram"),
    Case("random, 6 qubits", quantum_volume(6, 6, seed=5), "histogram"),
)


def measured(case: Case, seed: int) -> tuple[DistributionReport, float]:
    """Returns the report and its seconds."""
    circuit = case.circuit.copy()
    circuit.measure_all()
    job = DistributionJob.model_validate(
        {
            "dataset": {
                "source": "circuit",
                "keep": "distribution",
                "circuit": {"format": "openqasm3", "source": to_openqasm3(circuit)},
                "shots": SHOTS,
                "seed": seed,
            },
            "student": {"architecture": {"kind": "autoregressive", "hidden": [32]}},
            "training": TRAINING | {"seed": seed},
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        run = Reader(Path(folder))
        began = time.perf_counter()
        distil_job(job, run)
        return run.report, time.perf_counter() - began


def row(case: Case, seed: int, found: DistributionReport, seconds: float) -> tuple[str, ...]:
    """A line of the table: held-out NLL of each model and its gain, then total variation of each."""
    likelihoods = [f"{each.nll:.3f}" for each in found.models]
    assert found.all_shots is not None
    distances = [each.exact.total_variation for each in found.models if each.exact is not None]
    distances.append(found.all_shots.total_variation)
    gain = f"{found.gain.nats:+.3f} ({found.gain.low:+.3f} to {found.gain.high:+.3f})"
    last = found.returned, f"{seconds:.1f}"
    return case.name, str(seed), str(found.outcomes), *likelihoods, gain, *(f"{each:.3f}" for each in distances), *last


def measure() -> list[Line]:
    torch.set_num_threads(1)
    lines = []
    print(" | ".join(HEADINGS), flush=True)
    for case in CASES:
        reports = []
        for seed in SEEDS:
            found, seconds = measured(case, seed)
            reports.append(found)
            print(" | ".join(row(case, seed, found, seconds)), flush=True)
        if case.returned == "student":
            lines.append(_nearer(case, reports))
        right = sum(found.returned == case.returned for found in reports)
        claim = f"{case.name}: gives the {case.returned} back, of {len(SEEDS)} seeds"
        lines.append(Line(claim=claim, ours=right, plain=len(SEEDS), unit="", goal=len(SEEDS), better="more"))
    return lines


def _nearer(case: Case, reports: list[DistributionReport]) -> Line:
    """Means over the seeds."""
    all_shots = fmean(found.all_shots.total_variation for found in reports if found.all_shots is not None)
    student = fmean(each for found in reports if (each := found.total_variation and found.total_variation.student))
    claim = f"{case.name}: total variation of all {SHOTS:,} shots over the student's"
    return Line(claim=claim, ours=all_shots / student, plain=1, unit="x", goal=GOAL, better="more")


if __name__ == "__main__":
    sys.exit(report(measure()))
