"""What networks say of many rows, block by block."""

import math
from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn

from workers.distillation.networks.network import Network
from workers.distillation.networks.texts.tokens import TokenNetwork
from workers.distillation.stored.rows import blocks_of

ROWS_AT_ONCE = 4096  # bounds the activations of an evaluation
VALUES_AT_ONCE = 4 << 20  # of their inputs, 16 MB in single precision: a photograph's layers are larger than a digit's
TOKENS_AT_ONCE = 8192  # of rows of text, whose activations and logits are one for each token


def input_type(network: nn.Module) -> torch.dtype:
    """Of the network's inputs: numbers of tokens, or numbers."""
    return torch.int64 if isinstance(network, TokenNetwork) else torch.float32


def rows_at_once(x: Tensor) -> int:
    """How many of these inputs a network takes at once."""
    if not x.is_floating_point():
        return max(1, TOKENS_AT_ONCE // x.shape[1])
    return max(1, min(ROWS_AT_ONCE, VALUES_AT_ONCE // max(1, math.prod(x.shape[1:]))))


def logits_of(network: nn.Module, x: Tensor, answered: Tensor | None = None) -> Tensor:
    """Logits (rows, classes) in eval mode and without gradients; the network returns to the mode it was in.

    answered: (rows, tokens), the only tokens whose answers are kept; None: all.
    """
    was_training, at_once = network.training, rows_at_once(x)
    network.eval()
    with torch.no_grad():
        parts = blocks_of(x, at_once)
        if answered is None:
            logits = joined((network(part) for part in parts), -(-len(x) // at_once))
        else:
            wanted = torch.split(answered, at_once)
            logits = torch.cat([network(part, None, some) for part, some in zip(parts, wanted, strict=True)])
    network.train(was_training)
    return logits


def joined(parts: Iterator[Tensor], blocks: int) -> Tensor:
    """As many parts after one another, none longer than the first, each put where it belongs as it comes.

    Small results that stay between large ones that go would leave the allocator no hole for the next large one.
    """
    first = next(parts)
    whole, end = first.new_empty((blocks * len(first), *first.shape[1:])), 0
    for part in chain((first,), parts):
        whole[end : end + len(part)] = part
        end += len(part)
    return whole[:end]


def features_of_rows(network: Network, x: Tensor, names: frozenset[str]) -> dict[str, Tensor]:
    """Features of all rows by their names, in eval mode and without gradients, as `logits_of`."""
    parts: dict[str, list[Tensor]] = {name: [] for name in names}
    was_training = network.training
    network.eval()
    with torch.no_grad():
        for part in blocks_of(x, rows_at_once(x)):
            features = network.with_features(part)[1]
            for name in names:
                parts[name].append(features[name])
    network.train(was_training)
    return {name: torch.cat(parts[name]) for name in sorted(names)}
