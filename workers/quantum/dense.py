"""Circuits of few qubits: a layer of turns, phases and a shuffle is one matrix, and all layers' are made at once.

The same arithmetic as in `state.py` in fewer calls, which is what small circuits cost. On the way back only the
adjoint states are found one after another; the gradients of all layers are a few products at the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from workers.quantum.observables import Readout
from workers.quantum.state import Phased, Plan, Shuffled, Turned, generators, of_sets, product_of


@dataclass(frozen=True)
class Layers:
    """L layers. turns: (L, n) angles by qubit, the number after the last for none. inverse, source: (L, 2^n).

    phases: (P,) numbers of angles; of: (P,) the layer of each; diagonals: (P, 2^n).
    """

    turns: Tensor
    phases: Tensor
    of: Tensor
    diagonals: Tensor
    source: Tensor
    inverse: Tensor


def layers_of(plan: Plan, count: int) -> Layers:
    """count: of angles. The plan's phases are shared by all rows."""
    size = 1 << plan.qubits
    nothing, still = torch.full((plan.qubits,), count), torch.arange(size)
    turns, sources, inverses, phases, of, diagonals = [nothing], [still], [still], [], [], []
    stage = 0
    for step in plan.steps:
        kind = (Turned, Phased, Shuffled).index(type(step))
        if kind < stage:
            turns.append(nothing)
            sources.append(still)
            inverses.append(still)
        stage = kind + 1
        match step:
            case Turned():
                turns[-1] = plan.turns[step.number]
            case Phased():
                assert step.shared is not None
                numbers, rows = step.shared
                phases.append(numbers)
                diagonals.append(rows)
                of.append(torch.full_like(numbers, len(turns) - 1))
            case Shuffled():
                sources[-1], inverses[-1] = step.source, step.inverse
    empty = torch.zeros(0, dtype=torch.int64)
    return Layers(
        torch.stack(turns),
        torch.cat([empty, *phases]),
        torch.cat([empty, *of]),
        torch.cat([torch.zeros(0, size, dtype=plan.precision), *diagonals]),
        torch.stack(sources),
        torch.stack(inverses),
    )


def run_dense(layers: Layers, angles: Tensor, states: Tensor, observables: Readout) -> Tensor:
    """As `state.run`."""
    apply: Callable[..., Tensor] = _Expectations.apply
    return apply(angles, of_sets(states, angles), layers, observables)


class _Expectations(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, angles: Tensor, states: Tensor, layers: Layers, observables: Readout) -> Tensor:
        """angles: (S, A). states: (S, 2^n, B). Returns (S, B, O)."""
        half = torch.cat([angles, angles.new_zeros(len(angles), 1)], 1)[:, layers.turns] / 2  # (S, L, n)
        turned = product_of(half.cos(), half.sin())
        phase = angles.new_zeros(len(angles), *layers.source.shape)
        phase.index_add_(1, layers.of, angles[:, layers.phases, None] * layers.diagonals)
        factor = torch.complex(phase.cos(), -phase.sin())  # (S, L, N)
        whole = (factor[..., None] * turned).gather(2, _rows(layers.source, turned))
        passed = [states]
        for layer in range(len(layers.turns)):
            passed.append(torch.bmm(whole[:, layer], passed[-1]))
        ctx.layers, ctx.observables, ctx.count = layers, observables, angles.shape[1]
        ctx.save_for_backward(turned, factor, whole, torch.stack(passed, 1))
        return observables.means(passed[-1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """slope: (S, B, O)."""
        turned, factor, whole, passed = ctx.saved_tensors
        layers: Layers = ctx.layers
        back = whole.mH.resolve_conj()
        adjoints = [ctx.observables.applied(slope, passed[:, -1])]
        for layer in range(len(layers.turns) - 1, -1, -1):
            adjoints.append(torch.bmm(back[:, layer], adjoints[-1]))
        after = torch.stack(adjoints[-2::-1], 1)  # (S, L, N, B): after each layer
        left = after.gather(2, _rows(layers.inverse, after)) * factor.conj()[..., None]  # after its turns
        right = turned.to(passed.dtype) @ passed[:, :-1]
        density = 2 * (left.conj() * right).imag.sum(-1)  # (S, L, N)
        gradient = density.new_zeros(len(density), ctx.count + 1)
        gradient.index_add_(1, layers.phases, (density[:, layers.of] * layers.diagonals).sum(-1))
        product = (torch.view_as_real(left).flatten(3) @ torch.view_as_real(right).flatten(3).mT).flatten(2)
        slopes = product @ generators(layers.turns.shape[1], product.dtype)
        gradient.index_add_(1, layers.turns.flatten(), slopes.flatten(1))
        return gradient[:, :-1], 2 * adjoints[-1] if ctx.needs_input_grad[1] else None, None, None


def _rows(order: Tensor, of: Tensor) -> Tensor:
    """order: (L, N), rows of (S, L, N, X): as `gather` wants it."""
    return order[None, :, :, None].expand(of.shape)
