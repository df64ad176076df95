"""What answers of a kind are always measured by, and what a verdict rests on where the job names nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from qstill.contract.distillations.measures.measure import ACCURACY, F1_MACRO, RMSE, Measure

Row = tuple[str, str, bool]  # of a table of measures: name, heading, whether it is a share


@dataclass(frozen=True)
class Usual:
    """others: the measures of a report's summaries besides that of the verdict.

    likeness: what a report calls how like the teacher a network answers. number: what one of an answer is called.
    units: of losses and errors, a part of a sentence.
    """

    verdict: Measure
    others: tuple[Row, ...]
    likeness: Literal["agreement", "correlation"]
    number: str
    units: str

    def table(self, verdict: Measure, asked: Iterable[Measure] = ()) -> tuple[Row, ...]:
        """All measures of a summary, that of the verdict first. asked: what the job named besides."""
        named = {each.name: each for each in (verdict, self.verdict, *asked)}
        first, *rest = [(each.name, each.heading, each.is_share) for each in named.values()]
        others = [row for row in self.others if row[0] not in named]
        own = [row for row in rest if row[0] == self.verdict.name]
        return (first, *own, *others, *(row for row in rest if row not in own))


OF_CLASSES = Usual(
    verdict=ACCURACY,
    others=(
        ("negative_log_likelihood", "Negative log-likelihood", False),
        ("expected_calibration_error", "Expected calibration error", False),
        ("brier", "Brier score", False),
        ("agreement", "Agreement with the teacher", True),
    ),
    likeness="agreement",
    number="logit",
    units="Losses in nats",
)
OF_NUMBERS = Usual(
    verdict=RMSE,
    others=(
        ("mae", "Mean absolute error", False),
        ("r2", "R²", False),
        ("correlation", "Correlation with the teacher", False),
        ("rmse_to_teacher", "RMSE to the teacher", False),
    ),
    likeness="correlation",
    number="prediction",
    units="RMSE and mean absolute error in the target's unit, of several targets in standard deviations",
)
OF_LABELS = Usual(
    verdict=F1_MACRO,
    others=(
        ("f1_micro", "Micro F1", True),
        ("average_precision", "Average precision, mean over labels", False),
        ("subset_accuracy", "Subset accuracy", True),
        ("hamming", "Hamming loss", False),
        ("log_loss", "Log-loss of a label", False),
        ("expected_calibration_error", "Expected calibration error", False),
        ("agreement", "Agreement with the teacher", True),
    ),
    likeness="agreement",
    number="logit",
    units="A label is said where its probability is above 0.5; losses in nats",
)
