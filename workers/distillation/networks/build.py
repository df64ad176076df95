"""The networks: built from their definition, with initial weights that depend on nothing but a seed."""

import math

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures import (
    AnyArchitecture,
    BagOfEmbeddings,
    Cnn,
    Decoder,
    Encoder,
    Lstm,
    Mlp,
    OnText,
    ResNet,
    TextCnn,
    TextTransformer,
    Vit,
    WideResNet,
    needs_images,
)
from qstill.contract.errors import Problem
from workers.distillation.networks.attention import Attention
from workers.distillation.networks.bag_of_embeddings import BagOfEmbeddingsNetwork
from workers.distillation.networks.cnn import CnnNetwork
from workers.distillation.networks.decoder import DecoderNetwork
from workers.distillation.networks.encoder import EncoderNetwork
from workers.distillation.networks.every_token import Likeness
from workers.distillation.networks.lstm import LstmNetwork
from workers.distillation.networks.mlp import MlpNetwork
from workers.distillation.networks.network import Network
from workers.distillation.networks.resnet import ResNetNetwork, WideResNetNetwork
from workers.distillation.networks.text_cnn import TextCnnNetwork
from workers.distillation.networks.text_transformer import TextTransformerNetwork
from workers.distillation.networks.tokens import TokenNetwork
from workers.distillation.networks.vit import VitNetwork

ROWS_AT_ONCE = 4096  # bounds the activations of an evaluation
TOKENS_AT_ONCE = 8192  # of rows of text, whose activations and logits are one for each token


def build(
    architecture: AnyArchitecture,
    input_shape: tuple[int, ...],
    classes: int,
    *,
    seed: int,
    pointer: str,
    vocabulary: int | None = None,
) -> Network:
    """A network in train mode. pointer: of the architecture, for the Problem when it does not fit the data.

    vocabulary: how many tokens there are, for text, whose input_shape is (tokens,).
    """
    if isinstance(architecture, OnText) != (vocabulary is not None):
        has = "numbers" if vocabulary is None else "text"
        title = f"A {architecture.kind} does not read {has}."
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/kind")
    if needs_images(architecture) and len(input_shape) != 3:
        title = f"A {architecture.kind} needs images; one row of this data has shape {input_shape}."
        way_out = {"kind": "mlp", "hidden": [16]}  # in place of the whole architecture
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/kind", ways_out=[way_out])
    if isinstance(architecture, Vit) and any(side % architecture.patch for side in input_shape[1:]):
        title = f"Patches of {architecture.patch} pixels do not tile images of {input_shape[1]}x{input_shape[2]}."
        fitting = [{"patch": patch} for patch in (4, 2, 1) if not any(side % patch for side in input_shape[1:])]
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/patch", ways_out=fitting[:1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if vocabulary is not None:
            return _on_text(architecture, vocabulary, input_shape[0], classes)
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
    raise AssertionError("unreachable")


def _on_text(architecture: AnyArchitecture, vocabulary: int, length: int, classes: int) -> Network:
    match architecture:
        case BagOfEmbeddings():
            return BagOfEmbeddingsNetwork(architecture, vocabulary, classes)
        case TextCnn():
            return TextCnnNetwork(architecture, vocabulary, classes)
        case Lstm():
            return LstmNetwork(architecture, vocabulary, classes)
        case TextTransformer():
            return TextTransformerNetwork(architecture, vocabulary, length, classes)
        case Decoder():
            return DecoderNetwork(architecture, vocabulary, length)
        case Encoder():
            return EncoderNetwork(architecture, vocabulary, length)
    raise AssertionError("unreachable")


def parameters(network: nn.Module) -> int:
    """How many weights and biases."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Of one input (for text: a row of the full length), in linear, convolution and recurrent layers and in the
    products of attention; biases, normalisation, activations and looking up embeddings are not counted.
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
        elif isinstance(layer, Likeness):
            counts.append(given[1].numel() * answer.shape[1])
        else:
            tokens, width = answer.shape[1:]
            counts.append(2 * tokens * tokens * width)  # queries with keys, and weights with values, over all heads

    counted = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.LSTM, Likeness, Attention)
    layers = [layer for layer in network.modules() if isinstance(layer, counted)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    logits_of(network, torch.zeros(1, *input_shape, dtype=input_type(network)))
    for hook in hooks:
        hook.remove()
    return sum(counts)


def input_type(network: nn.Module) -> torch.dtype:
    """Of the network's inputs: numbers of tokens, or numbers."""
    return torch.int64 if isinstance(network, TokenNetwork) else torch.float32


def rows_at_once(x: Tensor) -> int:
    """How many of these inputs a network takes at once."""
    return ROWS_AT_ONCE if x.is_floating_point() else max(1, TOKENS_AT_ONCE // x.shape[1])


def logits_of(network: nn.Module, x: Tensor, answered: Tensor | None = None) -> Tensor:
    """Logits (rows, classes) in eval mode and without gradients; the network returns to the mode it was in.

    answered: (rows, tokens), the only tokens whose answers are kept; None: all.
    """
    was_training, at_once = network.training, rows_at_once(x)
    network.eval()
    with torch.no_grad():
        parts = torch.split(x, at_once)
        if answered is None:
            logits = torch.cat([network(part) for part in parts])
        else:
            wanted = torch.split(answered, at_once)
            logits = torch.cat([network(part, None, some) for part, some in zip(parts, wanted, strict=True)])
    network.train(was_training)
    return logits


def features_of_rows(network: Network, x: Tensor, names: frozenset[str]) -> dict[str, Tensor]:
    """Features of all rows by their names, in eval mode and without gradients, as `logits_of`."""
    parts: dict[str, list[Tensor]] = {name: [] for name in names}
    was_training = network.training
    network.eval()
    with torch.no_grad():
        for part in torch.split(x, rows_at_once(x)):
            features = network.with_features(part)[1]
            for name in names:
                parts[name].append(features[name])
    network.train(was_training)
    return {name: torch.cat(parts[name]) for name in sorted(names)}
