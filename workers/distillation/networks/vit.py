"""A small vision transformer (Dosovitskiy and others 2021, arXiv:2010.11929), the mean of its tokens for a class token.

Inputs (batch, channels, height, width); logits (batch, classes). Normalisation comes before attention and before the
feed-forward layers, which are twice as wide as a token.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from app.distillations.architectures import Vit
from workers.distillation.networks.network import Features, Network

FEED_FORWARD = 2  # times the width; four, as in large models, is most of the weights of a small one
POSITION_SIZE = 0.02  # standard deviation of initial positions, as in the paper's code


class Attention(nn.Module):
    """Self-attention of tokens (batch, tokens, width), written out: its gradient is the same bits in every run."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) to the same."""
        batch, tokens, width = x.shape
        parts = self.queries_keys_values(x).view(batch, tokens, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(queries @ keys.transpose(2, 3) / (width // self.heads) ** 0.5, dim=3)
        return self.out((weights @ values).transpose(1, 2).reshape(batch, tokens, width))  # type: ignore[no-any-return]


class Block(nn.Module):
    """x + attention, then + feed-forward."""

    def __init__(self, architecture: Vit) -> None:
        super().__init__()
        width = architecture.width
        self.attention_norm, self.attention = nn.LayerNorm(width), Attention(width, architecture.heads)
        self.norm = nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, FEED_FORWARD * width), nn.Linear(FEED_FORWARD * width, width)
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) to the same."""
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        y = self.dropout(gelu(self.wide(self.norm(x))))
        return x + self.dropout(self.narrow(y))  # type: ignore[no-any-return]


class VitNetwork(Network):
    """Patches of the image as tokens."""

    def __init__(self, architecture: Vit, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        patch = architecture.patch
        self.grid = (height // patch, width // patch)
        self.embedding = nn.Conv2d(channels, architecture.width, patch, stride=patch)
        self.positions = nn.Parameter(POSITION_SIZE * torch.randn(1, self.grid[0] * self.grid[1], architecture.width))
        self.blocks = nn.ModuleList(Block(architecture) for _ in range(architecture.depth))
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
