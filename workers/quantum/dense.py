"""Circuits of few qubits: a layer of turns, phases and a shuffle is one matrix, and all layers' are made at once.

The same arithmetic as in `state.py` in fewer calls, and these in NumPy: what small circuits cost is calls, and NumPy's
cost a third of torch's. On the way back only the adjoint states are found one after another; the gradients of all
layers are a few products at the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from workers.quantum.observables import Readout
from workers.quantum.operations import Integers
from workers.quantum.state import Phased, Plan, Shuffled, Turned, generators, of_sets

DENSE = 7  # qubits up to which this is the quicker way

Array = NDArray[Any]  # of the plan's precision


@dataclass(frozen=True)
class Layers:
    """L layers of U = P·diag(exp(-iφ))·R, of n qubits, N = 2^n. Numbers of angles; `Plan.nothing` where there is none.

    turns: (L, n), of R by qubit; generators: (N², n). phases: (L, K), of φ; diagonals: (L, K, N). source, inverse:
    (L, N), rows as they are shuffled and back. numbers: (L, 1), those of the layers.
    """

    turns: Integers
    generators: Array
    phases: Integers
    diagonals: Array
    source: Integers
    inverse: Integers
    numbers: Integers


def layers_of(plan: Plan) -> Layers:
    """The plan's phases are shared by all rows."""
    size = 1 << plan.qubits
    idle, still = torch.full((plan.qubits,), plan.nothing), torch.arange(size)
    none = torch.zeros(0, dtype=torch.int64), torch.zeros(0, size, dtype=plan.precision)
    turns, phases, sources, inverses = [idle], [none], [still], [still]
    stage = 0
    for step in plan.steps:
        kind = (Turned, Phased, Shuffled).index(type(step))
        if kind < stage:
            turns.append(idle)
            phases.append(none)
            sources.append(still)
            inverses.append(still)
        stage = kind + 1
        match step:
            case Turned():
                turns[-1] = plan.turns[step.number]
            case Phased():
                assert step.shared is not None
                phases[-1] = step.shared
            case Shuffled():
                sources[-1], inverses[-1] = step.source, step.inverse
    count, most = len(turns), max(1, *(len(numbers) for numbers, _ in phases))
    numbers = torch.full((count, most), plan.nothing)
    diagonals = torch.zeros(count, most, size, dtype=plan.precision)
    for layer, (of_angles, rows) in enumerate(phases):
        numbers[layer, : len(rows)], diagonals[layer, : len(rows)] = of_angles, rows
    return Layers(
        torch.stack(turns).numpy(),
        generators(plan.qubits, plan.precision).numpy(),
        numbers.numpy(),
        diagonals.numpy(),
        torch.stack(sources).numpy(),
        torch.stack(inverses).numpy(),
        np.arange(count)[:, None],
    )


def run_dense(layers: Layers, angles: Tensor, states: Tensor, observables: Readout) -> Tensor:
    """As `state.run`."""
    apply: Callable[..., Tensor] = _Expectations.apply
    return apply(angles, of_sets(states, angles), layers, observables)


class _Expectations(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, angles: Tensor, states: Tensor, layers: Layers, observables: Readout) -> Tensor:
        """angles: (S, A). states: (S, N, B). Returns (S, B, O)."""
        values, state = angles.detach().numpy(), states.detach().resolve_conj().numpy()
        turned = _product(values[:, layers.turns].swapaxes(0, 1))  # (L, S, N, N)
        phase = values[:, layers.phases].swapaxes(0, 1) @ layers.diagonals  # (L, S, N)
        factor = np.empty((*phase.shape, 1), state.dtype)
        factor.real[..., 0], factor.imag[..., 0] = np.cos(phase), -np.sin(phase)
        whole = (factor * turned)[layers.numbers, :, layers.source].swapaxes(1, 2)
        passed = [state]
        for matrix in whole:
            passed.append(matrix @ passed[-1])
        ctx.layers, ctx.observables, ctx.kept = layers, observables, (turned, factor, whole, passed, values.shape)
        return observables.means(torch.from_numpy(passed[-1]))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """slope: (S, B, O)."""
        turned, factor, whole, passed, shape = ctx.kept
        layers: Layers = ctx.layers
        last = ctx.observables.applied(slope, torch.from_numpy(passed[-1])).resolve_conj().numpy()
        adjoints = [last.conj()]  # conjugates: a transpose takes them on
        for matrix in whole[::-1]:
            adjoints.append(matrix.swapaxes(1, 2) @ adjoints[-1])
        after = np.stack(adjoints[-2::-1])[layers.numbers, :, layers.inverse].swapaxes(1, 2)
        slopes = factor * (after @ np.stack(passed[:-1]).swapaxes(2, 3))  # of the loss in R: (L, S, N, N)
        in_turns = slopes.real @ turned.swapaxes(2, 3)
        of_turns = in_turns.reshape(*turned.shape[:2], -1) @ layers.generators  # (L, S, n)
        of_phases = 2 * ((slopes.imag * turned).sum(3) @ layers.diagonals.swapaxes(1, 2))  # (L, S, K)
        gradient = np.zeros(shape, turned.dtype)
        for numbers, found in ((layers.turns, of_turns), (layers.phases, of_phases)):
            np.add.at(gradient.T, numbers.flatten(), found.swapaxes(1, 2).reshape(-1, shape[0]))
        begun = torch.from_numpy(2 * adjoints[-1].conj()) if ctx.needs_input_grad[1] else None
        return torch.from_numpy(gradient), begun, None, None


def _product(angles: Array) -> Array:
    """As `state.product_of`."""
    turns = np.cos(angles[..., None, None, None, None] / 2 + _SHIFTS.astype(angles.dtype))  # (…, k, 2, 1, 2, 1)
    matrix: Array = turns[..., 0, :, 0, :, 0]
    for qubit in range(1, angles.shape[-1]):
        matrix = turns[..., qubit, :, :, :, :] * matrix[..., None, :, None, :]
        matrix = matrix.reshape(*angles.shape[:-1], 2 << qubit, 2 << qubit)
    return matrix


_SHIFTS = np.array([[0, np.pi / 2], [-np.pi / 2, 0]])[:, None, :, None]  # cos(x + π/2) = -sin(x)
