"""Parameters on which nothing depends that is read of a circuit, as the last RZ where only Z is read.

    without_effect(DifferentiableCircuit(circuit, sums=sums, precision=torch.float64), states=states)   # {"w_07"}

Found by numbers: a slope that is zero at a few random places is zero everywhere, for a circuit's slopes are
trigonometric polynomials of its angles.
"""

import math

import torch
from torch import Tensor

from workers.quantum.circuit import DifferentiableCircuit

PLACES = 2  # random sets of weights, and rows
NOTHING = 1e-12  # of a slope in double precision


def without_effect(circuit: DifferentiableCircuit, *, states: Tensor | None = None, seed: int = 0) -> set[str]:
    """Names of weights and inputs of a circuit in double precision. states: (2^n, B), some in general position."""
    draw = torch.Generator().manual_seed(seed)
    shape = PLACES, len(circuit.weights)
    weights = ((2 * torch.rand(shape, generator=draw, dtype=torch.float64) - 1) * math.pi).requires_grad_()
    rows = torch.randn(PLACES, len(circuit.inputs), generator=draw, dtype=torch.float64).requires_grad_()
    means = circuit(weights, rows, None) if circuit.inputs else circuit(weights, None, states)
    slope = torch.randn(means.shape, generator=draw, dtype=torch.float64)
    slopes = torch.autograd.grad(means, [weights, rows], slope, allow_unused=True)
    return {
        name
        for named, found in zip((circuit.weights, circuit.inputs), slopes, strict=True)
        for number, name in enumerate(named)
        if found is None or not (found[:, number].abs() > NOTHING).any()
    }
