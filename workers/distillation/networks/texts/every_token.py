"""Transformers that answer every token, over the same vocabulary that they read.

Their answers are flattened, (batch·tokens, vocabulary), a row's tokens after one another: to a loss each of them is a
row of its own, and so are its features. The head is the embedding itself (Press and Wolf 2017, arXiv:1608.05859).
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from qstill.contract.distillations.architectures.transformers import Decoder, Encoder
from workers.distillation.networks.attention import TOKEN_SIZE, Block
from workers.distillation.networks.network import Features
from workers.distillation.networks.texts.tokens import TokenNetwork


class Likeness(nn.Module):
    """The head without weights of its own: how much a state is like each token's embedding."""

    def forward(self, states: Tensor, embeddings: Tensor) -> Tensor:
        """(batch, tokens, width) and (vocabulary, width) to (batch, tokens, vocabulary)."""
        return linear(states, embeddings)

    def multiply_adds(self, given: tuple[Tensor, ...], answer: Tensor) -> int:
        """Of every token's state with every embedding."""
        return given[1].numel() * answer.shape[1]


class EveryTokenNetwork(TokenNetwork):
    """Tokens (batch, tokens), at most `length` of them; logits (batch·tokens, vocabulary)."""

    def __init__(self, architecture: Decoder | Encoder, vocabulary: int, length: int) -> None:
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

    def unseen(self, x: Tensor) -> Tensor:
        """Broadcasts to (batch, heads, seeing tokens, seen tokens): True where a token must not look."""
        raise NotImplementedError

    def forward(self, x: Tensor, seen: Features | None = None, answered: Tensor | None = None) -> Tensor:
        """Logits. answered: (batch, tokens), the only tokens that are answered, one after the other; None: all."""
        unseen = self.unseen(x)
        states = self.dropout(self.embedding(x) + self.positions[:, : x.shape[1]])
        if seen is not None:
            seen["embedding"] = states.flatten(0, 1)
        for number, block in enumerate(self.blocks):
            states = block(states, unseen)
            if seen is not None:
                seen[f"blocks.{number}"] = states.flatten(0, 1)
        states = self.norm(states)
        if seen is not None:
            seen["last"] = states.flatten(0, 1)
        if answered is not None:
            states = states[answered][None]
        logits: Tensor = self.likeness(states, self.embedding.weight)
        return logits.flatten(0, 1)
