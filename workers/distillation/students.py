"""The networks: built from their definition, with initial weights that depend on nothing but a seed."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from app.distillations.architectures import Cnn, Mlp
from app.errors import Problem

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": nn.functional.gelu,
    "tanh": torch.tanh,
}
POOLED_FROM = 4  # pixels a side; smaller images are not halved
ROWS_AT_ONCE = 4096  # bounds the activations of an evaluation


class MlpNetwork(nn.Module):
    """Inputs (batch, ...) are flattened; logits (batch, classes)."""

    def __init__(self, architecture: Mlp, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        widths = [math.prod(input_shape), *architecture.hidden]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.head = nn.Linear(widths[-1], classes)
        self.activation = ACTIVATIONS[architecture.activation]
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        x = x.flatten(1)
        for layer in self.hidden:
            x = self.dropout(self.activation(layer(x)))
        return self.head(x)  # type: ignore[no-any-return]


class CnnNetwork(nn.Module):
    """Inputs (batch, channels, height, width); logits (batch, classes)."""

    def __init__(self, architecture: Cnn, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        self.convolutions = nn.ModuleList()
        for wider in architecture.channels:
            self.convolutions.append(nn.Conv2d(channels, wider, 3, padding=1))
            channels = wider
            if min(height, width) >= POOLED_FROM:
                height, width = height // 2, width // 2
        self.head = nn.Linear(channels * height * width, classes)
        self.activation = ACTIVATIONS[architecture.activation]
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        for convolution in self.convolutions:
            x = self.activation(convolution(x))
            if min(x.shape[2:]) >= POOLED_FROM:
                x = max_pool2d(x, 2)
        return self.head(self.dropout(x.flatten(1)))  # type: ignore[no-any-return]


def build(architecture: Mlp | Cnn, input_shape: tuple[int, ...], classes: int, *, seed: int, pointer: str) -> nn.Module:
    """A network in train mode. pointer: of the architecture, for the Problem when it does not fit the data."""
    if isinstance(architecture, Cnn) and len(input_shape) != 3:
        title = f"A cnn needs images; one row of this data has shape {input_shape}."
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/kind", ways_out=[{"kind": "mlp"}])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if isinstance(architecture, Cnn):
            return CnnNetwork(architecture, input_shape, classes)
        return MlpNetwork(architecture, input_shape, classes)


def parameters(network: nn.Module) -> int:
    """How many weights and biases."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Of one input, in linear and convolution layers, biases not counted."""
    counts: list[int] = []

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        weight: Tensor = layer.weight  # type: ignore[assignment]
        counts.append(weight.numel() * math.prod(output.shape[2:]))

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
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
