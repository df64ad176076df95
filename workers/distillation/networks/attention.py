"""The blocks of a transformer, its normalisation before attention and before the feed-forward layers."""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

FEED_FORWARD = 2  # times the width; four, as in large models, is most of the weights of a small one
TOKEN_SIZE = 0.02  # standard deviation of initial embeddings and positions, as in BERT, GPT-2 and ViT


class Attention(nn.Module):
    """Self-attention of tokens (batch, tokens, width), written out: its gradient is the same bits in every run."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> Tensor:
        """(batch, tokens, width) to the same.

        hidden: broadcasts to (batch, heads, seeing tokens, seen tokens), True where a token must not look.
        """
        batch, tokens, width = x.shape
        parts = self.queries_keys_values(x).view(batch, tokens, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4).unbind(0)
        scores = queries @ keys.transpose(2, 3) / (width // self.heads) ** 0.5
        if hidden is not None:
            scores = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)  # -inf: NaN where nothing is seen
        weights = torch.softmax(scores, dim=3)
        return self.out((weights @ values).transpose(1, 2).reshape(batch, tokens, width))  # type: ignore[no-any-return]

    def multiply_adds(self, _: tuple[Tensor, ...], answer: Tensor) -> int:
        """Of queries with keys, and of weights with values, over all heads; its linear layers are counted as such."""
        tokens, width = answer.shape[1:]
        return 2 * tokens * tokens * width


class Block(nn.Module):
    """x + attention, then + feed-forward."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, FEED_FORWARD * width), nn.Linear(FEED_FORWARD * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> Tensor:
        """(batch, tokens, width) to the same. hidden: as in `Attention`."""
        x = x + self.dropout(self.attention(self.attention_norm(x), hidden))
        y = self.dropout(gelu(self.wide(self.norm(x))))
        return x + self.dropout(self.narrow(y))  # type: ignore[no-any-return]
