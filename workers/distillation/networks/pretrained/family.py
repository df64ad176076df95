"""The family of encoders from folders: whatever they are made of is a `Source`."""

from qstill.contract.distillations.architectures.pretrained import Pretrained
from workers.distillation.networks.family import Ends, Family
from workers.distillation.networks.network import Network
from workers.distillation.networks.texts.tokens import ON_TEXT


def _network(architecture: Pretrained, ends: Ends) -> Network:
    assert ends.source is not None  # the data are in its tokens
    return ends.source.network(architecture, ends.classes)


PRETRAINED = Family(definition=Pretrained, build=_network, scaled_as_they_come=ON_TEXT)
