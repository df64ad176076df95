"""What a client submits for a circuit to be run, and the short result that lands in the job's row."""

from typing import Literal

from pydantic import ConfigDict, Field

from app.circuits.formats import BELL_OPERATIONS, BELL_SOURCE, BELL_SOURCE_2, CIRQ_EXAMPLE, Circuit
from app.circuits.views import BitOrder
from app.schemas import Submission, View

MAX_SHOTS = 10_000_000  # a dynamic circuit may pay for every one of them
MAX_SEED = 2**63 - 1  # fits a signed 64-bit column
TOP_OUTCOMES = 16  # the job row stays small; the artifact holds every outcome


class CircuitJob(Submission):
    """Run a circuit and count what its classical bits read."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "circuit": {"format": "json", "qubits": 2, "operations": BELL_OPERATIONS},
                    "shots": 1000,
                    "seed": 7,
                    "name": "bell",
                    "labels": {"course": "qc101"},
                },
                {"circuit": {"format": "openqasm3", "source": BELL_SOURCE}, "shots": 1000},
                {"circuit": {"format": "openqasm2", "source": BELL_SOURCE_2}, "shots": 1000},
                {"circuit": {"format": "cirq", "source": CIRQ_EXAMPLE}, "shots": 1000},
            ]
        }
    )

    circuit: Circuit = Field(
        description="The circuit, in the format that `format` names.",
        examples=[{"format": "json", "qubits": 2, "operations": BELL_OPERATIONS}],
    )
    shots: int = Field(1000, ge=1, le=MAX_SHOTS, description="How often the circuit is run.", examples=[1000])
    seed: int | None = Field(
        None,
        ge=0,
        le=MAX_SEED,
        description="The same seed gives the same counts. Null or absent: the service draws one and reports it.",
        examples=[7],
    )


class TopOutcome(View):
    """One of the most frequent outcomes."""

    key: str = Field(description="The classical bits; clbit 0 is the rightmost character.", examples=["00"])
    count: int = Field(description="Shots that read it.", examples=[507])
    probability: float = Field(description="count / shots.", examples=[0.507])


class CircuitResult(View):
    """What a circuit job found. The complete counts are the job's `histogram.json`."""

    qubits: int = Field(description="Qubits of the circuit, idle ones included.", examples=[2])
    clbits: int = Field(description="Characters of a key.", examples=[2])
    shots: int = Field(description="How often the circuit was run.", examples=[1000])
    seed: int = Field(description="The seed used; submit it to get the same counts.", examples=[7])
    method: str = Field(description="How it was simulated.", examples=["statevector"])
    why: str = Field(description="Why this method.", examples=["2 active qubits, measured at the end"])
    exactness: Literal["exact", "sampled"] = Field(
        description="`sampled`: the counts are a random draw of `shots`. `exact`: no chance is involved.",
        examples=["sampled"],
    )
    outcomes: int = Field(description="How many different outcomes were read.", examples=[2])
    top: list[TopOutcome] = Field(
        description=f"The {TOP_OUTCOMES} most frequent outcomes.",
        examples=[[{"key": "00", "count": 507, "probability": 0.507}]],
    )
    depth: int = Field(description="Layers of the circuit as submitted.", examples=[3])
    gate_counts: dict[str, int] = Field(
        description="Operations by name, as Qiskit names them.", examples=[{"h": 1, "cx": 1, "measure": 2}]
    )
    seconds: float = Field(description="Wall time of parsing, simulating and drawing.", examples=[0.004])
    peak_memory_bytes: int = Field(
        description="The most memory the process held meanwhile, its libraries included.", examples=[190_000_000]
    )
    versions: dict[str, str] = Field(description="The libraries that computed it.", examples=[{"qiskit": "2.6.2"}])
    bit_order: BitOrder = Field(
        "little", description="`little`: clbit 0 is a key's rightmost character, as in Qiskit.", examples=["little"]
    )
