"""The shapes of the features inside a network."""

from torch import Tensor

from workers.distillation.networks.answers import features_of_rows
from workers.distillation.networks.network import Network


def shapes_of(network: Network, row: Tensor) -> dict[str, tuple[int, ...]]:
    """The shape of one row's features by their names, in the order in which they are computed. row: (1, ...)."""
    names = list(network.with_features(row)[1])
    features = features_of_rows(network, row, frozenset(names))
    return {name: tuple(features[name].shape[1:]) for name in names}
