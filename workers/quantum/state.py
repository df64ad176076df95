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

BLOCK = 4  # qubits whose turns are one matrix
PRODUCT = 3  # qubits whose gradients are one product: matrices of 8 rows multiply five times as fast as those of 16
LONG = 512  # numbers of a row of such a product from which on its pieces need not be gathered

Blocks = tuple[tuple[int, int], ...]  # lowest qubit and width of each


@dataclass(frozen=True)
class Turned:
    """number: among the turns of the plan. blocks, products: those in which anything turns."""

    number: int
    blocks: tuple[int, ...]
    products: tuple[int, ...]


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

    turns: (T, n), the number of each qubit's angle in each step of turns. nothing: the number of an angle of 0.
    of_blocks: (T · blocks · BLOCK,), the same block by block, filled up with `nothing`.
    """

    qubits: int
    steps: tuple[Turned | Phased | Shuffled, ...]
    turns: Tensor
    of_blocks: Tensor
    nothing: int
    blocks: Blocks
    products: Blocks
    precision: torch.dtype


def plan(
    qubits: int,
    steps: Sequence[Step],
    nothing: int,
    by_row: Collection[int] = (),
    precision: torch.dtype = torch.float32,
) -> Plan:
    """nothing: the number of an angle that is always 0. by_row: numbers of those that differ between rows; they stand
    in phases alone.

    precision: of the real numbers; states are complex numbers of two of them.
    """
    blocks, products = _blocks(qubits, BLOCK), _blocks(qubits, PRODUCT)
    turns: list[list[int]] = []
    planned: list[Turned | Phased | Shuffled] = []
    order = {number: place for place, number in enumerate(sorted(by_row))}
    for step in steps:
        match step:
            case Turns():
                turned = step.angles.keys()
                planned.append(Turned(len(turns), _touched(blocks, turned), _touched(products, turned)))
                turns.append([step.angles.get(qubit, nothing) for qubit in range(qubits)])
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
    of_blocks = [(row[low : low + width] + [nothing] * BLOCK)[:BLOCK] for row in turns for low, width in blocks]
    return Plan(
        qubits,
        tuple(planned),
        torch.tensor(turns, dtype=torch.int64).view(-1, qubits),
        torch.tensor(of_blocks, dtype=torch.int64).flatten(),
        nothing,
        blocks,
        products,
        precision,
    )


def _touched(blocks: Blocks, qubits: Collection[int]) -> tuple[int, ...]:
    return tuple(i for i, (low, width) in enumerate(blocks) if any(low + k in qubits for k in range(width)))


def _chosen(numbers: list[int], diagonals: Tensor) -> tuple[Tensor, Tensor] | None:
    return (torch.tensor(numbers), diagonals) if numbers else None


def _blocks(qubits: int, most: int) -> Blocks:
    """As even as they come, none wider than most."""
    count = -(-qubits // most)
    edges = [qubits * number // count for number in range(count + 1)]
    return tuple((low, high - low) for low, high in pairwise(edges))


def run(plan: Plan, angles: Tensor, states: Tensor, observables: Readout, rows: Tensor | None = None) -> Tensor:
    """Expectation values (S, B, O).

    angles: (S, A), radians, shared by all rows; that of the plan's number for nothing is 0. rows: (S, B, R) those that
    differ between rows, in order of their numbers. states: (2^n, B) or (S, 2^n, B), complex: what each row begins with.
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
        by_block = angles.index_select(1, plan.of_blocks).view(len(angles), -1, len(plan.blocks), BLOCK)
        found = product_of(by_block).unbind(2)  # of each block (S, T, 2^BLOCK, 2^BLOCK)
        sizes = [1 << width for _, width in plan.blocks]
        self.matrices = [matrix[..., :size, :size] for matrix, size in zip(found, sizes, strict=True)]
        self.factors = {place: self._factor(step) for place, step in enumerate(plan.steps) if isinstance(step, Phased)}

    def _factor(self, step: Phased) -> Tensor:
        """exp(-iΣθd): (S, 2^n, 1), or (S, 2^n, B) where rows have angles of their own."""
        phase: Tensor | None = None
        if step.shared is not None:
            numbers, diagonals = step.shared
            phase = (self.angles.index_select(1, numbers) @ diagonals)[..., None]
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


def product_of(angles: Tensor) -> Tensor:
    """The Kronecker products of turns [[cos, -sin], [sin, cos]] of half the angles, (…, k) to (…, 2^k, 2^k).

    The first is the lowest bit.
    """
    turns = (angles[..., None, None, None, None] / 2 + _shifts(angles.dtype)).cos()  # (…, k, 2, 1, 2, 1)
    first, *others = turns.unbind(-5)
    matrix = first.squeeze(-1).squeeze(-2)
    for turn in others:
        size = 2 * matrix.shape[-1]
        matrix = (turn * matrix[..., None, :, None, :]).view(*matrix.shape[:-2], size, size)
    return matrix


@lru_cache(2)
def _shifts(precision: torch.dtype) -> Tensor:
    """What makes sines of cosines: cos(x + π/2) = -sin(x)."""
    return torch.tensor([[0.0, torch.pi / 2], [-torch.pi / 2, 0.0]], dtype=precision).view(2, 1, 2, 1)


def _apply(matrix: Tensor, block: tuple[int, int], state: Tensor) -> Tensor:
    """A real matrix (S, 2^k, 2^k) on the bits of a block. Complex columns are twice as many real ones."""
    low, width = block
    sets, size, rows = state.shape
    above = size >> (low + width)
    columns = torch.view_as_real(state.contiguous()).view(sets * above, 1 << width, (1 << low) * rows * 2)
    each = matrix[:, None].expand(-1, above, -1, -1).reshape(sets * above, 1 << width, 1 << width)
    return torch.view_as_complex(torch.bmm(each, columns).view(sets, size, rows, 2))


class _Gradient:
    """The slopes of the loss in all angles, gathered on the way back."""

    def __init__(self, numbers: _Numbers) -> None:
        self.numbers = numbers
        self.angles = torch.zeros_like(numbers.angles)
        self.rows = None if numbers.rows is None else torch.zeros_like(numbers.rows)
        self.products: dict[int, list[tuple[Tensor, Tensor]]] = {}  # by width: numbers of angles, and (S, 4^width)

    def turned(self, step: Turned, adjoint: Tensor, state: Tensor) -> None:
        """2·Re⟨λ|(-i/2)Y|ψ⟩ of each turn: the sum of λψᵀ over all but the block's bits, against generators."""
        both = torch.view_as_real(adjoint.contiguous()), torch.view_as_real(state.contiguous())
        sets, size, rows, _ = both[0].shape
        for number in step.products:
            low, width = self.numbers.plan.products[number]
            above, below = size >> (low + width), (1 << low) * rows * 2
            left, right = (each.view(sets * above, 1 << width, below) for each in both)
            if below < LONG:  # many products of short rows cost far more than gathering them
                left, right = (_gathered(each, sets) for each in (left, right))
            product = torch.bmm(left, right.mT)
            summed = product if len(product) == sets else product.view(sets, -1, *product.shape[1:]).sum(1)
            angles = self.numbers.plan.turns[step.number, low : low + width]
            self.products.setdefault(width, []).append((angles, summed.flatten(1)))

    def phased(self, step: Phased, adjoint: Tensor, state: Tensor) -> None:
        """2·Im(λ̄·ψ)·d of each phase, over basis states and, where rows share the angle, over rows."""
        density = None if step.by_row is None else (adjoint.conj() * state).imag  # (S, 2^n, B)
        if step.shared is not None:
            numbers, diagonals = step.shared
            summed = torch.linalg.vecdot(adjoint, state).imag if density is None else density.sum(2)
            self.angles.index_add_(1, numbers, summed @ diagonals.T, alpha=2)
        if density is not None and step.by_row is not None and self.rows is not None:
            numbers, diagonals = step.by_row
            self.rows.index_add_(2, numbers, density.mT @ diagonals.T, alpha=2)

    def of_angles(self) -> Tensor:
        for width, found in self.products.items():
            slopes = torch.stack([product for _, product in found], 1) @ generators(width, self.angles.dtype)
            self.angles.index_add_(1, torch.cat([angles for angles, _ in found]), slopes.flatten(1))
        return self.angles


def _gathered(pieces: Tensor, sets: int) -> Tensor:
    """(S · above, 2^k, below) as (S, 2^k, above · below)."""
    _, size, below = pieces.shape
    return pieces.view(sets, -1, size, below).transpose(1, 2).reshape(sets, size, -1)


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
