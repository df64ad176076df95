"""What a report says of an exported file, as it was measured by running it on the test rows."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.measures.measure import Measure, MeasureName
from qstill.contract.distillations.report.measured import NetworkLatency
from qstill.contract.distillations.report.part import ReportPart


class ExportedFile(ReportPart):
    """Of any domain."""

    name: str = Field(description="The export's.", examples=["student-seed-0.onnx"])
    role: str = Field(description="Whose network it is.", examples=["student"])
    seed: int = Field(description="The network's.", examples=[0])
    format: str = Field(description="As the job asked.", examples=["onnx"])
    bytes: int = Field(description="Of the file.", examples=[6406])
    rows: int = Field(description="How many it was run on.", examples=[359])
    latency: NetworkLatency = Field(description="Of one row, by onnxruntime.")
    onnxruntime: str = Field(description="Its version.", examples=["1.32.0"])
    input: str = Field("inputs", description="The name of what it takes.", examples=["inputs"])
    output: str = Field("logits", description="The name of what it answers.", examples=["logits"])
    quantisation: Literal["dynamic", "static"] = Field(
        "dynamic",
        description="Of weights of 8 bits: whether scales are found as rows come.",
        examples=["dynamic"],
    )


class ColumnInput(ReportPart):
    """What a file takes of a column."""

    column: str = Field(description="Its name.", examples=["job"])
    input: str = Field(description="The name of the input.", examples=["job"])
    type: Literal["float", "string"] = Field(
        description="A tensor (rows, 1): float32 with NaN in gaps, or strings as they stand in the table.",
        examples=["string"],
    )

    @property
    def numpy_type(self) -> str:
        """As numpy names it."""
        return "float32" if self.type == "float" else "string"


class ExportOfRows(ExportedFile):
    """A student that takes rows or texts."""

    input_shape: list[int] = Field(description="Of one row.", examples=[[1, 8, 8]])
    standardisation: Literal["inside"] = Field(
        "inside", description="Of numbers, it is the first layer.", examples=["inside"]
    )
    columns: list[ColumnInput] | None = Field(
        None,
        description="Of a table with words, gaps or dates: it takes an input for each column, and encodes it inside.",
        examples=[[{"column": "job", "input": "job", "type": "string"}]],
    )
    tokenizer: str | None = Field(None, description="Of texts: the file beside it.", examples=["tokenizer.json"])
    padding: int | None = Field(
        None,
        description="Of a tokenizer that came with a folder, which sets its own marks around a text: the number that "
        "fills rows up.",
        examples=[0],
    )
    calibration_rows: int | None = Field(None, description="What set the ranges of activations.", examples=[256])
    measures: dict[MeasureName, float] = Field(
        default_factory=dict, description="What the job asked for by name.", examples=[{"f1_macro": 0.93}]
    )

    def worth(self, measure: Measure) -> float:
        """On the test rows."""
        named = self.measures.get(measure.name)
        return float(getattr(self, measure.name)) if named is None else named


class ExportedClassifier(ExportOfRows):
    """Losses in nats; `pytorch_…` is of the network that the file came from."""

    accuracy: float = Field(description="On the test rows.", examples=[0.94])
    pytorch_accuracy: float = Field(description="On the test rows.", examples=[0.94])
    negative_log_likelihood: float = Field(description="Mean over the test rows.", examples=[0.21])
    pytorch_negative_log_likelihood: float = Field(description="Mean over the test rows.", examples=[0.21])
    max_logit_difference: float = Field(description="From that network, at most.", examples=[2.8e-06])
    agreement: float = Field(description="Share on which it names that network's class.", examples=[1.0])

    @property
    def max_difference(self) -> float:
        """Of an answer, from the network that the file came from."""
        return self.max_logit_difference


class ExportedOfLabels(ExportOfRows):
    """Of several labels a row; `pytorch_…` is of the network that the file came from."""

    f1_macro: float = Field(description="On the test rows.", examples=[0.9])
    pytorch_f1_macro: float = Field(description="On the test rows.", examples=[0.9])
    log_loss: float = Field(description="Mean cross-entropy of a label, nats.", examples=[0.12])
    pytorch_log_loss: float = Field(description="The same.", examples=[0.12])
    max_logit_difference: float = Field(description="From that network, at most.", examples=[2.8e-06])
    agreement: float = Field(description="Share of labels of which it says what that network says.", examples=[1.0])

    @property
    def max_difference(self) -> float:
        """Of an answer, from the network that the file came from."""
        return self.max_logit_difference


class ExportedRegressor(ExportOfRows):
    """In units of the targets, of several in standard deviations; `pytorch_…` is of the network it came from."""

    rmse: float = Field(description="On the test rows.", examples=[3.1])
    pytorch_rmse: float = Field(description="On the test rows.", examples=[3.1])
    r2: float = Field(description="R² on the test rows.", examples=[0.83])
    max_value_difference: float = Field(description="From that network's predictions, at most.", examples=[2.5e-05])
    correlation: float = Field(description="With that network's predictions.", examples=[1.0])

    @property
    def max_difference(self) -> float:
        """Of an answer, from the network that the file came from."""
        return self.max_value_difference


class ExportedCircuit(ReportPart):
    """A student that is a circuit, without its linear layer."""

    name: str = Field(description="The export's.", examples=["student-seed-0.qasm"])
    role: str = Field(description="Whose network it is.", examples=["student"])
    seed: int = Field(description="The network's.", examples=[0])
    format: Literal["openqasm3", "cirq"] = Field(description="As the job asked.", examples=["openqasm3"])
    bytes: int = Field(description="Of the file.", examples=[2140])
    qubits: int = Field(description="How many.", examples=[4])
    inputs: list[str] = Field(
        description="The parameters that a row gives its values, in the row's order: angles in radians.",
        examples=[["x_0", "x_1"]],
    )
    weights: list[str] = Field(
        description="The trained parameters that are left open, in the order of the tensor `angles` of the checkpoint; "
        "empty where their values are in the file.",
        examples=[["w_00", "w_01"]],
    )
    begins_with: Literal["zero", "amplitudes"] = Field(
        description="The state before its first gate: all qubits 0, or a row as amplitudes.", examples=["zero"]
    )
    rows: int = Field(description="Test rows that it was run on.", examples=[16])
    max_difference: float = Field(
        description="Of an expectation value of the file, in double precision, from the network's.", examples=[3.1e-07]
    )


class RankingMeasures(ReportPart):
    """Of the held-out items, each ranked among those that its user had not chosen before."""

    ndcg: float = Field(description="Normalised discounted cumulative gain of the first k.", examples=[0.12])
    hit: float = Field(description="Share that is among the first k.", examples=[0.31])
    mrr: float = Field(description="Mean reciprocal rank.", examples=[0.09])


class ExportedRecommender(ExportedFile, RankingMeasures):
    """A student that takes users."""

    users: int | None = Field(None, description="How many it knows.", examples=[1000])
    items: int | None = Field(None, description="How many it scores.", examples=[500])
    k: int = Field(description="Of the measures.", examples=[10])
    pytorch: RankingMeasures = Field(description="Of the network that the file came from.")
    max_score_difference: float = Field(description="From that network, at most.", examples=[1.2e-06])
    overlap: float = Field(description="Share of the first k that both name.", examples=[1.0])
