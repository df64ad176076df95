"""Conditions that a stabilizer simulation follows: Pauli gates where one classical bit reads 0 or 1."""

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Clbit, IfElseOp, Operation, Qubit

from workers.circuits.examine.clifford import steps_of

_PAULIS = {"I", "X", "Y", "Z"}
_SILENT = {"barrier", "delay"}


@dataclass(frozen=True, slots=True)
class Feedback:
    """branches: the gates where the bit reads 0, and where it reads 1, each with its qubit."""

    clbit: Clbit
    branches: tuple[Sequence[tuple[Operation, Qubit]], Sequence[tuple[Operation, Qubit]]]


def feedback_of(instruction: CircuitInstruction) -> Feedback | None:
    """None where the instruction is more than Pauli gates on a condition of one bit."""
    operation = instruction.operation
    if not isinstance(operation, IfElseOp) or not isinstance(operation.condition, tuple):
        return None
    read, value = operation.condition
    bits = [read] if isinstance(read, Clbit) else [*read]
    if len(bits) != 1:
        return None
    true, false = (_pauli_gates(block, instruction.qubits) for block in _two(operation))
    if true is None or false is None:
        return None
    return Feedback(bits[0], (false, true) if value else (true, false))


def _two(operation: IfElseOp) -> tuple[QuantumCircuit | None, QuantumCircuit | None]:
    true, false = operation.params
    return true, false


def _pauli_gates(block: QuantumCircuit | None, qubits: Sequence[Qubit]) -> list[tuple[Operation, Qubit]] | None:
    if block is None:
        return []
    place = dict(zip(block.qubits, qubits, strict=True))
    found = []
    for inner in block.data:
        if inner.operation.name in _SILENT:
            continue
        steps = steps_of(inner.operation)
        if steps is None or not all(name in _PAULIS for name, _ in steps) or len(inner.qubits) != 1:
            return None
        found.append((inner.operation, place[inner.qubits[0]]))
    return found
