"""A mean of embeddings, and a perceptron on it (as in fastText, Joulin and others 2016, arXiv:1607.01759)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures.texts import BagOfEmbeddings
from workers.distillation.networks.family import Family
from workers.distillation.networks.network import Features
from workers.distillation.networks.texts.tokens import ON_TEXT, PAD, TokenNetwork, mean_of, real


class BagOfEmbeddingsNetwork(TokenNetwork):
    """Tokens (batch, tokens); logits (batch, classes)."""

    def __init__(self, architecture: BagOfEmbeddings, vocabulary: int, classes: int) -> None:
        super().__init__()
        widths = [architecture.width, *architecture.hidden]
        self.embedding = nn.Embedding(vocabulary, architecture.width, padding_idx=PAD)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.head = nn.Linear(widths[-1], classes)
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        seen = {} if seen is None else seen
        x = seen["pool"] = mean_of(self.embedding(x), real(x))
        for number, layer in enumerate(self.hidden):
            x = seen[f"hidden.{number}"] = torch.relu(layer(self.dropout(x)))
        return self.head(self.dropout(x))  # type: ignore[no-any-return]


BAG_OF_EMBEDDINGS = Family(
    definition=BagOfEmbeddings,
    build=lambda bag, ends: BagOfEmbeddingsNetwork(bag, ends.vocabulary, ends.classes),
    scaled_as_they_come=ON_TEXT,
)
