"""Circuits that compute with what they measure: shots share a state and the program's variables until an outcome, or an
error of the noise, tells them apart.

The shots of a branch are divided by binomial and multinomial draws, so that all of them are exact draws from the
circuit's own distribution. One branch is followed to its end before the next: few states are held at once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import Statevector

from app.circuits.openqasm.types import Fault
from app.circuits.openqasm.values import Bits, evaluate
from app.circuits.qasm_text import SOURCE
from app.errors import Problem
from workers.circuits.engines.computed_code import (
    Apply,
    ApplyComputed,
    Clear,
    Code,
    Jump,
    JumpUnless,
    Look,
    Matrix,
    Noise,
    Set,
    applications,
    code_of,
    noise_after,
)
from workers.circuits.engines.final_state import draw, rounded
from workers.circuits.program import Ask, Mean, Program, Sample, generator

MAX_STEPS = 1_000_000  # of one branch: a loop that no outcome ends takes a minute
STEPS_BETWEEN = 2_000  # looks whether the job was cancelled

State = NDArray[np.complex128]


@dataclass(slots=True)
class _Branch:
    """Shots that agree so far. state: (2,) per active qubit, the last one first. at: the next step."""

    at: int
    state: State
    bits: dict[int, int]
    slots: dict[int, Any]
    shots: int
    taken: int = 0

    def leaf(self, leaf: Any) -> Any:
        if isinstance(leaf, Bits):
            return sum(self.bits.get(place, 0) << index for index, place in enumerate(leaf.places))
        return self.slots.get(leaf.number, 0)

    def forked(self, state: State, shots: int) -> "_Branch":
        return replace(self, state=state, shots=shots, bits=dict(self.bits), slots=dict(self.slots))


def sample(program: Program, ask: Ask) -> Sample:
    """Counts, and expectation values before the final measurements. The same seed gives the same counts."""
    return _Run(program, ask).sample()


class _Run:
    def __init__(self, program: Program, ask: Ask) -> None:
        self.program = program
        self.ask = ask
        self.code: Code = code_of(program)
        self.tail = _tail(self.code, misread=bool(program.readout))
        self.random = generator(ask.seed)
        self.counts: Counter[str] = Counter()
        self.values: list[list[tuple[float, int]]] = [[] for _ in program.observables]
        self.waiting: list[_Branch] = []
        self.matrices: dict[Any, list[Apply]] = {}
        self.numbers = {qubit: number for number, qubit in enumerate(program.circuit.qubits)}

    def sample(self) -> Sample:
        qubits = len(self.program.shape.active)
        state = np.zeros((2,) * qubits, dtype=np.complex128)
        state[(0,) * qubits] = 1
        self.waiting.append(_Branch(0, state, {}, {}, self.ask.shots))
        while self.waiting:
            self.ask.between()
            self._follow(self.waiting.pop())
        expectations = [_mean(kept) for kept in self.values]
        return Sample(counts=dict(sorted(self.counts.items())), expectations=expectations)

    def _follow(self, branch: _Branch) -> None:
        while branch.at < self.tail:
            branch.taken += 1
            if branch.taken % STEPS_BETWEEN == 0:
                self.ask.between()
            if branch.taken > MAX_STEPS:
                message = f"A loop went on for more than {MAX_STEPS:,} steps, and no measurement ended it."
                raise Problem("loop_without_end", message, pointer=SOURCE)
            step = self.code[branch.at]
            branch.at += 1
            match step:
                case Apply():
                    branch.state = apply(branch.state, step)
                case Look():
                    self._look(branch, step)
                case Set():
                    self._set(branch, step)
                case JumpUnless():
                    if not branch.slots.get(step.slot, 0):
                        branch.at = step.to
                case Jump():
                    branch.at = step.to
                case ApplyComputed():
                    self._computed(branch, step)
                case Clear():
                    self._clear(branch, step.qubit)
                case Noise():
                    self._noise(branch, step)
        self._end(branch)

    def _set(self, branch: _Branch, step: Set) -> None:
        try:
            value = evaluate(step.data, branch.leaf)
        except Fault as fault:
            raise Problem("qasm_fault", f"While it ran: {fault.message}.", pointer=SOURCE) from None
        if step.slot is not None:
            branch.slots[step.slot] = value
        for index, place in enumerate(step.places):
            branch.bits[place] = int(value) >> index & 1

    def _computed(self, branch: _Branch, step: ApplyComputed) -> None:
        angles = tuple(float(evaluate(angle, branch.leaf)) for angle in step.gate.angles)
        key = (id(step), angles)
        steps = self.matrices.get(key)
        if steps is None:
            gate = step.gate.build(angles)
            numbers = tuple(self.numbers[self.program.shape.active[place]] for place in step.qubits)
            noise = noise_after(self.program, gate, step.qubits, numbers)
            steps = self.matrices[key] = [*applications(gate, step.qubits), *noise]  # type: ignore[list-item]
        for each in steps:
            if isinstance(each, Noise):
                self._noise(branch, each)
            else:
                branch.state = apply(branch.state, each)

    def _divided(self, branch: _Branch, probabilities: Sequence[float]) -> list[int]:
        """How many of a branch's shots go each way."""
        weights = np.rint(np.maximum(probabilities, 0) * 2.0**49)  # threads and libraries differ in the last bits
        return [int(count) for count in self.random.multinomial(branch.shots, weights / weights.sum())]

    def _look(self, branch: _Branch, step: Look) -> None:
        zero, one = _halves(branch.state, step.qubit)
        likely = [_weight(zero), _weight(one)]
        ways = []
        for outcome, shots in enumerate(self._divided(branch, likely)):
            if shots:
                state = branch.state if shots == branch.shots else branch.state.copy()
                _halves(state, step.qubit)[1 - outcome][...] = 0
                state /= sqrt(likely[outcome])
                ways += self._recorded(branch.forked(state, shots), step, outcome)
        self._go(branch, ways)

    def _recorded(self, branch: _Branch, step: Look, outcome: int) -> list[_Branch]:
        """The outcome, or what it is misread for, in the branch's bits."""
        if step.misread is None:
            branch.bits[step.place] = outcome
            return [branch]
        ways = []
        for read, shots in enumerate(self._divided(branch, [float(p) for p in step.misread[outcome]])):
            if shots:
                way = branch.forked(branch.state.copy(), shots)
                way.bits[step.place] = read
                ways.append(way)
        return ways

    def _clear(self, branch: _Branch, qubit: int) -> None:
        zero, one = _halves(branch.state, qubit)
        likely = [_weight(zero), _weight(one)]
        ways = []
        for outcome, shots in enumerate(self._divided(branch, likely)):
            if shots:
                state = np.zeros_like(branch.state)
                _halves(state, qubit)[0][...] = (zero, one)[outcome]
                state /= sqrt(likely[outcome])
                ways.append(branch.forked(state, shots))
        self._go(branch, ways)

    def _noise(self, branch: _Branch, step: Noise) -> None:
        if step.probabilities is not None:
            counts = self._divided(branch, step.probabilities)
            states = {
                index: apply(branch.state, Apply(step.operators[index], step.qubits))
                for index, shots in enumerate(counts)
                if shots
            }
        else:
            every = [apply(branch.state, Apply(operator, step.qubits)) for operator in step.operators]
            weights = [_weight(state) for state in every]
            counts = self._divided(branch, weights)
            states = {index: state / sqrt(weights[index]) for index, state in enumerate(every) if counts[index]}
        self._go(branch, [branch.forked(state, counts[index]) for index, state in states.items()])

    def _go(self, branch: _Branch, ways: list[_Branch]) -> None:
        """Go on with the first of the ways; the others wait."""
        first, *others = ways
        self.waiting += others
        branch.state, branch.bits, branch.slots, branch.shots = first.state, first.bits, first.slots, first.shots

    def _end(self, branch: _Branch) -> None:
        for kept, observable in zip(self.values, self.program.observables, strict=True):
            value = Statevector(branch.state.reshape(-1)).expectation_value(observable.operator)
            kept.append((float(np.real(value)), branch.shots))
        looks = [step for step in self.code[self.tail :] if isinstance(step, Look)]
        if not looks:
            self._count(branch.bits, branch.shots)
            return
        read = sorted({step.qubit for step in looks})
        outcomes, frequencies = draw(rounded(_probabilities(branch.state, read)), branch.shots, self.random)
        for outcome, shots in zip(outcomes.tolist(), frequencies.tolist(), strict=True):
            bits = branch.bits | {step.place: outcome >> read.index(step.qubit) & 1 for step in looks}
            self._count(bits, shots)

    def _count(self, bits: dict[int, int], shots: int) -> None:
        width = self.program.circuit.num_clbits
        self.counts["".join(str(bits.get(place, 0)) for place in reversed(range(width)))] += shots


def apply(state: State, step: Apply) -> State:
    """A new state. Axis 0 is the last qubit."""
    if step.controls:
        where: list[Any] = [slice(None)] * state.ndim
        for qubit, value in step.controls:
            where[state.ndim - 1 - qubit] = value
        index = tuple(where)
        controlled = {qubit for qubit, _ in step.controls}
        lower = {q: q - sum(control < q for control in controlled) for q in step.targets}
        changed = state.copy()
        changed[index] = _transformed(state[index], step.matrix, [lower[qubit] for qubit in step.targets])
        return changed
    return _transformed(state, step.matrix, step.targets)


def _transformed(state: State, matrix: Matrix, targets: Sequence[int]) -> State:
    width = len(targets)
    axes = [state.ndim - 1 - qubit for qubit in reversed(targets)]  # the last target is the high bit
    tensor = matrix.reshape((2,) * (2 * width))
    result: State = np.moveaxis(np.tensordot(tensor, state, axes=(range(width, 2 * width), axes)), range(width), axes)
    return result


def _halves(state: State, qubit: int) -> tuple[State, State]:
    """Views of the amplitudes where the qubit is 0, and where it is 1."""
    before: tuple[Any, ...] = (slice(None),) * (state.ndim - 1 - qubit)
    return state[(*before, 0, ...)], state[(*before, 1, ...)]


def _weight(state: State) -> float:
    return float(np.sum(state.real**2 + state.imag**2))


def _probabilities(state: State, read: Sequence[int]) -> NDArray[np.float64]:
    """Of the outcomes of these qubits, the first the low bit."""
    likely: NDArray[np.float64] = state.real**2 + state.imag**2
    kept = {state.ndim - 1 - qubit for qubit in read}
    summed: NDArray[np.float64] = likely.sum(axis=tuple(axis for axis in range(state.ndim) if axis not in kept))
    return summed.reshape(-1)


def _tail(code: Code, *, misread: bool) -> int:
    """From where on there are only measurements, each into a bit of its own, which one draw can answer."""
    start = len(code)
    targets = [step.to for step in code if isinstance(step, Jump | JumpUnless)]
    while start and not misread and isinstance(code[start - 1], Look):
        start -= 1
    return max([start, *targets]) if start < len(code) else start


def _mean(kept: Sequence[tuple[float, int]]) -> Mean:
    values = np.array([value for value, _ in kept])
    shots = np.array([count for _, count in kept])
    total = int(shots.sum())
    mean = float((values * shots).sum() / total)
    spread = float((shots * (values - mean) ** 2).sum())
    return Mean(mean, standard_error=sqrt(spread / (total - 1) / total) if total > 1 else 0.0)
