"""What is said of a distillation before it is submitted: its shapes, its teacher, what it will cost, and advice."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from qstill.contract.distillations.budget.report import BudgetCandidate
from qstill.contract.distillations.circuits.distribution.preflight import DistributionPreflight
from qstill.contract.distillations.circuits.preflight import ShorteningPreflight
from qstill.contract.distillations.domains import Job
from qstill.contract.distillations.embeddings.preflight import EmbeddingPreflight
from qstill.contract.distillations.preflight_parts import Advice, Capacity, Memory, Time
from qstill.contract.distillations.recommenders.preflight import RankingPreflight
from qstill.contract.schemas import View
from qstill.contract.tables.columns import COLUMN_EXAMPLE, Column


class PreflightQuestion(BaseModel):
    """A job to be looked at, on its way to a worker. memory_limit: bytes; None: half of the worker's machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: Literal["preflight"] = "preflight"
    job: Job
    memory_limit: int | None = None
    seconds_limit: float


class Shapes(View):
    """What is fed to what, and how often."""

    rows: dict[Literal["train", "validation", "test"], int] = Field(
        description="Of each split; for text, rows of tokens.",
        examples=[{"train": 1077, "validation": 360, "test": 360}],
    )
    inputs: list[int] = Field(
        description="Of one row: (features), (channels, height, width) or (tokens).", examples=[[1, 8, 8]]
    )
    classes: int = Field(description="Of language models, tokens; of regression, targets.", examples=[10])
    class_names: list[str] = Field(
        description="In the order of the logits; of regression, the targets; empty where the classes are tokens.",
        examples=[["0", "1", "2"]],
    )
    teacher_logits: list[int] = Field(
        description="What the teacher answered to the first rows asked: (answers, classes).", examples=[[64, 10]]
    )
    student_logits: list[int] = Field(
        description="What the student answered to its first batch: (answers, classes).", examples=[[64, 10]]
    )
    batch_sizes: dict[Literal["teacher", "student"], int] = Field(
        description="Rows a batch; a teacher that is there already is not trained.", examples=[{"student": 64}]
    )
    steps_per_epoch: dict[Literal["teacher", "student"], int] = Field(
        description="Optimizer steps; the baseline takes as many as the student.", examples=[{"student": 17}]
    )
    total_steps: int = Field(
        description="Of the job: teachers, students and baselines over all seeds, if none stops early.", examples=[4080]
    )


class TeacherCheck(View):
    """A teacher that is there already, as it answers some of the validation rows."""

    pointer: str = Field(
        description="Where the job names it; an ensemble is judged as a whole and member by member.",
        examples=["/teacher"],
    )
    rows: int = Field(description="Validation rows asked; a slow teacher is asked fewer.", examples=[256])
    accuracy: float = Field(description="On them, between 0 and 1.", examples=[0.961])
    negative_log_likelihood: float = Field(description="Nats, at temperature 1.", examples=[0.131])
    expected_calibration_error: float = Field(
        description="Mean gap between confidence and accuracy, over 15 bins.", examples=[0.021]
    )
    chance: float = Field(
        description="The accuracy of always answering the most frequent training label.", examples=[0.102]
    )
    confidence: float = Field(description="Median over the rows of the largest probability.", examples=[0.993])
    saturated: float = Field(
        description="Share of rows whose largest probability is above 0.999 at temperature 1: what it thinks of the "
        "other classes is lost in rounding.",
        examples=[0.41],
    )
    temperature: float | None = Field(
        description="The lowest of 1, 2, 4, 8, 16 and 32 at which half of the rows have a largest probability of at "
        "most 0.9; null: none of them.",
        examples=[4.0],
    )
    answers_are: Literal["logits", "probabilities", "log_probabilities"] = Field(
        description="What its answers look like, whatever they are called.", examples=["logits"]
    )
    class_order: list[int] | None = Field(
        description="Null, or where its columns seem to stand for other classes: the class that each column is.",
        examples=[[0, 2, 1]],
    )
    accuracy_in_that_order: float | None = Field(
        description="Its accuracy with `class_order`; null where that is null.", examples=[0.967]
    )
    label_smoothing: float | None = Field(
        description="Null, or where its answers look like those of a teacher trained with label smoothing: how much "
        "of it. Such answers say little of how classes resemble one another (1906.02629).",
        examples=[0.1],
    )


class RegressorCheck(View):
    """A teacher of real numbers that is there already, as it answers some of the validation rows."""

    pointer: str = Field(description="Where the job names it.", examples=["/teacher"])
    rows: int = Field(description="Validation rows asked; a slow teacher is asked fewer.", examples=[89])
    r2: float = Field(
        description="The share of the labels' variation that it explains, mean over the targets; 0 is always answering "
        "their mean.",
        examples=[0.47],
    )
    mean_squared_error: float = Field(
        description="In squared standard deviations of the training labels, mean over the targets.", examples=[0.53]
    )


class LabelsCheck(View):
    """A teacher of several labels a row that is there already, as it answers some of the validation rows."""

    pointer: str = Field(description="Where the job names it.", examples=["/teacher"])
    rows: int = Field(description="Validation rows asked; a slow teacher is asked fewer.", examples=[256])
    f1_macro: float = Field(description="On them, between 0 and 1.", examples=[0.93])
    log_loss: float = Field(description="Mean cross-entropy of a label, nats.", examples=[0.11])
    chance: float = Field(
        description="The log-loss of always answering how often each label comes in training.", examples=[0.6]
    )


class DataCheck(View):
    """What may be wrong with the data."""

    labels: dict[str, int] = Field(
        description="How many labels of each class the student sees; empty for tokens and regression.",
        examples=[{"setosa": 3, "versicolor": 3, "virginica": 3}],
    )
    labelled_rows: int = Field(description="Training rows with a label that the student sees.", examples=[9])
    unlabelled_rows: int = Field(description="Training rows that it learns from without a label.", examples=[81])
    empty_classes: list[str] = Field(description="Classes of which the student sees no label.", examples=[[]])
    imbalance: float | None = Field(
        description="Labels of the most frequent class for each of the rarest that has any; null for tokens and "
        "regression.",
        examples=[1.0],
    )
    constant_features: int = Field(description="Inputs that never change over the training rows.", examples=[3])
    duplicates_in_test: int = Field(
        description="Test rows that are also training rows, number for number.", examples=[0]
    )
    truncated_texts: int = Field(description="Texts of which tokens are cut off.", examples=[0])


class Found(View):
    """What was measured."""

    shapes: Shapes = Field(description="What is fed to what.")
    teachers: list[TeacherCheck] = Field(
        description="The teachers of classes that are there already; empty where the job trains them."
    )
    regressors: list[RegressorCheck] = Field(
        default_factory=list, description="The teachers of real numbers that are there already."
    )
    of_labels: list[LabelsCheck] = Field(
        default_factory=list, description="The teachers of several labels a row that are there already."
    )
    capacity: Capacity = Field(description="Parameters and multiply-adds of teacher and student.")
    time: Time = Field(description="How long it will take.")
    memory: Memory = Field(description="What it will occupy.")
    data: DataCheck = Field(description="Labels, duplicates and constant inputs.")
    columns: list[Column] = Field(
        default_factory=list,
        description="Of a table with a header: what each column was taken for, and what networks are given of it. Say "
        "otherwise by `columns`, `ignore`, `categorical` and `missing` of the data.",
        examples=[[COLUMN_EXAMPLE]],
    )


CANDIDATE_EXAMPLE = {
    "number": 0,
    "words": "an mlp of one hidden layer",
    "architecture": {"kind": "mlp", "hidden": [10]},
    "part": 1.0,
    "parameters": 760,
    "bytes": 4588,
    "multiply_adds": 740,
    "latency_ms": 0.018,
}


class Preflight(Found):
    """A look at a distillation that was not submitted. Two batches were learned, and nothing is kept of them."""

    object: Literal["preflight"] = Field("preflight", description="What this is.", examples=["preflight"])
    candidates: list[BudgetCandidate] = Field(
        default_factory=list,
        description="Of a student that a budget chooses: the networks that fit, the largest first, which stands for "
        "the student in all that is said here. Empty where the job names its architecture.",
        examples=[[CANDIDATE_EXAMPLE]],
    )
    left_out: list[str] = Field(
        default_factory=list,
        description="Forms of networks of which none fits into the budget, and what the narrowest would take.",
        examples=[["a vit of two blocks: at least 1,066 parameters"]],
    )
    advice: list[Advice] = Field(description="What to know of it, problems first.")


AnyPreflight = Preflight | RankingPreflight | ShorteningPreflight | DistributionPreflight | EmbeddingPreflight
