"""A circuit that computes with what it measures, as steps with jumps: where a branch of shots stands is a number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ControlFlowOp, ControlledGate, Gate, IfElseOp, Qubit, WhileLoopOp
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Kraus, Operator

from qstill.contract.errors import Problem
from workers.circuits.channels import is_channel
from workers.circuits.classical import Compute, Computed, Read, slot_of
from workers.circuits.noise.locations import name_of
from workers.circuits.noise.model import channel as error_channel
from workers.circuits.noise.model import errors_at
from workers.circuits.program import Program

MAX_MATRIX_QUBITS = 4  # of a gate that is applied as one matrix; wider ones go by their definitions

Matrix: TypeAlias = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Apply:
    """A matrix on targets, the first the low bit of its index, where the controls are in these states."""

    matrix: Matrix
    targets: tuple[int, ...]
    controls: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ApplyComputed:
    gate: Computed
    qubits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Noise:
    """An error channel: operators, and their probabilities where these do not depend on the state."""

    operators: tuple[Matrix, ...]
    probabilities: tuple[float, ...] | None
    qubits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A measurement. misread: (2, 2), row i column j the probability that i reads j."""

    qubit: int
    place: int
    misread: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Clear:
    qubit: int


@dataclass(frozen=True, slots=True)
class Set:
    places: tuple[int, ...]
    slot: int | None
    data: Any


@dataclass(frozen=True, slots=True)
class JumpUnless:
    slot: int
    to: int


@dataclass(frozen=True, slots=True)
class Jump:
    to: int


Code: TypeAlias = list[Apply | ApplyComputed | Noise | Look | Clear | Set | JumpUnless | Jump]


def code_of(program: Program) -> Code:
    """The program as steps. Qubits are numbered by their place among the active ones, bits as the source has them."""
    writer = _Writer(program)
    active = {qubit: place for place, qubit in enumerate(program.shape.active)}
    writer.block(program.circuit, active, dict(zip(program.circuit.qubits, program.circuit.qubits, strict=True)))
    return writer.code


def applications(gate: Gate, qubits: Sequence[int]) -> list[Apply]:
    """A gate as matrices on these qubits."""
    if isinstance(gate, ControlledGate) and gate.num_qubits > 2:
        base, controls = gate.base_gate, gate.num_ctrl_qubits
        states = tuple((qubits[place], gate.ctrl_state >> place & 1) for place in range(controls))
        if base.num_qubits <= MAX_MATRIX_QUBITS:
            return [Apply(_matrix(base), tuple(qubits[controls:]), states)]
    if gate.num_qubits <= MAX_MATRIX_QUBITS or gate.definition is None:
        return [Apply(_matrix(gate), tuple(qubits))]
    places = {qubit: qubits[index] for index, qubit in enumerate(gate.definition.qubits)}
    return [
        application
        for inner in gate.definition.data
        for application in applications(inner.operation, [places[qubit] for qubit in inner.qubits])
    ]


def _matrix(gate: Gate) -> Matrix:
    try:
        matrix: Matrix = np.asarray(Operator(gate).data, dtype=np.complex128)
    except QiskitError:
        raise Problem("unsupported_operation", f"The simulator cannot run {gate.name}.", pointer="/circuit") from None
    return matrix


class _Writer:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.code: Code = []
        self.places = {clbit: place for place, clbit in enumerate(program.circuit.clbits)}
        self.numbers = {qubit: number for number, qubit in enumerate(program.circuit.qubits)}

    def block(self, block: QuantumCircuit, active: Mapping[Qubit, int], outer: Mapping[Qubit, Qubit]) -> None:
        """active: the place of each of the block's qubits that is simulated. outer: what it is in the whole circuit."""
        for instruction in block.data:
            self._instruction(instruction, active, outer)

    def _instruction(
        self, instruction: CircuitInstruction, active: Mapping[Qubit, int], outer: Mapping[Qubit, Qubit]
    ) -> None:
        operation, qubits = instruction.operation, instruction.qubits
        if operation.name in ("barrier", "delay"):
            return
        if isinstance(operation, Compute):
            self.code.append(Set(operation.places, operation.slot, operation.data))
        elif isinstance(operation, IfElseOp | WhileLoopOp):
            self._branch(instruction, active, outer)
        elif isinstance(operation, ControlFlowOp):
            raise Problem("unsupported_operation", f"The simulator cannot run {operation.name}.", pointer="/circuit")
        elif operation.name == "measure" or isinstance(operation, Read):
            place = operation.place if isinstance(operation, Read) else self.places[instruction.clbits[0]]
            self._look(qubits[0], place, active, outer)
        elif all(qubit in active for qubit in qubits):
            at = tuple(active[qubit] for qubit in qubits)
            if operation.name == "reset":
                self.code.append(Clear(*at))
            elif isinstance(operation, Computed):
                self.code.append(ApplyComputed(operation, at))
            elif is_channel(operation):
                self.code.append(Noise(tuple(operation.params), None, at))
            else:
                self.code += applications(operation, at)
                self._noise(operation, at, [outer[qubit] for qubit in qubits])

    def _look(self, qubit: Qubit, place: int, active: Mapping[Qubit, int], outer: Mapping[Qubit, Qubit]) -> None:
        if qubit in active:
            self.code.append(Look(active[qubit], place, self.program.readout.get(outer[qubit])))
        else:
            self.code.append(Set((place,), None, 0))

    def _branch(
        self, instruction: CircuitInstruction, active: Mapping[Qubit, int], outer: Mapping[Qubit, Qubit]
    ) -> None:
        operation = instruction.operation
        start = len(self.code)
        self.code.append(Jump(-1))  # replaced when it is known where the block ends
        first, *others = operation.blocks
        self._inner(first, instruction, active, outer)
        if isinstance(operation, WhileLoopOp):
            self.code.append(Jump(start))
        elif others:
            after_first = len(self.code)
            self.code.append(Jump(-1))
            self.code[start] = JumpUnless(slot_of(operation.condition), len(self.code))
            self._inner(others[0], instruction, active, outer)
            self.code[after_first] = Jump(len(self.code))
            return
        self.code[start] = JumpUnless(slot_of(operation.condition), len(self.code))

    def _inner(
        self,
        block: QuantumCircuit,
        instruction: CircuitInstruction,
        active: Mapping[Qubit, int],
        outer: Mapping[Qubit, Qubit],
    ) -> None:
        pairs = list(zip(block.qubits, instruction.qubits, strict=True))
        self.block(
            block,
            {own: active[qubit] for own, qubit in pairs if qubit in active},
            {own: outer[qubit] for own, qubit in pairs},
        )

    def _noise(self, operation: Any, at: tuple[int, ...], qubits: Sequence[Qubit]) -> None:
        self.code += noise_after(self.program, operation, at, tuple(self.numbers[qubit] for qubit in qubits))


def noise_after(program: Program, operation: Any, at: tuple[int, ...], numbers: tuple[int, ...]) -> list[Noise]:
    """The errors of an operation. at: its qubits among the active ones. numbers: what they are called in the noise."""
    if program.rules is None:
        return []
    return [
        Noise(operators, probabilities, at)
        for error in errors_at(program.rules, name_of(operation), numbers)
        for operators, probabilities in [_channel(error.model_dump_json(), len(at))]
    ]


@lru_cache(1024)
def _channel(error: str, width: int) -> tuple[tuple[Matrix, ...], tuple[float, ...] | None]:
    """An error's operators: unitary ones with their probabilities, or else those of Kraus."""
    errors = error_channel(error, width)
    try:
        unitaries = tuple(np.asarray(Operator(circuit).data) for circuit in errors.circuits)
    except QiskitError:
        return tuple(np.asarray(operator) for operator in Kraus(errors).data), None
    return unitaries, tuple(float(probability) for probability in errors.probabilities)
