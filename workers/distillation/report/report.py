"""The report: does distillation beat the same student trained without the teacher on the same budget?"""

from dataclasses import asdict
from typing import Any

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.measures import Measure, TaskMeasure
from qstill.contract.distillations.report.compression import CompressionSection
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.distillations.report.tasks import TaskSections
from qstill.contract.distillations.results import DistillationResult
from workers.distillation.artifacts.onnx_file import notes_of_exports
from workers.distillation.data.dataset import Data
from workers.distillation.quality import mean_sd
from workers.distillation.report.frame import in_short, versions
from workers.distillation.report.measurements import Cost, Measurements, Subject, row_counts
from workers.distillation.report.notes import notes, warnings
from workers.distillation.report.texts import text_section
from workers.distillation.training.keeper import Point

ALSO_IN_RESULT = ("measure", "gain", "verdict", "checkpoints", "student_sha256", "seconds")


def result(measured: Measurements, *, checkpoints: int, student_sha256: str, seconds: float) -> DistillationResult:
    """The few numbers for the job's row."""
    measure = measured.task.measure
    teacher, students, baselines = (
        _values(arm, measure) for arm in ([measured.teacher], measured.students, measured.baselines)
    )
    return DistillationResult(
        measure=measure.name,
        checkpoints=checkpoints,
        student_sha256=student_sha256,
        **in_short(teacher, students, baselines, measured.gain, seconds=seconds),
    )


def report(
    job: DistillationJob,
    data: Data,
    measured: Measurements,
    short: DistillationResult,
    exports: list[dict[str, Any]],
    compression: CompressionSection | None,
) -> DistillationReport:
    """The whole document. exports: what is known of each file that was exported."""
    sections, measure = data.task.sections(measured.arms, data.test.labels), data.task.measure
    return DistillationReport.model_validate(
        {
            **{name: getattr(short, name) for name in ALSO_IN_RESULT},
            **{name: getattr(sections, name) for name in TaskSections.model_fields},
            "warnings": warnings(job, data, measured),
            "notes": notes(job, data, measured, sections) + notes_of_exports(exports),
            "teacher": _arm([measured.teacher], measured.teacher_cost, measure),
            "student": _arm(measured.students, measured.student_cost, measure),
            "baseline": _arm(measured.baselines, measured.student_cost, measure) if measured.baselines else None,
            "paired_differences_in_points": measured.gain.differences if measured.gain else None,
            "curves": {name: [_point(point, measure) for point in curve] for name, curve in measured.curves.items()},
            "exports": exports,
            "compression": compression,
            "soft_gradient_norm": measured.soft_gradient,
            "text": None if data.text is None else text_section(data.text),
            "rows": row_counts(data),
            "signal": asdict(measured.signal),
            "seed": job.training.seed,
            "job": job.model_dump(mode="json"),
            "digests": {"data": data.digest, "teacher": measured.teacher_digest, "signal": measured.signal.digest},
            "versions": versions("torch", "numpy", "scikit-learn", "safetensors"),
        }
    )


def _values(subjects: list[Subject], measure: Measure) -> list[float]:
    """The measure of each, in its own unit."""
    return [float(getattr(one.quality, measure.name)) for one in subjects]


def _arm(subjects: list[Subject], cost: Cost | None, measure: TaskMeasure) -> dict[str, Any]:
    """Each seed's measures, their spread, and the cost that all share."""
    runs = []
    for one in subjects:
        told = asdict(one)
        told[f"validation_{measure.validation}"] = told.pop("validation_score")
        told[measure.likeness] = told.pop("likeness")
        runs.append(told | told.pop("quality"))
    summary = {name: mean_sd([run[name] for run in runs]) for name, _, _ in measure.table}
    return {"summary": summary, "runs": runs, "cost": asdict(cost) if cost else None}


def _point(of: Point, measure: Measure) -> dict[str, Any]:
    return {"epoch": of.epoch, "loss": of.loss, f"validation_{measure.validation}": of.validation_score}
