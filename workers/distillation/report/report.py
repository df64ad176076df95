"""The report: does distillation beat the same student trained without the teacher on the same budget?"""

from dataclasses import asdict, dataclass
from typing import Any

from qstill.contract.distillations.budget.report import BudgetSection
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.compression import CompressionSection
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.distillations.report.quantum import QuantumSection
from qstill.contract.distillations.report.surrogate import SurrogateSection
from qstill.contract.distillations.report.tasks import TaskSections
from qstill.contract.distillations.results import DistillationResult
from qstill.contract.schemas import Submission
from workers.distillation.artifacts.onnx_file import notes_of_exports
from workers.distillation.data.dataset import Data
from workers.distillation.report.asked import asked_section
from workers.distillation.report.frame import framed, versions
from workers.distillation.report.measurements import RowMeasurements, row_counts
from workers.distillation.report.notes import notes, warnings


@dataclass(frozen=True)
class Sections:
    """What else a job asked for; None where it did not. exports: what is known of each file that was exported."""

    exports: list[dict[str, Any]]
    budget: BudgetSection | None
    compression: CompressionSection | None
    surrogate: SurrogateSection | None
    quantum: QuantumSection | None


def report(
    job: DistillationJob,
    data: Data,
    measured: RowMeasurements,
    short: DistillationResult,
    beside: Sections,
    submitted: Submission,
) -> DistillationReport:
    """The whole document. job: with the architecture that a budget chose. submitted: as it was asked for."""
    sections = data.task.sections(measured.arms, data.test.labels)
    return DistillationReport.model_validate(
        {
            **framed(measured, short, beside.exports, submitted.model_dump(mode="json")),
            **{name: getattr(sections, name) for name in TaskSections.model_fields},
            "warnings": warnings(job, data, measured) + _of_mitigation(beside.surrogate, beside.quantum),
            "notes": notes(job, data, measured, sections) + notes_of_exports(beside.exports),
            **({"measures": asked} if (asked := asked_section(measured)) else {}),
            "paired_differences_in_points": measured.gain.differences if measured.gain else None,
            "budget": beside.budget,
            "compression": beside.compression,
            "surrogate": beside.surrogate,
            "quantum": beside.quantum,
            "text": data.inputs.section(),
            "columns": None if data.columns is None else [each.model_dump() for each in data.columns.said],
            "rows": row_counts(data),
            "signal": asdict(measured.signal),
            "digests": {"data": data.digest, "teacher": measured.teacher_digest, "signal": measured.signal.digest},
            "versions": versions("torch", "numpy", "scikit-learn", "safetensors"),
        }
    )


def _of_mitigation(surrogate: SurrogateSection | None, quantum: QuantumSection | None) -> list[str]:
    """Where it did not help."""
    taught = None if surrogate is None else surrogate.mitigation
    engine = None if quantum is None else quantum.engine
    ran = None if engine is None else engine.mitigation
    said = [] if taught is None or taught.helped else [f"Error mitigation of the teacher {taught.sentence}."]
    return said if ran is None or ran.over else [*said, f"Error mitigation of the student {ran.sentence}."]
