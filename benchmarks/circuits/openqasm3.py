"""Reading OpenQASM 3 of 1,000 gates: our reader against `qiskit.qasm3.loads`, and our parser against the reference's.

`python -m benchmarks.circuits.openqasm3`
"""

import random
import sys

import openqasm3
from qiskit import qasm3
from qiskit.quantum_info import Operator

from benchmarks.circuits.rivals import compare, seconds
from benchmarks.report import Line, milliseconds, report
from qstill.contract.circuits.formats import OpenQasm3Circuit
from qstill.contract.circuits.openqasm3.syntax.statements import parse_program
from workers.circuits.parse import parse

GOAL = 20  # milliseconds
TREE_GOAL = 10  # milliseconds
GATES = 1_000
QUBITS = 8
ROUNDS = 5


def measure() -> list[Line]:
    source = _source()
    circuit = OpenQasm3Circuit(format="openqasm3", source=source)
    read, loaded = parse(circuit), qasm3.loads(source)
    bare, expected = (one.remove_final_measurements(inplace=False) for one in (read, loaded))
    assert Operator(bare).equiv(Operator(expected))
    ours, theirs = compare(
        lambda: seconds(lambda: parse(circuit)), lambda: seconds(lambda: qasm3.loads(source)), rounds=ROUNDS
    )
    return [milliseconds(f"Read OpenQASM 3 of {GATES:,} gates", ours, theirs, goal=GOAL), _tree(source)]


def _tree(source: str) -> Line:
    assert parse_program(source) == openqasm3.parse(source)
    ours, theirs = compare(
        lambda: seconds(lambda: parse_program(source)), lambda: seconds(lambda: openqasm3.parse(source)), rounds=ROUNDS
    )
    return milliseconds(f"Syntax tree of OpenQASM 3 of {GATES:,} gates", ours, theirs, goal=TREE_GOAL)


def _source() -> str:
    chance = random.Random(3)
    lines = ["OPENQASM 3.0;", 'include "stdgates.inc";', f"qubit[{QUBITS}] q;", f"bit[{QUBITS}] c;"]
    for _ in range(GATES):
        a, b = chance.sample(range(QUBITS), 2)
        lines.append(chance.choice([f"h q[{a}];", f"rx({chance.uniform(-3, 3):.6f}) q[{a}];", f"cx q[{a}], q[{b}];"]))
    return "\n".join([*lines, "c = measure q;"])


if __name__ == "__main__":
    sys.exit(report(measure()))
