"""What IonQ's clients send. Unknown fields are ignored, as by IonQ; known ones have their types and bounds."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, JsonValue

from qstill.contract.circuits.formats import MAX_OPERATIONS, MAX_SOURCE_CHARACTERS
from qstill.contract.circuits.gates import MAX_PAULI_TERMS, MAX_QUBITS
from qstill.contract.circuits.job import MAX_CIRCUITS
from qstill.contract.schemas import Seed

MAX_SHOTS = 1_000_000  # every one of them is listed to who asks
MAX_NAME = 1_000
MAX_METADATA = 100  # strings; Qiskit keeps all of a circuit's labels in one of them
MAX_METADATA_VALUE = 1_000_000
MAX_IDS = 1_000

BELL: list[JsonValue] = [{"gate": "h", "target": 0}, {"gate": "cnot", "control": 0, "target": 1}]
BELL_JOB: dict[str, JsonValue] = {
    "type": "ionq.circuit.v1",
    "backend": "simulator",
    "shots": 1000,
    "name": "bell",
    "input": {"gateset": "qis", "qubits": 2, "circuit": BELL},
}


class Lenient(BaseModel):
    """A request body of somebody else's API."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, allow_inf_nan=False)


def _whole(value: Any) -> Any:
    """Integers also as `2.0`, which is one in JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _digits(value: Any) -> Any:
    """Integers also as text, as Cirq writes them."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20 else value


Index = Annotated[int, BeforeValidator(_whole), Field(ge=0, lt=MAX_QUBITS)]
Indices = Annotated[list[Index], Field(max_length=MAX_QUBITS)]
Shots = Annotated[
    int,
    BeforeValidator(_digits, json_schema_input_type=int | Annotated[str, Field(pattern="^[0-9]{1,19}$")]),
    BeforeValidator(_whole),
    Field(ge=1, le=MAX_SHOTS),
]
Gateset = Literal["qis", "native"]
BackendName = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(max_length=MAX_NAME)]
SessionName = Annotated[str, Field(max_length=64)]


class Gate(Lenient):
    """One gate. All controls are positive; bits of more than one target as IonQ orders them."""

    gate: Annotated[str, Field(max_length=32)] = Field(description="The gate's name.", examples=["cnot"])
    target: Index | None = Field(None, description="The qubit acted on.", examples=[1])
    targets: Indices | None = Field(None, description="Or several.", examples=[[0, 1]])
    control: Index | None = Field(None, description="The qubit that must be 1.", examples=[0])
    controls: Indices | None = Field(None, description="Or several.", examples=[[0, 1]])
    rotation: float | None = Field(
        None, description="rx, ry, rz, xx, yy, zz: radians; with z the phase gate diag(1, e^iθ).", examples=[0.3]
    )
    phase: float | None = Field(None, description="gpi, gpi2 and native zz: turns.", examples=[0.25])
    phases: Annotated[list[float], Field(max_length=2)] | None = Field(
        None, description="ms: turns.", examples=[[0.0, 0.5]]
    )
    angle: float | None = Field(None, description="ms (0.25 if absent) and native zz: turns.", examples=[0.25])
    terms: Annotated[list[Annotated[str, Field(max_length=MAX_QUBITS)]], Field(max_length=MAX_PAULI_TERMS)] | None = (
        Field(None, description="pauliexp: Pauli strings, the rightmost letter acts on targets[0].", examples=[["XX"]])
    )
    coefficients: Annotated[list[float], Field(max_length=MAX_PAULI_TERMS)] | None = Field(
        None, description="pauliexp: one for each term.", examples=[[0.5]]
    )
    time: float | None = Field(None, description="pauliexp: the evolution time.", examples=[1.0])


Gates = Annotated[list[Gate], FailFast(), Field(max_length=MAX_OPERATIONS)]
Qubits = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=MAX_QUBITS)]


class CircuitInput(Lenient):
    """One circuit."""

    gateset: Gateset | None = Field(None, description="`qis` if absent.", examples=["qis"])
    qubits: Qubits = Field(description="How many; all are measured at the end.", examples=[2])
    circuit: Gates = Field(description="Gates in order.", examples=[BELL])


class NamedCircuit(Lenient):
    """One circuit of several."""

    name: Name | None = Field(None, description="For people.", examples=["bell"])
    gateset: Gateset | None = Field(None, description="That of all if absent.", examples=["qis"])
    circuit: Gates = Field(description="Gates in order.", examples=[BELL])


class CircuitsInput(Lenient):
    """Several circuits."""

    gateset: Gateset | None = Field(None, description="`qis` if absent.", examples=["qis"])
    qubits: Qubits | None = Field(None, description="Those of the widest; counted if absent.", examples=[2])
    circuits: Annotated[list[NamedCircuit], Field(min_length=1, max_length=MAX_CIRCUITS)] = Field(
        description="Results keep their order.", examples=[[{"circuit": BELL}]]
    )


class Qasm3Input(Lenient):
    """One circuit in OpenQASM 3, with measurements anywhere."""

    qubits: Qubits | None = Field(None, description="How many.", examples=[2])
    data: Annotated[str, Field(min_length=1, max_length=MAX_SOURCE_CHARACTERS)] = Field(
        description="The program.", examples=["OPENQASM 3.0; qubit q; bit c; c = measure q;"]
    )


class NoiseChoice(Lenient):
    """How the simulator errs."""

    model: Annotated[str, Field(max_length=64)] = Field(
        "ideal",
        description="ideal, harmony, harmony-1, harmony-2, aria-1, aria-2, forte-1 or forte-enterprise-1.",
        examples=["aria-1"],
    )
    seed: Seed | None = Field(None, description="The same seed gives the same counts.", examples=[7])


Echoed = Annotated[dict[str, JsonValue], Field(max_length=MAX_METADATA)]
Metadata = Annotated[
    dict[str, Annotated[str, Field(max_length=MAX_METADATA_VALUE)] | None], Field(max_length=MAX_METADATA)
]


class Asked(Lenient):
    """What is asked of a job beside its circuits."""

    backend: BackendName = Field(
        description="`simulator`, or a machine as `qpu.aria-1`: simulated with that machine's published noise.",
        examples=["simulator"],
    )
    shots: Shots | None = Field(None, description="100 if absent.", examples=[1000])
    name: Name | None = Field(None, description="For people.", examples=["bell"])
    metadata: Metadata | None = Field(None, description="Strings, echoed.", examples=[{"course": "qc101"}])
    settings: Echoed | None = Field(
        None, description="Compilation and error mitigation: echoed, without effect.", examples=[{}]
    )
    output: Echoed | None = Field(None, description="Echoed.", examples=[{}])
    noise: NoiseChoice | None = Field(None, description="Ideal if absent; a machine brings its own.")
    session_id: SessionName | None = Field(None, description="The session that the job belongs to.", examples=[None])
    dry_run: bool | None = Field(
        None, description="Only check and compile the job; there will be no results.", examples=[False]
    )


class CircuitRequest(Asked):
    """One circuit of gates."""

    model_config = ConfigDict(json_schema_extra={"examples": [BELL_JOB]})

    type: Literal["ionq.circuit.v1"] = Field(description="One circuit.", examples=["ionq.circuit.v1"])
    input: CircuitInput = Field(description="The circuit.")


class CircuitsRequest(Asked):
    """Several circuits of gates, in one job."""

    type: Literal["ionq.multi-circuit.v1"] = Field(description="Several circuits.", examples=["ionq.multi-circuit.v1"])
    input: CircuitsInput = Field(description="The circuits.")


class Qasm3Request(Asked):
    """One circuit in OpenQASM 3."""

    type: Literal["ionq.qasm3.v1"] = Field(description="OpenQASM 3.", examples=["ionq.qasm3.v1"])
    input: Qasm3Input = Field(description="The circuit.")


JobRequest = Annotated[CircuitRequest | CircuitsRequest | Qasm3Request, Field(discriminator="type")]


class CloneRequest(Lenient):
    """What shall be other than in the job that is cloned; all that is left out stays as it was."""

    backend: BackendName | None = Field(None, description="Where it runs.", examples=["qpu.forte-1"])
    shots: Shots | None = Field(None, description="How often each circuit is run.", examples=[500])
    name: Name | None = Field(None, description="For people.", examples=["bell again"])
    metadata: Metadata | None = Field(None, description="Strings, echoed.", examples=[{"course": "qc101"}])
    settings: Echoed | None = Field(None, description="Echoed, without effect.", examples=[{}])
    noise: NoiseChoice | None = Field(None, description="How the simulator errs.")
    session_id: SessionName | None = Field(None, description="The session that it belongs to.", examples=[None])
    dry_run: bool | None = Field(None, description="Only check and compile it.", examples=[False])


class JobIds(Lenient):
    """Several jobs."""

    ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=MAX_IDS)] = Field(
        description="Which.", examples=[["job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"]]
    )

    @property
    def distinct(self) -> list[str]:
        return list(dict.fromkeys(self.ids))


class CostLimit(Lenient):
    """What a session may cost. Nothing costs anything here."""

    value: float | None = Field(None, description="How much.", examples=[10.0])
    unit: Annotated[str, Field(max_length=16)] | None = Field(None, description="Of what.", examples=["usd"])


class SessionLimits(Lenient):
    """When a session ends by itself."""

    job_count_limit: Annotated[int, Field(ge=1, le=10**9)] | None = Field(
        None, description="After so many jobs.", examples=[10]
    )
    duration_limit_min: Annotated[int, BeforeValidator(_digits), Field(ge=1, le=10**6)] | None = Field(
        None, description="After so many minutes.", examples=[60]
    )
    cost_limit: CostLimit | None = Field(None, description="Echoed; nothing costs anything here.")


class SessionRequest(Lenient):
    """A session to be opened."""

    backend: BackendName = Field(description="Where its jobs run.", examples=["simulator"])
    settings: SessionLimits | None = Field(None, description="Its limits.")
