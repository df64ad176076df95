"""What a sweep found."""

from typing import Any, Literal

from pydantic import Field

from qstill.contract.distillations.measures.measure import MeasureName
from qstill.contract.distillations.results import Gain, Spread
from qstill.contract.schemas import View


class TrialView(View):
    """One setting, and how its students did on the validation rows."""

    object: Literal["trial"] = Field("trial", description="What this is.")
    number: int = Field(description="From 0, in the order in which they were drawn.", examples=[3])
    setting: dict[str, Any] = Field(
        description="Its value at each path.", examples=[{"/objective/temperature": 4.0, "/objective/alpha": 0.9}]
    )
    status: Literal["complete", "pruned", "failed"] = Field(
        description="pruned: given up early, its figures are those of then. failed: see `reason`.",
        examples=["complete"],
    )
    reason: str | None = Field(description="Why it failed.", examples=[None])
    accuracy: float | None = Field(
        description="Mean validation accuracy of its seeds' best epochs; null for regression.", examples=[0.961]
    )
    negative_log_likelihood: float | None = Field(
        description="Mean over the seeds, nats, validation; null for regression.", examples=[0.14]
    )
    accuracies: list[float] = Field(description="Of each seed; empty for regression.", examples=[[0.958, 0.964]])
    measure: MeasureName = Field(
        "accuracy", description="What `worth` is, by which trials are ranked.", examples=["accuracy"]
    )
    worth: float | None = Field(
        None,
        description="Mean over its seeds' best epochs on the validation rows; null for failed ones.",
        examples=[0.961],
    )
    rmse: float | None = Field(
        None,
        description="Regression: mean validation RMSE of its seeds' best epochs, in the unit of the target, "
        "with several targets in standard deviations of their training labels. Null for classes.",
        examples=[None],
    )
    rmses: list[float] = Field(
        default_factory=list, description="Regression: of each seed; empty for classes.", examples=[[]]
    )
    epochs: list[int] = Field(description="The best epoch of each seed.", examples=[[36, 40]])
    parameters: int | None = Field(description="Of its student.", examples=[1210])
    bytes: int | None = Field(description="Of its student's file.", examples=[5192])
    latency_ms: float | None = Field(
        description="Median of one row on a CPU, measured once for each architecture.", examples=[0.03]
    )
    stacked: bool = Field(description="Whether its students were trained in one pass with others.", examples=[True])


class FrontMember(TrialView):
    """A trial that no other beats in what ranks trials on the validation rows, bytes and latency together."""

    test_accuracy: float | None = Field(
        description="Mean over the seeds on the test rows, which were read at the end for the front's members only. "
        "Choosing among them by it is choosing by the test rows. Null for regression.",
        examples=[0.955],
    )
    test_rmse: float | None = Field(
        None, description="Regression: the same of RMSE. Null for classes.", examples=[None]
    )
    test_worth: float | None = Field(None, description="The same of `measure`.", examples=[0.955])


class SweepResult(View):
    """The answer in short; /trials and /pareto have the rest."""

    measure: MeasureName = Field(
        "accuracy",
        description="What trials are ranked by and what the spreads below are: `accuracy`, or `rmse` of regression, "
        "where less is better; or what the base's `evaluation.verdict` names.",
        examples=["accuracy"],
    )
    trials: int = Field(description="All.", examples=[16])
    pruned: int = Field(description="Given up early.", examples=[5])
    failed: int = Field(description="Whose setting or training failed.", examples=[0])
    stacked_students: int = Field(description="Students that were trained in one pass with others.", examples=[48])
    best: TrialView = Field(description="The complete trial that is best on the validation rows.")
    front: list[int] = Field(description="Numbers of the trials on the Pareto front.", examples=[[3, 7]])
    teacher: Spread = Field(description="The teacher on the test rows.")
    student: Spread = Field(description="The best trial's students on the test rows.")
    baseline: Spread | None = Field(description="The same students without a teacher; null if not asked for.")
    gain: Gain | None = Field(description="What the teacher added; null without a baseline.")
    verdict: Literal["BEATS", "NO BEATS", "INCONCLUSIVE"] | None = Field(
        description="Of the best trial; null without a baseline.", examples=["BEATS"]
    )
    notes: list[str] = Field(description="What a reader must know to judge the numbers.")
    seconds: float = Field(description="Computing time over all attempts.", examples=[6.1])
