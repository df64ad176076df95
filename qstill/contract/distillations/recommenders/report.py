"""`report.json` of a recommender: written by the worker that computed it, read by all who show it."""

from typing import Any

from pydantic import Field, ValidationError

from qstill.contract.distillations.report.exports import ExportedRecommender, RankingMeasures
from qstill.contract.distillations.report.frame import ReportFrame
from qstill.contract.distillations.report.measured import ChosenEpoch, NetworkCost, RankingPoint
from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.distillations.results import Spread
from qstill.contract.errors import Problem


class RankingRun(ChosenEpoch, RankingMeasures):
    """One network on the test interactions."""

    validation_ndcg: float | None = Field(description="What chose the epoch.", examples=[0.13])
    overlap: float = Field(description="Share of the teacher's lists that it names, too.", examples=[0.6])
    coverage: float = Field(description="Share of the items that somebody is recommended.", examples=[0.4])
    sampled: RankingMeasures | None = Field(description="Among drawn items, where the job asks for it.")


class RankingArm(ReportPart):
    """Teacher, student or baseline."""

    summary: dict[str, Spread] = Field(
        description="Mean and standard deviation over seeds of each measure.",
        examples=[{"ndcg": {"mean": 0.12, "sd": 0.004}}],
    )
    runs: list[RankingRun] = Field(description="The network of each seed.")
    cost: NetworkCost | None = Field(description="What one takes; null where only its lists are known.")


class PopularityShare(ReportPart):
    """Hit@k of popular items (head) or of the others (tail), mean over seeds."""

    items_of: str = Field(description="Of which items.", examples=["head"])
    items: int = Field(description="How many they are.", examples=[133])
    tested: int = Field(description="Test interactions with them.", examples=[589])
    teacher: float | None = Field(description="Null where nothing was tested.", examples=[0.6])
    student: float | None = Field(description="Null where nothing was tested.", examples=[0.37])
    baseline: float | None = Field(description="Null where nothing was tested, or without one.", examples=[0.18])
    change_in_points: float | None = Field(description="Student minus baseline, times 100.", examples=[18.8])


class RankingDifference(ReportPart):
    """Student minus baseline in hundredths, paired by seed."""

    mean: float = Field(description="Mean difference.", examples=[6.9])
    low: float | None = Field(description="Lower end of its 95% confidence interval.", examples=[-2.3])
    high: float | None = Field(description="Upper end of its 95% confidence interval.", examples=[16.3])
    differences: list[float] = Field(description="Of each seed.", examples=[[7.7, 6.2]])


class InteractionCounts(ReportPart):
    """What the data has."""

    users: int = Field(description="How many there are.", examples=[1000])
    items: int = Field(description="How many there are.", examples=[500])
    train: int = Field(description="Interactions to learn from.", examples=[27229])
    validation: int = Field(description="Interactions that choose epochs.", examples=[1000])
    test: int = Field(description="Interactions that are read once, at the end.", examples=[1000])
    cold: int = Field(description="Held-out ones that were left out: training knows too little.", examples=[0])


class RankingDigests(ReportPart):
    """Name what the report depends on."""

    data: str = Field(description="The interactions as they were read.", examples=["02c707b5075bd885"])
    teacher: str = Field(description="The teacher.", examples=["f1965c7108eb4604"])


class RecommenderReport(ReportFrame[RankingArm]):
    """Whether distillation helped: teacher, student, and the same student trained without a teacher."""

    measure: str = Field(description="What the verdict rests on.", examples=["ndcg@10"], pattern=r"^ndcg@\d+$")
    popularity: RankingMeasures = Field(description="Of recommending the most popular items to everybody.")
    paired_differences_in_points: dict[str, RankingDifference | None] = Field(
        description="Of each measure; null without a baseline.", examples=[{"ndcg": None}]
    )
    curves: dict[str, list[RankingPoint]] = Field(
        description="Epochs of each network that was trained, at most about 200, by the names of the stages.",
        examples=[{"student-seed-0": [{"epoch": 1, "loss": 0.9, "validation_ndcg": 0.06}]}],
    )
    by_popularity: list[PopularityShare] = Field(description="Of popular items, and of the others.")
    exports: list[ExportedRecommender] = Field(description="Files of the first seed's student.")
    rows: InteractionCounts = Field(description="How many there were.")
    digests: RankingDigests = Field(description="Names of what went in.")


def read_ranking(document: dict[str, Any]) -> RecommenderReport:
    """Raises Problem (409) for a report that an earlier version wrote."""
    try:
        return RecommenderReport.model_validate(document)
    except ValidationError:
        raise Problem("no_card", "An earlier version wrote this report.", status=409) from None
