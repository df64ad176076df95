"""Structured pruning (Li, Kadav, Durdanovic, Samet, Graf 2017, arXiv:1608.08710): whole units, or channels, go.

Of each hidden layer the same share goes, those units whose incoming weights have the smallest L1 norm; layers are cut
in the order of the data's way, so that weights from units that went before no longer count. Of residual blocks only the
channels between the two convolutions go: the others are added to what passes the block by. What is left is a smaller
dense network.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from workers.distillation.networks.network import Joint, Layer, Network


def without_units(network: Network, sparsity: float) -> Network:
    """A copy with that share of each joint's units gone, to the nearest unit; one at least stays."""
    smaller = deepcopy(network)
    for joint in smaller.joints():
        count = joint.units
        norms = joint.maker.weight.detach().abs().flatten(1).sum(1)
        stay = max(1, count - round(sparsity * count))
        _cut(joint, norms.argsort(descending=True, stable=True)[:stay].sort().values)
    return smaller


def _cut(joint: Joint, kept: Tensor) -> None:
    """Leave the units `kept`, numbers in ascending order."""
    maker, taker, norm = joint.maker, joint.taker, joint.norm
    each = taker.weight.shape[1] // joint.units  # columns of a unit: places of a flattened image, or one
    columns = (kept[:, None] * each + torch.arange(each)).flatten()
    _set(maker, weight=maker.weight[kept], bias=None if maker.bias is None else maker.bias[kept])
    _set(taker, weight=taker.weight[:, columns], bias=taker.bias)
    if norm is not None:
        norm.weight, norm.bias = nn.Parameter(norm.weight[kept].detach()), nn.Parameter(norm.bias[kept].detach())
        norm.running_mean, norm.running_var = norm.running_mean[kept], norm.running_var[kept]


def _set(layer: Layer, *, weight: Tensor, bias: Tensor | None) -> None:
    layer.weight = nn.Parameter(weight.detach().clone())
    layer.bias = None if bias is None else nn.Parameter(bias.detach().clone())
    if isinstance(layer, nn.Linear):
        layer.out_features, layer.in_features = weight.shape
    else:
        layer.out_channels, layer.in_channels = weight.shape[:2]
