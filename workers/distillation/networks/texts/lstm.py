"""Long short-term memory, read from left to right: what stands before the padding never hears of it."""

from torch import Tensor, nn

from qstill.contract.distillations.architectures.texts import Lstm
from workers.distillation.networks.family import Family
from workers.distillation.networks.network import Features
from workers.distillation.networks.texts.tokens import ON_TEXT, PAD, TokenNetwork, mean_of, real


class LstmNetwork(TokenNetwork):
    """Tokens (batch, tokens); logits (batch, classes)."""

    def __init__(self, architecture: Lstm, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, architecture.width, padding_idx=PAD)
        self.recurrent = nn.LSTM(architecture.width, architecture.hidden, architecture.depth, batch_first=True)
        self.head = nn.Linear(architecture.hidden, classes)
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        states, _ = self.recurrent(self.dropout(self.embedding(x)))
        pool = mean_of(states, real(x))
        if seen is not None:
            seen["pool"] = pool
        return self.head(self.dropout(pool))  # type: ignore[no-any-return]


LSTM = Family(
    definition=Lstm,
    build=lambda lstm, ends: LstmNetwork(lstm, ends.vocabulary, ends.classes),
    scaled_as_they_come=ON_TEXT,
)
