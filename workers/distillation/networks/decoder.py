"""A small GPT (Radford and others 2019): what comes next, at every token, from the tokens up to it."""

import torch
from torch import Tensor

from workers.distillation.networks.every_token import EveryTokenNetwork


class DecoderNetwork(EveryTokenNetwork):
    """A token sees itself and those before it, so that padding at the end is never heard."""

    def unseen(self, x: Tensor) -> Tensor:
        """The future."""
        tokens = x.shape[1]
        return torch.ones(tokens, tokens, dtype=torch.bool, device=x.device).triu(1)
