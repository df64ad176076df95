"""Where a job's rows come from, and what is learned of them."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from qstill.contract.distillations.datasets.splitting import Splitting
from qstill.contract.distillations.tokenizers import BpeTokenizer, Tokenizer
from qstill.contract.schemas import FileId, Strict, refuse
from qstill.contract.tables.columns import ColumnKind
from qstill.contract.tables.splits import ColumnName, SplitFile

BUILTIN_ROWS_AND_CLASSES = {"digits": (1797, 10), "iris": (150, 3), "wine": (178, 3), "breast_cancer": (569, 2)}
BUILTIN_ROWS_AND_CLASSES |= {"diabetes": (442, 1)}  # one target
BUILTIN_FEATURES = {"digits": 64, "iris": 4, "wine": 13, "breast_cancer": 30, "diabetes": 10}
BUILTIN_IMAGES = {"digits"}
BUILTIN_REGRESSION = {"diabetes"}
MAX_LENGTH = 512  # tokens of a row; attention takes memory with its square
MAX_SIDE = 1024  # pixels of an image as networks see it
MAX_TARGETS = 100  # numbers that a regression predicts
MAX_DRAWN_INPUTS = 1_000  # as many as a circuit may have
MAX_DRAWN_NUMBERS = 10_000_000  # of all rows: 40 MB
MAX_DRAWN_ROWS = 1_000_000
MAX_NAMED = 1_000  # columns that a job says something of
UNLABELLED = "_unlabelled"  # the folder of images whose class is unknown

MissingWord = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
Task = Literal["classification", "regression", "multi_label"]
TextTask = Literal["classification", "multi_label", "language_modelling", "masked_language_modelling"]
Separator = Annotated[str, StringConstraints(min_length=1, max_length=5)]
Range = Annotated[list[Annotated[float, Field(ge=-1e6, le=1e6)]], Field(min_length=2, max_length=2)]


TASK: Task = Field(
    "classification",
    description="classification: a label is one of some classes. regression: it is one or several real numbers, which "
    "are standardised inside by the training split's mean and standard deviation; predictions, exports and measures "
    "are in the units of the data. multi_label: it is any of several labels, none or all of them; each is yes or no.",
    examples=["classification"],
)


class BuiltinData(Splitting):
    """A data set that comes with scikit-learn."""

    source: Literal["builtin"] = Field(description="A data set that needs no upload.", examples=["builtin"])
    name: Literal["digits", "iris", "wine", "breast_cancer", "diabetes"] = Field(
        description="Which one; `digits` are images of shape (1, 8, 8), `diabetes` is for regression: how far the "
        "disease of 442 patients had progressed after a year.",
        examples=["digits"],
    )
    task: Task = TASK

    @model_validator(mode="after")
    def _has_such_labels(self) -> "BuiltinData":
        if self.task == "multi_label":
            refuse(("task",), "task_mismatch", "no built-in data set has several labels a row: upload one", self.task)
        if (self.name in BUILTIN_REGRESSION) != (self.task == "regression"):
            has = "one real number for each row" if self.name in BUILTIN_REGRESSION else "classes"
            reason = f"{self.name} has {has}; real numbers are for regression, classes for classification"
            refuse(("task",), "task_mismatch", reason, self.task)
        return self


class Images(Strict):
    """How the images of a zip become rows."""

    size: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="[height, width] to which all are resized, bilinearly, whatever their proportions; null: they are "
        "all of one size, and keep it.",
        examples=[[32, 32]],
    )
    mode: Literal["L", "RGB"] = Field(
        "RGB", description="L: one channel, grey. RGB: three. Transparency is dropped.", examples=["RGB"]
    )


class UploadedData(Splitting):
    """An uploaded npz archive, csv table, or zip of images."""

    source: Literal["file"] = Field(description="A data set that you uploaded.", examples=["file"])
    file: FileId = Field(
        description="An uploaded file of purpose `dataset`. npz: arrays `x`, of shape (rows, features), (rows, height, "
        "width) or (rows, channels, height, width), and `y`, integers, -1 where the label is unknown; for regression "
        "real numbers of shape (rows,) or (rows, targets), NaN where unknown; for several labels 1 and 0 of shape "
        "(rows, labels), -1 or NaN where unknown. Or `x_train`, `y_train`, `x_test`, "
        "`y_test` and perhaps `x_val`, `y_val`, whose rows stay in their splits. A table with a header and a column to "
        "learn: csv with commas, semicolons, tabs or bars between its columns, UTF-8, or UTF-16 with its mark, or a "
        "gzip of it; parquet; or Arrow (feather). Its columns hold numbers, words, true or false (yes or no), or "
        "dates, with gaps: nothing, `NA`, `null` or `?`; a label that is a gap is unknown. What each was taken for is "
        "in the answer to the upload and in a preflight, and can be said by `columns`, `ignore`, `categorical` and "
        "`missing`. Not read are identifiers, texts, constants, and a column without a name that numbers the rows. "
        "Encoders are fitted on the training rows: gaps are filled by medians and have an input of their own, words "
        "become one input each, dates their parts. Errors count rows from 0. zip: PNG and "
        "JPEG images, turned as their EXIF says, in one folder for each class, which names it, as in `daisy/1.png`; "
        f"those in `{UNLABELLED}` have no label. Rows are in the order of their names, values from 0 to 1. A folder "
        "around all others is passed over. In folders `train`, `val` (validation, dev) and `test`, as in "
        "`train/daisy/1.png`, rows stay in their splits. Classes are in ascending order, numbers by their value, "
        "before words.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"],
    )
    task: Task = TASK
    label: ColumnName | None = Field(
        None, description="Of tables only: the column to learn; null: the last.", examples=["species"]
    )
    target: ColumnName | None = Field(None, description="Another word for `label`.", examples=[None])
    targets: Annotated[list[ColumnName], Field(min_length=1, max_length=MAX_TARGETS)] | None = Field(
        None,
        description="Of tables, instead of `label`: the columns to predict, if there are several. Of regression they "
        "hold numbers, of several labels 1 and 0, yes and no or true and false. Of several labels in an npz: the names "
        "of the columns of `y`.",
        examples=[["height", "weight"]],
    )
    labels_separator: Separator | None = Field(
        None,
        description="Of tables and several labels only: `label` is one column, whose cells name the row's labels with "
        "this between them; an empty cell is a row with none of them.",
        examples=["|"],
    )
    columns: Annotated[dict[ColumnName, ColumnKind], Field(max_length=MAX_NAMED)] = Field(
        default_factory=dict,
        description="Of tables only: what columns are, by their names, where they should not be taken for what their "
        "cells look like.",
        examples=[{"postcode": "categorical"}],
    )
    ignore: Annotated[list[ColumnName], Field(max_length=MAX_NAMED)] = Field(
        default_factory=list, description="Of tables only: columns that are no inputs.", examples=[["customer"]]
    )
    categorical: Annotated[list[ColumnName], Field(max_length=MAX_NAMED)] = Field(
        default_factory=list,
        description="Of tables only: columns whose cells are names, if they are numbers, too. Short for `columns`.",
        examples=[["postcode"]],
    )
    split: ColumnName | SplitFile | None = Field(
        None,
        description="Of tables a column, or of any data a file, that says in which split each row is: train, "
        "validation (val, valid, dev) or test. It is no input. Where it names no rows for validation, or for the test, "
        "they are drawn from the training rows. With a file `groups` are only looked at: none may be torn.",
        examples=["split"],
    )
    groups: ColumnName | None = Field(
        None,
        description="Of tables only: a column that says which rows belong together, a customer, say. They stay in one "
        "split; whole groups are drawn until `test` and `validation` are about reached. It is no input.",
        examples=["customer"],
    )
    time: ColumnName | None = Field(
        None,
        description="Of tables only: a column of dates or numbers. The latest rows are the test, those before them "
        "validation, so that nobody learns from what came later. It is no input.",
        examples=["ordered_at"],
    )
    missing: Annotated[list[MissingWord], Field(max_length=20)] = Field(
        default_factory=list,
        description="Of tables only: what stands in gaps besides nothing, `NA`, `null`, `?` and the like.",
        examples=[["unknown", "-999"]],
    )
    image: Images | None = Field(
        None, description="zip only: how images become rows; null: as they are, RGB.", examples=[{"size": [32, 32]}]
    )

    @model_validator(mode="after")
    def _one_way_to_read_it(self) -> "UploadedData":
        if self.targets is not None and self.task == "classification":
            reason = "a class is read from one column: name it as `label`; those of yes and no are for task multi_label"
            refuse(("targets",), "only_for_regression", reason, None)
        if self.labels_separator is not None and (self.task != "multi_label" or self.targets is not None):
            reason = "it divides the one column of several labels: it goes with task multi_label and `label`"
            refuse(("labels_separator",), "only_for_several_labels", reason, self.labels_separator)
        if sum(each is not None for each in (self.label, self.target, self.targets)) > 1:
            field = "target" if self.targets is None else "targets"
            refuse((field,), "label_and_targets", "name the columns to predict once", getattr(self, field))
        if self.targets is not None and len(set(self.targets)) < len(self.targets):
            refuse(("targets",), "named_twice", "a column is predicted once", self.targets)
        if self.image is not None and self.task != "classification":
            refuse(("image",), "only_for_classification", "the folders of a zip name classes; use an npz", None)
        self._refuse_contradictions()
        return self

    def _refuse_contradictions(self) -> None:
        learned = {name for name in (self.label, self.target, *(self.targets or [])) if name is not None}
        dividing = self.dividing
        by_file = isinstance(self.split, SplitFile)
        if by_file and self.time is not None:
            refuse(("time",), "divided_twice", "rows are divided by the file of splits", self.time)
        if not by_file and len(dividing) > 1:
            field, name = [*dividing.items()][1]
            refuse((field,), "divided_twice", "rows are divided by one column", name)
        for field, name in dividing.items():
            if name in learned or name in self.columns or name in (*self.ignore, *self.categorical):
                refuse((field,), "said_twice", "say one thing of a column", name)
        for field in ("ignore", "categorical"):
            for place, name in enumerate(getattr(self, field)):
                if name in learned:
                    refuse((field, place), "column_is_learned", "this column is what is learned, and no input", name)
                if name in self.columns or (field == "categorical" and name in self.ignore):
                    refuse((field, place), "said_twice", "say one thing of a column", name)

    @property
    def says_of_columns(self) -> bool:
        """Whether columns are to be taken for something else than what their cells look like."""
        said = self.columns or self.ignore or self.categorical or self.missing
        return bool(said or self.dividing)

    @property
    def dividing(self) -> dict[str, str]:
        """The columns by which rows are divided, by the fields that name them."""
        split = self.split.id if isinstance(self.split, SplitFile) else self.split
        named = {"split": split, "groups": self.groups, "time": self.time}
        return {field: name for field, name in named.items() if name is not None}

    def divides_by(self, name: str) -> str | None:
        """The field that names this column as what divides the rows."""
        return next((field for field, column in self.dividing.items() if column == name), None)


class DrawnData(Splitting):
    """Rows without labels, drawn evenly from a box: for a circuit as teacher, which needs nothing else."""

    source: Literal["uniform"] = Field(description="Rows that are drawn evenly from ranges.", examples=["uniform"])
    ranges: Annotated[list[Range], Field(min_length=1, max_length=MAX_DRAWN_INPUTS)] = Field(
        description="[low, high] of each input.", examples=[[[0.0, 6.283185307179586], [0.0, 6.283185307179586]]]
    )
    rows: Annotated[int, Field(ge=10, le=MAX_DRAWN_ROWS)] = Field(
        1_000, description="How many; `split_seed` draws them, too.", examples=[1_000]
    )
    task: Literal["regression"] = Field(
        "regression", description="What is learned are real numbers, so there is one choice.", examples=["regression"]
    )

    @model_validator(mode="after")
    def _ranges(self) -> "DrawnData":
        for place, (low, high) in enumerate(self.ranges):
            if low >= high:
                refuse(("ranges", place), "empty_range", "the first is lower than the second", self.ranges[place])
        if self.rows * len(self.ranges) > MAX_DRAWN_NUMBERS:
            reason = f"{len(self.ranges)} inputs leave room for {MAX_DRAWN_NUMBERS // len(self.ranges):,} rows"
            refuse(("rows",), "too_many_rows", reason, self.rows)
        return self


class TextData(Splitting):
    """What all texts have in common. They are split first; a tokenizer is trained on the training split alone."""

    task: TextTask = Field(
        description="classification: a label for each text. multi_label: any of several labels, each yes or no. "
        "language_modelling: the next token is the label of each "
        "token; the texts of a split are joined with a token for the end of a text between them, and cut into rows of "
        "`max_length` tokens; `labelled` counts such rows. masked_language_modelling: of such rows 15 % of the tokens "
        "are to be found again, most of them hidden behind a mask (BERT, 1810.04805): others in every epoch of "
        "training, always the same of validation and test.",
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
        if "modelling" in self.task and self.label_noise:
            refuse(("label_noise",), "only_for_classification", "the labels are the text itself", self.label_noise)
        if "modelling" in self.task and self.leave_out:
            refuse(("leave_out",), "only_for_classification", "the classes are tokens, and all occur", self.leave_out)
        return self


class TextFile(TextData):
    """Texts that you uploaded."""

    source: Literal["text_file"] = Field(description="Texts that you uploaded.", examples=["text_file"])
    file: FileId = Field(
        description="An uploaded file of purpose `dataset`: .jsonl with an object a line or .csv with a header, both "
        "UTF-8, or UTF-16 with its mark, or a gzip of it; or .parquet. One text a row, of at most 1,000,000 characters "
        "in every format. Errors count rows from 0.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"],
    )
    text: ColumnName = Field("text", description="The column, or member, with the text.", examples=["text"])
    label: ColumnName = Field(
        "label",
        description="Of classification the column with the label; empty, null or `NA` where it is unknown. Of several "
        "labels that with their names, `labels_separator` between them; empty where a text has none of them.",
        examples=["label"],
    )
    labels_separator: Separator = Field(
        ",", description="Of several labels only: what stands between their names.", examples=["|"]
    )

    @model_validator(mode="after")
    def _label_is_not_the_text(self) -> "TextFile":
        if "modelling" not in self.task and self.text == self.label:
            refuse(("label",), "same_column", "text and label are columns of their own", self.label)
        return self


class BuiltinText(TextData):
    """Text that comes with Python."""

    source: Literal["builtin_text"] = Field(description="Text that needs no upload.", examples=["builtin_text"])
    name: Literal["python_topics"] = Field(
        description="The topics of Python's own `help()`, the language reference in short, without repeated "
        "paragraphs. classification: which of eight parts of the reference a paragraph is from. The others: "
        "passages of about 1,000 characters. The worker's version of Python decides the exact text; its digest is in "
        "the report.",
        examples=["python_topics"],
    )

    @model_validator(mode="after")
    def _has_such_labels(self) -> "BuiltinText":
        if self.task == "multi_label":
            refuse(("task",), "task_mismatch", "a topic is one class of a text: upload texts with several", self.task)
        return self


AnyTextData = TextFile | BuiltinText
AnyDataset = BuiltinData | UploadedData | DrawnData | TextFile | BuiltinText
Dataset = Annotated[AnyDataset, Field(discriminator="source")]


def has_several_labels(data: AnyDataset) -> bool:
    """Whether a row has any of several labels."""
    return data.task == "multi_label"


def is_regression(data: AnyDataset) -> bool:
    """Whether labels are real numbers."""
    return data.task == "regression"
