"""Trigonometric sums: a linear head on products of cosines and sines of the inputs as they stand in the data."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures.fourier import MAX_NODES, Fourier, nodes_of, spread
from qstill.contract.distillations.rules.circuits import too_large
from qstill.contract.errors import Problem
from workers.distillation.networks.family import Ends, Family
from workers.distillation.networks.network import Features, Network


class Waves(nn.Module):
    """Angles of inputs (batch, inputs) to products (batch, Π(2K+1)) of one function of each input.

    The functions of an input x: 1, cos(x), …, cos(Kx), sin(x), …, sin(Kx), x in radians at frequency 1; the last
    input's vary fastest.
    """

    def __init__(self, frequencies: Sequence[int]) -> None:
        super().__init__()
        self.frequencies = tuple(frequencies)

    def forward(self, angles: Tensor) -> Tensor:
        products = torch.ones_like(angles[:, :1])
        for place, highest in enumerate(self.frequencies):
            own = waves_of(angles[:, place : place + 1], highest)
            products = (products[:, :, None] * own[:, None, :]).flatten(1)
        return products

    def multiply_adds(self, given: tuple[Tensor, ...], answer: Tensor) -> int:
        """A product for each of the functions of the first inputs, input by input."""
        return sum(nodes_of(self.frequencies[:place]) for place in range(2, len(self.frequencies) + 1))


def waves_of(angle: Tensor, highest: int) -> Tensor:
    """The functions (batch, 2K+1) of one input, whose angles (batch, 1) are in radians at frequency 1."""
    multiples = angle * torch.arange(1, highest + 1, dtype=angle.dtype, device=angle.device)
    return torch.cat([torch.ones_like(angle), multiples.cos(), multiples.sin()], 1)


class FourierNetwork(Network):
    """Inputs (batch, ...) are flattened, and brought back to what they are in the data; logits (batch, classes)."""

    mean: Tensor
    std: Tensor

    def __init__(self, architecture: Fourier, ends: Ends) -> None:
        super().__init__()
        inputs = math.prod(ends.input_shape)
        frequencies, units = sum_of(architecture, inputs, ends.pointer)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("std", torch.ones(inputs))
        self.units = units
        self.waves = Waves(frequencies)
        self.head = nn.Linear(nodes_of(frequencies) - 1, ends.classes)
        if ends.standardisation is not None:
            self.mean.copy_(ends.standardisation.mean.expand(ends.input_shape).flatten())
            self.std.copy_(ends.standardisation.std.expand(ends.input_shape).flatten())

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        angles = (x.flatten(1) * self.std + self.mean) * torch.tensor(self.units, dtype=x.dtype, device=x.device)
        return self.head(self.waves(angles)[:, 1:])  # type: ignore[no-any-return]


def sum_of(architecture: Fourier, inputs: int, pointer: str) -> tuple[list[int], list[float]]:
    """(highest frequency, unit) of each input. Raises Problem: architecture_mismatch, grid_too_large."""
    found = spread(architecture.frequencies, inputs), spread(architecture.units, inputs)
    for name, given in zip(("frequencies", "units"), found, strict=True):
        if len(given) != inputs:
            title = f"A row of this data has {inputs} numbers, and {len(given)} {name} are given."
            raise Problem("architecture_mismatch", title, pointer=f"{pointer}/{name}")
    frequencies = [int(each) for each in found[0]]
    if nodes_of(frequencies) > MAX_NODES:
        raise Problem("grid_too_large", f"{too_large(frequencies)}.", pointer=f"{pointer}/frequencies")
    return frequencies, found[1]


FOURIER = Family(
    definition=Fourier,
    build=FourierNetwork,
    scaled_as_they_come=("MatMul",),
)
