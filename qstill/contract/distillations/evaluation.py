"""What the students of a job are compared with, and how quantum ones are judged where they would run."""

from typing import Annotated

from pydantic import ConfigDict, Field

from qstill.contract.circuits.device import Device
from qstill.contract.circuits.noise import Noise
from qstill.contract.schemas import Strict

MAX_SEEDS = 20  # each trains a student and a baseline
MAX_JUDGED_QUBITS = 10  # of a density matrix, which every row has one of
MAX_JUDGED_ROWS = 1024
MAX_SHOTS_OF_ROW = 1_000_000

ShotCount = Annotated[int, Field(ge=1, le=MAX_SHOTS_OF_ROW)]


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
