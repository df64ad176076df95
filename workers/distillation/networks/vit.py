"""A small vision transformer (Dosovitskiy and others 2021, arXiv:2010.11929), the mean of its tokens for a class token.

Inputs (batch, channels, height, width); logits (batch, classes). Normalisation comes before attention and before the
feed-forward layers, which are twice as wide as a token.
"""

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures.vit import Vit
from qstill.contract.errors import Problem
from workers.distillation.networks.attention import TOKEN_SIZE, Block
from workers.distillation.networks.family import Ends, Family
from workers.distillation.networks.network import Features, Network


class VitNetwork(Network):
    """Patches of the image as tokens."""

    def __init__(self, architecture: Vit, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        patch = architecture.patch
        self.grid = (height // patch, width // patch)
        self.embedding = nn.Conv2d(channels, architecture.width, patch, stride=patch)
        self.positions = nn.Parameter(TOKEN_SIZE * torch.randn(1, self.grid[0] * self.grid[1], architecture.width))
        self.blocks = nn.ModuleList(
            Block(architecture.width, architecture.heads, architecture.dropout) for _ in range(architecture.depth)
        )
        self.norm = nn.LayerNorm(architecture.width)
        self.head = nn.Linear(architecture.width, classes)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        x = self.embedding(x).flatten(2).transpose(1, 2) + self.positions
        if seen is not None:
            seen["embedding"] = self._image(x)
        for number, block in enumerate(self.blocks):
            x = block(x)
            if seen is not None:
                seen[f"blocks.{number}"] = self._image(x)
        x = self.norm(x).mean(1)
        if seen is not None:
            seen["pool"] = x
        return self.head(x)  # type: ignore[no-any-return]

    def _image(self, tokens: Tensor) -> Tensor:
        """(batch, tokens, width) as (batch, width, rows, columns)."""
        return tokens.transpose(1, 2).reshape(len(tokens), -1, *self.grid)


def _build(vit: Vit, ends: Ends) -> VitNetwork:
    sides = ends.input_shape[1:]
    if any(side % vit.patch for side in sides):
        title = f"Patches of {vit.patch} pixels do not tile images of {sides[0]}x{sides[1]}."
        fitting = [{"patch": patch} for patch in (4, 2, 1) if not any(side % patch for side in sides)]
        raise Problem("architecture_mismatch", title, pointer=f"{ends.pointer}/patch", ways_out=fitting[:1])
    return VitNetwork(vit, ends.input_shape, ends.classes)


VIT = Family(definition=Vit, build=_build, scaled_as_they_come=("MatMul",))
