"""A qubit teleported eight times in a row by a loop with variables of its own, 20 shots: only live qubits are held.

The rival runs the same as a circuit of Qiskit's in Aer, which holds all 17 qubits.
`python -m benchmarks.circuits.teleports`
"""

import sys

from qiskit import QuantumCircuit

from benchmarks.circuits.rivals import aer, compare, job_of, run_job, seconds, time_job
from benchmarks.report import Line, milliseconds, report

GOAL = 200  # milliseconds
TELEPORTS = 8
QUBITS = 2 * TELEPORTS + 1
SHOTS = 20
CLAIM = f"{TELEPORTS} teleports in a row, {QUBITS} qubits, {SHOTS} shots"
ROUNDS = 3
SOURCE = f"""OPENQASM 3.0;
include "stdgates.inc";
qubit[{QUBITS}] q;
bit read;
ry(0.8) q[0];
for uint i in [0:2:{QUBITS - 3}] {{
  bit[2] seen;
  h q[i + 1];
  cx q[i + 1], q[i + 2];
  cx q[i], q[i + 1];
  h q[i];
  seen[0] = measure q[i];
  seen[1] = measure q[i + 1];
  if (seen[1]) x q[i + 2];
  if (seen[0]) z q[i + 2];
}}
ry(-0.8) q[{QUBITS - 1}];
read = measure q[{QUBITS - 1}];
"""


def measure() -> list[Line]:
    job = job_of({"format": "openqasm3", "source": SOURCE}, shots=SHOTS)
    circuit = _in_qiskit()
    assert run_job(job)[0]["counts"] == {"0": SHOTS}
    assert {key[0] for key in aer(circuit, shots=SHOTS)} == {"0"}
    ours, theirs = compare(lambda: time_job(job), lambda: seconds(lambda: aer(circuit, shots=SHOTS)), rounds=ROUNDS)
    return [milliseconds(CLAIM, ours, theirs, goal=GOAL)]


def _in_qiskit() -> QuantumCircuit:
    circuit = QuantumCircuit(QUBITS, QUBITS)
    circuit.ry(0.8, 0)
    for i in range(0, QUBITS - 2, 2):
        circuit.h(i + 1)
        circuit.cx(i + 1, i + 2)
        circuit.cx(i, i + 1)
        circuit.h(i)
        circuit.measure([i, i + 1], [i, i + 1])
        with circuit.if_test((circuit.clbits[i + 1], 1)):
            circuit.x(i + 2)
        with circuit.if_test((circuit.clbits[i], 1)):
            circuit.z(i + 2)
    circuit.ry(-0.8, QUBITS - 1)
    circuit.measure(QUBITS - 1, QUBITS - 1)
    return circuit


if __name__ == "__main__":
    sys.exit(report(measure()))
