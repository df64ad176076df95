"""A million shots of a Bell state: one multinomial draw against Aer's sampler, which goes through them all.

`python -m benchmarks.circuits.bell_shots`
"""

import sys

from benchmarks.circuits.rivals import aer, check_alike, compare, job_of, parsed, run_job, seconds, time_job
from benchmarks.report import Line, milliseconds, report

GOAL = 20  # milliseconds
SHOTS = 1_000_000
CLAIM = f"Bell state, {SHOTS:,} shots"
BELL = {
    "format": "json",
    "qubits": 2,
    "operations": [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}],
}
ROUNDS = 7


def measure() -> list[Line]:
    job = job_of(BELL, shots=SHOTS)
    circuit = parsed(job)
    check_alike(run_job(job)[0]["counts"], aer(circuit, shots=SHOTS))
    ours, theirs = compare(lambda: time_job(job), lambda: seconds(lambda: aer(circuit, shots=SHOTS)), rounds=ROUNDS)
    return [milliseconds(CLAIM, ours, theirs, goal=GOAL)]


if __name__ == "__main__":
    sys.exit(report(measure()))
