"""A small GPT (Radford and others 2019): what comes next, at every token, from the tokens up to it.

Its answers are flattened, (batch·tokens, vocabulary), a row's tokens after one another: to a loss each of them is a row
of its own, and so are its features. The head is the embedding itself (Press and Wolf 2017, arXiv:1608.05859).
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from app.distillations.architectures import Decoder
from workers.distillation.networks.attention import TOKEN_SIZE, Block
from workers.distillation.networks.network import Features
from workers.distillation.networks.tokens import TokenNetwork


class Likeness(nn.Module):
    """The head without weights of its own: how much a state is like each token's embedding."""

    def forward(self, states: Tensor, embeddings: Tensor) -> Tensor:
        """(batch, tokens, width) and (vocabulary, width) to (batch, tokens, vocabulary)."""
        return linear(states, embeddings)


class DecoderNetwork(TokenNetwork):
    """Tokens (batch, tokens), at most `length` of them; logits (batch·tokens, vocabulary)."""

    def __init__(self, architecture: Decoder, vocabulary: int, length: int) -> None:
        super().__init__()
        width = architecture.width
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=TOKEN_SIZE)
        self.positions = nn.Parameter(TOKEN_SIZE * torch.randn(1, length, width))
        self.blocks = nn.ModuleList(
            Block(width, architecture.heads, architecture.dropout) for _ in range(architecture.depth)
        )
        self.norm = nn.LayerNorm(width)
        self.likeness = Likeness()
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        tokens = x.shape[1]
        future = torch.ones(tokens, tokens, dtype=torch.bool, device=x.device).triu(1)
        states = self.dropout(self.embedding(x) + self.positions[:, :tokens])
        if seen is not None:
            seen["embedding"] = states.flatten(0, 1)
        for number, block in enumerate(self.blocks):
            states = block(states, future)
            if seen is not None:
                seen[f"blocks.{number}"] = states.flatten(0, 1)
        states = self.norm(states)
        if seen is not None:
            seen["last"] = states.flatten(0, 1)
        logits: Tensor = self.likeness(states, self.embedding.weight)
        return logits.flatten(0, 1)
