"""`report.json` of a distillation: written by the worker that computed it, read by all who show it."""

from typing import Any

from pydantic import Field, ValidationError, model_validator

from qstill.contract.distillations.budget.report import BudgetSection
from qstill.contract.distillations.measures.measure import Measure, MeasureName, measure_of
from qstill.contract.distillations.measures.usual import OF_CLASSES, OF_LABELS, OF_NUMBERS, Row, Usual
from qstill.contract.distillations.report.asked import AskedMeasure
from qstill.contract.distillations.report.compression import CompressionSection
from qstill.contract.distillations.report.exports import (
    ExportedCircuit,
    ExportedClassifier,
    ExportedOfLabels,
    ExportedRegressor,
)
from qstill.contract.distillations.report.frame import ReportFrame
from qstill.contract.distillations.report.measured import Curve, MeasuredArm
from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.distillations.report.quantum import QuantumSection
from qstill.contract.distillations.report.surrogate import SurrogateSection
from qstill.contract.distillations.report.tasks import TaskSections
from qstill.contract.errors import Problem
from qstill.contract.tables.columns import COLUMN_EXAMPLE, Column


class TextSection(ReportPart):
    """How texts became tokens."""

    tokenizer_sha256: str = Field(description="Names the tokenizer.", examples=["8b9db29471727598"])
    vocabulary: int = Field(description="How many tokens it knows.", examples=[512])
    truncated_texts: int = Field(description="Texts of which tokens were cut off.", examples=[0])
    unknown_share: float = Field(description="Of the test texts' tokens.", examples=[0.01])


class SplitCounts(ReportPart):
    """Rows and labels of each split; of language models, labels are tokens."""

    total: int = Field(description="Before splitting.", examples=[1797])
    train: int = Field(description="Rows of the training split.", examples=[1348])
    train_labels: int = Field(description="Labels in it.", examples=[1348])
    validation: int = Field(description="Rows that choose epochs.", examples=[90])
    test: int = Field(description="Rows that are read once, at the end.", examples=[359])
    labels_seen: int = Field(description="Labels that student and baseline see.", examples=[50])
    student_learns_from: int = Field(description="Rows, with a label or without.", examples=[1348])


class SignalUse(ReportPart):
    """What hearing the teacher cost."""

    digest: str = Field(description="Names what it said.", examples=["9f7f5db1b42fa329"])
    computed_rows: int = Field(description="Rows that it was asked about in this job.", examples=[1348])
    reused_rows: int = Field(description="Rows whose answers were kept from an earlier one.", examples=[0])
    bytes: int = Field(description="Of what is kept of it.", examples=[53920])
    dtype: str = Field(description="Of its numbers.", examples=["float32"])
    top_k: int | None = Field(description="Classes that are kept of each answer; null: all.", examples=[8])
    draws: int | None = Field(description="Draws that are kept of each answer; null: none.", examples=[16])
    rounding: float = Field(description="The largest change of a probability by half precision.", examples=[0.0])
    again: bool = Field(description="Whether it was asked again after an interruption.", examples=[False])


class Digests(ReportPart):
    """Name what the report depends on."""

    data: str = Field(description="The data set as it was read.", examples=["1b996f0c71a7650a"])
    teacher: str = Field(description="The teacher.", examples=["2086d9f9d6ed0aee"])
    signal: str = Field(description="What it said.", examples=["9f7f5db1b42fa329"])


class DistillationReport(TaskSections, ReportFrame[MeasuredArm]):
    """Whether distillation helped: teacher, student, and the same student trained without a teacher."""

    measure: MeasureName = Field(description="What the verdict rests on.", examples=["accuracy"])
    measures: list[AskedMeasure] = Field(
        default_factory=list, description="What the job's `evaluation` names, the verdict's first; empty: nothing."
    )
    paired_differences_in_points: list[float] | None = Field(
        description="Of each seed: what `gain` is the mean of.", examples=[[18.1, 14.2]]
    )
    warnings: list[str] = Field(
        description="What speaks against believing the numbers.", examples=[["The student is larger than the teacher."]]
    )
    curves: dict[str, Curve] = Field(
        description="Epochs of each network that was trained, at most about 200, by the names of the stages.",
        examples=[{"student-seed-0": [{"epoch": 1, "loss": 0.9, "validation_accuracy": 0.6}]}],
    )
    exports: list[ExportedClassifier | ExportedRegressor | ExportedOfLabels | ExportedCircuit] = Field(
        description="Files of the first seed's student."
    )
    budget: BudgetSection | None = Field(None, description="Where a budget chose the student.")
    compression: CompressionSection | None = Field(description="Null where the job did not ask for it.")
    surrogate: SurrogateSection | None = Field(description="Where a circuit teaches.")
    quantum: QuantumSection | None = Field(description="Of a quantum student; null of another.")
    text: TextSection | None = Field(description="Of texts.")
    columns: list[Column] | None = Field(
        None,
        description="Of a table with a header: what each column was taken for, and what networks are given of it.",
        examples=[[COLUMN_EXAMPLE]],
    )
    rows: SplitCounts = Field(description="How many there were.")
    signal: SignalUse = Field(description="Of the teacher's answers to the training rows.")
    digests: Digests = Field(description="Names of what went in.")

    @property
    def by(self) -> Measure:
        """What the verdict rests on."""
        return measure_of(self.measure)

    @property
    def usual(self) -> Usual:
        """What is measured of such answers in any case."""
        if self.labels:
            return OF_LABELS
        return OF_NUMBERS if self.targets else OF_CLASSES

    @property
    def table(self) -> tuple[Row, ...]:
        """The measures of the arms' summaries, the verdict's first."""
        named = [measure_of(each.name) for each in self.measures if each.unmeasured is None]
        return self.usual.table(self.by, named)

    @property
    def has_confidence(self) -> bool:
        """Whether answers come with probabilities."""
        return any(arm.reliability() for _, arm in self.arms())

    @property
    def student_architecture(self) -> dict[str, Any]:
        """As the job names it, or as its budget chose it."""
        if self.budget is not None:
            return self.budget.student.architecture.model_dump(mode="json")
        named: dict[str, Any] = self.job["student"]["architecture"]
        return named

    @property
    def encoded(self) -> bool:
        """Whether columns are encoded, rather than numbers as they are."""
        return any(each.inputs not in (None, [each.name]) or each.fills is not None for each in self.columns or [])

    @property
    def models(self) -> list[ExportedClassifier | ExportedRegressor | ExportedOfLabels]:
        """Exports that answer rows by themselves."""
        return [each for each in self.exports if not isinstance(each, ExportedCircuit)]

    @property
    def circuits(self) -> list[ExportedCircuit]:
        """Exports that are circuits."""
        return [each for each in self.exports if isinstance(each, ExportedCircuit)]

    @model_validator(mode="after")
    def _has_its_measures(self) -> "DistillationReport":
        for _, arm in self.arms():
            if missing := [name for name, _, _ in self.table if name not in arm.summary]:
                raise ValueError(f"no {', '.join(missing)}")
        return self


def read_report(document: dict[str, Any]) -> DistillationReport:
    """Of classifiers and regressions. Raises Problem (409) for one that an earlier version wrote."""
    try:
        return DistillationReport.model_validate(document)
    except ValidationError:
        title = "There is no card or picture of this report: an earlier version wrote it."
        raise Problem("no_card", title, status=409) from None
