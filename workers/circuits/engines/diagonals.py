"""Diagonal gates on many qubits in few passes over a large state: those between two other gates commute, so that any
of them that act on ten qubits together are one diagonal. Aer fuses up to five qubits.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Qubit
from qiskit.circuit.library import DiagonalGate

MERGED_QUBITS = 10  # of one diagonal; with twelve Aer is as slow as with none
FEWEST = 4  # gates that are worth a diagonal of their own
MAX_PENDING = 512  # gates among which those that fit together are looked for

_DIAGONAL = {"cp", "cu1", "cz", "cs", "csdg", "crz", "rzz", "ccz"}

Diagonal = NDArray[np.complex128]


def merged(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit with its diagonal gates on several qubits merged where that saves passes."""
    found = circuit.copy_empty_like()
    pending: list[CircuitInstruction] = []
    for instruction in circuit.data:
        if instruction.name in _DIAGONAL and instruction.is_standard_gate() and not instruction.is_parameterized():
            pending.append(instruction)
            if len(pending) >= MAX_PENDING:
                pending = _flush(found, pending, circuit.qubits)
        else:
            pending = _flush(found, pending, instruction.qubits)
            found._append(instruction)
    _flush(found, pending, circuit.qubits)
    return found


def _flush(
    into: QuantumCircuit, pending: list[CircuitInstruction], qubits: Sequence[Qubit]
) -> list[CircuitInstruction]:
    """Write the gates that touch these qubits, and what fits in beside them. Returns what is still pending."""
    touched = set(qubits)
    while any(not touched.isdisjoint(gate.qubits) for gate in pending):
        ordered = sorted(pending, key=lambda gate: touched.isdisjoint(gate.qubits))
        support: set[Qubit] = set()
        group, pending = [], []
        for gate in ordered:
            if len(support.union(gate.qubits)) <= MERGED_QUBITS:
                support.update(gate.qubits)
                group.append(gate)
            else:
                pending.append(gate)
        if len(group) < FEWEST:
            for gate in group:
                into._append(gate)
            continue
        places = [qubit for qubit in into.qubits if qubit in support]
        into._append(CircuitInstruction(DiagonalGate(list(_product(group, places))), places))
    return pending


def _product(gates: Sequence[CircuitInstruction], qubits: Sequence[Qubit]) -> Diagonal:
    """(2^qubits,), the first qubit the low bit of an index."""
    indices = np.arange(1 << len(qubits))
    bits = {qubit: indices >> place & 1 for place, qubit in enumerate(qubits)}
    product = np.ones(len(indices), dtype=np.complex128)
    for gate in gates:
        index = sum(bits[qubit] << place for place, qubit in enumerate(gate.qubits))
        product *= np.diagonal(gate.matrix)[index]
    return product
