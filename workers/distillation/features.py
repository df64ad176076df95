"""The teacher's features, where an objective compares them: asked for once, for all training rows."""

import math
from dataclasses import replace

from torch import Tensor

from app.distillations.layers import layer_pairs
from app.distillations.objectives import Objective, OnFeatures, singles
from app.errors import Problem
from workers.distillation.data import Data, Rows
from workers.distillation.networks.network import Network
from workers.distillation.objectives.criterion import kinds, refuse_layers
from workers.distillation.signals import Signal
from workers.distillation.students import features_of_rows
from workers.distillation.teachers import Teacher

MAX_BYTES = 2 << 30  # of features held in memory; larger ones are refused with a smaller layer as the way out


def shapes_of(network: Network, row: Tensor) -> dict[str, tuple[int, ...]]:
    """The shape of one row's features by their names, in the order in which they are computed. row: (1, ...)."""
    names = list(network.with_features(row)[1])
    features = features_of_rows(network, row, frozenset(names))
    return {name: tuple(features[name].shape[1:]) for name in names}


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
            "features_unavailable", title, pointer=pointer, ways_out=[{"kind": "logit_mse" if data.targets else "kd"}]
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


def _first(teacher: Teacher, data: Data) -> Tensor:
    rows = data.train
    assert teacher.inputs is not None
    return teacher.inputs(Rows(rows.raw[:1], rows.x[:1], rows.y[:1], rows.index[:1]))


def _refuse_too_large(shapes: dict[str, tuple[int, ...]], data: Data, place: tuple[str | int, ...]) -> None:
    rows = data.train.x.numel() if data.language else len(data.train.x)  # a language model's are its tokens
    size = 4 * rows * sum(math.prod(shape) for shape in shapes.values())
    if size > MAX_BYTES:
        what = "tokens" if data.language else "rows"
        title = f"The teacher's features {', '.join(shapes)} of all training {what} take {size >> 20} MiB; at most "
        pointer = "".join(f"/{part}" for part in (*place, "layers"))
        raise Problem("features_too_large", f"{title}{MAX_BYTES >> 20} MiB are held.", pointer=pointer)
