"""A circuit made shorter, against the circuit as it is, the transpiler's level 3, and Trotter circuits of fewer steps.

`python -m benchmarks.quantum.shorten`

The jobs are those of `POST /v1/distillations`, on a line of qubits with depolarizing errors, after gates on one qubit
of a tenth of p2. A Trotter circuit of k steps, k from 1 to all, is what one would do by hand: it is judged as others
are, by its fidelity under the noise with the state of the circuit of all steps. Seeds are not those by which the method
was tuned.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit.library import quantum_volume
from qiskit.quantum_info import Statevector
from qiskit.synthesis import synth_qft_full

from benchmarks.distillation.work import Quiet
from benchmarks.report import Line, report
from qstill.contract.circuits.device import Device
from qstill.contract.circuits.noise.model import DepolarizingNoise
from qstill.contract.distillations.circuits.job import ShorteningJob, ShorteningResult
from workers.circuits.export.openqasm3 import to_openqasm3
from workers.distillation.circuits.given import Target
from workers.distillation.circuits.judge import placed, score
from workers.distillation.jobs import distil_job

SEED = 20260
STEPS = 20  # of Trotter circuits
LEAST_FEWER = 90.0  # percent of the gates
LEAST_BETTER = 0.10  # of fidelity, than the best Trotter circuit at p2 = 1 %
HEADINGS = (
    "circuit",
    "p2",
    "gates",
    "level 3",
    "short",
    "layers",
    "ideal",
    "given",
    "level 3",
    "Trotter",
    "short",
    "s",
)


class Forgetful(Quiet):
    """Whose files nobody reads."""

    files: dict[str, Path] = {}  # noqa: RUF012

    def publish(self, path: Path, **_: Any) -> None: ...


@dataclass(frozen=True)
class Case:
    """trotter: the circuit of k steps; None where there is no such thing."""

    name: str
    circuit: QuantumCircuit
    keep: str
    layers: tuple[int, int]
    p2: float
    trotter: Callable[[int], QuantumCircuit] | None = None


def ising(qubits: int, time: float, steps: int) -> QuantumCircuit:
    """exp(-itH) of H = -ΣZZ - ΣX on an open chain, to first order; two CX for each ZZ."""
    circuit, angle = QuantumCircuit(qubits), -2 * time / steps
    for _ in range(steps):
        for qubit in range(qubits - 1):
            circuit.cx(qubit, qubit + 1)
            circuit.rz(angle, qubit + 1)
            circuit.cx(qubit, qubit + 1)
        circuit.rx(angle, range(qubits))
    return circuit


def heisenberg(qubits: int, time: float, steps: int) -> QuantumCircuit:
    """Of H = Σ(XX + YY + ZZ) on an open chain, from the Néel state."""
    circuit, angle = QuantumCircuit(qubits), 2 * time / steps
    circuit.x(range(0, qubits, 2))
    for _ in range(steps):
        for first in (0, 1):
            for qubit in range(first, qubits - 1, 2):
                circuit.rxx(angle, qubit, qubit + 1)
                circuit.ryy(angle, qubit, qubit + 1)
                circuit.rzz(angle, qubit, qubit + 1)
    return circuit


def cases() -> list[Case]:
    def of_ising(steps: int) -> QuantumCircuit:
        return ising(6, 1.5, steps)

    def of_heisenberg(steps: int) -> QuantumCircuit:
        return heisenberg(6, 1.0, steps)

    return [
        Case("TFIM, 6 qubits, t = 1.5", of_ising(STEPS), "state", (4, 6), 0.01, of_ising),
        Case("TFIM, 6 qubits, t = 1.5", of_ising(STEPS), "state", (4, 6), 0.02, of_ising),
        Case("TFIM, 8 qubits, t = 1.5", ising(8, 1.5, STEPS), "state", (5, 7), 0.01, lambda k: ising(8, 1.5, k)),
        Case("Heisenberg, 6 qubits, t = 1", of_heisenberg(STEPS), "state", (6, 9), 0.01, of_heisenberg),
        Case("QFT as a unitary, 4 qubits", synth_qft_full(4), "unitary", (6, 12), 0.01),
        Case("random, 6 qubits, volume of 6", quantum_volume(6, 6, seed=SEED), "state", (6, 10), 0.01),
        Case("random, 4 qubits, volume of 4, weak", quantum_volume(4, 4, seed=SEED), "state", (2, 4), 0.0005),
    ]


def noise_of(p2: float) -> dict[str, Any]:
    return {"model": "depolarizing", "one_qubit": p2 / 10, "two_qubit": p2}


def shortened(case: Case) -> tuple[ShorteningResult, float]:
    """A job's result, and its CPU seconds."""
    body = {
        "dataset": {
            "source": "circuit",
            "circuit": {"format": "openqasm3", "source": to_openqasm3(case.circuit)},
            "keep": case.keep,
        },
        "student": {"architecture": {"kind": "quantum", "layers": {"from": case.layers[0], "to": case.layers[1]}}},
        "training": {"seed": SEED},
        "evaluation": {"noise": noise_of(case.p2), "device": device_of(case).model_dump(exclude_none=True)},
    }
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        found = distil_job(ShorteningJob.model_validate(body), Forgetful(Path(folder)))  # type: ignore[arg-type]
        return ShorteningResult.model_validate(found), time.process_time() - began


def device_of(case: Case) -> Device:
    return Device.model_validate({"coupling_map": {"shape": "line", "qubits": case.circuit.num_qubits}})


def best_trotter(case: Case) -> float | None:
    """The best fidelity under the noise of a Trotter circuit of any number of steps."""
    if case.trotter is None:
        return None
    target = Target("state", case.circuit.num_qubits, Statevector(case.circuit).data)
    noise = DepolarizingNoise.model_validate(noise_of(case.p2))
    circuits = (placed(case.trotter(steps), device_of(case), seed=SEED) for steps in range(1, STEPS + 1))
    return max(score(circuit, target, noise, threads=1) for circuit in circuits)


def measure() -> list[Line]:
    lines = []
    print("  ".join(HEADINGS))
    for case in cases():
        (found, seconds), trotter = shortened(case), best_trotter(case)
        assert found.fidelity_noisy is not None
        assert found.fidelity_transpiled is not None
        given, short = found.fidelity_noisy
        figures = [f"{case.name:36}", f"{case.p2:.2%}", *map(str, (found.cx[0], found.cx_transpiled, found.cx[1]))]
        figures += [str(found.chosen_layers), f"{found.fidelity_ideal:.3f}", f"{given:.3f}"]
        figures += [f"{found.fidelity_transpiled:.3f}", "" if trotter is None else f"{trotter:.3f}", f"{short:.3f}"]
        print("  ".join([*figures, f"{seconds:.0f}"]), flush=True)
        print(f"    {found.verdict}; {found.break_even.said if found.break_even else ''}", flush=True)
        if case.name.startswith("TFIM, 6"):
            fewer = 100 * (1 - found.cx[1] / found.cx[0])
            lines.append(_line(f"{case.name}: gates fewer than the given circuit's", fewer, 0.0, "%", LEAST_FEWER))
        if trotter is not None and case.p2 == 0.01 and case.name.startswith("TFIM"):
            claim = f"{case.name}: fidelity at p2 = 1 %, beside the best Trotter circuit"
            lines.append(_line(claim, short, trotter, "", trotter + LEAST_BETTER))
        if case.name.endswith("weak"):
            lines.append(_line(f"{case.name}: says no gain", float(not found.gain), 0.0, "", 1.0))
    return lines


def _line(claim: str, ours: float, plain: float, unit: str, goal: float) -> Line:
    return Line(claim=claim, ours=ours, plain=plain, unit=unit, goal=goal, better="more")


if __name__ == "__main__":
    sys.exit(report(measure()))
