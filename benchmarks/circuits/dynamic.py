"""Sixteen qubits with a measurement, a condition and a reset in the middle, 1,000 shots: branches against single shots.

`python -m benchmarks.circuits.dynamic`
"""

import sys
from collections import Counter

from benchmarks.circuits.rivals import (
    Counts,
    aer,
    check_alike,
    compare,
    job_of,
    layered,
    parsed,
    run_job,
    seconds,
    time_job,
)
from benchmarks.report import Line, milliseconds, report

GOAL = 100  # milliseconds
QUBITS = 16
SHOTS = 1_000
CLAIM = f"Dynamic circuit, {QUBITS} qubits, {SHOTS:,} shots"
ROUNDS = 3


def measure() -> list[Line]:
    gates = layered(QUBITS, 3)["operations"]
    middle = [
        {"gate": "measure", "target": 0, "clbit": QUBITS},
        {"gate": "x", "target": 1, "if": {"clbit": QUBITS, "value": 1}},
        {"gate": "reset", "target": 0},
    ]
    end = [{"gate": "measure", "targets": list(range(QUBITS))}]
    operations = [*gates[:46], *middle, *gates[46:], *end]
    job = job_of({"format": "json", "qubits": QUBITS, "operations": operations}, shots=SHOTS)
    circuit = parsed(job)
    check_alike(*(_halves(counts) for counts in (run_job(job)[0]["counts"], aer(circuit, shots=SHOTS))))
    ours, theirs = compare(lambda: time_job(job), lambda: seconds(lambda: aer(circuit, shots=SHOTS)), rounds=ROUNDS)
    return [milliseconds(CLAIM, ours, theirs, goal=GOAL)]


def _halves(counts: Counts) -> Counts:
    """Counts of the bit in the middle and of two at the end: few enough outcomes to compare."""
    found = Counter[str]()
    for key, count in counts.items():
        found[key[0] + key[-2:]] += count
    return found


if __name__ == "__main__":
    sys.exit(report(measure()))
