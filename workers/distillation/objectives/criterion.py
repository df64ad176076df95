"""What a student minimises: the losses of a job's objective, their weights, and the parts that are trained with it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures.family import FeatureKind
from qstill.contract.distillations.objectives import (
    Cosine,
    Crd,
    FeatureObjective,
    FitNet,
    Objective,
    OnFeatures,
    OnLogits,
    Ramp,
    Rkd,
    Single,
    Sum,
    singles,
)
from qstill.contract.distillations.objectives.layers import LayersDoNotFit, Pairs, layer_pairs
from qstill.contract.errors import Problem
from workers.distillation.objectives import DISTANCES, loss_of
from workers.distillation.objectives.projections import Shape, embedding, regressor
from workers.distillation.objectives.schedules import value_at
from workers.distillation.objectives.terms import Target, Terms, label_term, upcast
from workers.distillation.signals.signals import Signal, heard

Shapes = Mapping[str, Shape]  # of one row's features, by their names and in the order in which they are computed


class Criterion(nn.Module):
    """Called as `criterion(logits, features, signal, target)`; returns `Terms` of the whole objective.

    layers: the student's features that it wants to see; without any, it is called with none. Its parameters are trained
    with the student, and its state saved with the student's, but nothing of it is exported.
    A sum returns the weighted sums of its parts' terms.
    """

    def __init__(self, objective: Objective, student: Shapes, teacher: Shapes, *, seed: int) -> None:
        super().__init__()
        terms = [(term.weight, term.objective) for term in objective.terms] if isinstance(objective, Sum) else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            parts = [_part(single, student, teacher) for _, single in terms or [(1.0, cast(Single, objective))]]
        self.parts = nn.ModuleList(parts)
        self.weights: list[float | Ramp] | None = None if terms is None else [weight for weight, _ in terms]
        self.layers = frozenset(layer for part in parts for layer in part.pairs)

    def forward(self, logits: Tensor, features: Mapping[str, Tensor], signal: Signal, target: Target) -> Terms:
        """logits: the student's (batch, classes). features: by their names, rows first. signal: of the same rows."""
        signal = heard(signal, logits)
        if self.weights is None:
            return cast(Terms, self.parts[0](logits, features, signal, target))
        weights = [value_at(weight, target.epoch) for weight in self.weights]
        found: list[Terms] = [part(logits, features, signal, target) for part in self.parts]
        return {
            "hard": _weighted(weights, [terms["hard"] for terms in found]),
            "soft": _weighted(weights, [terms["soft"] for terms in found]),
            "loss": _weighted(weights, [terms["loss"] for terms in found]),
        }


class _OnLogits(nn.Module):
    """A loss on logits."""

    def __init__(self, objective: OnLogits) -> None:
        super().__init__()
        self.pairs: Pairs = {}
        self.loss = loss_of(objective)

    def forward(self, logits: Tensor, _: Mapping[str, Tensor], signal: Signal, target: Target) -> Terms:
        return self.loss(logits, signal, target)


class _OnFeatures(nn.Module):
    """hard_weight·CE + weight·Σ distance(student's feature, teacher's), each led through its projection first."""

    def __init__(self, objective: FeatureObjective, pairs: Pairs, student: Shapes, teacher: Shapes) -> None:
        super().__init__()
        self.objective, self.pairs = objective, pairs
        maps = [_projections(objective, student[mine], teacher[theirs]) for mine, theirs in pairs.items()]
        self.student_maps, self.teacher_maps = (nn.ModuleList(side) for side in zip(*maps, strict=True))

    def forward(self, logits: Tensor, features: Mapping[str, Tensor], signal: Signal, target: Target) -> Terms:
        distance = _distance(self.objective, target.epoch)
        distances = [
            distance(mine(upcast(features[names[0]])), theirs(upcast(signal.features[names[1]])))
            for names, mine, theirs in zip(self.pairs.items(), self.student_maps, self.teacher_maps, strict=True)
        ]
        soft = torch.stack(distances).sum()
        hard = label_term(logits, target)
        hard_weight, weight = (
            value_at(value, target.epoch)
            for value in (self.objective.hard_weight, getattr(self.objective, "weight", 1.0))
        )
        return {"hard": hard, "soft": soft, "loss": hard_weight * hard + weight * soft}


def refuse_layers(objective: Objective, student: Shapes, teacher: Shapes) -> None:
    """Raise Problem layers_do_not_fit where a loss on features cannot compare these networks."""
    for place, single in singles(objective):
        if isinstance(single, OnFeatures):
            try:
                layer_pairs(single, kinds(student), kinds(teacher))
            except LayersDoNotFit as fault:
                pointer = "".join(f"/{part}" for part in (*place, *fault.place))
                raise Problem("layers_do_not_fit", f"{fault.reason}.", pointer=pointer) from fault


def _part(objective: Single, student: Shapes, teacher: Shapes) -> "_OnLogits | _OnFeatures":
    if isinstance(objective, OnFeatures):
        pairs = layer_pairs(objective, kinds(student), kinds(teacher))
        return _OnFeatures(objective, pairs, student, teacher)
    return _OnLogits(objective)


def _projections(objective: FeatureObjective, student: Shape, teacher: Shape) -> tuple[nn.Module, nn.Module]:
    """What the student's and the teacher's feature are led through."""
    if isinstance(objective, FitNet):
        return regressor(student, teacher), nn.Identity()
    if isinstance(objective, Cosine) and student[0] != teacher[0]:
        return regressor(student, teacher), nn.Identity()
    if isinstance(objective, Crd):
        return embedding(student, objective.width), embedding(teacher, objective.width)
    return nn.Identity(), nn.Identity()


def _distance(objective: FeatureObjective, epoch: int | None) -> Callable[[Tensor, Tensor], Tensor]:
    """Between two features, in the terms of one epoch."""
    shared = {"kind", "width", *OnFeatures.model_fields} | (set() if isinstance(objective, Rkd) else {"weight"})
    own = {name: getattr(objective, name) for name in type(objective).model_fields if name not in shared}
    return partial(DISTANCES[objective.kind], **{name: value_at(v, epoch) for name, v in own.items()})


def kinds(shapes: Shapes) -> dict[str, FeatureKind]:
    """Which features are images."""
    return {name: "image" if len(shape) == 3 else "flat" for name, shape in shapes.items()}


def _weighted(weights: Sequence[float], terms: Sequence[Tensor]) -> Tensor:
    total = weights[0] * terms[0]
    for weight, term in zip(weights[1:], terms[1:], strict=True):
        total = total + weight * term
    return total
