"""What a verdict rests on: one measure for each kind of label, and all that differs because of it."""

from dataclasses import dataclass
from typing import Literal

MeasureName = Literal["accuracy", "rmse"]


@dataclass(frozen=True)
class Measure:
    """said: in a sentence. points: of a difference of 1, negative where less is better, so that a gain is above zero.

    gained: what points are. validation: what picks the best epoch on the validation rows, called `validation_…` where
    it is written; chooses: in words; least_chosen: what it is never below. others: the other measures of a report's
    summaries, (name, heading, whether it is a share).
    """

    name: str
    said: str
    points: float
    gained: str
    validation: Literal["accuracy", "r2", "ndcg", "spearman"]
    chooses: str
    least_chosen: float | None
    others: tuple[tuple[str, str, bool], ...]
    is_share: bool

    def formatted(self, value: float) -> str:
        """A value for people."""
        return f"{value:.1%}" if self.is_share else f"{value:.4g}"

    @property
    def table(self) -> tuple[tuple[str, str, bool], ...]:
        """All measures of a summary, this one first."""
        return ((self.name, self.said[0].upper() + self.said[1:], self.is_share), *self.others)


@dataclass(frozen=True)
class TaskMeasure(Measure):
    """One that results call by its name. likeness: what a report calls how like the teacher a network answers."""

    name: MeasureName
    likeness: Literal["agreement", "correlation"] = "agreement"


ACCURACY = TaskMeasure(
    name="accuracy",
    said="accuracy",
    points=100.0,
    gained="points of test accuracy",
    validation="accuracy",
    chooses="accuracy",
    least_chosen=0.0,
    others=(
        ("negative_log_likelihood", "Negative log-likelihood", False),
        ("expected_calibration_error", "Expected calibration error", False),
        ("brier", "Brier score", False),
        ("agreement", "Agreement with the teacher", True),
    ),
    is_share=True,
)
RMSE = TaskMeasure(
    name="rmse",
    likeness="correlation",
    said="RMSE",
    points=-1.0,
    gained="of test RMSE (above zero the student's is lower)",
    validation="r2",
    chooses="R²",
    least_chosen=None,
    others=(
        ("mae", "Mean absolute error", False),
        ("r2", "R²", False),
        ("correlation", "Correlation with the teacher", False),
        ("rmse_to_teacher", "RMSE to the teacher", False),
    ),
    is_share=False,
)
MEASURES: dict[str, Measure] = {measure.name: measure for measure in (ACCURACY, RMSE)}


def ranking(name: str) -> Measure:
    """Of a recommender, which says itself what it was measured by: ndcg@10, say."""
    return Measure(
        name=name,
        said=name,
        points=100.0,
        gained=f"hundredths of {name}",
        validation="ndcg",
        chooses=name,
        least_chosen=0.0,
        others=(),
        is_share=False,
    )


SPEARMAN = Measure(
    name="spearman",
    said="Spearman's correlation of cosines with the teacher's",
    points=100.0,
    gained="hundredths of Spearman's correlation",
    validation="spearman",
    chooses="Spearman's correlation",
    least_chosen=None,
    others=(
        ("ndcg", "NDCG@10", False),
        ("mrr", "Mean reciprocal rank", False),
    ),
    is_share=False,
)  # of encoders of texts
