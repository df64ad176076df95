"""A thousand small circuits in one job against one run of Aer's for all of them, parsed already and not transpiled.

`python -m benchmarks.circuits.batch`
"""

import sys

from benchmarks.circuits.rivals import (
    aer_as_it_is,
    check_alike,
    compare,
    layered,
    run_job,
    seconds,
    time_job,
    times,
)
from benchmarks.report import Line, report
from qstill.contract.circuits.job import CircuitJob
from workers.circuits.parse import parse

GOAL = 1.2  # of Aer's CPU seconds
CIRCUITS = 1_000
QUBITS = range(2, 7)
LAYERS = 3
SHOTS = 1_000
ROUNDS = 3


def measure() -> list[Line]:
    written = [layered(QUBITS[index % len(QUBITS)], LAYERS, seed=index) for index in range(CIRCUITS)]
    job = CircuitJob.model_validate({"circuits": written, "seed": 7, "shots": SHOTS})
    circuits = [parse(circuit) for circuit in job.programs]
    for result, counts in zip(run_job(job), aer_as_it_is(circuits, shots=SHOTS), strict=True):
        check_alike(result["counts"], counts)
    ours, theirs = compare(
        lambda: time_job(job), lambda: seconds(lambda: aer_as_it_is(circuits, shots=SHOTS)), rounds=ROUNDS
    )
    claim = f"Batch of {CIRCUITS:,} circuits of {QUBITS[0]} to {QUBITS[-1]} qubits, CPU time of one run of Aer's"
    return [times(claim, ours, theirs, goal=GOAL)]


if __name__ == "__main__":
    sys.exit(report(measure()))
