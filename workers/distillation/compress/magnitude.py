"""Magnitude pruning (Han, Pool, Tran, Dally 2015, arXiv:1506.02626): the smallest weights become 0.

Global: the weights of all linear and convolution layers are ranked together, so that a layer whose weights are small
loses more of them. Biases and normalisation are left alone, and are not counted.
"""

from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn

from workers.distillation.networks.network import Network

Masks = dict[str, Tensor]  # by the names of weights: True where a weight stays


def weights_of(network: nn.Module) -> dict[str, nn.Parameter]:
    """What may be pruned, by name."""
    layers = (each for each in network.named_modules() if isinstance(each[1], nn.Linear | nn.Conv2d))
    return {f"{name}.weight": layer.weight for name, layer in layers}


def masks_of(network: nn.Module, sparsity: float) -> Masks:
    """Which weights stay: all but the `sparsity` smallest share, to the nearest weight."""
    weights = weights_of(network)
    sizes = torch.cat([weight.detach().abs().flatten() for weight in weights.values()])
    stays = torch.ones(len(sizes), dtype=torch.bool)
    stays[sizes.argsort(stable=True)[: round(sparsity * len(sizes))]] = False
    parts = torch.split(stays, [weight.numel() for weight in weights.values()])
    return {name: part.view_as(weight) for (name, weight), part in zip(weights.items(), parts, strict=True)}


def masked(network: Network, masks: Masks) -> Network:
    """A copy whose other weights are 0."""
    smaller = deepcopy(network)
    with torch.no_grad():
        for name, weight in weights_of(smaller).items():
            weight.mul_(masks[name])
    return smaller


def keep_masked(network: Network, masks: Masks) -> None:
    """Let no step of training move a weight that is 0 by its mask: its gradient, and all momentum of it, stays 0."""
    for name, weight in weights_of(network).items():
        stays = masks[name].float()
        weight.register_hook(partial(_kept, stays))  # type: ignore[no-untyped-call]


def _kept(stays: Tensor, gradient: Tensor) -> Tensor:
    return gradient * stays.to(gradient.device)
