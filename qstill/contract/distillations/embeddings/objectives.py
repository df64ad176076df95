"""What a student of vectors may minimise: one loss, or a weighted sum. `t` and `s`: of teacher and student."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.distillations.objectives.pieces import refuse_all_zero
from qstill.contract.schemas import FieldPath, Strict

MAX_TERMS = 4

Weight = Annotated[float, Field(ge=0, le=1e6)]


class VectorMse(Strict):
    """|s - t|², a mean over the rows: of vectors of length 1 it is 2 - 2·cos, from 0 to 4."""

    kind: Literal["vector_mse"] = Field(description="Squared distance of vectors.", examples=["vector_mse"])


class VectorCosine(Strict):
    """1 - cos(s, t), a mean over the rows: direction alone."""

    kind: Literal["vector_cosine"] = Field(description="Cosine of vectors.", examples=["vector_cosine"])


class SimilarityMatrix(Strict):
    """(cos(sᵢ, sⱼ) - cos(tᵢ, tⱼ))², a mean over the pairs of different rows of a batch: who resembles whom."""

    kind: Literal["similarity_matrix"] = Field(
        description="The batch's matrix of cosines.", examples=["similarity_matrix"]
    )


class Contrastive(Strict):
    """-log of the share that sᵢ gives tᵢ among all t of the batch, by exp(cos/τ) (InfoNCE, 1807.03748)."""

    kind: Literal["contrastive"] = Field(description="In-batch negatives.", examples=["contrastive"])
    temperature: Annotated[float, Field(ge=0.001, le=10)] = Field(
        0.05, description="τ; the lower, the more the nearest negatives count.", examples=[0.05]
    )


SingleOfVectors = VectorMse | VectorCosine | SimilarityMatrix | Contrastive


class VectorTerm(Strict):
    """One objective of a sum."""

    weight: Weight = Field(1.0, description="Multiplies it.", examples=[10.0])
    objective: Annotated[SingleOfVectors, Field(discriminator="kind")] = Field(
        description="What is added.", examples=[{"kind": "similarity_matrix"}]
    )


class VectorSum(Strict):
    """Several objectives at once."""

    kind: Literal["sum"] = Field(description="A weighted sum of objectives.", examples=["sum"])
    terms: Annotated[list[VectorTerm], Field(min_length=1, max_length=MAX_TERMS)] = Field(
        description="What is added.",
        examples=[
            [
                {"weight": 1.0, "objective": {"kind": "vector_mse"}},
                {"weight": 10.0, "objective": {"kind": "similarity_matrix"}},
            ]
        ],
    )

    @model_validator(mode="after")
    def _something_to_minimise(self) -> "VectorSum":
        refuse_all_zero(*(term.weight for term in self.terms))
        return self


VectorObjective = Annotated[SingleOfVectors | VectorSum, Field(discriminator="kind")]


def weighted(objective: SingleOfVectors | VectorSum) -> Iterator[tuple[FieldPath, float, SingleOfVectors]]:
    """(place in the job, weight, loss) of each that is added."""
    if isinstance(objective, VectorSum):
        for position, term in enumerate(objective.terms):
            yield ("objective", "terms", position, "objective"), term.weight, term.objective
    else:
        yield ("objective",), 1.0, objective
