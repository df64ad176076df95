"""A convolution and the normalisation behind it as one convolution: the same function, and a smaller file.

The exporter does so, too, and gives what comes out a name of its own. Done before, every tensor of a network stands in
its file under its name, and the next network of the kind is filled in instead of exported.
"""

from copy import deepcopy

import torch
from torch import nn

from workers.distillation.networks.network import BatchNorm, Network
from workers.distillation.networks.resnet import Block, ResNetNetwork, WideBlock

EPSILON = 1e-5  # as `batch_norm` adds it to the variance
BEHIND = {  # the names of convolutions, and of what alone reads them
    ResNetNetwork: (("stem", "stem_norm"),),
    Block: (("first", "first_norm"), ("second", "second_norm")),
    WideBlock: (("first", "second_norm"),),
}


def folded(network: Network) -> Network:
    """A copy for inference whose convolutions have biases instead of normalisations behind them."""
    network = deepcopy(network).eval()
    for part in list(network.modules()):
        for convolution, norm in BEHIND.get(type(part), ()):
            setattr(part, convolution, _one(part.get_submodule(convolution), part.get_submodule(norm)))
            setattr(part, norm, nn.Identity())
    return network


def _one(convolution: nn.Module, norm: nn.Module) -> nn.Conv2d:
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, BatchNorm)
    scale = norm.weight.double() / (norm.running_var.double() + EPSILON).sqrt()
    weight = convolution.weight.double() * scale[:, None, None, None]
    bias = norm.bias.double() - norm.running_mean.double() * scale
    if convolution.bias is not None:
        bias = bias + convolution.bias.double() * scale
    made = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        convolution.kernel_size,  # type: ignore[arg-type]
        stride=convolution.stride,  # type: ignore[arg-type]
        padding=convolution.padding,  # type: ignore[arg-type]
    )
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(bias)  # type: ignore[union-attr]
    return made.eval()
