"""Layered circuits of 20 and 24 qubits, 1,000 shots: never more than a twentieth slower than Aer's statevector.

`python -m benchmarks.circuits.layered`
"""

import sys

from benchmarks.circuits.rivals import (
    aer,
    chances_of,
    check_likely,
    compare,
    job_of,
    layered,
    parsed,
    run_job,
    seconds,
    time_job,
)
from benchmarks.report import Line, report

GOAL = 1.05  # of Aer's CPU seconds
LAYERS = 10
SHOTS = 1_000
ROUNDS = {20: 7, 24: 3}  # by qubits; 24 take seconds


def measure() -> list[Line]:
    return [_line(qubits, rounds) for qubits, rounds in ROUNDS.items()]


def _line(qubits: int, rounds: int) -> Line:
    job = job_of(layered(qubits, LAYERS), shots=SHOTS, method="statevector")
    circuit = parsed(job)
    chances = chances_of(circuit)
    for counts in (run_job(job)[0]["counts"], aer(circuit, shots=SHOTS, method="statevector")):
        check_likely(counts, chances)
    ours, theirs = compare(
        lambda: time_job(job), lambda: seconds(lambda: aer(circuit, shots=SHOTS, method="statevector")), rounds=rounds
    )
    return Line(
        claim=f"Layered circuit, {qubits} qubits, {SHOTS:,} shots, CPU time of Aer's",
        ours=ours / theirs,
        plain=1,
        unit="×",
        goal=GOAL,
        better="less",
    )


if __name__ == "__main__":
    sys.exit(report(measure()))
