"""The quantum Fourier transform of a product state, 22 and 24 qubits, 1,000 shots, against Aer's run of it as it is.

`python -m benchmarks.circuits.fourier`
"""

import sys
from math import pi
from typing import Any

from benchmarks.circuits.rivals import (
    aer_as_it_is,
    chances_of,
    check_likely,
    compare,
    job_of,
    parsed,
    run_job,
    seconds,
    time_job,
    times,
)
from benchmarks.report import Line, report

GOAL = 1.0  # of Aer's CPU seconds
SHOTS = 1_000
ROUNDS = {22: 3, 24: 1}  # by qubits; 24 take most of a minute


def measure() -> list[Line]:
    return [_line(qubits, rounds) for qubits, rounds in ROUNDS.items()]


def _line(qubits: int, rounds: int) -> Line:
    job = job_of(_transform(qubits), shots=SHOTS, method="statevector")
    circuit = parsed(job)
    chances = chances_of(circuit)
    for counts in (run_job(job)[0]["counts"], *aer_as_it_is([circuit], shots=SHOTS, method="statevector")):
        check_likely(counts, chances)
    ours, theirs = compare(
        lambda: time_job(job),
        lambda: seconds(lambda: aer_as_it_is([circuit], shots=SHOTS, method="statevector")),
        rounds=rounds,
    )
    return times(f"Fourier transform, {qubits} qubits, {SHOTS:,} shots, CPU time of Aer's", ours, theirs, goal=GOAL)


def _transform(qubits: int) -> dict[str, Any]:
    """Of a state that is no basis state, so that outcomes differ in how likely they are."""
    operations: list[dict[str, Any]] = [
        {"gate": "ry", "target": qubit, "rotation": 0.3 + qubit / 7} for qubit in range(qubits)
    ]
    for target in reversed(range(qubits)):
        operations.append({"gate": "h", "target": target})
        operations += [
            {"gate": "z", "target": target, "control": control, "rotation": pi / 2 ** (target - control)}
            for control in reversed(range(target))
        ]
    operations += [{"gate": "swap", "targets": [low, qubits - 1 - low]} for low in range(qubits // 2)]
    return {"format": "json", "qubits": qubits, "operations": operations}


if __name__ == "__main__":
    sys.exit(report(measure()))
