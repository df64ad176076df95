"""Final states of a few qubits in numpy, pure or mixed: being called takes Aer longer than all the gates of most take.

A state is an array with a digit for each qubit, of base 2 for amplitudes and of base 4, a ket's bit and a bra's, for a
density matrix. Then a gate is one matrix on the digits of its qubits, and so is a gate with the errors that follow it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CircuitInstruction
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import DensityMatrix, SparsePauliOp, Statevector

from qstill.contract.circuits.noise.channels import GateError
from workers.circuits.channels import KRAUS, is_channel
from workers.circuits.engines.superoperators import superoperator
from workers.circuits.noise.locations import name_of
from workers.circuits.noise.model import errors_at
from workers.circuits.program import Program, Reals

MAX_QUBITS = {"statevector": 10, "density_matrix": 7}  # beyond, Aer's loops over the state are the faster ones
MAX_GATE_QUBITS = 3

StateMethod = Literal["statevector", "density_matrix"]
Array = NDArray[np.complex128]
Index = NDArray[np.intp]


@dataclass(slots=True)
class State:
    """places: of each qubit, its digit in the array; 0 is the lowest. pending: gates on one qubit not yet applied."""

    base: int
    array: Array
    places: list[int]
    pending: list[Array | None] = field(init=False)

    def __post_init__(self) -> None:
        self.pending = [None] * len(self.places)

    def apply(self, matrix: Array, qubits: Sequence[int]) -> None:
        """matrix: over the digits of the qubits, the first the lowest."""
        if len(qubits) == 1:
            before = self.pending[qubits[0]]
            self.pending[qubits[0]] = matrix if before is None else matrix.dot(before)
        elif len(qubits) == 2:
            self._apply(self._with_pending(matrix, *qubits), qubits)
        else:
            self.flush(qubits)
            self._apply(matrix, qubits)

    def flush(self, qubits: Sequence[int]) -> None:
        """Apply what is pending on these qubits."""
        for qubit in qubits:
            if (matrix := self.pending[qubit]) is not None:
                self.pending[qubit] = None
                self._apply(matrix, (qubit,))

    def _with_pending(self, matrix: Array, low: int, high: int) -> Array:
        before_low, before_high = self.pending[low], self.pending[high]
        if before_low is None and before_high is None:
            return matrix
        self.pending[low] = self.pending[high] = None
        identity = _identity(self.base)
        first = identity if before_low is None else before_low
        second = identity if before_high is None else before_high
        both: Array = (second[:, None, :, None] * first[None, :, None, :]).reshape(matrix.shape)
        fused: Array = matrix.dot(both)
        return fused

    def _apply(self, matrix: Array, qubits: Sequence[int]) -> None:
        """The qubits' digits become the highest: cheaper than to put them back."""
        index, moved = _gather(self.base, len(self.places), tuple([self.places[qubit] for qubit in qubits]))
        self.array = matrix.dot(self.array.take(index).reshape(len(matrix), -1)).reshape(-1)
        self.places = [moved[place] for place in self.places]

    def ordered(self) -> Array:
        """(base,) * qubits, the last axis qubit 0."""
        qubits = len(self.places)
        axes = [qubits - 1 - place for place in reversed(self.places)]
        return self.array.reshape((self.base,) * qubits).transpose(axes)


@lru_cache(16)
def _identity(base: int) -> Array:
    return np.eye(base, dtype=np.complex128)


@lru_cache(1024)
def _gather(base: int, digits: int, places: tuple[int, ...]) -> tuple[Index, tuple[int, ...]]:
    """The index that brings digits to the top, the first of `places` the lowest of these, and where each digit goes."""
    rest = [place for place in range(digits) if place not in places]
    order = [*rest, *places]
    axes = [digits - 1 - place for place in reversed(order)]
    index = np.arange(base**digits).reshape((base,) * digits).transpose(axes)
    moved = tuple(order.index(place) for place in range(digits))
    return np.ascontiguousarray(index).reshape(-1), moved


def final_state(program: Program, method: StateMethod) -> State | None:
    """The state before the final measurements, or None where Aer has to compute it."""
    qubits = len(program.shape.active)
    if not 0 < qubits <= MAX_QUBITS[method]:
        return None
    steps = _steps(program)
    if steps is None:
        return None
    base = 2 if method == "statevector" else 4
    start = np.zeros(base**qubits, dtype=np.complex128)
    start[0] = 1
    state = State(base, start, list(range(qubits)))
    known: dict[tuple[bytes, int], Array] = {}
    channels: dict[tuple[int, int], Array] = {}
    for matrix, places, errors in steps:
        if base == 2:
            state.apply(matrix, places)
            continue
        own = id(errors), len(places)
        if own not in channels:
            channels[own] = _channel(errors, len(places))
        key = matrix.tobytes(), id(errors)
        if key not in known:
            known[key] = _noisy(matrix, len(places), channels[own])
        state.apply(known[key], places)
    state.flush(range(qubits))
    return state


_Step = tuple[Array, list[int], list[GateError]]


def _steps(program: Program) -> list[_Step] | None:
    """Every gate as a matrix, every channel as its operators, with its place among the active qubits and the errors
    that follow it.
    """
    place = {qubit: index for index, qubit in enumerate(program.shape.active)}
    without_effect = {"measure", "barrier", "reset", "delay"}
    found: list[_Step] = []
    known: dict[tuple[str, tuple[int, ...]], list[GateError]] = {}
    none: list[GateError] = []
    for instruction in program.circuit.data:
        if instruction.name in without_effect:
            continue
        places = [place.get(qubit, -1) for qubit in instruction.qubits]
        if -1 in places:
            continue
        matrix = _matrix(instruction)
        if matrix is None:
            return None
        errors = none
        if program.noise is not None and program.rules is not None:
            numbers = tuple([program.circuit.find_bit(qubit).index for qubit in instruction.qubits])
            key = name_of(instruction), numbers
            if key not in known:
                known[key] = errors_at(program.rules, *key)
            errors = known[key]
        found.append((matrix, places, errors))
    return found


def _matrix(instruction: CircuitInstruction) -> Array | None:
    if len(instruction.qubits) > MAX_GATE_QUBITS:
        return None
    if instruction.name == KRAUS and is_channel(instruction.operation):
        return np.array(instruction.operation.params)
    matrix: Array | None = instruction.matrix
    if matrix is None and instruction.is_controlled_gate() and not instruction.is_parameterized():
        try:
            matrix = instruction.operation.to_matrix()
        except QiskitError:  # what it controls has a definition alone
            return None
    return matrix


def _channel(errors: Sequence[GateError], qubits: int) -> Array:
    """(4^n, 4^n): the errors one after the other."""
    whole: Array = np.eye(4**qubits, dtype=np.complex128)
    for error in errors:
        whole = superoperator(error, qubits).dot(whole)
    return whole


def _noisy(matrix: Array, qubits: int, channel: Array) -> Array:
    """(4^n, 4^n) over the digits of n qubits: a gate, or the operators (k, 2^n, 2^n) of one that stands in the circuit,
    then a channel.
    """
    operators = matrix.reshape(-1, 1 << qubits, 1 << qubits)
    gate = (operators.conj()[:, :, None, :, None] * operators[:, None, :, None, :]).sum(axis=0).reshape(channel.shape)
    whole: Array = channel.dot(gate)
    if qubits == 1:
        return whole
    axes = [axis for place in range(qubits) for axis in (place, qubits + place)]  # bras and kets of one qubit together
    both = axes + [2 * qubits + axis for axis in axes]
    return np.ascontiguousarray(whole.reshape((2,) * 4 * qubits).transpose(both)).reshape(whole.shape)


def probabilities(state: State, measured: Sequence[int]) -> Reals:
    """(2^measured,): of the qubits measured, the first the low bit."""
    array = state.ordered()
    qubits = array.ndim
    chances: Reals
    if state.base == 2:
        chances = array.real**2 + array.imag**2
    else:
        chances = array[(slice(None, None, 3),) * qubits].real.clip(min=0.0)
    axes = [qubits - 1 - qubit for qubit in reversed(measured)]
    others = tuple(axis for axis in range(qubits) if axis not in axes)
    if others:
        chances = chances.sum(axis=others)
        kept = sorted(axes)
        axes = [kept.index(axis) for axis in axes]
    return np.ascontiguousarray(chances.transpose(axes)).reshape(-1)


def expectation(state: State, operator: SparsePauliOp) -> float:
    array = state.ordered()
    qubits = array.ndim
    if state.base == 2:
        return float(np.real(Statevector(array.reshape(-1)).expectation_value(operator)))
    split = array.reshape((2, 2) * qubits)
    bras, kets = list(range(0, 2 * qubits, 2)), list(range(1, 2 * qubits, 2))
    matrix = split.transpose(kets + bras).reshape(1 << qubits, 1 << qubits)
    return float(np.real(DensityMatrix(matrix).expectation_value(operator)))
