"""What a report says of one network: its measures on the test rows, how it learned, and what it takes."""

import json
from typing import Literal

from pydantic import Field

from qstill.contract.distillations.measures.measure import Measure, MeasureName
from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.distillations.results import Spread
from qstill.contract.schemas import View

Role = Literal["teacher", "student", "baseline"]
ROLES: tuple[Role, ...] = ("teacher", "student", "baseline")


def written(report: View) -> str:
    """A report as its file: what was not said of something is not there. Raises ValueError for what is no number."""
    return json.dumps(report.model_dump(mode="json", by_alias=True, exclude_unset=True), indent=2, allow_nan=False)


class NetworkSize(ReportPart):
    """What a network takes."""

    parameters: int = Field(description="Weights and biases; 0 where unknown.", examples=[1210])
    bytes: int = Field(description="Of its published file.", examples=[6406])
    multiply_adds: int | None = Field(description="For one row; null where unknown.", examples=[1184])


class NetworkLatency(ReportPart):
    """Milliseconds of one row, on the CPU of the machine that computed the job."""

    p50_ms: float = Field(description="Median.", examples=[0.021])
    p95_ms: float = Field(description="95th percentile.", examples=[0.034])
    runs: int = Field(description="How many were timed.", examples=[300])


class CircuitCost(ReportPart):
    """What a network that is a circuit would take of a machine. A row is a circuit of its own."""

    qubits: int = Field(description="How many.", examples=[6])
    depth: int = Field(description="Layers of gates on one qubit and CX, without state preparation.", examples=[105])
    two_qubit_gates: int = Field(description="Its CX, without state preparation.", examples=[48])
    state_preparation: int | None = Field(
        description="CX that make the amplitudes of a row, every two qubits joined; null where angles encode it.",
        examples=[62],
    )
    compiled: int | None = Field(
        description="Two-qubit gates of all that a row takes on `evaluation.quantum.device`: state preparation, the "
        "trained gates, and what brings qubits together. Null without a device.",
        examples=[287],
    )


class NetworkCost(ReportPart):
    """What a network takes in size and time."""

    size: NetworkSize | None = Field(description="Null where unknown.")
    latency: NetworkLatency = Field(description="Of one row.")
    timed: str | None = Field(
        description="What was timed, where it is no network of the job's own process.",
        examples=["one row by onnxruntime"],
    )
    circuit: CircuitCost | None = Field(None, description="Of a network that is a circuit; null for others.")


class ConfidenceBin(ReportPart):
    """Test rows of which a network is about equally sure."""

    rows: int = Field(description="How many.", examples=[42])
    confidence: float | None = Field(description="Their mean largest probability; null without rows.", examples=[0.93])
    accuracy: float | None = Field(description="The share that is right; null without rows.", examples=[0.9])


class ChosenEpoch(ReportPart):
    """The weights that were measured."""

    seed: int | None = Field(description="Of the network; null for a teacher.", examples=[0])
    epoch: int | None = Field(description="The best one; null for a teacher from elsewhere.", examples=[37])


class RowRun(ChosenEpoch):
    """A network that answers rows."""

    validation_score: float | None = Field(
        None, description="What chose the epoch, where the job named the measure of its verdict.", examples=[0.93]
    )
    measures: dict[MeasureName, float] = Field(
        default_factory=dict,
        description="What the job asked for by name, as far as it exists on these test rows.",
        examples=[{"f1_macro": 0.931}],
    )


class ClassifierRun(RowRun):
    """One network on the test rows; of a language model, on their tokens."""

    validation_accuracy: float | None = Field(
        None, description="What chose the epoch, or stands beside it.", examples=[0.95]
    )
    accuracy: float = Field(description="Share that is right.", examples=[0.94])
    negative_log_likelihood: float = Field(description="Mean, in nats.", examples=[0.21])
    expected_calibration_error: float = Field(description="Mean gap of accuracy and confidence.", examples=[0.02])
    brier: float = Field(description="Mean Brier score.", examples=[0.09])
    per_class: list[float | None] = Field(
        description="Accuracy of each class, null for one without rows; empty where classes are tokens.",
        examples=[[0.97, 0.9]],
    )
    reliability: list[ConfidenceBin] = Field(description="Over equal bins of the confidence.")
    agreement: float = Field(description="Share on which it names the teacher's class.", examples=[0.96])


class MeasuredLabel(ReportPart):
    """Of one label by itself."""

    name: str = Field(description="The label's.", examples=["prime"])
    f1: float = Field(description="Of its being said, where its probability is above 0.5.", examples=[0.91])
    average_precision: float | None = Field(description="Null where no test row has it.", examples=[0.95])


class LabelsRun(RowRun):
    """One network on test rows that have several labels; means over labels are plain ones."""

    f1_macro: float = Field(description="Mean over labels.", examples=[0.9])
    f1_micro: float = Field(description="Of all labels of all rows.", examples=[0.92])
    average_precision: float = Field(description="Mean over labels that some test row has.", examples=[0.95])
    subset_accuracy: float = Field(description="Share of rows whose labels are all right.", examples=[0.8])
    hamming: float = Field(description="Share of labels that are wrong.", examples=[0.05])
    log_loss: float = Field(description="Mean cross-entropy of a label, in nats.", examples=[0.12])
    expected_calibration_error: float = Field(description="Mean gap of accuracy and confidence.", examples=[0.02])
    per_label: list[MeasuredLabel] = Field(description="Of each label by itself.")
    reliability: list[ConfidenceBin] = Field(description="Labels over equal bins of the confidence.")
    agreement: float = Field(description="Share of labels of which it says what the teacher says.", examples=[0.96])


class ErrorsOfTarget(ReportPart):
    """Of one target, in its unit."""

    name: str = Field(description="The target's.", examples=["price"])
    rmse: float = Field(description="Root of the mean squared error.", examples=[3.1])
    mae: float = Field(description="Mean absolute error.", examples=[2.2])
    r2: float | None = Field(description="R²; null where the test labels do not vary.", examples=[0.83])


class RegressorRun(RowRun):
    """One network on the test rows. With several targets, errors are in deviations of their training labels."""

    validation_r2: float | None = Field(None, description="What chose the epoch.", examples=[0.81])
    rmse: float = Field(description="Root of the mean squared error.", examples=[3.1])
    mae: float = Field(description="Mean absolute error.", examples=[2.2])
    r2: float = Field(description="R², mean over targets whose labels vary.", examples=[0.83])
    rmse_to_teacher: float = Field(description="From the teacher's predictions, not the labels.", examples=[1.4])
    per_target: list[ErrorsOfTarget] = Field(description="Of each target by itself.")
    correlation: float = Field(
        description="Pearson's, with the teacher's predictions; mean over targets.", examples=[0.98]
    )


class LearningPoint(ReportPart):
    """An epoch of a network in training."""

    epoch: int = Field(description="From 1.", examples=[12])
    loss: float = Field(description="Mean over its batches: nats, or of regression a squared error.", examples=[0.41])

    def score(self, measure: Measure) -> float:
        """What chooses the best epoch."""
        found: float = getattr(self, f"validation_{measure.validation}")
        return found


class ClassifierPoint(LearningPoint):
    """Of classes or tokens."""

    validation_accuracy: float = Field(description="On the validation rows.", examples=[0.93])


class RegressorPoint(LearningPoint):
    """Of real numbers."""

    validation_r2: float = Field(description="R² on the validation rows.", examples=[0.79])


class NamedPoint(LearningPoint):
    """Where the job named the measure of its verdict."""

    validation_score: float = Field(description="That measure on the validation rows.", examples=[0.92])


class RankingPoint(LearningPoint):
    """Of a recommender."""

    validation_ndcg: float = Field(description="NDCG on the validation interactions.", examples=[0.12])


class MeasuredArm(ReportPart):
    """Teacher, student or baseline."""

    summary: dict[str, Spread] = Field(
        description="Mean and standard deviation over seeds of each measure, on the test rows.",
        examples=[{"accuracy": {"mean": 0.94, "sd": 0.004}}],
    )
    runs: list[ClassifierRun | RegressorRun | LabelsRun] = Field(description="The network of each seed.")
    cost: NetworkCost | None = Field(description="What one takes; null where only its answers are known.")

    def reliability(self) -> list[list[ConfidenceBin]]:
        """Of what answers with probabilities, for each seed."""
        return [run.reliability for run in self.runs if not isinstance(run, RegressorRun)]


Curve = list[ClassifierPoint | RegressorPoint | NamedPoint]
