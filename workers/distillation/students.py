"""The networks: built from their definition, with initial weights that depend on nothing but a seed."""

import math

import torch
from torch import Tensor, nn

from app.distillations.architectures import AnyArchitecture, Cnn, Mlp, ResNet, Vit, WideResNet, needs_images
from app.errors import Problem
from workers.distillation.networks.cnn import CnnNetwork
from workers.distillation.networks.mlp import MlpNetwork
from workers.distillation.networks.network import Network
from workers.distillation.networks.resnet import ResNetNetwork, WideResNetNetwork
from workers.distillation.networks.vit import Attention, VitNetwork

ROWS_AT_ONCE = 4096  # bounds the activations of an evaluation


def build(
    architecture: AnyArchitecture, input_shape: tuple[int, ...], classes: int, *, seed: int, pointer: str
) -> Network:
    """A network in train mode. pointer: of the architecture, for the Problem when it does not fit the data."""
    if needs_images(architecture) and len(input_shape) != 3:
        title = f"A {architecture.kind} needs images; one row of this data has shape {input_shape}."
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/kind", ways_out=[{"kind": "mlp"}])
    if isinstance(architecture, Vit) and any(side % architecture.patch for side in input_shape[1:]):
        title = f"Patches of {architecture.patch} pixels do not tile images of {input_shape[1]}x{input_shape[2]}."
        fitting = [{"patch": patch} for patch in (4, 2, 1) if not any(side % patch for side in input_shape[1:])]
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/patch", ways_out=fitting[:1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match architecture:
            case Mlp():
                return MlpNetwork(architecture, input_shape, classes)
            case Cnn():
                return CnnNetwork(architecture, input_shape, classes)
            case ResNet():
                return ResNetNetwork(architecture, input_shape, classes)
            case WideResNet():
                return WideResNetNetwork(architecture, input_shape, classes)
            case Vit():
                return VitNetwork(architecture, input_shape, classes)


def parameters(network: nn.Module) -> int:
    """How many weights and biases."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Of one input, in linear and convolution layers and in the products of attention; biases, normalisation and
    activations are not counted.
    """
    counts: list[int] = []

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            counts.append(layer.weight.numel() * math.prod(output.shape[2:]))
        elif isinstance(layer, nn.Linear):
            counts.append(layer.weight.numel() * math.prod(output.shape[1:-1]))
        else:
            tokens, width = output.shape[1:]
            counts.append(2 * tokens * tokens * width)  # queries with keys, and weights with values, over all heads

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d | Attention)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    logits_of(network, torch.zeros(1, *input_shape))
    for hook in hooks:
        hook.remove()
    return sum(counts)


def logits_of(network: nn.Module, x: Tensor) -> Tensor:
    """Logits (rows, classes) in eval mode and without gradients; the network returns to the mode it was in."""
    was_training = network.training
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(part) for part in torch.split(x, ROWS_AT_ONCE)])
    network.train(was_training)
    return logits


def features_of_rows(network: Network, x: Tensor, names: frozenset[str]) -> dict[str, Tensor]:
    """Features of all rows by their names, in eval mode and without gradients, as `logits_of`."""
    parts: dict[str, list[Tensor]] = {name: [] for name in names}
    was_training = network.training
    network.eval()
    with torch.no_grad():
        for part in torch.split(x, ROWS_AT_ONCE):
            features = network.with_features(part)[1]
            for name in names:
                parts[name].append(features[name])
    network.train(was_training)
    return {name: torch.cat(parts[name]) for name in sorted(names)}
