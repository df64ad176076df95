"""The transverse-field Ising model of 40 spins, Trotter steps, 1,000 shots, against Aer's product states as they are.

`python -m benchmarks.circuits.ising`
"""

import sys
from typing import Any

from benchmarks.circuits.rivals import (
    Counts,
    aer_as_it_is,
    check_alike,
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
QUBITS = 40
STEPS = 5
COUPLING, FIELD = -0.2, -0.17  # radians of each step
SHOTS = 1_000
ROUNDS = 7
READ = (0, 13, 26, 39)  # bits of few enough outcomes to compare


def measure() -> list[Line]:
    operations: list[dict[str, Any]] = []
    for _ in range(STEPS):
        operations += [{"gate": "zz", "targets": [q, q + 1], "rotation": COUPLING} for q in range(QUBITS - 1)]
        operations += [{"gate": "rx", "target": qubit, "rotation": FIELD} for qubit in range(QUBITS)]
    job = job_of({"format": "json", "qubits": QUBITS, "operations": operations}, shots=SHOTS)
    circuit = parsed(job)

    def theirs() -> Counts:
        return aer_as_it_is([circuit], shots=SHOTS, method="matrix_product_state")[0]

    (result,) = run_job(job)
    assert result["method"] == "matrix_product_state"
    check_alike(_of_few_bits(result["counts"]), _of_few_bits(theirs()))
    medians = compare(lambda: time_job(job), lambda: seconds(theirs), rounds=ROUNDS)
    claim = f"Ising model, {QUBITS} qubits, {STEPS} steps, {SHOTS:,} shots, CPU time of Aer's product states"
    return [times(claim, *medians, goal=GOAL)]


def _of_few_bits(counts: Counts) -> Counts:
    found: Counts = {}
    for key, count in counts.items():
        few = "".join(key[bit] for bit in READ)
        found[few] = found.get(few, 0) + count
    return found


if __name__ == "__main__":
    sys.exit(report(measure()))
