"""Convolutions over tokens (Kim 2014, arXiv:1408.5882): each filter answers once, by the place that fits it best."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from qstill.contract.distillations.architectures.texts import TextCnn
from workers.distillation.networks.family import Family
from workers.distillation.networks.network import Features
from workers.distillation.networks.texts.tokens import ON_TEXT, PAD, TokenNetwork, real


class TextCnnNetwork(TokenNetwork):
    """Tokens (batch, tokens); logits (batch, classes)."""

    def __init__(self, architecture: TextCnn, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, architecture.width, padding_idx=PAD)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(architecture.width, architecture.filters, size) for size in architecture.sizes
        )
        self.sizes = architecture.sizes
        self.head = nn.Linear(architecture.filters * len(architecture.sizes), classes)
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        is_real = real(x).transpose(1, 2)
        states = self.embedding(x).transpose(1, 2)
        answers = []
        for size, convolution in zip(self.sizes, self.convolutions, strict=True):
            every = torch.relu(convolution(pad(states, (0, size - 1))))  # a window starts at each token
            answers.append((every * is_real).amax(2))
        pool = torch.cat(answers, dim=1)
        if seen is not None:
            seen["pool"] = pool
        return self.head(self.dropout(pool))  # type: ignore[no-any-return]


TEXT_CNN = Family(
    definition=TextCnn,
    build=lambda cnn, ends: TextCnnNetwork(cnn, ends.vocabulary, ends.classes),
    scaled_as_they_come=ON_TEXT,
)
