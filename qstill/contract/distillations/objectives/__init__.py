"""What a student may minimise: one loss, or a weighted sum of several."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from qstill.contract.distillations.objectives.features import (
    At,
    Cosine,
    Crd,
    FeatureObjective,
    FitNet,
    OnFeatures,
    Pkt,
    Rkd,
    Sp,
)
from qstill.contract.distillations.objectives.logits import (
    Dist,
    Dkd,
    HardLabel,
    Jsd,
    Kd,
    LogitMse,
    LogitStd,
    OnLogits,
    ReverseKl,
    TfKd,
)
from qstill.contract.distillations.objectives.pieces import FeatureWeight, Ramp, refuse_all_zero
from qstill.contract.distillations.objectives.sequence import Sequence
from qstill.contract.schemas import FieldPath, Strict

MAX_TERMS = 8  # of a sum


def _kd_unless_named(given: Any) -> Any:
    """An objective without a kind is kd, as it was when there was no other."""
    return {"kind": "kd", **given} if isinstance(given, Mapping) and "kind" not in given else given


Single = OnLogits | FeatureObjective


class Term(Strict):
    """One objective of a sum."""

    weight: FeatureWeight = Field(
        1.0, description="Multiplies the whole objective, its label term too.", examples=[1.0]
    )
    objective: Annotated[Annotated[Single, Field(discriminator="kind")], BeforeValidator(_kd_unless_named)] = Field(
        description="What is added.", examples=[{"kind": "kd", "temperature": 4.0, "alpha": 0.9}]
    )


class Sum(Strict):
    """Several objectives at once."""

    kind: Literal["sum"] = Field(description="A weighted sum of objectives.", examples=["sum"])
    terms: Annotated[list[Term], Field(min_length=1, max_length=MAX_TERMS)] = Field(
        description="What is added. Each brings its own label term: with several, set `hard_weight` to 0, or `alpha` "
        "to 1, in all but one.",
        examples=[
            [
                {"weight": 1.0, "objective": {"kind": "kd", "temperature": 4.0, "alpha": 0.9}},
                {"weight": 1.0, "objective": {"kind": "sp", "hard_weight": 0.0}},
            ]
        ],
    )

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "Sum":
        refuse_all_zero(*(term.weight for term in self.terms))
        return self


Objective = Annotated[
    Annotated[Single | Sum | Sequence, Field(discriminator="kind")],
    BeforeValidator(_kd_unless_named),
]


def singles(objective: Single | Sum | Sequence) -> Iterator[tuple[FieldPath, Single]]:
    """The losses of an objective that compare student and teacher, each with its place in a job's body."""
    if isinstance(objective, Sequence):
        return
    if isinstance(objective, Sum):
        for position, term in enumerate(objective.terms):
            yield ("objective", "terms", position, "objective"), term.objective
    else:
        yield ("objective",), objective


__all__ = [
    "At",
    "Cosine",
    "Crd",
    "Dist",
    "Dkd",
    "FeatureObjective",
    "FitNet",
    "HardLabel",
    "Jsd",
    "Kd",
    "LogitMse",
    "LogitStd",
    "Objective",
    "OnFeatures",
    "OnLogits",
    "Pkt",
    "Ramp",
    "ReverseKl",
    "Rkd",
    "Sequence",
    "Single",
    "Sp",
    "Sum",
    "Term",
    "TfKd",
    "singles",
]
