"""Operations of a circuit whose program computes with what it measures. The engine `variables` alone runs them.

Where branches depend on a computed value, `Compute` leaves it in a slot and the condition is a Qiskit variable whose
name says which.
"""

from collections.abc import Callable, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Instruction
from qiskit.circuit.classical import expr, types

COMPUTE, READ, COMPUTED = "compute", "read", "computed"  # names that neither Qiskit nor Aer has
COMPUTING = frozenset((COMPUTE, READ, COMPUTED))


class Compute(Instruction):
    """Give bits, lowest first, or a slot a value. data: a tree as `openqasm3.classical.values` builds it."""

    def __init__(self, places: tuple[int, ...], slot: int | None, data: Any, clbits: int) -> None:
        super().__init__(COMPUTE, 0, clbits, [])
        self.places = places
        self.slot = slot
        self.data = data


class Read(Instruction):
    """Measure a qubit into a bit that is in no key. place: its number, below 0."""

    def __init__(self, place: int) -> None:
        super().__init__(READ, 1, 0, [])
        self.place = place


class Computed(Gate):
    """A gate whose angles follow from what was measured. build: the gate for angles in radians."""

    def __init__(self, name: str, qubits: int, angles: Sequence[Any], build: Callable[[Sequence[float]], Gate]) -> None:
        super().__init__(COMPUTED, qubits, [], label=f"{name.upper() if len(name) <= 4 else name} (…)")
        self.angles = tuple(angles)
        self.build = build


def slot_variable(slot: int) -> expr.Var:
    """The condition that reads a slot."""
    return expr.Var.new(f"slot{slot}", types.Bool())


def slot_of(condition: Any) -> int:
    """The slot that a condition reads. Conditions of such circuits are no others."""
    assert isinstance(condition, expr.Var)
    return int(str(condition.name).removeprefix("slot"))


def computes(circuit: QuantumCircuit) -> bool:
    """Whether any of a circuit's operations is one of these."""
    return any(
        instruction.name in COMPUTING
        or (instruction.is_control_flow() and any(map(computes, instruction.operation.blocks)))
        for instruction in circuit.data
    )
