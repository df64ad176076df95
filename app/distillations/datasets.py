"""Where a job's rows come from, how they are divided, and which labels the student may see."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.schemas import FileId, Seed, Strict

BUILTIN_ROWS_AND_CLASSES = {"digits": (1797, 10), "iris": (150, 3), "wine": (178, 3), "breast_cancer": (569, 2)}
BUILTIN_IMAGES = {"digits"}

ClassName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Fraction = Annotated[float, Field(ge=0.05, le=0.45)]


class Splitting(Strict):
    """How rows are divided, and which labels the student may see."""

    labelled: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="How many labels of the training split the student and the baseline see, drawn stratified; null: "
        "all. A teacher that is trained in this job sees every label of the training split.",
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


class BuiltinData(Splitting):
    """A data set that comes with scikit-learn."""

    source: Literal["builtin"] = Field(description="A data set that needs no upload.", examples=["builtin"])
    name: Literal["digits", "iris", "wine", "breast_cancer"] = Field(
        description="Which one; `digits` are images of shape (1, 8, 8).", examples=["digits"]
    )


class UploadedData(Splitting):
    """An uploaded npz archive or csv table."""

    source: Literal["file"] = Field(description="A data set that you uploaded.", examples=["file"])
    file: FileId = Field(
        description="An uploaded file of purpose `dataset`. npz: arrays `x`, of shape (rows, features), (rows, height, "
        "width) or (rows, channels, height, width), and `y`, integers, -1 where the label is unknown. csv: UTF-8 with "
        "a header, numbers, and a label column; an empty label is unknown. Errors count rows from 0.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"],
    )
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="csv only: the label column; null: the last.", examples=["species"]
    )


Dataset = Annotated[BuiltinData | UploadedData, Field(discriminator="source")]
