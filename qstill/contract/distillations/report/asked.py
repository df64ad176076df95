"""The section of a report on measures that a job asked for by name."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.measures.measure import MeasureName
from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.distillations.results import Gain


class ArmEstimate(ReportPart):
    """Of one arm on the test rows: how far seeds change it, and how far other test rows would."""

    mean: float = Field(description="Mean over the seeds.", examples=[0.931])
    sd: float | None = Field(
        description="Sample standard deviation over seeds; null for a single run.", examples=[0.01]
    )
    low: float | None = Field(
        description="Lower end of the mean's 95% t-interval over seeds; null for a single run.", examples=[0.921]
    )
    high: float | None = Field(description="Its upper end.", examples=[0.941])
    rows_low: float | None = Field(
        description="Lower end of its 95% interval over test rows: the networks as they are, the rows drawn again with "
        "replacement. Null where half of the draws lack what the measure needs.",
        examples=[0.903],
    )
    rows_high: float | None = Field(description="Its upper end.", examples=[0.955])


class AskedMeasure(ReportPart):
    """One measure of all arms; no numbers where it does not exist on these test rows."""

    name: MeasureName = Field(description="As the job called it.", examples=["f1_macro"])
    said: str = Field(description="For people.", examples=["macro F1"])
    better: Literal["more", "less"] = Field(description="Which values are better.", examples=["more"])
    teacher: ArmEstimate | None = Field(description="The teacher's; it is one network.")
    student: ArmEstimate | None = Field(description="The students'.")
    baseline: ArmEstimate | None = Field(description="The baselines'; null without one.")
    gain: Gain | None = Field(
        description="Student against baseline, paired by seed, above zero where the student is better: in points "
        "(hundredths) of shares and areas, else in the measure's unit."
    )
    gain_rows_low: float | None = Field(
        description="Lower end of the gain's 95% interval over test rows, the same draws for both.", examples=[1.2]
    )
    gain_rows_high: float | None = Field(description="Its upper end.", examples=[4.9])
    unmeasured: str | None = Field(
        description="Why there is no number; null where there is one.",
        examples=["Class '7' has no test rows."],
    )
