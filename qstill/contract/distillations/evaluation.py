"""What the students of a job are compared with, and how quantum ones are judged where they would run."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from qstill.contract.circuits.device import Device
from qstill.contract.circuits.noise.model import Noise
from qstill.contract.circuits.noise.scaled import HIGHEST, most_scaled
from qstill.contract.distillations.measures.measure import MeasureName
from qstill.contract.distillations.mitigation import Mitigation
from qstill.contract.schemas import Seed, Strict, refuse

MAX_SEEDS = 20  # each trains a student and a baseline
MAX_JUDGED_QUBITS = 10  # of a density matrix, which every row has one of
MAX_JUDGED_ROWS = 1024
MAX_EVALUATIONS = 2_000  # of a search that asks a circuit, one row after the other
MAX_SHOTS_OF_ROW = 1_000_000
MAX_MEASURES = 20

MAX_NOISE_SCALES = 6  # each runs every row of every network once more

ShotCount = Annotated[int, Field(ge=1, le=MAX_SHOTS_OF_ROW)]
NoiseScale = Annotated[float, Field(gt=0.0, le=HIGHEST)]


class QuantumEvaluation(Strict):
    """Running students on the circuit engine: as circuits with shots, noise and a device's gates."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "shots": [64, 1024],
                    "noise": {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01},
                    "device": {"coupling_map": {"shape": "line", "qubits": 6}},
                }
            ]
        }
    )

    shots: Annotated[list[ShotCount], Field(min_length=1, max_length=8)] = Field(
        default=[64, 1024],
        description="Of every row and measured basis. What infinitely many would say stands beside them.",
        examples=[[64, 1024]],
    )
    noise: Noise | None = Field(
        None,
        description="As in circuit jobs; null: none. Circuits without it stand beside those with it.",
        examples=[{"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}],
    )
    noise_scales: Annotated[list[NoiseScale], Field(max_length=MAX_NOISE_SCALES)] = Field(
        default=[],
        description="Also run at so many times the noise: its probabilities and times of relaxation are multiplied, "
        "wrong readings stay as they are. Once the noise is run in any case.",
        examples=[[0.5, 2.0]],
    )
    mitigation: Mitigation | None = Field(
        None,
        description="Error mitigation beside the raw and the calibrated measure; null: none. Its circuits have as many "
        "shots each, and are counted in the report.",
        examples=[{"kind": "zne", "scales": [1, 3, 5], "fit": "linear"}],
    )
    device: Device | None = Field(
        None,
        description="What circuits are compiled for before noise acts, as in circuit jobs; null: run as written.",
        examples=[{"coupling_map": {"shape": "line", "qubits": 6}}],
    )
    rows: Annotated[int, Field(ge=16, le=MAX_JUDGED_ROWS)] = Field(
        128, description="Test rows, the first of them; each is a circuit of its own.", examples=[128]
    )
    calibration_rows: Annotated[int, Field(ge=8, le=256)] = Field(
        32,
        description="Training rows on which a gain is fitted for each observable: most of what noise takes away is "
        "scale. They are run with as many shots as the test rows.",
        examples=[32],
    )

    @property
    def strengths(self) -> list[float]:
        """Of the noise, ascending: 0 for none, 1 for the job's."""
        return [0.0] if self.noise is None else sorted({0.0, 1.0, *self.noise_scales})

    @model_validator(mode="after")
    def _has_such_noise(self) -> Self:
        if self.mitigation is not None and (self.noise is None or self.noise.model == "ideal"):
            reason = "without `noise` there is nothing to mitigate: name the noise, or leave this out"
            refuse(("mitigation",), "nothing_to_mitigate", reason, self.mitigation.kind)
        if not self.noise_scales:
            return self
        most = None if self.noise is None else most_scaled(self.noise)
        if most is None:
            reason = "only noise of gates has a strength, and an error of Kraus operators has none: leave this out"
            refuse(("noise_scales",), "noise_not_scaled", reason, self.noise_scales)
        for place, scale in enumerate(self.noise_scales):
            if scale > most:
                reason = f"a probability of this noise would exceed 1: it can be scaled up to {most:g}"
                refuse(("noise_scales", place), "noise_not_scaled", reason, scale)
        return self


class Minimise(Strict):
    """The angles at which a sum is lowest, and what others find with as many evaluations of the circuit."""

    observable: Annotated[int, Field(ge=0, lt=100)] = Field(
        0, description="Which of the teacher's observables, from 0.", examples=[0]
    )
    start: Annotated[list[Annotated[float, Field(ge=-1e6, le=1e6)]], Field(min_length=1, max_length=1_000)] | None = (
        Field(
            None,
            description="Where the others begin, a number for each input. Null: where the template's own search "
            "begins, an annealing schedule or Hartree and Fock; of another circuit the middle of the rows.",
            examples=[[0.375, -0.375]],
        )
    )
    seed: Seed = Field(0, description="Draws where minima are looked for, and SPSA's directions.", examples=[0])


class Evaluation(Strict):
    """What the students are compared with."""

    baseline: bool = Field(
        True,
        description="Also train the same student from the same initial weights, for as many steps, on its labels "
        "alone. Without it there is no verdict. Where students begin from their teacher, it begins from random weights "
        "unless `student.initialise_from_teacher.baseline` says otherwise. A circuit teaches without labels: there "
        "is none then, whatever stands here.",
        examples=[True],
    )
    seeds: Annotated[int, Field(ge=1, le=MAX_SEEDS)] = Field(
        3,
        description="Students to train. A verdict needs two or more. A student that is solved instead, a `fourier` "
        "that a circuit teaches, has no random weights: it is one.",
        examples=[3],
    )
    verdict: MeasureName | None = Field(
        None,
        description="The measure that the verdict rests on, that chooses the best epoch on the validation rows and "
        "that a sweep ranks its trials by. Null: accuracy; of regression RMSE, with R² to choose the epoch; of several "
        "labels macro F1.",
        examples=["f1_macro"],
    )
    measures: Annotated[list[MeasureName], Field(max_length=MAX_MEASURES)] = Field(
        default_factory=list,
        description="Also measure these on the test rows, each with its intervals over seeds and over test rows: of "
        "classes `accuracy`, `f1_macro`, `f1_micro`, `auc` (area under the ROC curve, of each class against the rest; "
        "of two classes of the second), `average_precision` (the same of precision and recall), `log_loss` (nats) and "
        "`top_2`, `top_3`, … (the label is among so many of the likeliest); of language models `accuracy`, `log_loss` "
        "and `top_…`; of regression `rmse`, `mae`, `r2`; of several labels `f1_macro`, `f1_micro`, `auc`, "
        "`average_precision`, `log_loss`, `subset_accuracy` and `hamming`. Means over classes and labels are plain "
        "ones, as scikit-learn's `macro`.",
        examples=[["f1_macro", "auc", "top_5", "log_loss"]],
    )
    controls: bool = Field(
        True,
        description="Of a quantum student: also train, on the same teacher's answers and from the same seeds, the same "
        "circuit with its angles left as they were drawn, the same without entanglement, an mlp of as many weights, "
        "and a linear model. Without them nobody knows what is quantum in a result.",
        examples=[True],
    )
    quantum: QuantumEvaluation | None = Field(
        None,
        description="Run the first seed's quantum student, its baseline, its quantum controls, and its teacher where "
        "that is a circuit, on the circuit engine, with shots and noise; null: do not. A fraction of a second for each "
        "row and network.",
        examples=[{"shots": [64, 1024], "noise": {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}}],
    )
    minimise: Minimise | None = Field(
        None,
        description="Of a `fourier` that a circuit teaches: also find where it is lowest within what the rows span, "
        "run the circuit there on the circuit engine, and let COBYLA and SPSA ask the circuit as often as the student "
        f"did, up to {MAX_EVALUATIONS:,} times. That circuit is queued as a job, the certificate. Null: do not.",
        examples=[{"observable": 0}],
    )
