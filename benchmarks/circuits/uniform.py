"""Twenty qubits in uniform superposition, 100,000 shots, about as many outcomes: drawn, counted, keyed and written.

`python -m benchmarks.circuits.uniform`
"""

import sys

from benchmarks.circuits.rivals import aer, check_uniform, compare, job_of, parsed, run_job, seconds, time_job
from benchmarks.report import Line, milliseconds, report

GOAL = 150  # milliseconds
QUBITS = 20
SHOTS = 100_000
CLAIM = f"{QUBITS} qubits uniform, {SHOTS:,} shots"
ROUNDS = 5


def measure() -> list[Line]:
    operations = [{"gate": "h", "targets": list(range(QUBITS))}]
    job = job_of({"format": "json", "qubits": QUBITS, "operations": operations}, shots=SHOTS)
    circuit = parsed(job)
    for counts in (run_job(job)[0]["counts"], aer(circuit, shots=SHOTS)):
        check_uniform(counts, QUBITS)
    ours, theirs = compare(lambda: time_job(job), lambda: seconds(lambda: aer(circuit, shots=SHOTS)), rounds=ROUNDS)
    return [milliseconds(CLAIM, ours, theirs, goal=GOAL)]


if __name__ == "__main__":
    sys.exit(report(measure()))
