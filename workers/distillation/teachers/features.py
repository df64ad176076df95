"""The teacher's features, where an objective compares them: asked for once, for all training rows."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from qstill.contract.distillations.objectives import Objective, OnFeatures, singles
from qstill.contract.distillations.objectives.layers import layer_pairs
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.networks.answers import features_of_rows
from workers.distillation.networks.network import Features, Network
from workers.distillation.networks.shapes import shapes_of
from workers.distillation.objectives.criterion import kinds, refuse_layers
from workers.distillation.rows import Rows
from workers.distillation.signals.signals import Signal
from workers.distillation.teachers import Teacher

MAX_BYTES = 2 << 30  # of features held in memory; larger ones are refused with a smaller layer as the way out


def wanted_features(objective: Objective, student: Network, teacher: Teacher, data: Data) -> frozenset[str]:
    """The teacher's features that the objective needs.

    Raises Problem: features_unavailable, layers_do_not_fit, features_too_large.
    """
    parts = [(place, single) for place, single in singles(objective) if isinstance(single, OnFeatures)]
    if not parts:
        return frozenset()
    if not isinstance(teacher.network, Network) or teacher.inputs is None:
        place, single = parts[0]
        title = f"{single.kind} compares features, and this teacher gives answers only."
        pointer = "".join(f"/{part}" for part in (*place, "kind"))
        raise Problem(
            "features_unavailable",
            title,
            pointer=pointer,
            ways_out=[{"kind": "logit_mse" if data.task.answers == "values" else "kd"}],
        )
    mine = shapes_of(student, data.train.x[:1])
    theirs = shapes_of(teacher.network, _first(teacher, data))
    refuse_layers(objective, mine, theirs)
    pairs = [layer_pairs(single, kinds(mine), kinds(theirs)) for _, single in parts]
    names = frozenset(name for pair in pairs for name in pair.values())
    _refuse_too_large({name: shape for name, shape in theirs.items() if name in names}, data, parts[0][0])
    return names


def with_features(signal: Signal, teacher: Teacher, rows: Rows, names: frozenset[str]) -> Signal:
    """The signal, with the teacher's features for all its rows."""
    if not names:
        return signal
    assert isinstance(teacher.network, Network)
    assert teacher.inputs is not None
    return replace(signal, features=features_of_rows(teacher.network, teacher.inputs(rows), names))


def asked_with_features(ask: Callable[[], Signal], teacher: Teacher, rows: Rows, names: frozenset[str]) -> Signal:
    """The same of a signal that is asked for now: features come from the pass that answers, where there is one.

    Where its answers were kept by an earlier job there is none, and features take a pass of their own.
    """
    if not names:
        return ask()
    assert isinstance(teacher.network, Network)
    with overheard(teacher.network, names) as parts:
        signal = ask()
    features = {name: torch.cat(parts[name]) for name in sorted(names) if parts[name]}
    expected = len(rows.x) * (rows.x.shape[1] if rows.answered is not None else 1)
    if any(len(features.get(name, ())) != expected for name in names):
        return with_features(signal, teacher, rows, names)
    return replace(signal, features=features)


@contextmanager
def overheard(network: Network, names: frozenset[str]) -> Iterator[dict[str, list[Tensor]]]:
    """Collects a network's features by their names, batch after batch, while something else asks it for logits."""
    parts: dict[str, list[Tensor]] = {name: [] for name in names}
    seen: Features = {}

    def give(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        seen.clear()
        return given[0], seen, *given[2:]

    def keep(*_: Any) -> None:
        for name in names:
            parts[name].append(seen[name])

    hooks = network.register_forward_pre_hook(give), network.register_forward_hook(keep)
    try:
        yield parts
    finally:
        for hook in hooks:
            hook.remove()


def _first(teacher: Teacher, data: Data) -> Tensor:
    rows = data.train
    assert teacher.inputs is not None
    return teacher.inputs(Rows(rows.raw[:1], rows.x[:1], rows.y[:1], rows.index[:1]))


def _refuse_too_large(shapes: dict[str, tuple[int, ...]], data: Data, place: tuple[str | int, ...]) -> None:
    rows = data.train.x.numel() if data.task.every_token else len(data.train.x)  # a language model's are its tokens
    size = 4 * rows * sum(math.prod(shape) for shape in shapes.values())
    if size > MAX_BYTES:
        what = "tokens" if data.task.every_token else "rows"
        title = f"The teacher's features {', '.join(shapes)} of all training {what} take {size >> 20} MiB; at most "
        pointer = "".join(f"/{part}" for part in (*place, "layers"))
        raise Problem("features_too_large", f"{title}{MAX_BYTES >> 20} MiB are held.", pointer=pointer)
