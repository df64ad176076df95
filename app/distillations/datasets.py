"""Where a job's rows come from, how they are divided, and which labels the student may see."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from app.distillations.tokenizers import BpeTokenizer, Tokenizer
from app.schemas import FileId, Seed, Strict, refuse

BUILTIN_ROWS_AND_CLASSES = {"digits": (1797, 10), "iris": (150, 3), "wine": (178, 3), "breast_cancer": (569, 2)}
BUILTIN_IMAGES = {"digits"}
MAX_LENGTH = 512  # tokens of a row; attention takes memory with its square

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


class TextData(Splitting):
    """What all texts have in common. They are split first, and the tokenizer is trained on the training split."""

    task: Literal["classification", "language_modelling"] = Field(
        description="classification: a label for each text. language_modelling: the next token is the label of each "
        "token; the texts of a split are joined with a token for the end of a text between them, and cut into rows of "
        "`max_length` tokens; `labelled` counts such rows.",
        examples=["classification"],
    )
    tokenizer: Tokenizer = Field(
        default_factory=lambda: BpeTokenizer(kind="bpe"),
        description="How text becomes numbers.",
        examples=[{"kind": "bpe", "vocabulary": 1000}],
    )
    max_length: Annotated[int, Field(ge=2, le=MAX_LENGTH)] = Field(
        64,
        description="Tokens of a row. For classification a longer text is cut off there; the report says how many are.",
        examples=[64],
    )
    standardise: Literal["none"] = Field(
        "none", description="Tokens are not standardised, so there is one choice.", examples=["none"]
    )

    @model_validator(mode="after")
    def _labels_of_tokens(self) -> "TextData":
        if self.task == "language_modelling" and self.label_noise:
            refuse(("label_noise",), "only_for_classification", "the labels are the text itself", self.label_noise)
        if self.task == "language_modelling" and self.leave_out:
            refuse(("leave_out",), "only_for_classification", "the classes are tokens, and all occur", self.leave_out)
        return self


class TextFile(TextData):
    """Texts that you uploaded."""

    source: Literal["text_file"] = Field(description="Texts that you uploaded.", examples=["text_file"])
    file: FileId = Field(
        description="An uploaded file of purpose `dataset`, UTF-8: .jsonl with an object a line, .csv with a header, "
        "or .parquet; one text a row. Errors count rows from 0.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"],
    )
    text: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        "text", description="The column, or member, with the text.", examples=["text"]
    )
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        "label",
        description="classification only: the column with the label; empty or null where it is unknown.",
        examples=["label"],
    )


class BuiltinText(TextData):
    """Text that comes with Python."""

    source: Literal["builtin_text"] = Field(description="Text that needs no upload.", examples=["builtin_text"])
    name: Literal["python_topics"] = Field(
        description="The topics of Python's own `help()`, the language reference in short, without repeated "
        "paragraphs. classification: which of eight parts of the reference a paragraph is from. language_modelling: "
        "passages of about 1,000 characters. The worker's version of Python decides the exact text; its digest is in "
        "the report.",
        examples=["python_topics"],
    )


AnyTextData = TextFile | BuiltinText
AnyDataset = BuiltinData | UploadedData | TextFile | BuiltinText
Dataset = Annotated[AnyDataset, Field(discriminator="source")]
