"""Translating a small circuit for the simulator: a pass manager built once against `transpile`.

`python -m benchmarks.circuits.translation`
"""

import sys

from qiskit import transpile
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator

from benchmarks.circuits.rivals import compare, job_of, layered, parsed, seconds
from benchmarks.report import Line, milliseconds, report
from workers.circuits.engines.aer import translate

GOAL = 1.0  # milliseconds
ROUNDS = 21


def measure() -> list[Line]:
    circuit = parsed(job_of(layered(3, 3)))
    bare = circuit.remove_final_measurements(inplace=False)
    assert Operator(translate(bare)).equiv(Operator(transpile(bare, AerSimulator())))
    ours, theirs = compare(
        lambda: seconds(lambda: translate(circuit)),
        lambda: seconds(lambda: transpile(circuit, AerSimulator())),
        rounds=ROUNDS,
    )
    return [milliseconds("Translate a small circuit", ours, theirs, goal=GOAL)]


if __name__ == "__main__":
    sys.exit(report(measure()))
