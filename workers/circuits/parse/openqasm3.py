"""OpenQASM 3. Straight-line programs are read in microseconds a gate, all others by the reference parser.

Qiskit's native parser is not used: in 2.6 it knows no `pi`, no `reset`, no `if`, prints to the terminal what it does
not like, and panics on some programs.
"""

from qiskit import QuantumCircuit

from app.circuits.qasm_text import SOURCE, check_openqasm3
from app.errors import Problem
from workers.circuits.parse.qasm3_program import read_program
from workers.circuits.parse.qasm3_straight import read_straight_line


def parse_openqasm3(source: str) -> QuantumCircuit:
    """The program in Qiskit, loops unrolled, an `input` as a `Parameter`.

    Raises `Problem` with the line, its pointer at the source.
    """
    check_openqasm3(source)
    circuit = read_straight_line(source) or read_program(source)
    if circuit.num_qubits == 0:
        raise Problem("no_qubits", "The program declares no qubit.", pointer=SOURCE)
    return circuit
