"""Gates that a program defines: handed down under names that nobody else knows.

Qiskit and Aer look at a gate's name and run what they know by it, whatever its definition: some 150 names, from `iswap`
to `kraus`. No language allows the mark in an identifier, so that a marked name means its definition everywhere.
"""

from collections.abc import Sequence

from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Operation

from workers.circuits.parse.values import Value

MARK = "′"


def own_gate(name: str, definition: QuantumCircuit, params: Sequence[Value] = ()) -> Gate:
    """A gate as the program defines it. name: the program's own. definition: gates alone, on qubits alone.

    params: the angles that it was called with, already bound in the definition. Every free parameter of the definition
    stands in one of them, because Qiskit looks for parameters nowhere else.
    """
    gate = Gate(name + MARK, definition.num_qubits, list(params))
    gate.definition = definition
    return gate


def is_own(operation: Operation) -> bool:
    """Whether a program defines the gate, or it was made of one that a program defines."""
    return MARK in operation.name


def name_in_program(operation: Operation) -> str:
    """What the program calls the gate."""
    return str(operation.name).replace(MARK, "")
