"""Two hundred sets of parameters: one call that binds them against binding and running one after the other.

`python -m benchmarks.circuits.sweep`
"""

import sys

from qiskit import transpile
from qiskit_aer import AerSimulator

from benchmarks.circuits.rivals import Counts, check_alike, compare, job_of, run_job, seconds, time_job
from benchmarks.report import Line, milliseconds, report
from workers.circuits.parse import parse

GOAL = 150  # milliseconds
POINTS = 200
SHOTS = 1_000
CLAIM = f"Sweep of {POINTS} points, 4 qubits, {SHOTS:,} shots each"
ANSATZ = {
    "format": "json",
    "qubits": 4,
    "operations": [
        {"gate": "ry", "targets": [0, 1, 2, 3], "rotation": "alpha"},
        *({"gate": "x", "target": qubit + 1, "control": qubit} for qubit in range(3)),
        {"gate": "rx", "targets": [0, 1, 2, 3], "rotation": "beta"},
    ],
}
ROUNDS = 5


def measure() -> list[Line]:
    bindings = [{"alpha": 0.3 + point / POINTS, "beta": 0.1 + 2 * point / POINTS} for point in range(POINTS)]
    job = job_of(ANSATZ, shots=SHOTS, bindings=bindings)
    circuit = parse(job.programs[0], bound=False)
    simulator = AerSimulator(max_parallel_threads=1, seed_simulator=7)

    def one_by_one() -> list[Counts]:
        translated = transpile(circuit, simulator)
        return [
            simulator.run(translated.assign_parameters(binding), shots=SHOTS).result().get_counts()
            for binding in bindings
        ]

    for result, counts in zip(run_job(job), one_by_one(), strict=True):
        check_alike(result["counts"], counts)
    ours, theirs = compare(lambda: time_job(job), lambda: seconds(one_by_one), rounds=ROUNDS)
    return [milliseconds(CLAIM, ours, theirs, goal=GOAL)]


if __name__ == "__main__":
    sys.exit(report(measure()))
