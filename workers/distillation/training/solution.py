"""Trigonometric sums that are solved instead of trained: on the grid of a circuit's frequencies, or on rows.

A sum of frequencies up to K in each input follows from its values at 2K+1 evenly spaced nodes of each. A value anywhere
is then a sum of nodes' values whose squared weights add up to 1: it is as sure as a node's, however many there are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workers.distillation.networks.fourier import Waves, waves_of

MAX_RIDGE_ROWS = 8_192  # equations of one another's size: 512 MiB in double precision, and seconds to solve
PENALTIES = [10.0**power for power in range(-10, 3)]  # of squared coefficients, relative to a row's mean square


@dataclass(frozen=True)
class Solution:
    """coefficients: (nodes, observables), standardised, double precision, in the order of `Waves`.

    known: rows (N, inputs) that the circuit was asked about, and what it said, standardised. nodes: of the grid that
    was asked for; None: rows were. standard_error: of a value, in the observable's unit, at most, by shots; None: it is
    not known. spread: the mean standard error of a node, standardised.
    """

    frequencies: tuple[int, ...]
    coefficients: Tensor
    known: tuple[Tensor, Tensor]
    nodes: int | None = None
    exact: bool = False
    standard_error: float | None = None
    spread: float = 0.0

    def weights(self) -> dict[str, Tensor]:
        """Of the network's head."""
        return {"head.weight": self.coefficients[1:].T.float().contiguous(), "head.bias": self.coefficients[0].float()}

    def ranks(self) -> list[int]:
        """Of the coefficients as matrices, the inputs before a cut by those after it; what shots blur is none.

        The waves are scaled to a mean square of 1; the largest singular value of noise is that of Bai and Yin (1993).
        """
        sides = [2 * highest + 1 for highest in self.frequencies]
        tensor = self.coefficients.reshape(*sides, -1).clone()
        for axis in range(len(sides)):
            tensor.narrow(axis, 1, sides[axis] - 1).div_(math.sqrt(2))
        found = []
        for cut in range(1, len(sides)):
            matrix = tensor.reshape(math.prod(sides[:cut]), -1)
            values = torch.linalg.svdvals(matrix)
            noise = self.spread / math.sqrt(len(self.coefficients)) * sum(math.sqrt(side) for side in matrix.shape)
            found.append(int((values > max(noise, 1e-9 * float(values[0]))).sum()))
        return found


def grid(frequencies: Sequence[int], units: Sequence[float]) -> Tensor:
    """The nodes (Π(2K+1), inputs), double precision, the last input's fastest."""
    axes = [
        torch.arange(2 * highest + 1, dtype=torch.float64) * (2 * math.pi / ((2 * highest + 1) * unit))
        for highest, unit in zip(frequencies, units, strict=True)
    ]
    return torch.stack([axis.flatten() for axis in torch.meshgrid(*axes, indexing="ij")], 1)


def solved_on_grid(values: Tensor, frequencies: Sequence[int]) -> Tensor:
    """Coefficients (nodes, observables) of the sum that has these values (nodes, observables) at the nodes."""
    sides = [2 * highest + 1 for highest in frequencies]
    tensor = values.reshape(*sides, -1)
    for axis, highest in enumerate(frequencies):
        count = 2 * highest + 1
        angles = torch.arange(count, dtype=torch.float64)[:, None] * (2 * math.pi / count)
        inverse = waves_of(angles, highest).T * (2 / count)  # columns of waves are orthogonal
        inverse[0] /= 2
        tensor = torch.movedim(torch.tensordot(inverse, tensor, dims=([1], [axis])), 0, axis)
    return tensor.reshape(values.shape)


def solved_on_rows(
    taught: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor], frequencies: Sequence[int], units: Sequence[float]
) -> Tensor:
    """Ridge regression: the penalty is the one that serves the held-out rows best.

    Both: (inputs (rows, inputs), values (rows, observables)), double precision. Of more rows than MAX_RIDGE_ROWS the
    first are taken. Returns coefficients (waves, observables).
    """
    waves, by = Waves(frequencies), torch.tensor(units, dtype=torch.float64)
    rows, values = (part[:MAX_RIDGE_ROWS] for part in taught)
    known, asked = waves(rows * by), waves(held_out[0] * by)
    left, sizes, right = torch.linalg.svd(known, full_matrices=False)
    told, scale = left.T @ values, float(known.square().sum(1).mean())
    best: tuple[float, Tensor] | None = None
    for penalty in PENALTIES:
        shrunk = sizes / (sizes.square() + penalty * scale)
        coefficients = right.T @ (shrunk[:, None] * told)
        error = float((asked @ coefficients - held_out[1]).square().mean())
        if best is None or error < best[0]:
            best = error, coefficients
    assert best is not None
    return best[1]
