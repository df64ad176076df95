"""A small BERT (Devlin and others 2019, arXiv:1810.04805): which token stands here, from all tokens of the row.

Without BERT's segments, its classifier of pairs of sentences, and the layer between the last block and the head.
"""

from torch import Tensor

from qstill.contract.distillations.architectures.transformers import Encoder
from workers.distillation.networks.family import Family
from workers.distillation.networks.texts.every_token import EveryTokenNetwork
from workers.distillation.networks.texts.tokens import ON_TEXT, PAD


class EncoderNetwork(EveryTokenNetwork):
    """A token sees every token that is no padding."""

    def unseen(self, x: Tensor) -> Tensor:
        """Padding."""
        return (x == PAD)[:, None, None, :]


ENCODER = Family(
    definition=Encoder,
    build=lambda encoder, ends: EncoderNetwork(encoder, ends.vocabulary, ends.input_shape[0]),
    scaled_as_they_come=ON_TEXT,
)
