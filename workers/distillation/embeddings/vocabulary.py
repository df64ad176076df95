"""The part of a student's vocabulary that a training reads.

A token that no sentence has brings no gradient, and an optimizer without weight decay leaves its vector where it is, to
the bit. Of MiniLM's 30,522 tokens the sentences of Python's reference have some 4,000: with the others a step zeroes,
sums and moves 11 million numbers more, a fifth of its time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.distillation.networks.pretrained.encoder import TextEncoder, Transformer

UNREAD = -1  # no number of a token: an embedding refuses it


@dataclass(frozen=True)
class Vocabulary:
    """numbers: (tokens,) of the part that is read, `UNREAD` elsewhere. whole: the vectors of all tokens as they begin,
    (tokens, width), and name: theirs in a network's state.
    """

    numbers: Tensor
    whole: Tensor
    name: str

    def widened(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights of a network that was narrowed, as those of one that was not."""
        read = torch.nonzero(self.numbers != UNREAD).flatten()
        return {**weights, self.name: self.whole.index_copy(0, read, weights[self.name])}


def narrowed(network: TextEncoder, tokens: Tensor) -> Vocabulary:
    """Leave the network only the vectors of these tokens, (rows, tokens), in the order that they had.

    Tokens before the one that fills up stay, too, whichever the network takes for it: positions count from its number.
    """
    table = _table_of(network)
    (name,) = (name for name, parameter in network.named_parameters() if parameter is table.weight)
    whole = table.weight.detach()
    is_read = torch.zeros(len(whole), dtype=torch.bool)
    is_read[tokens.flatten()] = True
    is_read[: max(network.form.pad, table.padding_idx or 0) + 1] = True
    numbers = torch.where(is_read, is_read.cumsum(0) - 1, UNREAD)
    _narrow(table, whole[is_read.to(whole.device)])
    return Vocabulary(numbers, whole.cpu(), name)


def _table_of(network: TextEncoder) -> nn.Embedding:
    body = network.body
    table = body.model.get_input_embeddings() if isinstance(body, Transformer) else body.embedding
    assert isinstance(table, nn.Embedding)
    return table


def _narrow(table: nn.Embedding, vectors: Tensor) -> None:
    table.weight = nn.Parameter(vectors.clone())
    table.num_embeddings = len(vectors)
