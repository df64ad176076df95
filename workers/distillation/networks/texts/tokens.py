"""What the networks on text share: token numbers in, padding that is never heard."""

import torch
from torch import Tensor

from workers.distillation.networks.network import Network

PAD = 0  # the token that fills short rows up, at their end
UNKNOWN_TOKEN, END, MASK = 1, 2, 3
AFTER_MASK = 4  # the first of a masked language model's tokens that are of texts
ON_TEXT = ("MatMul", "Gather", "LSTM")  # scaled as they come: tables of embeddings too; convolutions stay as they are


class TokenNetwork(Network):
    """Inputs: token numbers (batch, tokens), int64, rows filled up with `PAD` at their end."""


def real(tokens: Tensor) -> Tensor:
    """(batch, tokens, 1): 1 for a token, 0 for padding, as float."""
    return (tokens != PAD).unsqueeze(2).to(torch.float32)


def mean_of(states: Tensor, is_real: Tensor) -> Tensor:
    """(batch, width): the mean of states (batch, tokens, width) over the tokens that are no padding."""
    return (states * is_real).sum(1) / is_real.sum(1).clamp(min=1)
