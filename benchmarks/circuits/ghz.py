"""A GHZ state of 500 qubits, 1,000 shots: Stim against Aer, which takes its own stabilizer method for it.

`python -m benchmarks.circuits.ghz`
"""

import sys

from benchmarks.circuits.rivals import aer, check_alike, compare, job_of, parsed, run_job, seconds, time_job
from benchmarks.report import Line, milliseconds, report

GOAL = 50  # milliseconds
QUBITS = 500
SHOTS = 1_000
CLAIM = f"GHZ state of {QUBITS} qubits, {SHOTS:,} shots"
ROUNDS = 3


def measure() -> list[Line]:
    operations = [{"gate": "h", "target": 0}]
    operations += [{"gate": "x", "target": qubit + 1, "control": qubit} for qubit in range(QUBITS - 1)]
    job = job_of({"format": "json", "qubits": QUBITS, "operations": operations}, shots=SHOTS)
    circuit = parsed(job)
    check_alike(run_job(job)[0]["counts"], aer(circuit, shots=SHOTS, n_qubits=QUBITS))
    ours, theirs = compare(
        lambda: time_job(job), lambda: seconds(lambda: aer(circuit, shots=SHOTS, n_qubits=QUBITS)), rounds=ROUNDS
    )
    return [milliseconds(CLAIM, ours, theirs, goal=GOAL)]


if __name__ == "__main__":
    sys.exit(report(measure()))
