"""Running a lowered circuit on many rows and many sets of weights at once, and its gradient by the adjoint method.

    expectations = run(plan, angles, states, observables)       # (S, B, O); backward() reaches angles and states

A state is (S, 2^n, B): sets of weights, basis states, rows. The rows are last, so that a permutation moves whole rows
of memory. The backward pass keeps no graph: it undoes the circuit step by step with the adjoint state beside the state
that each layer left (Jones and Gacon 2020, arXiv:2009.02823). A turn's generator commutes with its own layer, so all
gradients of a block of turns are one product of the two states against fixed generators; those of phases are one
against diagonals.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workers.quantum.observables import Readout
from workers.quantum.operations import Phases, Shuffle, Step, Turns

DENSE = 7  # qubits whose turns are one matrix
BLOCK = 4  # qubits of one matrix where there are more

Blocks = tuple[tuple[int, int], ...]  # lowest qubit and width of each


@dataclass(frozen=True)
class Turned:
    """number: among the turns of the plan. blocks: those that turn at all."""

    number: int
    blocks: tuple[int, ...]


@dataclass(frozen=True)
class Phased:
    """shared, by_row: numbers of angles, and (K, 2^n) their diagonals; None where there are none."""

    shared: tuple[Tensor, Tensor] | None
    by_row: tuple[Tensor, Tensor] | None


@dataclass(frozen=True)
class Shuffled:
    source: Tensor
    inverse: Tensor


@dataclass(frozen=True)
class Plan:
    """A circuit's steps as tensors of one precision.

    turns: (T, n), the angle of each qubit in each step of turns; that after the last angle is none.
    """

    qubits: int
    steps: tuple[Turned | Phased | Shuffled, ...]
    turns: Tensor
    blocks: Blocks
    precision: torch.dtype


def plan(
    qubits: int, steps: Sequence[Step], count: int, by_row: Collection[int] = (), precision: torch.dtype = torch.float32
) -> Plan:
    """count: of angles. by_row: numbers of those that differ between rows; they stand in phases alone.

    precision: of the real numbers; states are complex numbers of two of them.
    """
    blocks = _blocks(qubits)
    turns: list[list[int]] = []
    planned: list[Turned | Phased | Shuffled] = []
    order = {number: place for place, number in enumerate(sorted(by_row))}
    for step in steps:
        match step:
            case Turns():
                row = [step.angles.get(qubit, count) for qubit in range(qubits)]
                used = [i for i, (low, width) in enumerate(blocks) if any(a != count for a in row[low : low + width])]
                planned.append(Turned(len(turns), tuple(used)))
                turns.append(row)
            case Phases():
                diagonals = torch.from_numpy(step.diagonals).to(precision)
                rows = [k for k, number in enumerate(step.angles) if number in order]
                alike = [k for k, number in enumerate(step.angles) if number not in order]
                planned.append(
                    Phased(
                        _chosen([step.angles[k] for k in alike], diagonals[alike]),
                        _chosen([order[step.angles[k]] for k in rows], diagonals[rows]),
                    )
                )
            case Shuffle():
                planned.append(Shuffled(torch.from_numpy(step.source), torch.from_numpy(step.inverse)))
    return Plan(qubits, tuple(planned), torch.tensor(turns, dtype=torch.int64).view(-1, qubits), blocks, precision)


def _chosen(numbers: list[int], diagonals: Tensor) -> tuple[Tensor, Tensor] | None:
    return (torch.tensor(numbers), diagonals) if numbers else None


def _blocks(qubits: int) -> Blocks:
    """All qubits in one, or as even as they come, none wider than BLOCK."""
    if qubits <= DENSE:
        return ((0, qubits),)
    count = -(-qubits // BLOCK)
    edges = [qubits * number // count for number in range(count + 1)]
    return tuple((low, high - low) for low, high in pairwise(edges))


def run(plan: Plan, angles: Tensor, states: Tensor, observables: Readout, rows: Tensor | None = None) -> Tensor:
    """Expectation values (S, B, O).

    angles: (S, A), radians, shared by all rows. rows: (S, B, R) those that differ between rows, in order of their
    numbers. states: (2^n, B) or (S, 2^n, B), complex: what each row begins with.
    """
    apply: Callable[..., Tensor] = _Expectations.apply
    return apply(angles, rows, of_sets(states, angles), plan, observables)


def final(plan: Plan, angles: Tensor, states: Tensor, rows: Tensor | None = None) -> Tensor:
    """The states after the circuit, (S, 2^n, B). Not differentiable."""
    with torch.no_grad():
        numbers, state = _Numbers(plan, angles, rows), of_sets(states, angles)
        for place in range(len(plan.steps)):
            state = numbers.forward(place, state)
        return state


def of_sets(states: Tensor, angles: Tensor) -> Tensor:
    return states.expand(len(angles), *states.shape) if states.dim() == 2 else states


class _Expectations(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, angles: Tensor, rows: Tensor | None, states: Tensor, plan: Plan, observables: Readout
    ) -> Tensor:
        numbers, state, kept = _Numbers(plan, angles, rows), states, []
        learns = any(ctx.needs_input_grad)  # otherwise no state is needed again, and a wide one is large
        for place, step in enumerate(plan.steps):
            before = state
            state = numbers.forward(place, state)
            if learns:
                kept.append(state if isinstance(step, Turned) else before if isinstance(step, Phased) else None)
        ctx.numbers, ctx.kept, ctx.observables = numbers, kept, observables
        ctx.save_for_backward(state)
        return observables.means(state)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """slope: (S, B, O), of the loss in each expectation value."""
        (state,) = ctx.saved_tensors
        numbers, plan = ctx.numbers, ctx.numbers.plan
        adjoint = ctx.observables.applied(slope, state)
        found = _Gradient(numbers)
        for place in range(len(plan.steps) - 1, -1, -1):
            step, kept = plan.steps[place], ctx.kept[place]
            if isinstance(step, Turned):
                found.turned(step, adjoint, kept)
            adjoint = numbers.backward(place, adjoint)
            if isinstance(step, Phased):
                found.phased(step, adjoint, kept)
        return found.of_angles(), found.rows, 2 * adjoint if ctx.needs_input_grad[2] else None, None, None


class _Numbers:
    """A plan's matrices and factors for given angles: made once, for the way there and back."""

    def __init__(self, plan: Plan, angles: Tensor, rows: Tensor | None) -> None:
        self.plan, self.angles, self.rows = plan, angles, rows
        half = torch.cat([angles, angles.new_zeros(len(angles), 1)], 1)[:, plan.turns] / 2  # (S, T, n)
        c, s = half.cos(), half.sin()
        spans = [slice(low, low + width) for low, width in plan.blocks]
        self.matrices = [product_of(c[..., span], s[..., span]) for span in spans]
        self.factors = {place: self._factor(step) for place, step in enumerate(plan.steps) if isinstance(step, Phased)}

    def _factor(self, step: Phased) -> Tensor:
        """exp(-iΣθd): (S, 2^n, 1), or (S, 2^n, B) where rows have angles of their own."""
        phase: Tensor | None = None
        if step.shared is not None:
            numbers, diagonals = step.shared
            phase = (self.angles[:, numbers] @ diagonals)[..., None]
        if step.by_row is not None:
            assert self.rows is not None
            numbers, diagonals = step.by_row
            own = (self.rows[:, :, numbers] @ diagonals).mT
            phase = own if phase is None else phase + own
        assert phase is not None
        return torch.complex(phase.cos(), -phase.sin())

    def forward(self, place: int, state: Tensor) -> Tensor:
        match step := self.plan.steps[place]:
            case Turned():
                for block in step.blocks:
                    state = _apply(self.matrices[block][:, step.number], self.plan.blocks[block], state)
                return state
            case Phased():
                return state * self.factors[place]
            case Shuffled():
                return state.index_select(1, step.source)

    def backward(self, place: int, state: Tensor) -> Tensor:
        match step := self.plan.steps[place]:
            case Turned():
                for block in reversed(step.blocks):
                    state = _apply(self.matrices[block][:, step.number].mT, self.plan.blocks[block], state)
                return state
            case Phased():
                return state * self.factors[place].conj()
            case Shuffled():
                return state.index_select(1, step.inverse)


def product_of(c: Tensor, s: Tensor) -> Tensor:
    """The Kronecker products of turns [[c, -s], [s, c]], (…, k) to (…, 2^k, 2^k); the first is the lowest bit."""
    matrix = c.new_ones(*c.shape[:-1], 1, 1)
    for qubit in range(c.shape[-1]):
        cosine, sine = c[..., qubit, None, None] * matrix, s[..., qubit, None, None] * matrix
        matrix = torch.cat([torch.cat([cosine, -sine], -1), torch.cat([sine, cosine], -1)], -2)
    return matrix


def _columns(state: Tensor, block: tuple[int, int]) -> Tensor:
    """(S, above, 2^k, below): complex columns as twice as many real ones."""
    low, width = block
    sets, _, rows = state.shape
    return torch.view_as_real(state.contiguous()).view(sets, -1, 1 << width, (1 << low) * rows * 2)


def _apply(matrix: Tensor, block: tuple[int, int], state: Tensor) -> Tensor:
    """A real matrix (S, 2^k, 2^k) on the bits of a block."""
    turned = matrix[:, None] @ _columns(state, block)
    return torch.view_as_complex(turned.view(*state.shape, 2))


class _Gradient:
    """The slopes of the loss in all angles, gathered on the way back."""

    def __init__(self, numbers: _Numbers) -> None:
        self.numbers = numbers
        self.turns = numbers.angles.new_zeros(len(numbers.angles), *numbers.plan.turns.shape)
        self.angles = numbers.angles.new_zeros(len(numbers.angles), numbers.angles.shape[1] + 1)
        self.rows = None if numbers.rows is None else torch.zeros_like(numbers.rows)

    def turned(self, step: Turned, adjoint: Tensor, state: Tensor) -> None:
        """2·Re⟨λ|(-i/2)Y|ψ⟩ of each turn: the sum of λψᵀ over all but the block's bits, against generators."""
        for number in step.blocks:
            low, width = block = self.numbers.plan.blocks[number]
            product = (_columns(adjoint, block) @ _columns(state, block).mT).sum(1).flatten(1)
            self.turns[:, step.number, low : low + width] = product @ generators(width, product.dtype)

    def phased(self, step: Phased, adjoint: Tensor, state: Tensor) -> None:
        """2·Im(λ̄·ψ)·d of each phase, over basis states and, where rows share the angle, over rows."""
        density = 2 * (adjoint.real * state.imag - adjoint.imag * state.real)  # (S, 2^n, B)
        if step.shared is not None:
            numbers, diagonals = step.shared
            self.angles.index_add_(1, numbers, density.sum(2) @ diagonals.T)
        if step.by_row is not None and self.rows is not None:
            numbers, diagonals = step.by_row
            self.rows.index_add_(2, numbers, density.mT @ diagonals.T)

    def of_angles(self) -> Tensor:
        self.angles.index_add_(1, self.numbers.plan.turns.flatten(), self.turns.flatten(1))
        return self.angles[:, :-1]


@lru_cache(32)
def generators(width: int, precision: torch.dtype) -> Tensor:
    """(4^k, k): -iY on each qubit of a block and 1 on the others, the rows of each in one."""
    size = 1 << width
    index = torch.arange(size)
    found = torch.zeros(size, size, width, dtype=precision)
    for qubit in range(width):
        one = (index >> qubit) & 1
        found[index, index ^ (1 << qubit), qubit] = torch.where(one == 1, 1.0, -1.0).to(precision)
    return found.view(size * size, width)
