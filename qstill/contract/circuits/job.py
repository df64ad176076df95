"""What a client submits for circuits to be run, and the short result that lands in the job's row."""

import secrets
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from qstill.contract.circuits.device import Device
from qstill.contract.circuits.formats import BELL_OPERATIONS, BELL_SOURCE, BELL_SOURCE_2, CIRQ_EXAMPLE, Circuit
from qstill.contract.circuits.noise.model import Noise
from qstill.contract.circuits.outputs import AnyObservable, OutputName
from qstill.contract.circuits.profile import MethodName
from qstill.contract.circuits.results.answers import BitOrder
from qstill.contract.circuits.results.document import Expectation
from qstill.contract.circuits.templates.answer import Answer
from qstill.contract.schemas import SEED_BITS, Seed, Strict, Submission, View, refuse

MAX_SHOTS = 10_000_000  # a dynamic circuit may pay for every one of them
MAX_CIRCUITS = 1_000  # of one batch: parsing them takes a second
MAX_BINDINGS = 10_000  # of one sweep: each is a simulation
MAX_BINDING_VALUES = 200_000  # over the whole sweep: 10 MB of JSON
TOP_OUTCOMES = 16  # the job row stays small; the artifact holds every outcome

_COUNTS: list[OutputName] = ["counts"]

ParameterName = Annotated[str, Field(pattern=r"^[^\W\d]\w{0,63}$")]
Binding = Annotated[dict[ParameterName, float], Field(min_length=1, max_length=1_000)]


class Truncation(Strict):
    """What a matrix product state may forget."""

    max_bond_dimension: Annotated[int, Field(ge=1, le=4096)] | None = Field(
        None, description="The largest bond dimension; null: as large as the circuit makes it.", examples=[64]
    )
    threshold: Annotated[float, Field(ge=0, le=0.1)] = Field(
        1e-16, description="Squared Schmidt coefficients that sum to less than this are dropped.", examples=[1e-16]
    )


class CircuitJob(Submission):
    """Run a circuit, several circuits, or one circuit with several sets of parameters."""

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

    circuit: Circuit | None = Field(
        None,
        description="The circuit, in the format that `format` names. Give `circuit` or `circuits`.",
        examples=[{"format": "json", "qubits": 2, "operations": BELL_OPERATIONS}],
    )
    circuits: Annotated[list[Circuit], Field(min_length=1, max_length=MAX_CIRCUITS)] | None = Field(
        None,
        description="A batch: each is run with the same settings and a seed of its own; results keep the order.",
        examples=[[{"format": "json", "qubits": 2, "operations": BELL_OPERATIONS}]],
    )
    bindings: Annotated[list[Binding], Field(min_length=1, max_length=MAX_BINDINGS)] | None = Field(
        None,
        description="A sweep: `circuit` is run once for each of these, its free parameters set to the values given.",
        examples=[[{"theta": 0.1}, {"theta": 0.2}]],
    )
    shots: int = Field(1000, ge=1, le=MAX_SHOTS, description="How often each circuit is run.", examples=[1000])
    seed: Seed | None = Field(
        None,
        description="The same seed gives the same counts. Null or absent: the service draws one and reports it. The "
        "circuits of a batch or a sweep get seeds of their own from it, which the results name.",
        examples=[7],
    )
    method: MethodName = Field(
        "auto",
        description="How it is simulated; `auto` takes the cheapest exact method, and the result says which and why.",
        examples=["auto"],
    )
    precision: Literal["double", "single"] = Field(
        "double",
        description="`single`: statevectors of single precision, faster on many qubits; the result says how far off.",
        examples=["double"],
    )
    truncation: Truncation = Field(
        default_factory=lambda: Truncation(),
        description="For `matrix_product_state`; the result says what was cut off.",
        examples=[{"max_bond_dimension": 64}],
    )
    noise: Noise | None = Field(
        None,
        description="What goes wrong on the way; null: nothing does. A machine's name alone is short for the model of "
        "that name.",
        examples=["aria-1", {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}],
    )
    ideal: bool = Field(
        True,
        description="Of a job with noise: keep the distribution without it, too, where that is cheap to compute, and "
        "say how far off the counts are.",
        examples=[True],
    )
    device: Device | None = Field(
        None,
        description="Compile the circuit for these gates and couplings first.",
        examples=[{"coupling_map": {"shape": "line", "qubits": 5}, "optimization_level": 1}],
    )
    outputs: Annotated[list[OutputName], Field(min_length=1, max_length=7)] = Field(
        default_factory=lambda: [*_COUNTS],
        description="What to keep besides the counts, which are always kept. `probabilities_where_possible` are exact "
        "ones that are left out, instead of refused, where the circuit has none or they cost too much.",
        examples=[["counts", "probabilities"]],
    )
    observables: Annotated[list[AnyObservable], Field(max_length=100)] = Field(
        default_factory=list,
        description="Sums of Pauli strings whose expectation values are computed in the state before the final "
        'measurements. `"ZZ"` and `{"pauli": "ZZ"}` are short for a sum of that one term: a letter for every qubit, '
        "the rightmost for qubit 0.",
        examples=[
            ["ZZ"],
            [{"pauli": "ZZ", "name": "parity"}],
            [{"name": "parity", "terms": [{"paulis": "ZZ", "qubits": [0, 1], "coefficient": 1.0}]}],
        ],
    )

    @model_validator(mode="after")
    def _one_kind_of_work(self) -> Self:
        if (self.circuit is None) == (self.circuits is None):
            place = "circuit" if self.circuit is None else "circuits"
            code = "missing" if self.circuit is None else "twice"
            refuse((place,), code, "Give `circuit`, or `circuits` for a batch.", None)
        if self.bindings is not None:
            if self.circuits is not None:
                refuse(("bindings",), "superfluous", "A sweep has one `circuit`, not `circuits`.", None)
            if sum(map(len, self.bindings)) > MAX_BINDING_VALUES:
                reason = f"A sweep may name {MAX_BINDING_VALUES:,} values."
                refuse(("bindings",), "too_many_values", reason, len(self.bindings))
        if self.precision == "single" and self.method not in ("auto", "statevector"):
            reason = "Single precision is for statevectors; leave `method` out."
            refuse(("precision",), "superfluous", reason, self.precision)
        return self

    @property
    def programs(self) -> list[Circuit]:
        """The circuits as submitted: one, or those of a batch."""
        return [self.circuit] if self.circuit is not None else self.circuits or []

    @property
    def runs(self) -> int:
        """How many simulations the job is."""
        return len(self.bindings) if self.bindings is not None else len(self.programs)


class TopOutcome(View):
    """One of the most frequent outcomes."""

    key: str = Field(description="The classical bits; clbit 0 is the rightmost character.", examples=["00"])
    count: int = Field(description="Shots that read it.", examples=[507])
    probability: float = Field(description="count / shots.", examples=[0.507])


class Exact(View):
    """How near the answer is to the circuit's own distribution."""

    kind: Literal["exact", "sampled", "truncated"] = Field(
        description="`sampled`: a random draw of `shots` from the exact distribution. `exact`: no chance is involved. "
        "`truncated`: drawn from a distribution that `fidelity_at_least` bounds.",
        examples=["sampled"],
    )
    fidelity_at_least: float | None = Field(
        None,
        description="Of a truncated or rounded state with the exact one; null where nothing was cut.",
        examples=[None],
    )


class CompiledView(View):
    """What compiling for the device changed. Layouts name a device qubit for each of the circuit's, -1 for none."""

    depth: int = Field(description="Layers after compiling.", examples=[12])
    depth_before: int = Field(description="Layers as submitted.", examples=[5])
    two_qubit_gates: int = Field(description="Gates on two qubits or more after compiling.", examples=[7])
    two_qubit_gates_before: int = Field(description="The same as submitted.", examples=[4])
    swaps: int = Field(description="Swaps inserted to bring qubits together.", examples=[1])
    initial_layout: list[int] = Field(description="Where each qubit starts.", examples=[[0, 1, 2]])
    final_layout: list[int] = Field(description="Where each qubit ends.", examples=[[0, 2, 1]])


class IdealComparison(View):
    """How far the counts of a noisy circuit are from the distribution of the same circuit without noise."""

    total_variation: float = Field(description="½ Σ|p - q|.", examples=[0.031])
    hellinger_distance: float = Field(description="√(½ Σ(√p - √q)²).", examples=[0.045])
    fidelity: float = Field(description="(Σ√(p·q))².", examples=[0.996])
    expected_total_variation: float = Field(
        description="About what chance alone makes of the total variation at so many shots, at most.", examples=[0.02]
    )


class CircuitOutcome(View):
    """What is known about one circuit that was run, in short."""

    qubits: int = Field(description="Qubits of the circuit, idle ones included.", examples=[2])
    clbits: int = Field(description="Characters of a key.", examples=[2])
    seed: int = Field(description="The seed used; submit it to get the same counts.", examples=[7])
    method: str = Field(description="How it was simulated.", examples=["statevector"])
    why: str = Field(description="Why this method.", examples=["2 active qubits, measured at the end"])
    exactness: Exact = Field(description="How near the answer is to the circuit's own distribution.")
    outcomes: int = Field(description="How many different outcomes were read.", examples=[2])
    top: list[TopOutcome] = Field(
        description=f"The {TOP_OUTCOMES} most frequent outcomes.",
        examples=[[{"key": "00", "count": 507, "probability": 0.507}]],
    )
    answer: Answer | None = Field(None, description="What a template's counts say, beside theory; null for others.")
    ideal: IdealComparison | None = Field(
        None,
        description="Beside the circuit without noise; null without noise, where it costs too much, or unwanted.",
    )
    expectations: list[Expectation] = Field(default_factory=list, description="In the order of `observables`.")
    depth: int = Field(description="Layers of the circuit as submitted.", examples=[3])
    gate_counts: dict[str, int] = Field(
        description="Operations by name, as Qiskit names them.", examples=[{"h": 1, "cx": 1, "measure": 2}]
    )
    compiled: CompiledView | None = Field(None, description="Null where no `device` was given.")
    notes: list[str] = Field(
        default_factory=list,
        description="What a reader should know, such as rules of the noise that nothing fell under.",
        examples=[["/noise/gates/1 (cx on qubits 0, 1) stands nowhere in the circuit: it changed nothing."]],
    )
    predicted_seconds: float = Field(description="What the choice of the method was based on.", examples=[0.003])
    simulation_seconds: float = Field(description="Wall time of simulating and drawing.", examples=[0.002])


class JobFigures(View):
    """What a job took, whatever it ran."""

    shots: int = Field(description="How often each circuit was run.", examples=[1000])
    seconds: float = Field(description="Wall time of parsing, simulating and drawing.", examples=[0.004])
    peak_memory_bytes: int = Field(
        description="The most memory the process held meanwhile, its libraries included.", examples=[190_000_000]
    )
    versions: dict[str, str] = Field(description="The libraries that computed it.", examples=[{"qiskit": "2.6.2"}])
    bit_order: BitOrder = Field(
        "little", description="`little`: clbit 0 is a key's rightmost character, as in Qiskit.", examples=["little"]
    )


class CircuitResult(CircuitOutcome, JobFigures):
    """What a job of one circuit found. The complete counts are the job's `results.json`."""

    object: Literal["circuit_result"] = Field("circuit_result", description="What this is.")


class BatchResult(JobFigures):
    """What a batch or a sweep took. What it found is the job's `results.json`, circuit by circuit."""

    object: Literal["batch_result"] = Field("batch_result", description="What this is.")
    circuits: int = Field(description="How many circuits were run, each binding of a sweep counted.", examples=[200])
    seed: int = Field(description="From which each circuit's seed follows.", examples=[7])
    methods: dict[str, int] = Field(description="How many circuits each method ran.", examples=[{"statevector": 200}])
    notes: list[str] = Field(
        default_factory=list, description="What a reader should know of some circuit, each once.", examples=[[]]
    )
    predicted_seconds: float = Field(description="What the choice of the methods was based on.", examples=[0.2])
    simulation_seconds: float = Field(description="Wall time of simulating and drawing.", examples=[0.18])


def spec_of(job: CircuitJob) -> dict[str, Any]:
    """The job as JSON for the ledger: what was left out stays out."""
    return job.model_dump(mode="json", exclude_none=True, by_alias=True)


def seeded_spec(job: CircuitJob) -> dict[str, Any]:
    """The same with a seed, drawn where the client gave none: a second attempt draws the same shots."""
    spec = spec_of(job)
    spec.setdefault("seed", secrets.randbits(SEED_BITS))
    return spec
