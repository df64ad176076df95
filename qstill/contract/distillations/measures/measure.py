"""What networks are measured by: a record for each measure, and all that differs because of it."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import StringConstraints

NAMES = "accuracy|f1_macro|f1_micro|auc|average_precision|log_loss|subset_accuracy|hamming|rmse|mae|r2"
MEASURE = rf"^({NAMES}|top_[1-9][0-9]{{0,2}})$"

Learned = Literal["classes", "tokens", "numbers", "labels"]  # what labels are
MeasureName = Annotated[str, StringConstraints(pattern=MEASURE)]


@dataclass(frozen=True)
class Measure:
    """said: in a sentence. points: of a difference of 1, negative where less is better, so that a gain is above zero.

    gained: what points are. is_share: whether it is written in percent. fits: what labels are of which a job may ask
    for it. least: what it is never below.
    validation: what picks the best epoch on the validation rows, called `validation_…` where it is written: `score` is
    the measure itself; chooses: in words.
    """

    name: str
    said: str
    points: float
    gained: str
    is_share: bool = False
    fits: frozenset[Learned] = frozenset()
    least: float | None = None
    validation: Literal["accuracy", "r2", "ndcg", "spearman", "score"] = "score"
    chooses: str = ""

    def formatted(self, value: float) -> str:
        """A value for people."""
        return f"{value:.1%}" if self.is_share else f"{value:.4g}"

    def difference(self, points: float) -> str:
        """A difference in points, for people."""
        return f"{points:{'+.2f' if self.is_share else '+.4g'}}"

    @property
    def heading(self) -> str:
        """At the head of a row or an axis."""
        return self.said[0].upper() + self.said[1:]

    @property
    def chosen(self) -> str:
        """What picks the best epoch, in words."""
        return self.chooses or self.said

    @property
    def better(self) -> Literal["more", "less"]:
        """Which values are better."""
        return "more" if self.points > 0 else "less"

    @property
    def rank(self) -> float:
        """Times what picks the best epoch, the larger the better."""
        return -1.0 if self.validation == "score" and self.points < 0 else 1.0


def _share(name: str, said: str, *fits: Learned) -> Measure:
    return Measure(name, said, 100.0, f"points of test {said}", is_share=True, fits=frozenset(fits), least=0.0)


def _hundredths(name: str, said: str, *fits: Learned, least: float | None = 0.0) -> Measure:
    return Measure(name, said, 100.0, f"hundredths of test {said}", fits=frozenset(fits), least=least)


def _loss(name: str, said: str, *fits: Learned) -> Measure:
    gained = f"of test {said} (above zero the student's is lower)"
    return Measure(name, said, -1.0, gained, fits=frozenset(fits), least=0.0)


ACCURACY = Measure(
    name="accuracy",
    said="accuracy",
    points=100.0,
    gained="points of test accuracy",
    is_share=True,
    fits=frozenset({"classes", "tokens"}),
    least=0.0,
    validation="accuracy",
    chooses="accuracy",
)
RMSE = Measure(
    name="rmse",
    said="RMSE",
    points=-1.0,
    gained="of test RMSE (above zero the student's is lower)",
    fits=frozenset({"numbers"}),
    validation="r2",
    chooses="R²",
)
F1_MACRO = _share("f1_macro", "macro F1", "classes", "labels")
F1_MICRO = _share("f1_micro", "micro F1", "classes", "labels")
AUC = _hundredths("auc", "AUC", "classes", "labels")
AVERAGE_PRECISION = _hundredths("average_precision", "average precision", "classes", "labels")
LOG_LOSS = _loss("log_loss", "log-loss", "classes", "tokens", "labels")
SUBSET_ACCURACY = _share("subset_accuracy", "subset accuracy", "labels")
HAMMING = _loss("hamming", "Hamming loss", "labels")
MAE = _loss("mae", "mean absolute error", "numbers")
R2 = _hundredths("r2", "R²", "numbers", least=None)
OF_LABELS = (F1_MACRO, F1_MICRO, AUC, AVERAGE_PRECISION, LOG_LOSS, SUBSET_ACCURACY, HAMMING)
NAMED = (ACCURACY, *OF_LABELS, RMSE, MAE, R2)
SPEARMAN = Measure(
    name="spearman",
    said="Spearman's correlation of cosines with the teacher's",
    points=100.0,
    gained="hundredths of Spearman's correlation",
    validation="spearman",
    chooses="Spearman's correlation",
)  # of encoders of texts


def top(count: int) -> Measure:
    """How often the label is among so many of the likeliest."""
    return _share(f"top_{count}", f"top-{count} accuracy", "classes", "tokens")


def top_of(name: str) -> int | None:
    """Among how many of the likeliest; None of other measures."""
    found = re.fullmatch(r"top_([0-9]+)", name)
    return None if found is None else int(found[1])


def ranking(name: str) -> Measure:
    """Of a recommender, which says itself what it was measured by: ndcg@10, say."""
    return Measure(
        name=name,
        said=name,
        points=100.0,
        gained=f"hundredths of {name}",
        least=0.0,
        validation="ndcg",
        chooses=name,
    )


def measure_of(name: str) -> Measure:
    """The record of a measure of any domain, by what results and reports call it."""
    if (count := top_of(name)) is not None:
        return top(count)
    return next((each for each in (*NAMED, SPEARMAN) if each.name == name), None) or ranking(name)
