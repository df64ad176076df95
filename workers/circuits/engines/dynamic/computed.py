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
from qiskit.quantum_info import Statevector

from qstill.contract.circuits.openqasm3.classical.types import Fault
from qstill.contract.circuits.openqasm3.classical.values import Bits, evaluate
from qstill.contract.circuits.source_text import SOURCE
from qstill.contract.errors import Problem
from workers.circuits.engines.dynamic.computed_code import (
    Apply,
    ApplyComputed,
    Clear,
    Code,
    Jump,
    JumpUnless,
    Look,
    Noise,
    Set,
    applications,
    code_of,
    noise_after,
)
from workers.circuits.engines.dynamic.live_state import ZEROS, LiveState, apply
from workers.circuits.engines.final_state import draw, rounded
from workers.circuits.program import Ask, Mean, Program, Sample, generator

MAX_STEPS = 1_000_000  # of one branch: a loop that no outcome ends takes a minute
STEPS_BETWEEN = 2_000  # looks whether the job was cancelled


@dataclass(slots=True)
class _Branch:
    """Shots that agree so far. at: the next step."""

    at: int
    state: LiveState
    bits: dict[int, int]
    slots: dict[int, Any]
    shots: int
    taken: int = 0

    def leaf(self, leaf: Any) -> Any:
        if isinstance(leaf, Bits):
            return sum(self.bits.get(place, 0) << index for index, place in enumerate(leaf.places))
        return self.slots.get(leaf.number, 0)

    def forked(self, state: LiveState, shots: int) -> "_Branch":
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
        self.matrices: dict[Any, list[Apply | Noise]] = {}
        self.numbers = {qubit: number for number, qubit in enumerate(program.circuit.qubits)}

    def sample(self) -> Sample:
        self.waiting.append(_Branch(0, ZEROS, {}, {}, self.ask.shots))
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
            steps = self.matrices[key] = [*applications(gate, step.qubits), *noise]
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
        ways = []
        for outcome, half in self._found(branch, step.qubit):
            ways += self._recorded(half, step, outcome)
        self._go(branch, ways)

    def _found(self, branch: _Branch, qubit: int) -> list[tuple[int, _Branch]]:
        """The outcomes of a measurement that have shots, each with its branch."""
        halves = branch.state.halves(qubit)
        likely = [half.weight() for half in halves]
        return [
            (outcome, branch.forked(halves[outcome].scaled(likely[outcome]), shots))
            for outcome, shots in enumerate(self._divided(branch, likely))
            if shots
        ]

    def _recorded(self, branch: _Branch, step: Look, outcome: int) -> list[_Branch]:
        """The outcome, or what it is misread for, in the branch's bits."""
        if step.misread is None:
            branch.bits[step.place] = outcome
            return [branch]
        ways = []
        for read, shots in enumerate(self._divided(branch, [float(p) for p in step.misread[outcome]])):
            if shots:
                way = branch.forked(branch.state, shots)
                way.bits[step.place] = read
                ways.append(way)
        return ways

    def _clear(self, branch: _Branch, qubit: int) -> None:
        ways = [half for _, half in self._found(branch, qubit)]
        for way in ways:
            way.state = way.state.without(qubit)
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
            weights = [state.weight() for state in every]
            counts = self._divided(branch, weights)
            states = {index: state.scaled(weights[index]) for index, state in enumerate(every) if counts[index]}
        self._go(branch, [branch.forked(state, counts[index]) for index, state in states.items()])

    def _go(self, branch: _Branch, ways: list[_Branch]) -> None:
        """Go on with the first of the ways; the others wait."""
        first, *others = ways
        self.waiting += others
        branch.state, branch.bits, branch.slots, branch.shots = first.state, first.bits, first.slots, first.shots

    def _end(self, branch: _Branch) -> None:
        for kept, observable in zip(self.values, self.program.observables, strict=True):
            whole = branch.state.holding(range(len(self.program.shape.active))).amplitudes
            value = Statevector(whole.reshape(-1)).expectation_value(observable.operator)
            kept.append((float(np.real(value)), branch.shots))
        looks = [step for step in self.code[self.tail :] if isinstance(step, Look)]
        if not looks:
            self._count(branch.bits, branch.shots)
            return
        state = branch.state
        measured = sorted({step.qubit for step in looks}.intersection(state.live))
        outcomes, frequencies = draw(rounded(state.probabilities(measured)), branch.shots, self.random)
        for outcome, shots in zip(outcomes.tolist(), frequencies.tolist(), strict=True):
            found = {qubit: outcome >> place & 1 for place, qubit in enumerate(measured)} | dict.fromkeys(state.ones, 1)
            self._count(branch.bits | {step.place: found.get(step.qubit, 0) for step in looks}, shots)

    def _count(self, bits: dict[int, int], shots: int) -> None:
        width = self.program.circuit.num_clbits
        self.counts["".join(str(bits.get(place, 0)) for place in reversed(range(width)))] += shots


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
