"""Texts to vectors: a body that makes a state of every token, what pools them, and what follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize

Pooling = Literal["cls", "mean", "max", "mean_sqrt_len_tokens"]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "Identity": lambda x: x,
    "Tanh": torch.tanh,
    "ReLU": torch.relu,
    "GELU": gelu,
}  # of dense layers, by the names of torch's classes
LEAST = -1e9  # what a token that is not there counts as, where the largest is taken
TOKENS_AT_ONCE = 8192  # of an evaluation; bounds its activations
ROWS_AT_ONCE = 256


class Transformer(nn.Module):
    """A network of `transformers`. blocks: where its layers are."""

    def __init__(self, model: Any, blocks: str) -> None:
        super().__init__()
        self.model = model
        self.blocks = blocks

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        """Tokens and which of them are there, (rows, tokens), to states (rows, tokens, width)."""
        states: Tensor = self.model(input_ids=tokens, attention_mask=real.long()).last_hidden_state
        return states

    @property
    def width(self) -> int:
        """Of a state."""
        return int(self.model.config.hidden_size)

    @property
    def layers(self) -> nn.ModuleList:
        """In their order."""
        found = self.model.get_submodule(self.blocks)
        assert isinstance(found, nn.ModuleList)
        return found

    def keep(self, chosen: Sequence[int]) -> None:
        """Leave only these layers."""
        parent, _, name = self.blocks.rpartition(".")
        kept = nn.ModuleList(self.layers[number] for number in chosen)
        setattr(self.model.get_submodule(parent), name, kept)
        self.model.config.num_hidden_layers = len(kept)

    @property
    def words(self) -> Tensor:
        """The vectors of the vocabulary, (tokens, width), before any context."""
        weight: Tensor = self.model.get_input_embeddings().weight.detach()
        return weight


class WordVectors(nn.Module):
    """A vector for each token, whatever stands beside it."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)

    def forward(self, tokens: Tensor, _: Tensor) -> Tensor:
        """As `Transformer`."""
        states: Tensor = self.embedding(tokens)
        return states

    @property
    def width(self) -> int:
        """Of a vector."""
        return self.embedding.embedding_dim

    @property
    def words(self) -> Tensor:
        """As `Transformer`."""
        return self.embedding.weight.detach()


class Dense(nn.Module):
    """A layer after pooling. activation: a name of `ACTIVATIONS`."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True, activation: str = "Identity") -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=bias)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """(rows, outputs)."""
        return ACTIVATIONS[self.activation](self.linear(x))


@dataclass(frozen=True)
class Form:
    """What stands after the body. pad: the number of a token that is not there."""

    pooling: Pooling
    normalises: bool
    pad: int


class TextEncoder(nn.Module):
    """Tokens (rows, tokens), filled up with `form.pad`, to vectors (rows, width)."""

    def __init__(self, body: Transformer | WordVectors, form: Form, dense: Sequence[Dense] = ()) -> None:
        super().__init__()
        self.body, self.form, self.dense = body, form, nn.ModuleList(dense)

    def forward(self, tokens: Tensor) -> Tensor:
        """Vectors."""
        real = tokens != self.form.pad
        x = pooled(self.body(tokens, real), real, self.form.pooling)
        for layer in self.dense:
            x = layer(x)
        return normalize(x, dim=1) if self.form.normalises else x

    @property
    def width(self) -> int:
        """Of a vector."""
        last = self.dense[-1] if len(self.dense) else None
        return last.linear.out_features if isinstance(last, Dense) else self.body.width

    def vectors(self, tokens: Tensor) -> Tensor:
        """The same of many rows, without gradients: rows of like length together, no longer than they are."""
        device = next(self.parameters()).device
        with torch.inference_mode():
            return by_length(tokens, self.form.pad, self.width, lambda some: self(some.to(device)).float().cpu())


def by_length(tokens: Tensor, pad: int, width: int, answer: Callable[[Tensor], Tensor]) -> Tensor:
    """Answers (rows, width) to rows of tokens, asked for rows of like length together, no longer than they are.

    answer: of (some, tokens) to (some, width).
    """
    lengths = (tokens != pad).sum(1)
    order = lengths.argsort(stable=True)
    found = torch.empty(len(tokens), width)
    at = 0
    while at < len(order):
        longest = int(lengths[order[min(at + ROWS_AT_ONCE, len(order)) - 1]])
        rows = order[at : at + max(1, min(ROWS_AT_ONCE, TOKENS_AT_ONCE // max(1, longest)))]
        found[rows] = answer(trimmed(tokens[rows], pad))
        at += len(rows)
    return found


def trimmed(tokens: Tensor, pad: int) -> Tensor:
    """Rows as long as the longest of them is."""
    length = int((tokens != pad).sum(1).amax()) if len(tokens) else 1
    return tokens[:, : max(1, length)]


def pooled(states: Tensor, real: Tensor, pooling: Pooling) -> Tensor:
    """(rows, width) of states (rows, tokens, width), of the tokens that are there, (rows, tokens)."""
    if pooling == "cls":
        return states[:, 0]
    there = real.unsqueeze(2).to(states.dtype)
    if pooling == "max":
        return (states + (1 - there) * LEAST).amax(1)
    count = there.sum(1).clamp(min=1e-9)
    return (states * there).sum(1) / (count if pooling == "mean" else count.sqrt())
