"""Which layers a loss on features compares, and whether it can."""

from collections.abc import Mapping
from typing import Literal

from qstill.contract.distillations.architectures.family import FeatureKind
from qstill.contract.distillations.objectives import OnFeatures

Pairs = dict[str, str]  # student's layer: teacher's layer


class LayersDoNotFit(ValueError):
    """Why, and at which field below the objective."""

    def __init__(self, reason: str, *place: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


def layer_pairs(objective: OnFeatures, student: Mapping[str, FeatureKind], teacher: Mapping[str, FeatureKind]) -> Pairs:
    """The layers to compare: those that the objective names, or the last of both that fit. Raises LayersDoNotFit.

    student, teacher: the features of both networks, in the order in which they are computed.
    """
    if objective.layers is None:
        return _last_that_fit(objective.needs, student, teacher)
    for mine, theirs in objective.layers.items():
        for name, known, whose in ((mine, student, "student"), (theirs, teacher, "teacher")):
            if name not in known:
                has = f"its features are {', '.join(known)}" if known else "it has no features"
                raise LayersDoNotFit(f"the {whose}'s network has no layer {name!r}: {has}", "layers", mine)
        if not _fit(objective.needs, student[mine], teacher[theirs]):
            reason = f"{mine!r} is {_said(student[mine])} and the teacher's {theirs!r} {_said(teacher[theirs])}"
            raise LayersDoNotFit(f"{reason}; this loss {_wants(objective.needs)}", "layers", mine)
    return dict(objective.layers)


def _last_that_fit(
    needs: Literal["any", "same", "image"], student: Mapping[str, FeatureKind], teacher: Mapping[str, FeatureKind]
) -> Pairs:
    for mine in reversed(list(student)):
        for theirs in reversed(list(teacher)):
            if _fit(needs, student[mine], teacher[theirs]):
                return {mine: theirs}
    empty = [whose for whose, known in (("student", student), ("teacher", teacher)) if not known]
    reason = f"the {empty[0]} has no hidden layer" if empty else f"this loss {_wants(needs)}, and no two layers do"
    raise LayersDoNotFit(reason, "kind")


def _fit(needs: Literal["any", "same", "image"], mine: FeatureKind, theirs: FeatureKind) -> bool:
    if needs == "any":
        return True
    return mine == theirs and (needs == "same" or mine == "image")


def _wants(needs: Literal["any", "same", "image"]) -> str:
    return {
        "any": "compares any two layers",
        "same": "compares flat features with flat ones and images with images",
        "image": "compares images",
    }[needs]


def _said(kind: FeatureKind) -> str:
    return "an image" if kind == "image" else "flat"
