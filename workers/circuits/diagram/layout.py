"""Where the operations of a circuit stand in its diagram: rows are qubits, columns fill greedily from the left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Clbit, ControlFlowOp, Operation, Qubit

from workers.circuits.classical import COMPUTE
from workers.circuits.labels import angles, bit_label, gate_label, headings

MAX_DRAWN_OPERATIONS = 150  # nobody reads a wider picture
MAX_DRAWN_QUBITS = 32  # nor a taller one

Kind = Literal["box", "x", "z", "swap", "measure", "reset", "barrier"]
_KINDS: dict[str, Kind] = {"measure": "measure", "reset": "reset", "barrier": "barrier", "swap": "swap"}


@dataclass(frozen=True, slots=True)
class Mark:
    """One operation. rows: the qubits acted on, in the gate's order; controls: (row, the state that acts)."""

    kind: Kind
    column: int
    rows: tuple[int, ...]
    controls: tuple[tuple[int, int], ...] = ()
    name: str = ""
    detail: str = ""  # a gate's angles, or the clbit that a measurement writes


@dataclass(frozen=True, slots=True)
class Frame:
    """An `if` or a loop around the marks of its blocks. headings: (column, words), one for each block."""

    low: int
    high: int
    headings: list[tuple[int, str]]
    last_column: int
    conditional: bool


@dataclass(slots=True)
class Layout:
    """A diagram before it has measures, and what was left out of it."""

    circuit: QuantumCircuit
    qubits: list[str]
    clbits: int
    marks: list[Mark] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    front: list[int] = field(default_factory=list)  # the first free column of each row
    operations_left_out: int = 0
    qubits_left_out: int = 0

    def place(self, block: QuantumCircuit, rows: dict[Qubit, int], clbits: dict[Clbit, Clbit]) -> None:
        """Add a block's operations. rows, clbits: where the block's own bits stand in the circuit."""
        for instruction in block.data:
            if instruction.name == COMPUTE:
                continue  # nothing of it stands on a qubit
            at = tuple(rows[qubit] for qubit in instruction.qubits if qubit in rows)
            if len(self.marks) >= MAX_DRAWN_OPERATIONS or len(at) < max(1, len(instruction.qubits)):
                self.operations_left_out += 1
            elif instruction.is_control_flow():
                self._frame(instruction.operation, at, [clbits.get(bit, bit) for bit in instruction.clbits])
            else:
                self._mark(instruction, at, [clbits.get(bit, bit) for bit in instruction.clbits])

    def _mark(self, instruction: CircuitInstruction, rows: tuple[int, ...], clbits: Sequence[Clbit]) -> None:
        operation: Operation | CircuitInstruction = instruction  # which has a plain gate's name, label and angles
        base, controls, phase = operation, 0, False
        if instruction.is_controlled_gate():
            operation = instruction.operation
            base, controls = operation.base_gate, operation.num_ctrl_qubits
            phase = base.num_qubits == 0  # a controlled global phase: the last control's own
            controls -= phase
        kind = _KINDS.get(base.name, "box")
        if controls and base.name in ("x", "z"):
            kind = "x" if base.name == "x" else "z"
        states = tuple((row, operation.ctrl_state >> i & 1) for i, row in enumerate(rows[:controls]))
        name, detail = (gate_label(operation), angles(operation)) if kind == "box" else ("", "")
        if phase:
            name = "P" if operation.ctrl_state >> controls & 1 else "P₀"
        if kind == "measure":
            detail = bit_label(self.circuit, clbits[0])
            if len(self.circuit.cregs) == 1 and len(self.circuit.cregs[0]) == self.clbits:
                detail = detail[detail.find("[") :].strip("[]")
        lowest = len(self.front) - 1 if kind == "measure" else max(rows)  # a measurement's line runs to the bottom
        column = self._take(min(rows), lowest)
        self.marks.append(Mark(kind, column, rows[controls:], states, name, detail))

    def _frame(self, operation: ControlFlowOp, rows: tuple[int, ...], clbits: list[Clbit]) -> None:
        low, high = min(rows), max(rows)
        conditional = operation.name in ("if_else", "while_loop")
        titles: list[tuple[int, str]] = []
        for words, block in zip(headings(operation, self.circuit), operation.blocks, strict=False):
            lowest = len(self.front) - 1 if conditional and not titles else high
            titles.append((self._take(low, lowest), words))
            self.place(block, dict(zip(block.qubits, rows, strict=True)), dict(zip(block.clbits, clbits, strict=True)))
        self.frames.append(Frame(low, high, titles, self._take(low, high), conditional))

    def _take(self, low: int, high: int) -> int:
        column = max(self.front[low : high + 1])
        self.front[low : high + 1] = [column + 1] * (high + 1 - low)
        return column


def lay_out(circuit: QuantumCircuit) -> Layout:
    """Place the first operations on the first qubits; an operation that touches a later qubit is left out."""
    shown = circuit.qubits[:MAX_DRAWN_QUBITS]
    layout = Layout(circuit, [bit_label(circuit, qubit) for qubit in shown], circuit.num_clbits)
    layout.front = [0] * len(shown)
    layout.qubits_left_out = circuit.num_qubits - len(shown)
    layout.place(circuit, {qubit: row for row, qubit in enumerate(shown)}, {bit: bit for bit in circuit.clbits})
    return layout


def left_out(layout: Layout) -> str:
    """What the diagram does not show, in words; "" if nothing."""
    missing = []
    if layout.operations_left_out:
        missing.append(f"{layout.operations_left_out:,} more operations")
    if layout.qubits_left_out:
        missing.append(f"{layout.qubits_left_out:,} more qubits")
    return f"… and {' and '.join(missing)}" if missing else ""
