"""How a teacher's answers are kept."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qstill.contract.distillations.teachers.pieces import MAX_CLASS_NAMES, MISSING, Missing
from qstill.contract.schemas import Strict, refuse

MAX_DRAWS = 1_024  # of one row


class Storage(Strict):
    """How the teacher's answers are kept: once for all jobs of a machine with the same teacher, rows and inputs."""

    precision: Literal["float32", "float16"] = Field(
        "float32",
        description="float16 takes half the room; the report says what it changed.",
        examples=["float32"],
    )
    top_k: Annotated[int, Field(ge=1, le=MAX_CLASS_NAMES)] | None = Field(
        None, description="Keep only the most probable classes of each row; null: all.", examples=[None]
    )
    draws: Annotated[int, Field(ge=1, le=MAX_DRAWS)] | None = Field(
        None,
        description="Keep the classes that so many draws from the teacher's probabilities give, each with its share of "
        "the draws: random sampling (2503.16870). At temperature 1 the student's gradient is that of all classes on "
        "average, which `top_k` biases. In place of `top_k`; `missing` has no part in it.",
        examples=[None],
    )
    missing: Missing = Field("ghost", description=f"With `top_k` only. {MISSING}", examples=["ghost"])

    @model_validator(mode="after")
    def _one_way_to_thin(self) -> Self:
        if self.top_k is not None and self.draws is not None:
            refuse(("draws",), "two_ways_to_thin", "keep the most probable classes, or drawn ones", self.draws)
        return self

    def kept(self, classes: int) -> int | None:
        """How many classes are kept of each row; None: all."""
        return self.top_k if self.draws is None else min(self.draws, classes)
