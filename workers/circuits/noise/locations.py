"""A circuit in which every place where an error can act is one instruction with a name of its own.

Aer finds a gate's errors by its label, or by its name where it has none. Labels are for people and come from anywhere,
so they are taken off; what Aer has no name for becomes a matrix whose label is the name that a noise rule uses.
"""

from dataclasses import dataclass, field

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import (
    CircuitInstruction,
    Clbit,
    ControlFlowOp,
    ControlledGate,
    Gate,
    Operation,
    Qubit,
)
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

from qstill.contract.circuits.noise.model import ONE_QUBIT_GATES, TWO_QUBIT_GATES
from qstill.contract.circuits.source_text import MAX_EXPANDED_OPERATIONS
from qstill.contract.errors import Problem
from workers.circuits.channels import is_channel
from workers.circuits.classical import COMPUTE, COMPUTED, READ
from workers.circuits.parse.own_gates import MARK

MAX_DECOMPOSED_QUBITS = 5  # a matrix on five qubits is 1,200 gates and takes 70 ms, on eight a minute
BEFORE_MEASURE, AFTER_RESET = "before_measure", "after_reset"
NOWHERE = ""  # the name of what no error follows

_NATIVE = {"GPI": "gpi", "MS": "ms"}  # IonQ's gates by the first word of the label that their parser gives
_OTHER = ("unitary1", "unitary2")  # gates of one and two qubits that have no other name
_NAMED = {*ONE_QUBIT_GATES, *TWO_QUBIT_GATES}
_AER = {  # what Aer runs under its own name by every method
    *("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "p", "u", "u1", "u2", "u3", "r"),
    *("cx", "cy", "cz", "cp", "swap", "rxx", "ryy", "rzz", "rzx"),
}
_STANDARD = {gate.base_class for gate in get_standard_gate_name_mapping().values() if isinstance(gate, Gate)}
_SILENT = {"barrier", "delay", COMPUTE}


def _identity(label: str) -> UnitaryGate:
    return UnitaryGate(np.eye(2), label=label, check_input=False)


_BEFORE_MEASURE, _AFTER_RESET = _identity(BEFORE_MEASURE), _identity(AFTER_RESET)
_UNTOUCHED, _ID = _identity("untouched"), _identity("id")  # matrices, lest they be dropped for doing nothing
_MARKS = {BEFORE_MEASURE, AFTER_RESET}


def name_of(operation: Operation | CircuitInstruction) -> str:
    """What noise calls an instruction of a located circuit; `NOWHERE` where it has no say."""
    if operation.name == "unitary":
        return operation.label if operation.label in _NAMED or operation.label in _MARKS else NOWHERE
    return operation.name if operation.name in _AER or operation.name == "measure" else NOWHERE


def locate(
    circuit: QuantumCircuit, *, gates: bool, measurements: bool, resets: bool, untouched_readings: bool
) -> QuantumCircuit:
    """The same circuit, every place named. Raises `Problem`.

    gates: write gates as named ones of one and two qubits. measurements, resets: put an identity before and after
    them. untouched_readings: put one before measurements of qubits that no gate touches, whose reading may be wrong
    all the same.
    """
    located = circuit.copy_empty_like()
    walk = _Walk(gates=gates, measurements=measurements, resets=resets, untouched_readings=untouched_readings)
    walk.block(circuit, located, dict(zip(circuit.qubits, circuit.qubits, strict=True)))
    return located


@dataclass(slots=True)
class _Walk:
    gates: bool
    measurements: bool
    resets: bool
    untouched_readings: bool
    touched: set[Qubit] = field(default_factory=set)  # qubits of the outermost circuit
    written: int = 0

    def block(self, source: QuantumCircuit, into: QuantumCircuit, outer: dict[Qubit, Qubit]) -> None:
        """Write a circuit, or a block of a branch or loop, whose qubits are those of `outer` in the circuit."""
        for instruction in source.data:
            self._instruction(instruction, into, outer)

    def _instruction(self, instruction: CircuitInstruction, into: QuantumCircuit, outer: dict[Qubit, Qubit]) -> None:
        if self.gates and _is_named(instruction):  # as nearly all are: Qiskit needs no object for them
            self.touched.update([outer[qubit] for qubit in instruction.qubits])
            self._put(into, instruction)
            return
        operation, qubits = instruction.operation, instruction.qubits
        if operation.name in ("measure", READ):
            if self.measurements:
                self._write(into, _BEFORE_MEASURE, qubits)
            elif self.untouched_readings and outer[qubits[0]] not in self.touched:
                self._write(into, _UNTOUCHED, qubits)
            self.touched.update(outer[qubit] for qubit in qubits)
            into._append(instruction)
        elif operation.name == "reset":
            into._append(instruction)
            if self.resets:
                self._write(into, _AFTER_RESET, qubits)
        elif isinstance(operation, ControlFlowOp):
            blocks = [self._inner(block, qubits, outer) for block in operation.blocks]
            into._append(instruction.replace(operation=operation.replace_blocks(blocks)))
        elif operation.name in _SILENT:
            into._append(instruction)
        elif is_channel(operation):
            self.touched.update(outer[qubit] for qubit in qubits)
            into._append(instruction)
        else:
            self.touched.update(outer[qubit] for qubit in qubits)
            if self.gates and operation.name != COMPUTED:
                self._gate(instruction, into, outer)
            else:
                into._append(instruction)

    def _inner(self, block: QuantumCircuit, qubits: tuple[Qubit, ...], outer: dict[Qubit, Qubit]) -> QuantumCircuit:
        located = block.copy_empty_like()
        inner = {own: outer[qubit] for own, qubit in zip(block.qubits, qubits, strict=True)}
        self.block(block, located, inner)
        return located

    def _gate(self, instruction: CircuitInstruction, into: QuantumCircuit, outer: dict[Qubit, Qubit]) -> None:
        operation = instruction.operation
        single = _single(operation) if 1 <= operation.num_qubits <= 2 else None
        if single is not None:
            self._write(into, single, instruction.qubits)
            return
        definition = _definition(operation)
        qubits: dict[Qubit, Qubit] = dict(zip(definition.qubits, instruction.qubits, strict=True))
        clbits: dict[Clbit, Clbit] = dict(zip(definition.clbits, instruction.clbits, strict=True))
        for inner in definition.data:
            placed = inner.replace(
                qubits=[qubits[qubit] for qubit in inner.qubits], clbits=[clbits[clbit] for clbit in inner.clbits]
            )
            self._instruction(placed, into, outer)

    def _write(self, into: QuantumCircuit, operation: Operation, qubits: tuple[Qubit, ...]) -> None:
        self._put(into, CircuitInstruction(operation, qubits))

    def _put(self, into: QuantumCircuit, instruction: CircuitInstruction) -> None:
        self.written += 1
        if self.written > MAX_EXPANDED_OPERATIONS:
            raise Problem(
                "too_many_operations",
                f"With its gates written as one- and two-qubit gates, which noise acts on, the circuit has more than "
                f"{MAX_EXPANDED_OPERATIONS:,} operations.",
                pointer="/circuit",
            )
        into._append(instruction)


def _is_named(instruction: CircuitInstruction) -> bool:
    """Whether it is a gate of Qiskit's that stays the one instruction that it is."""
    name = instruction.name
    return name in _AER and name != "id" and instruction.is_standard_gate() and instruction.label is None


def _single(operation: Operation) -> Operation | None:
    """A gate of one or two qubits as the one instruction that it stays; None for one that its source defines."""
    if operation.name == "id":
        return _ID
    if operation.name in _AER and operation.base_class in _STANDARD:
        return operation if operation.label is None else _without_label(operation)
    native = _NATIVE.get((operation.label or "").split(" ")[0])
    if native is not None and operation.name == native + MARK:  # with what was a free parameter, it has a definition
        return _matrix(operation, native)
    if isinstance(operation, UnitaryGate):
        return _matrix(operation, native or _OTHER[operation.num_qubits - 1])
    if operation.base_class in _STANDARD:
        return _matrix(operation, operation.name if operation.name in _NAMED else _OTHER[operation.num_qubits - 1])
    return _matrix(operation, _OTHER[1]) if isinstance(operation, ControlledGate) else None


def _matrix(operation: Operation, name: str) -> UnitaryGate:
    return UnitaryGate(Operator(operation), label=name, check_input=False)


def _without_label(operation: Operation) -> Operation:
    bare = operation.to_mutable()
    bare.label = None
    return bare


def _definition(operation: Operation) -> QuantumCircuit:
    if isinstance(operation, UnitaryGate) and operation.num_qubits > MAX_DECOMPOSED_QUBITS:
        raise Problem(
            "gate_too_wide",
            f"Noise acts on one- and two-qubit gates; a matrix on {operation.num_qubits} qubits is written as such "
            f"only up to {MAX_DECOMPOSED_QUBITS}.",
            pointer="/circuit",
        )
    try:
        definition = operation.definition
    except QiskitError:
        definition = None
    if definition is None:
        raise Problem("unsupported_operation", f"Noise cannot act on {operation.name}.", pointer="/circuit")
    return definition
