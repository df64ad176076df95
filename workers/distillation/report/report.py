"""The report: does distillation beat the same student trained without the teacher on the same budget?"""

import platform
from dataclasses import asdict
from importlib.metadata import version
from statistics import fmean
from typing import Any

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.measures import RMSE, Measure
from qstill.contract.distillations.results import DistillationResult, Gain
from workers.distillation.artifacts.onnx_file import notes_of_exports
from workers.distillation.data.dataset import Data
from workers.distillation.report.findings import (
    Cost,
    Findings,
    Subject,
    gain,
    language,
    masked_language,
    mean_sd,
    qualities,
    row_counts,
    values,
    verdict,
)
from workers.distillation.report.remarks import notes, warnings
from workers.distillation.report.texts import text_section
from workers.distillation.tasks.targets import Errors, Targets


def result(findings: Findings, *, checkpoints: int, student_sha256: str, seconds: float) -> DistillationResult:
    """The few numbers for the job's row."""
    difference, measure = gain(findings), findings.measure
    return DistillationResult(
        measure="rmse" if measure is RMSE else "accuracy",
        teacher=mean_sd(values([findings.teacher], measure)),
        student=mean_sd(values(findings.students, measure)),
        baseline=mean_sd(values(findings.baselines, measure)) if findings.baselines else None,
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
        "language_model": language(data, findings),
        "masked_language_model": masked_language(data, findings),
        "rows": row_counts(data),
        "signal": asdict(findings.signal),
        "seed": job.training.seed,
        "job": job.model_dump(mode="json"),
        "digests": {"data": data.digest, "teacher": findings.teacher_digest, "signal": findings.signal.digest},
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ("torch", "numpy", "scikit-learn", "safetensors")},
    }


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
            _mean([value for one in qualities(arm) if (value := one.per_class[code]) is not None])
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


def _mean(values: list[float]) -> float | None:
    return fmean(values) if values else None
