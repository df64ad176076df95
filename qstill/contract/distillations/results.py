"""The small answer of a distillation job, which lands in its row."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.measures.measure import MeasureName
from qstill.contract.schemas import View

Verdict = Literal["BEATS", "NO BEATS", "INCONCLUSIVE"]


class Spread(View):
    """A measure on the test rows over seeds: an accuracy between 0 and 1, or what else `measure` names."""

    mean: float = Field(description="Mean over the seeds.", examples=[0.958])
    sd: float | None = Field(description="Sample standard deviation; null for a single run.", examples=[0.004])


class Gain(View):
    """Student against baseline, paired by seed; above zero the student is better, whatever the measure."""

    points: float = Field(
        description="Mean difference: percentage points of test accuracy, student minus baseline; for regression the "
        "baseline's RMSE minus the student's; of recommenders hundredths of NDCG@k, of encoders of "
        "Spearman's correlation. Of another measure that the job named: hundredths of shares and areas, else its unit.",
        examples=[16.2],
    )
    low: float | None = Field(description="Lower end of its 95% confidence interval.", examples=[13.9])
    high: float | None = Field(description="Upper end of its 95% confidence interval.", examples=[18.5])


class ShortResult(View):
    """Of every domain."""

    measure: str = Field(description="What the numbers below are.", examples=["accuracy"])
    teacher: Spread = Field(description="The teacher on the test rows.")
    student: Spread = Field(description="The distilled students on the test rows.")
    baseline: Spread | None = Field(description="The same students without a teacher; null if not asked for.")
    gain: Gain | None = Field(description="What the teacher added; null without a baseline.")
    verdict: Verdict | None = Field(
        description="Whether distillation beats the same student trained without the teacher: by whether the interval "
        "of the gain lies above zero, not above zero, or on both sides. One seed decides nothing. Null without a "
        "baseline.",
        examples=["BEATS"],
    )
    checkpoints: int = Field(description="How many the job published.", examples=[7])
    student_sha256: str = Field(description="Of the first seed's published student.", examples=["9f86d081884c7d65"])
    seconds: float = Field(description="Computing time over all attempts.", examples=[4.2])


class DistillationResult(ShortResult):
    """The answer in short; the artifact `report.json` is the whole."""

    measure: MeasureName = Field(
        "accuracy",
        description="What these numbers are: `accuracy`, where more is better, or for regression `rmse`, the root of "
        "the mean squared error, where less is: in the unit of the target, with several targets in standard deviations "
        "of their training labels; or what the job's `evaluation.verdict` names.",
        examples=["accuracy"],
    )
