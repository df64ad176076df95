"""What was measured of a job's networks, and the verdict that it gives."""

from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any, Literal

import torch
from torch import Tensor

from qstill.contract.distillations.measures import ACCURACY, RMSE, Measure
from qstill.contract.distillations.results import Spread
from workers.distillation.artifacts.clock import Latency
from workers.distillation.data.dataset import Data
from workers.distillation.objectives.terms import is_known
from workers.distillation.quality import Comparison, Quality, Size, agreement, compare, quality
from workers.distillation.report.texts import language_section, masked_section
from workers.distillation.tasks.targets import Errors, correlation, errors, known_rows
from workers.distillation.teachers import Use
from workers.distillation.training.keeper import Curve

Verdict = Literal["BEATS", "NO BEATS", "INCONCLUSIVE"]


@dataclass(frozen=True)
class Subject:
    """One network on the test rows. epoch, validation_accuracy: of the weights chosen; None for an uploaded teacher.

    agreement: with the teacher; of regression, correlation with its predictions.
    """

    seed: int | None
    epoch: int | None
    validation_accuracy: float | None
    quality: Quality | Errors
    agreement: float


@dataclass(frozen=True)
class Cost:
    """What a network takes in size, None where unknown, and time. timed: what was timed, where it is no network."""

    size: Size | None
    latency: Latency
    timed: str | None = None


@dataclass(frozen=True)
class Findings:
    """All that was measured. teacher_cost: None where the teacher's network is not in this process.

    teacher_parameters: 0 where unknown. curves: of every stage that was trained, by its name.
    """

    teacher: Subject
    students: list[Subject]
    baselines: list[Subject]
    teacher_cost: Cost | None
    student_cost: Cost
    soft_gradient: float | None
    signal: Use
    teacher_digest: str
    teacher_parameters: int
    teacher_notes: tuple[str, ...]
    teacher_warnings: tuple[str, ...]
    curves: dict[str, Curve] = field(default_factory=dict)

    @property
    def measure(self) -> Measure:
        """What the verdict rests on."""
        return RMSE if isinstance(self.teacher.quality, Errors) else ACCURACY

    @property
    def student_parameters(self) -> int:
        """Of its network, which is always here."""
        assert self.student_cost.size is not None
        return self.student_cost.size.parameters


def subject(logits: Tensor, data: Data, teacher: Tensor, **chosen: Any) -> Subject:
    """Measure logits (answers, classes) against the test labels and against the teacher's, where a label is known."""
    labels = data.test.labels
    if data.targets is not None:
        measured = errors(logits, labels, teacher, data.targets)
        return Subject(quality=measured, agreement=correlation(logits, teacher), **chosen)
    known = torch.nonzero(is_known(labels)).flatten()
    if len(known) < len(labels):
        logits, labels, teacher = (part.index_select(0, known) for part in (logits, labels, teacher))
    measures = quality(logits, labels, per_class=not data.language)
    return Subject(quality=measures, agreement=agreement(logits, teacher), **chosen)


def gain(findings: Findings) -> Comparison | None:
    """Student minus baseline in points of the measure, or None without a baseline."""
    if not findings.baselines:
        return None
    arms = (findings.students, findings.baselines)
    first, second = ([findings.measure.points * value for value in values(arm, findings.measure)] for arm in arms)
    if isinstance(findings.teacher.quality, Errors):
        return compare(first, second)
    rows = sum(each.rows for each in findings.teacher.quality.reliability)
    return compare(first, second, most=findings.measure.points, step=findings.measure.points / rows)


def verdict(difference: Comparison | None) -> Verdict | None:
    """By where the interval lies; one seed decides nothing. None where there was nothing to compare with."""
    if difference is None:
        return None
    if difference.low is None or difference.high is None:
        return "INCONCLUSIVE"
    if difference.low > 0:
        return "BEATS"
    return "NO BEATS" if difference.high <= 0 else "INCONCLUSIVE"


def values(subjects: list[Subject], measure: Measure) -> list[float]:
    """The measure of each, in its own unit."""
    return [float(getattr(one.quality, measure.name)) for one in subjects]


def mean_sd(values: list[float]) -> Spread:
    """The deviation is None for a single value."""
    return Spread(mean=fmean(values), sd=stdev(values) if len(values) > 1 else None)


def row_counts(data: Data) -> dict[str, int]:
    """Rows and labels of each split, and what the student sees of them; of language models, labels are tokens."""
    return {
        "total": data.total,
        "train": len(data.train.y),
        "train_labels": _labels(data.train.y, data),
        "validation": len(data.validation.y),
        "test": len(data.test.y),
        "labels_seen": _labels(data.seen, data),
        "student_learns_from": len(data.learned),
    }


def _labels(labels: Tensor, data: Data) -> int:
    """How many there are; of regression, how many rows have one."""
    return int((known_rows(labels) if data.targets else is_known(labels)).sum())


def language(data: Data, findings: Findings) -> dict[str, Any] | None:
    """What a report says of language models; None of anything else."""
    section = language_section(data, *_nats(findings)) if data.language else None
    return section and _decided(section, section["saved_bits_per_character"])


def masked_language(data: Data, findings: Findings) -> dict[str, Any] | None:
    """What it says of masked ones."""
    section = masked_section(data, *_nats(findings)) if data.masked else None
    return section and _decided(section, section["saved_bits_per_token"])


def _decided(section: dict[str, Any], saved: dict[str, Any] | None) -> dict[str, Any]:
    """With a verdict by likelihood, which counts every answer and not the likeliest token alone. saved: bits."""
    by_likelihood = None if saved is None else verdict(Comparison(**saved, differences=[]))
    return {**section, "verdict": by_likelihood}


def _nats(findings: Findings) -> tuple[float, list[float], list[float]]:
    """Of a token: the teacher's, and each student's and baseline's."""
    (teacher,), students, baselines = (
        [one.negative_log_likelihood for one in qualities(arm)]
        for arm in ([findings.teacher], findings.students, findings.baselines)
    )
    return teacher, students, baselines


def qualities(arm: list[Subject]) -> list[Quality]:
    """Those of classifiers and language models; regression has none."""
    return [one.quality for one in arm if isinstance(one.quality, Quality)]
