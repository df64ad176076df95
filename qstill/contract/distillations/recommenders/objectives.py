"""What a recommender may minimise beside its interactions: what a teacher says of items that nobody chose yet.

Each is hard_weight·base + weight·term, the base loss being the training's; the baseline minimises the base loss alone.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.distillations.objectives.pieces import (
    MAX_WARM_UP,
    FeatureWeight,
    Temperature,
    Weight,
    refuse_all_zero,
)
from qstill.contract.schemas import FieldPath, Strict, refuse

MAX_LIST = 500  # items that a teacher names for one user in one step
MAX_EXPERTS = 64
MAX_TERMS = 4

ListLength = Annotated[int, Field(ge=1, le=MAX_LIST)]


class Bpr(Strict):
    """-log σ(chosen - not chosen): Bayesian personalised ranking of Rendle and others (2009)."""

    kind: Literal["bpr"] = Field(description="Rank what was chosen above what was not.", examples=["bpr"])
    negatives: Annotated[int, Field(ge=1, le=100)] = Field(
        1,
        description="Items drawn for each interaction, evenly among those not chosen by its user.",
        examples=[1],
    )


class Bce(Strict):
    """-log σ(chosen) - Σ log σ(-not chosen), their mean: binary cross-entropy as in He and others (2017)."""

    kind: Literal["bce"] = Field(description="Tell what was chosen from what was not.", examples=["bce"])
    negatives: Annotated[int, Field(ge=1, le=100)] = Field(
        4,
        description="Items drawn for each interaction, evenly among those not chosen by its user.",
        examples=[4],
    )


Base = Annotated[Bpr | Bce, Field(discriminator="kind")]


class FromTeacher(Strict):
    """A term and its weight beside the base loss."""

    weight: FeatureWeight = Field(1.0, description="The weight of what the teacher says.", examples=[1.0])
    hard_weight: Weight = Field(1.0, description="The weight of the base loss.", examples=[1.0])

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "FromTeacher":
        refuse_all_zero(self.hard_weight, self.weight)
        return self


class Rd(FromTeacher):
    """-Σ w_r·log σ(score of the teacher's r-th item): ranking distillation of Tang and Wang (2018)."""

    kind: Literal["rd"] = Field(
        description="Take the first items of the teacher's ranking for chosen ones, the higher the more, and the more "
        "the student ranks them too low. The paper's α is weight/(weight + hard_weight).",
        examples=["rd"],
    )
    top: ListLength = Field(10, description="K: items of the teacher's ranking.", examples=[10])
    position: Annotated[float, Field(gt=0, le=1000)] = Field(
        1.0, description="λ: weights fall with the rank r as e^(-r/λ).", examples=[1.0]
    )
    discrepancy: Annotated[float, Field(gt=0, le=100)] = Field(
        0.1,
        description="μ: weights grow with the ranks that the student is too low, as tanh(μ·ranks); none above them.",
        examples=[0.1],
    )
    samples: ListLength = Field(
        100,
        description="ε: items drawn, evenly among those not chosen, to estimate the student's ranks.",
        examples=[100],
    )
    warm_up: Annotated[int, Field(ge=0, le=MAX_WARM_UP)] = Field(
        5, description="Epochs in which positions alone make the weights.", examples=[5]
    )


class Rrd(FromTeacher):
    """-log probability of the teacher's order: relaxed ranking distillation of Kang and others (2020)."""

    kind: Literal["rrd"] = Field(
        description="Put interesting items, drawn from the top of the teacher's ranking, into its order and above "
        "uninteresting ones, drawn evenly from below; the order among the latter is left open. Drawn anew each step.",
        examples=["rrd"],
    )
    interesting: ListLength = Field(40, description="K: interesting items.", examples=[40])
    uninteresting: ListLength = Field(40, description="L: uninteresting items.", examples=[40])
    sharpness: Annotated[float, Field(gt=0, le=100)] = Field(
        10.0, description="T: the r-th item is interesting with a chance in proportion to e^(-r/T).", examples=[10.0]
    )


class De(FromTeacher):
    """‖teacher's numbers - chosen expert(student's numbers)‖²: distillation experts of Kang and others (2020)."""

    kind: Literal["de"] = Field(
        description="Rebuild the teacher's numbers of users and items from the student's, by small networks of which "
        "one is chosen for each user and item. They are trained with the student and thrown away.",
        examples=["de"],
    )
    weight: FeatureWeight = Field(0.01, description="λ: the weight of the squared distance.", examples=[0.01])
    experts: Annotated[int, Field(ge=1, le=MAX_EXPERTS)] = Field(
        30, description="M: experts for users, and as many for items.", examples=[8]
    )
    first_temperature: Annotated[float, Field(ge=0.01, le=100)] = Field(
        1.0, description="τ of the choice in the first epoch: high mixes experts.", examples=[1.0]
    )
    last_temperature: Annotated[float, Field(ge=1e-10, le=100)] = Field(
        1e-3, description="τ in the last epoch: low chooses one; in between it falls geometrically.", examples=[1e-3]
    )

    @model_validator(mode="after")
    def _cools_down(self) -> "De":
        if self.last_temperature > self.first_temperature:
            refuse(("last_temperature",), "warms_up", "the choice becomes sharper, not softer", self.last_temperature)
        return self


class SoftmaxKl(FromTeacher):
    """T²·KL(teacher ‖ student) over the items: distillation of Hinton and others (2015), an item for a class."""

    kind: Literal["softmax_kl"] = Field(
        description="Match the probability of every item that the user has not chosen yet. Costs a score of every item "
        "in each step.",
        examples=["softmax_kl"],
    )
    temperature: Temperature = Field(1.0, description="T: softens both distributions.", examples=[1.0])


SingleRanking = Rd | Rrd | De | SoftmaxKl


class RankingTerm(Strict):
    """One objective of a sum."""

    weight: FeatureWeight = Field(1.0, description="Multiplies the whole objective, its base loss too.", examples=[1.0])
    objective: Annotated[SingleRanking, Field(discriminator="kind")] = Field(
        description="What is added.", examples=[{"kind": "rrd"}]
    )


class RankingSum(Strict):
    """Several objectives at once: the paper's DE-RRD, say."""

    kind: Literal["sum"] = Field(description="A weighted sum of objectives.", examples=["sum"])
    terms: Annotated[list[RankingTerm], Field(min_length=1, max_length=MAX_TERMS)] = Field(
        description="What is added. Each brings its own base loss: with several, set `hard_weight` to 0 but in one.",
        examples=[[{"objective": {"kind": "rrd"}}, {"objective": {"kind": "de", "hard_weight": 0.0}}]],
    )

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "RankingSum":
        refuse_all_zero(*(term.weight for term in self.terms))
        return self


RankingObjective = Annotated[SingleRanking | RankingSum, Field(discriminator="kind")]


def terms_of(objective: SingleRanking | RankingSum) -> Iterator[tuple[FieldPath, FeatureWeight, SingleRanking]]:
    """(place in a job's body, weight, objective) of each term."""
    if isinstance(objective, RankingSum):
        for position, term in enumerate(objective.terms):
            yield ("objective", "terms", position, "objective"), term.weight, term.objective
    else:
        yield ("objective",), 1.0, objective
