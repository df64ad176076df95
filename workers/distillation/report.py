"""The report: does distillation beat the same student trained without the teacher on the same budget?"""

import math
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from statistics import fmean, stdev
from typing import Any, Literal

import torch
from torch import Tensor

from app.distillations.datasets import BuiltinText, TextFile
from app.distillations.measures import ACCURACY, RMSE, Measure
from app.distillations.objectives import LogitStd, Sequence, singles
from app.distillations.schemas import DistillationJob, DistillationResult, Gain, Spread
from app.distillations.teachers import (
    EndpointTeacher,
    ModelTeacher,
    Single,
    SoftLabels,
    TrainedTeacher,
    UploadedTeacher,
    parts,
)
from workers.distillation.data import Data
from workers.distillation.evaluate import Comparison, Latency, Quality, Size, agreement, compare, quality
from workers.distillation.objectives.terms import is_known
from workers.distillation.onnx_file import notes_of_exports
from workers.distillation.state import Curve
from workers.distillation.targets import Errors, Targets, correlation, errors, known_rows
from workers.distillation.teachers import Use
from workers.distillation.text.report import (
    language_section,
    lesson_note,
    lost_note,
    sequence_note,
    text_notes,
    text_section,
)

HARDLY_HARD = 0.98  # test accuracy of students from which on a teacher without mistakes is no surprise

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
    first, second = ([findings.measure.points * value for value in _values(arm, findings.measure)] for arm in arms)
    return compare(first, second, most=abs(findings.measure.points) if findings.measure.is_share else math.inf)


def verdict(difference: Comparison | None) -> Verdict | None:
    """By where the interval lies; one seed decides nothing. None where there was nothing to compare with."""
    if difference is None:
        return None
    if difference.low is None or difference.high is None:
        return "INCONCLUSIVE"
    if difference.low > 0:
        return "BEATS"
    return "NO BEATS" if difference.high <= 0 else "INCONCLUSIVE"


def result(findings: Findings, *, checkpoints: int, student_sha256: str, seconds: float) -> DistillationResult:
    """The few numbers for the job's row."""
    difference, measure = gain(findings), findings.measure
    return DistillationResult(
        measure="rmse" if measure is RMSE else "accuracy",
        teacher=mean_sd(_values([findings.teacher], measure)),
        student=mean_sd(_values(findings.students, measure)),
        baseline=mean_sd(_values(findings.baselines, measure)) if findings.baselines else None,
        gain=difference and Gain(points=difference.mean, low=difference.low, high=difference.high),
        verdict=verdict(difference),
        checkpoints=checkpoints,
        student_sha256=student_sha256,
        seconds=round(seconds, 3),
    )


def report(
    job: DistillationJob, data: Data, findings: Findings, short: DistillationResult, exports: list[dict[str, Any]]
) -> dict[str, Any]:
    """The whole document, JSON. exports: what is known of each file that was exported."""
    return {
        **short.model_dump(mode="json"),
        "classes": [] if data.language or data.targets else data.classes,
        "targets": None if data.targets is None else _targets(data.targets, findings),
        "warnings": warnings(job, data, findings),
        "notes": notes(job, data, findings) + notes_of_exports(exports),
        "teacher": _arm([findings.teacher], findings.teacher_cost, findings.measure),
        "student": _arm(findings.students, findings.student_cost, findings.measure),
        "baseline": _arm(findings.baselines, findings.student_cost, findings.measure) if findings.baselines else None,
        "paired_differences_in_points": difference.differences if (difference := gain(findings)) else None,
        "per_class": _per_class(data, findings),
        "curves": {name: list(map(asdict, curve)) for name, curve in findings.curves.items()},
        "exports": exports,
        "soft_gradient_norm": findings.soft_gradient,
        "text": None if data.text is None else text_section(data.text),
        "language_model": _language(data, findings),
        "rows": _row_counts(data),
        "signal": asdict(findings.signal),
        "seed": job.training.seed,
        "job": job.model_dump(mode="json"),
        "digests": {"data": data.digest, "teacher": findings.teacher_digest, "signal": findings.signal.digest},
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ("torch", "numpy", "scikit-learn", "safetensors")},
    }


def notes(job: DistillationJob, data: Data, findings: Findings) -> list[str]:
    """What a reader must know to judge the numbers, in plain words."""
    rows = _row_counts(data)
    unlabelled = rows["student_learns_from"] - rows["labels_seen"]
    said = [
        lesson_note(data)
        if data.language
        else f"The student saw {rows['labels_seen']} labels and, through the teacher, {unlabelled} rows without a "
        f"label. The baseline saw the same {rows['labels_seen']} labels and nothing else, for as many optimizer steps.",
        *dict.fromkeys(_teacher_note(teacher, rows) for _, teacher in parts(job.teacher)),
        *findings.teacher_notes,
        f"The {rows['validation']} validation labels chose the best epoch of every network trained here; the "
        f"{rows['test']} test rows were read once, at the end.",
        "The interval covers initial weights and batch order over paired seeds. It does not cover which rows were "
        "labelled or held out, nor another teacher: repeat the job with other split seeds to see what those change.",
    ]
    if isinstance(job.objective, Sequence):
        said.append(sequence_note(job.objective, findings.signal))
    else:
        said.append(_signal_note(findings.signal))
    said += _data_notes(job, data)
    if data.text is not None and isinstance(job.dataset, TextFile | BuiltinText):
        said += text_notes(job.dataset, data, data.text)
    language = _language(data, findings)
    if language and findings.teacher_parameters:
        said.append(lost_note(findings.student_parameters, findings.teacher_parameters, language))
    return said


NO_BETTER = {
    "accuracy": "The teacher is no better than always answering the most frequent class.",
    "rmse": "The teacher is no better than always answering the mean of the labels.",
}


def no_better(teacher: Quality | Errors, data: Data) -> bool:
    """Whether a teacher has nothing to teach, by its measures on the test rows."""
    if isinstance(teacher, Errors):
        return teacher.r2 <= 0
    counts = data.test.y[is_known(data.test.y)].bincount()
    return teacher.accuracy <= float(counts.max() / counts.sum())


def warnings(job: DistillationJob, data: Data, findings: Findings) -> list[str]:
    """What speaks against believing the numbers, or using the student as it is."""
    said = []
    if no_better(findings.teacher.quality, data):
        said.append(NO_BETTER[findings.measure.name])
    if findings.soft_gradient is not None and not findings.soft_gradient > 0:
        said.append("The soft term has no gradient; the student cannot learn from this teacher.")
    if any(isinstance(single, LogitStd) for _, single in singles(job.objective)):
        said.append(
            "The student follows the teacher's logits only up to scale and shift (logit_std), which spoils calibration "
            "at T=1: judge it by its accuracy, and rescale its logits before reading them as probabilities."
        )
    if 0 < findings.teacher_parameters < findings.student_parameters:
        said.append("The student is larger than the teacher.")
    said += few_seeds(gain(findings))
    if seen := _perhaps_seen(job, findings):
        said.append(seen)
    return said


def few_seeds(difference: Comparison | None) -> list[str]:
    """What a verdict lacks to be believed."""
    if difference is None:
        return ["No baseline was asked for, so there is no verdict."]
    match len(difference.differences):
        case 1:
            return ["One seed gives no interval, so the verdict is INCONCLUSIVE."]
        case 2:
            return [
                "Two seeds decide next to nothing: the interval reaches 9 standard deviations to each side. Take five."
            ]
    return []


def _perhaps_seen(job: DistillationJob, findings: Findings) -> str | None:
    """No test row is wrong for a teacher from elsewhere, while the students find some of them hard."""
    if any(isinstance(teacher, TrainedTeacher) for _, teacher in parts(job.teacher)):
        return None
    measured = findings.teacher.quality
    if isinstance(measured, Errors) or measured.accuracy < 1:
        return None
    if fmean(_values(findings.students, findings.measure)) > HARDLY_HARD:
        return None
    return (
        "The teacher makes no mistake on the test rows, and the students make several: it may have been trained on "
        "them. Its own numbers then say nothing, and the students' are too good."
    )


def _teacher_note(teacher: Single, rows: dict[str, int]) -> str:
    flatters = "If it was trained on test rows, every number here flatters it."
    match teacher:
        case TrainedTeacher(labels="seen"):
            return f"The teacher was trained in this job on the {rows['labels_seen']} labels that the student saw."
        case TrainedTeacher():
            return f"The teacher was trained in this job on all {rows['train_labels']} labels of the training split."
        case SoftLabels():
            return f"The teacher's answers were uploaded. {flatters}"
        case UploadedTeacher():
            return f"The teacher's weights were uploaded. {flatters}"
        case ModelTeacher():
            return f"The teacher is {teacher.model}, made elsewhere. {flatters}"
        case EndpointTeacher():
            return f"The teacher is behind an endpoint. {flatters}"


def _signal_note(use: Use) -> str:
    if use.computed_rows + use.reused_rows == 0:
        return "The teacher's answers were read from the file that holds them."
    if use.reused_rows:
        said = f"The teacher's answers to {use.reused_rows} training rows were there from an earlier job."
    else:
        said = f"The teacher was asked once about each of {use.computed_rows} training rows."
    if use.dtype == "float16":
        said += f" Kept in half precision, which changed no probability by more than {use.rounding:.1e}."
    return said


def _data_notes(job: DistillationJob, data: Data) -> list[str]:
    """What was done to the training rows, if anything."""
    said = []
    if data.targets is not None:
        said.append(_targets_note(data.targets))
    if job.dataset.label_noise:
        said.append(
            f"{job.dataset.label_noise:.0%} of the training split's labels were replaced by another class, for "
            "teacher, student and baseline alike; validation and test labels were not."
        )
    if data.left_out:
        names = ", ".join(data.classes[code] for code in data.left_out)
        said.append(f"Neither student nor baseline was shown a training row of these classes: {names}.")
        if job.training.bias_correction:
            said.append("The logits of these classes were shifted by the number that served the validation rows best.")
    if job.training.patience is not None:
        said.append("Training could end early, so student and baseline may have taken different numbers of steps.")
    return said


def _targets_note(targets: Targets) -> str:
    said = (
        "Networks learned the targets less their mean and divided by their standard deviation, both of the training "
        "split's labels; predictions, exports and measures are in units of the data."
    )
    if len(targets.names) > 1:
        said += (
            " The targets' units may differ: RMSE and mean absolute error over all of them are in those standard "
            "deviations, and for each target, in `targets`, in its own unit."
        )
    return said


def _row_counts(data: Data) -> dict[str, int]:
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


def _arm(subjects: list[Subject], cost: Cost | None, measure: Measure) -> dict[str, Any]:
    """Each seed's measures, their spread, and the cost that all share."""
    runs = []
    for one in subjects:
        measures = asdict(one)
        runs.append(measures | measures.pop("quality"))
    summary = {name: mean_sd([run[name] for run in runs]).model_dump() for name, _, _ in measure.table}
    return {"summary": summary, "runs": runs, "cost": asdict(cost) if cost else None}


def _per_class(data: Data, findings: Findings) -> list[dict[str, Any]]:
    """Accuracy of each class, mean over seeds, and what the teacher changed, in points."""
    rows: list[dict[str, Any]] = []
    for code, name in enumerate([] if data.language or data.targets else data.classes):
        teacher, student, baseline = (
            _mean([value for one in _qualities(arm) if (value := one.per_class[code]) is not None])
            for arm in ([findings.teacher], findings.students, findings.baselines)
        )
        change = None if student is None or baseline is None else 100 * (student - baseline)
        row = {"class": name, "teacher": teacher, "student": student, "baseline": baseline, "change_in_points": change}
        rows.append(row)
    return rows


def _targets(targets: Targets, findings: Findings) -> list[dict[str, Any]]:
    """What was predicted, how its labels vary, and how well each network does it, mean over seeds."""
    arms = {"teacher": [findings.teacher], "student": findings.students, "baseline": findings.baselines}
    rows: list[dict[str, Any]] = []
    for place, (name, mean, std) in enumerate(zip(targets.names, targets.mean, targets.std, strict=True)):
        row: dict[str, Any] = {"name": name, "mean": float(mean), "std": float(std)}
        for role, arm in arms.items():
            found = [one.quality.per_target[place] for one in arm if isinstance(one.quality, Errors)]
            explained = [each.r2 for each in found if each.r2 is not None]
            errors = {"rmse": _mean([each.rmse for each in found]), "mae": _mean([each.mae for each in found])}
            row[role] = errors | {"r2": _mean(explained)} if found else None
        rows.append(row)
    return rows


def _qualities(arm: list[Subject]) -> list[Quality]:
    return [one.quality for one in arm if isinstance(one.quality, Quality)]


def _language(data: Data, findings: Findings) -> dict[str, Any] | None:
    if not data.language:
        return None
    teacher, students, baselines = (
        [one.negative_log_likelihood for one in _qualities(arm)]
        for arm in ([findings.teacher], findings.students, findings.baselines)
    )
    return language_section(data, teacher[0], students, baselines)


def _values(subjects: list[Subject], measure: Measure) -> list[float]:
    return [float(getattr(one.quality, measure.name)) for one in subjects]


def mean_sd(values: list[float]) -> Spread:
    """The deviation is None for a single value."""
    return Spread(mean=fmean(values), sd=stdev(values) if len(values) > 1 else None)


def _mean(values: list[float]) -> float | None:
    return fmean(values) if values else None
