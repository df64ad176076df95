"""Layers of rotations and CX as circuits of Qiskit: what a quantum student is, and what a circuit is made shorter as.

    hardware_efficient(4, 2, "ring")   # twice RY and RZ on each qubit and a ring of CX: 16 parameters w_00 … w_15

Kandala et al. 2017 (arXiv:1704.05018); bricks: Khatri et al. 2019 (arXiv:1807.00800).
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Literal

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

Entanglement = Literal["none", "line", "ring", "brickwork", "full"]
Rotation = Literal["rx", "ry", "rz"]


def pairs(qubits: int, entanglement: Entanglement, layer: int) -> list[tuple[int, int]]:
    """Control and target of each CX of a layer, in their order. A layer of brickwork is one row of bricks."""
    line = [(qubit, qubit + 1) for qubit in range(qubits - 1)]
    match entanglement:
        case "none":
            return []
        case "line":
            return line
        case "ring":
            return [*line, (qubits - 1, 0)] if qubits > 2 else line  # a ring of two would be a CX there and one back
        case "brickwork":
            return line[layer % 2 :: 2]
        case "full":
            return list(combinations(range(qubits), 2))


def hardware_efficient(
    qubits: int,
    layers: int,
    entanglement: Entanglement,
    *,
    rotations: Sequence[Rotation] = ("ry", "rz"),
    closing: Sequence[Rotation] = (),
    inputs: Sequence[str] = (),
) -> QuantumCircuit:
    """Layers, each of rotations on every qubit and then CX; closing: rotations on every qubit after the last of them.

    inputs: names of angles that turn the first qubits by RY before every layer (Pérez-Salinas and others 2020).

    Parameters are w_0, w_1, …, numbered by layer, then kind of rotation, then qubit, with as many digits as the last
    one needs: the order of their names, which is Qiskit's, is that of their numbers.
    """
    count = qubits * (layers * len(rotations) + len(closing))
    digits = len(str(max(count - 1, 0)))
    weights = iter([Parameter(f"w_{number:0{digits}}") for number in range(count)])
    circuit = QuantumCircuit(qubits)
    uploaded = [Parameter(name) for name in inputs]
    for layer in range(layers):
        for qubit, angle in enumerate(uploaded):
            circuit.ry(angle, qubit)
        _rotate(circuit, rotations, weights)
        for control, target in pairs(qubits, entanglement, layer):
            circuit.cx(control, target)
    _rotate(circuit, closing, weights)
    return circuit


def _rotate(circuit: QuantumCircuit, rotations: Sequence[Rotation], weights: Iterator[Parameter]) -> None:
    for rotation in rotations:
        for qubit in range(circuit.num_qubits):
            getattr(circuit, rotation)(next(weights), qubit)
