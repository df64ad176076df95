"""A small GPT (Radford and others 2019): what comes next, at every token, from the tokens up to it."""

import torch
from torch import Tensor

from qstill.contract.distillations.architectures.transformers import Decoder
from workers.distillation.networks.family import Family
from workers.distillation.networks.texts.every_token import EveryTokenNetwork
from workers.distillation.networks.texts.tokens import ON_TEXT


class DecoderNetwork(EveryTokenNetwork):
    """A token sees itself and those before it, so that padding at the end is never heard."""

    def unseen(self, x: Tensor) -> Tensor:
        """The future."""
        tokens = x.shape[1]
        return torch.ones(tokens, tokens, dtype=torch.bool, device=x.device).triu(1)


DECODER = Family(
    definition=Decoder,
    build=lambda decoder, ends: DecoderNetwork(decoder, ends.vocabulary, ends.input_shape[0]),
    scaled_as_they_come=ON_TEXT,
)
