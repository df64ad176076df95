"""How rows are divided, and which labels the student may see: of rows from anywhere."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from qstill.contract.schemas import Seed, Strict

ClassName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Fraction = Annotated[float, Field(ge=0.05, le=0.45)]


class Splitting(Strict):
    """How rows are divided, and which labels the student may see."""

    labelled: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="How many labels of the training split the student and the baseline see, drawn stratified (for "
        "regression evenly); null: all. A teacher that is trained in this job sees every label of the training split.",
        examples=[50],
    )
    unlabelled_pool: bool = Field(
        True,
        description="Whether the student also learns from the training rows whose labels it does not see; the teacher "
        "speaks for them.",
        examples=[True],
    )
    validation: Fraction = Field(
        0.2,
        description="Share of the labelled rows that chooses the best epoch, with their labels, for teacher, student "
        "and baseline alike.",
        examples=[0.2],
    )
    test: Fraction = Field(
        0.2, description="Share of the labelled rows that is read once, at the end, for the report.", examples=[0.2]
    )
    split_seed: Seed = Field(0, description="Draws the splits and the labelled rows.", examples=[0])
    label_noise: Annotated[float, Field(ge=0, le=0.9)] = Field(
        0.0,
        description="Share of the training split's labels that is replaced by another class, drawn evenly, for "
        "teacher, student and baseline alike. Validation and test rows keep theirs. To measure what noise does.",
        examples=[0.4],
    )
    leave_out: Annotated[list[ClassName], Field(max_length=100)] = Field(
        default_factory=list,
        description="Classes of which neither student nor baseline is shown a training row, with or without a label. A "
        "teacher that is trained in this job sees them; so do validation and test.",
        examples=[["3"]],
    )
    standardise: Literal["feature", "channel", "none"] = Field(
        "feature",
        description="Shift and scale inputs by the training split's mean and standard deviation: of each feature, or "
        "of each image channel.",
        examples=["feature"],
    )
