"""Of quantum students: what is quantum in them, and what they are worth where they would run."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.distillations.results import Gain, Spread

Control = Literal["frozen", "no_entanglement", "same_size_mlp", "linear"]
CLASSICAL: tuple[Control, ...] = ("same_size_mlp", "linear")
IN_WORDS: dict[Control, str] = {
    "frozen": "the same circuit with random angles",
    "no_entanglement": "the same circuit without entanglement",
    "same_size_mlp": "an mlp of as many weights",
    "linear": "a linear student",
}


class ControlArm(ReportPart):
    """The same lesson, learned by something simpler."""

    summary: dict[str, Spread] = Field(
        description="Mean and standard deviation over seeds of each measure, on the test rows.",
        examples=[{"accuracy": {"mean": 0.84, "sd": 0.01}}],
    )
    parameters: int = Field(description="Weights and biases; of a frozen circuit its angles too.", examples=[316])
    student_minus_control: Gain = Field(description="In points of the measure, paired by seed.")


class Advantage(ReportPart):
    """Whether the quantum student is better than what is simpler."""

    shown: bool = Field(
        description="Whether the interval of its difference lies above zero for each classical control.",
        examples=[False],
    )
    over: list[Control] = Field(description="Controls that it beats.", examples=[["frozen"]])
    not_over: list[Control] = Field(description="Controls that it does not.", examples=[["linear"]])
    sentence: str = Field(description="The same in words.", examples=["not shown: a linear student reaches 96.2"])


class Expressibility(ReportPart):
    """How much of its space the circuit reaches, and how steep it is, over angles drawn evenly from the whole circle.

    Of what it makes of the first training row.
    """

    states: int = Field(description="Each made by angles of its own; fidelities are of every two.", examples=[400])
    divergence: float = Field(
        description="Kullback-Leibler divergence, nats, of the histogram of fidelities from that of "
        "states drawn evenly from all (Haar); 0 is all, and an idle circuit has ln of the bins at one qubit "
        "(Sim, Johnson and Aspuru-Guzik 2019, 1905.10876).",
        examples=[0.034],
    )
    floor: float = Field(description="What as many Haar-random states have: less is not told from 0.", examples=[0.001])
    histogram: list[float] = Field(
        description="Shares of the pairs by fidelity, in bins of equal width from 0 to 1.", examples=[[0.7, 0.2, 0.1]]
    )
    haar: list[float] = Field(description="The same of Haar-random states.", examples=[[0.72, 0.19, 0.09]])
    draws: int = Field(description="Sets of angles at which gradients were taken.", examples=[200])
    gradient_variance: list[float] = Field(
        description="Of each angle, in their order: of the gradient of an observable by it, mean over the observables "
        "that are read (McClean and others 2018, 1803.11173). It falls as 2^-n where a circuit reaches all.",
        examples=[[0.031, 0.027]],
    )
    dead: list[int] = Field(
        description="Angles, from 0, whose gradient is 0 at all draws: a warning names those that are trained for "
        "nothing.",
        examples=[[90, 91, 92]],
    )


class QuantumNature(ReportPart):
    """What is quantum in the student, and what it would take to do without."""

    entangles: bool = Field(description="Whether its circuit joins qubits at all.", examples=[True])
    one_matrix: bool = Field(
        description="Whether rows enter once, so that the trained circuit is one fixed matrix: it leaves as ONNX where "
        "that is small.",
        examples=[True],
    )
    frequencies: int | None = Field(
        description="Of encoded angles: how many gates turn by one of them at most. So high go the frequencies of the "
        "answers' Fourier series where gates turn by the angle itself; null for amplitudes.",
        examples=[2],
    )
    simulated_by: str = Field(description="The method that simulates it exactly.", examples=["statevector"])
    simulation_bytes: int = Field(description="Of its state in double precision.", examples=[1024])
    expressibility: Expressibility | None = Field(
        description="Null of circuits of more than ten qubits, of many thousand gates, and without an angle."
    )


class Judged(ReportPart):
    """A network on the circuit engine."""

    network: str = Field(description="`student`, `teacher`, `baseline` or a control.", examples=["student"])
    strength: float = Field(
        description="Of the noise: 0 without, 1 as the job has it, and its `noise_scales`.", examples=[1.0]
    )
    shots: int | None = Field(description="Of each row and basis; null: infinitely many.", examples=[64])
    value: float = Field(description="The measure on the rows that were run.", examples=[0.86])
    calibrated: float = Field(description="The same after a gain for each observable.", examples=[0.89])
    mitigated: float | None = Field(
        description="The same after error mitigation, raw otherwise; null without noise or mitigation.", examples=[0.9]
    )

    @property
    def noisy(self) -> bool:
        return self.strength > 0


class EngineMitigation(ReportPart):
    """What error mitigation costs here, and whether it helped the student."""

    kind: str = Field(description="As in `evaluation.quantum.mitigation`.", examples=["zne"])
    circuits_per_row: int = Field(
        description="Measurements times scales, with `shots` each; `bases` of them without mitigation.", examples=[3]
    )
    circuits_before: int = Field(
        description="That are run once for each network and strength, for gains; 0 of extrapolation.", examples=[0]
    )
    over: list[Literal["raw", "calibrated"]] = Field(
        description="What the student's mitigated measure is better than, under the noise as it is, with the most of "
        "`shots`.",
        examples=[["raw"]],
    )
    sentence: str = Field(
        description="The same in words.",
        examples=["helped over raw, not over calibrated: 0.88 against 0.67 and 0.90 at 1,024 shots a circuit"],
    )


class OnEngine(ReportPart):
    """Networks run as circuits: state preparation, the trained layers, measurements."""

    rows: int = Field(description="Test rows that were run.", examples=[128])
    calibration_rows: int = Field(description="Training rows on which gains were fitted.", examples=[32])
    bases: int = Field(description="In which every row was measured.", examples=[1])
    simulated: float = Field(
        description="The measure of the student on the same rows as torch simulates it.", examples=[0.93]
    )
    curve: list[Judged] = Field(description="Every network at every strength of the noise, for every number of shots.")
    mitigation: EngineMitigation | None = Field(description="Null where the job asked for none.")
    gains: list[float] = Field(
        description="Of the student's observables under the noise, without shots: multiply what is measured by them.",
        examples=[[1.21, 1.18]],
    )


class QuantumSection(ReportPart):
    """Null in reports of other students."""

    controls: dict[Control, ControlArm] = Field(
        description="By name; empty where the job asked for none.",
        examples=[{}],
    )
    advantage: Advantage | None = Field(description="Null without controls.")
    nature: QuantumNature = Field(description="What is quantum in it.")
    engine: OnEngine | None = Field(description="Null where the job did not ask for it.")
