"""A small transformer encoder (Vaswani and others 2017, arXiv:1706.03762) with learned positions, for whole texts."""

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures.transformers import TextTransformer
from workers.distillation.networks.attention import TOKEN_SIZE, Block
from workers.distillation.networks.family import Family
from workers.distillation.networks.network import Features
from workers.distillation.networks.texts.tokens import ON_TEXT, PAD, TokenNetwork, mean_of, real


class TextTransformerNetwork(TokenNetwork):
    """Tokens (batch, tokens), at most `length` of them; logits (batch, classes)."""

    def __init__(self, architecture: TextTransformer, vocabulary: int, length: int, classes: int) -> None:
        super().__init__()
        width = architecture.width
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=TOKEN_SIZE)
        self.positions = nn.Parameter(TOKEN_SIZE * torch.randn(1, length, width))
        self.blocks = nn.ModuleList(
            Block(width, architecture.heads, architecture.dropout) for _ in range(architecture.depth)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        is_real, padding = real(x), (x == PAD)[:, None, None, :]
        states = self.dropout(self.embedding(x) + self.positions[:, : x.shape[1]])
        if seen is not None:
            seen["embedding"] = mean_of(states, is_real)
        for number, block in enumerate(self.blocks):
            states = block(states, padding)
            if seen is not None:
                seen[f"blocks.{number}"] = mean_of(states, is_real)
        pool = mean_of(self.norm(states), is_real)
        if seen is not None:
            seen["pool"] = pool
        return self.head(pool)  # type: ignore[no-any-return]


TEXT_TRANSFORMER = Family(
    definition=TextTransformer,
    build=lambda text, ends: TextTransformerNetwork(text, ends.vocabulary, ends.input_shape[0], ends.classes),
    scaled_as_they_come=ON_TEXT,
)
