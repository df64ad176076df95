"""What networks take: their weights, and their multiply-adds."""

import math
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from workers.distillation.networks.answers import input_type, logits_of


@runtime_checkable
class Counted(Protocol):
    """A layer that knows what it costs, which torch's own do not."""

    def multiply_adds(self, given: tuple[Tensor, ...], answer: Tensor) -> int:
        """Of one input. given, answer: of a batch of one."""
        ...


def parameters(network: nn.Module) -> int:
    """How many weights and biases."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Of one input (for text: a row of the full length), in linear, convolution and recurrent layers and in those
    that say it themselves; biases, normalisation, activations and looking up embeddings are not counted.
    """
    counts: list[int] = []

    def count(layer: nn.Module, given: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        answer = output if isinstance(output, Tensor) else output[0]
        if isinstance(layer, nn.Conv1d | nn.Conv2d):
            counts.append(layer.weight.numel() * math.prod(answer.shape[2:]))
        elif isinstance(layer, nn.Linear):
            counts.append(layer.weight.numel() * math.prod(answer.shape[1:-1]))
        elif isinstance(layer, nn.LSTM):
            weights = sum(weight.numel() for name, weight in layer.named_parameters() if name.startswith("weight"))
            counts.append(weights * answer.shape[1])
        elif isinstance(layer, Counted):
            counts.append(layer.multiply_adds(given, answer))

    counted = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.LSTM, Counted)
    layers = [layer for layer in network.modules() if isinstance(layer, counted)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    logits_of(network, torch.zeros(1, *input_shape, dtype=input_type(network)))
    for hook in hooks:
        hook.remove()
    return sum(counts)
