"""A stored report, as far as its card and its pictures read it. The report itself is passed on as it was written."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from qstill.contract.distillations.measures import MEASURES, Measure, MeasureName
from qstill.contract.distillations.results import Gain, Spread
from qstill.contract.errors import Problem

ROLES: tuple["Role", ...] = ("teacher", "student", "baseline")

Role = Literal["teacher", "student", "baseline"]


class Part(BaseModel):
    """Fields that are not read here may come and go."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Size(Part):
    parameters: int
    bytes: int
    multiply_adds: int | None


class Latency(Part):
    """Milliseconds of one row."""

    p50_ms: float
    p95_ms: float


class Cost(Part):
    """timed: what was timed, where it is no network of this process."""

    size: Size | None
    latency: Latency
    timed: str | None = None


class Bin(Part):
    rows: int
    confidence: float | None
    accuracy: float | None


class Measured(Part):
    """One network on the test rows. reliability: of a classifier."""

    reliability: list[Bin] = []


class Arm(Part):
    """summary: means over seeds, on the test rows, by the names of `Measure.table`. Losses in nats."""

    summary: dict[str, Spread]
    runs: list[Measured]
    cost: Cost | None


class ClassChange(Part):
    name: str
    teacher: float | None
    student: float | None
    baseline: float | None
    change_in_points: float | None


class Errors(Part):
    """Of one target, in its unit."""

    rmse: float
    mae: float
    r2: float | None


class Target(Part):
    """What regression predicts. std: of the training split's labels."""

    name: str
    std: float
    teacher: Errors | None
    student: Errors | None
    baseline: Errors | None


class Point(Part):
    """An epoch, with what chose the best one on the validation rows: of what kind the networks are."""

    epoch: int
    loss: float
    validation_accuracy: float | None = None
    validation_r2: float | None = None
    validation_ndcg: float | None = None

    def score(self, measure: Measure) -> float:
        """What chose the best epoch."""
        found: float = getattr(self, f"validation_{measure.validation}")
        return found


class Exported(Part):
    """max_logit_difference: of regression, of a prediction, in the target's unit."""

    name: str
    format: str
    bytes: int
    accuracy: float | None = None
    rmse: float | None = None  # of regression
    max_logit_difference: float
    latency: Latency
    input_shape: list[int] = []
    output: str = "logits"
    tokenizer: str | None = None  # of text: the file beside it


class Candidate(Part):
    """One way to a small network. words: a noun phrase. bytes: of its file. file: of the export, if it is one."""

    name: str
    words: str
    role: Role
    pruning: str | None
    quantisation: str | None
    accuracy: Spread
    bytes: int
    latency: Latency
    multiply_adds: int
    file: str | None


class Rival(Part):
    """A candidate in a table, by its name. times: its bytes or milliseconds, over the student's."""

    name: str
    fits: bool
    times: float
    student_minus_this: Gain | None


class Compared(Part):
    """Distillation beside pruning and quantisation."""

    verdicts: list[str]
    notes: list[str]
    seeds: int
    candidates: list[Candidate]
    at_equal_bytes: list[Rival]
    at_equal_latency: list[Rival]


class Report(Part):
    verdict: Literal["BEATS", "NO BEATS", "INCONCLUSIVE"] | None
    measure: MeasureName = "accuracy"
    gain: Gain | None
    seconds: float
    classes: list[str]
    teacher: Arm
    student: Arm
    baseline: Arm | None
    warnings: list[str]
    notes: list[str]
    per_class: list[ClassChange]
    targets: list[Target] | None = None
    curves: dict[str, list[Point]]
    exports: list[Exported]
    compression: Compared | None = None
    rows: dict[str, int]
    digests: dict[str, str]
    versions: dict[str, str]
    job: dict[str, Any]

    @model_validator(mode="after")
    def _has_its_measures(self) -> "Report":
        for _, arm in self.arms():
            if missing := [name for name, _, _ in MEASURES[self.measure].table if name not in arm.summary]:
                raise ValueError(f"no {', '.join(missing)}")
        return self

    def arms(self) -> list[tuple[Role, Arm]]:
        """Those that there are, by their roles."""
        return [(role, arm) for role in ROLES if (arm := getattr(self, role)) is not None]


def read_report(document: dict[str, Any]) -> Report:
    """Of classifiers and regressions. Raises Problem (409) for one that an earlier version wrote."""
    try:
        changes = [{"name": row["class"], **row} for row in document["per_class"]]
        return Report.model_validate(document | {"per_class": changes})
    except (ValidationError, KeyError, TypeError):
        title = "There is no card or picture of this report: an earlier version wrote it."
        raise Problem("no_card", title, status=409) from None
