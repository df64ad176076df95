"""Weights whose layers are called otherwise than the house's network calls them, as those of a plain nn.Sequential."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Size, Tensor

COUNTED = "num_batches_tracked"  # by batch normalisation in training; nothing is computed from it
NAMED = 8  # layers in a sentence

Layer = frozenset[tuple[str, Size]]  # the last part of each tensor's name, and its shape


@dataclass(frozen=True)
class Renamed:
    """said: what was called what, for people; empty where nothing was."""

    weights: dict[str, Tensor]
    said: str = ""


def renamed(weights: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> Renamed:
    """The weights by the names that are wanted, where shapes and order fit in one way only; otherwise as they are.

    Numbers, as a Sequential gives them, are an order. Without them every layer has to have its own shapes.
    """
    weights = {name: tensor for name, tensor in weights.items() if name in wanted or not name.endswith(COUNTED)}
    theirs, ours = _layers(weights), _layers(wanted)
    if weights.keys() == wanted.keys() or len(theirs) != len(ours):
        return Renamed(weights)
    ordered = sorted(theirs, key=_numbers)
    if _numbered(theirs):
        pairs = list(zip(ordered, ours, strict=True))
        fits = all(theirs[their] == ours[our] for their, our in pairs)
    else:
        by_shapes = {layer: name for name, layer in theirs.items()}
        fits = len(by_shapes) == len(theirs) and {*by_shapes} == {*ours.values()} and len({*ours.values()}) == len(ours)
        pairs = [(by_shapes[layer], our) for our, layer in ours.items()] if fits else []
    if not fits:
        return Renamed(weights)
    called = dict(pairs)
    found = {f"{called[layer]}.{leaf}": weights[name] for name in weights for layer, leaf in [_parts(name)]}
    told = ", ".join(f"{their} as {our}" for their, our in pairs[:NAMED]) + (" …" if len(pairs) > NAMED else "")
    return Renamed(found, f"The teacher's layers have other names here: {told}, the one way in which their shapes fit.")


def last_layer(weights: Mapping[str, Tensor]) -> str | None:
    """Of layers whose names are numbered; None where they are not."""
    layers = _layers(weights)
    return max(layers, key=_numbers) if layers and _numbered(layers) else None


def _layers(tensors: Mapping[str, Tensor]) -> dict[str, Layer]:
    """By name, in the order of the tensors."""
    found: dict[str, set[tuple[str, Size]]] = {}
    for name, tensor in tensors.items():
        layer, leaf = _parts(name)
        found.setdefault(layer, set()).add((leaf, tensor.shape))
    return {name: frozenset(parts) for name, parts in found.items()}


def _parts(name: str) -> tuple[str, str]:
    layer, _, leaf = name.rpartition(".")
    return layer, leaf


def _numbers(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]


def _numbered(layers: Mapping[str, Layer]) -> bool:
    """Whether the names differ by one number alone."""
    return len({re.sub(r"\d+", "#", name) for name in layers}) == 1 and all(len(_numbers(name)) == 1 for name in layers)
