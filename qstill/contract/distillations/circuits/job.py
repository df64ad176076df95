"""A circuit made shorter: what a job may ask, and the small answer that lands in its row."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from qstill.contract.circuits.device import Device
from qstill.contract.circuits.formats import Circuit, JsonCircuit, TemplateCircuit
from qstill.contract.circuits.job import Binding
from qstill.contract.circuits.noise.model import Noise
from qstill.contract.circuits.outputs import AnyObservable
from qstill.contract.circuits.templates.size import size_of
from qstill.contract.errors import Problem
from qstill.contract.schemas import Seed, Strict, Submission, View, refuse

MAX_QUBITS = 12  # of a state that is fitted: a step of four restarts is about 10 ms a layer
MAX_NOISY_QUBITS = 10  # of a density matrix: 16 MiB, and every gate goes over all of it
MAX_UNITARY_QUBITS = 8  # fitted column by column: 256 states of 256 amplitudes
MAX_NOISY_UNITARY_QUBITS = 5  # judged as a density matrix of twice as many qubits
DENSE_QUBITS = 7  # up to which a layer is one matrix
MAX_LAYERS = 64  # of one depth: its angles are some thousands
MAX_DEPTHS = 16  # that one job tries
MAX_STEPS = 20_000
MAX_AMPLITUDES = 1 << 25  # that one step keeps for its gradient: half a gigabyte, and about three times that in all
MAX_RESTARTS = 32  # fitted together, in one tensor

FAITHFUL = 0.99  # of 1, without noise: from here on a circuit counts as the same

Keep = Literal["state", "unitary", "observables"]
MeasureOfCircuits = Literal["state_fidelity", "process_fidelity", "observable_agreement"]
MEASURES: dict[Keep, MeasureOfCircuits] = {
    "state": "state_fidelity",
    "unitary": "process_fidelity",
    "observables": "observable_agreement",
}

TROTTER = (
    'OPENQASM 3.0; include "stdgates.inc"; qubit[4] q; '
    "for int step in [1:20] { "
    "for int i in [0:2] { cx q[i], q[i + 1]; rz(-0.15) q[i + 1]; cx q[i], q[i + 1]; } "
    "for int i in [0:3] { rx(-0.15) q[i]; } }"
)  # a transverse-field Ising chain to t = 1.5


class GivenCircuit(Strict):
    """A circuit of your own, and what of it has to stay."""

    source: Literal["circuit"] = Field(description="A circuit.", examples=["circuit"])
    circuit: Circuit = Field(
        description="The circuit, in any format of `POST /v1/circuits`. Measurements at its end are left out; one that "
        "measures, resets or branches before is refused.",
        examples=[{"format": "openqasm3", "source": TROTTER}],
    )
    bindings: Binding | None = Field(
        None, description="Values of the circuit's free parameters; null: it has none.", examples=[{"theta": 0.1}]
    )
    keep: Keep = Field(
        description="`state`: what the circuit makes of |0…0⟩. `unitary`: what it makes of every state. `observables`: "
        "the expectation values of `observables` in the state that it makes of |0…0⟩.",
        examples=["state"],
    )
    observables: Annotated[list[AnyObservable], Field(max_length=100)] = Field(
        default_factory=list,
        description="For keep `observables`: sums of Pauli strings, as in a circuit job.",
        examples=[["ZZII", "IZZI"]],
    )

    @model_validator(mode="after")
    def _observables_belong_to_keep(self) -> Self:
        if self.keep == "observables" and not self.observables:
            refuse(("observables",), "missing", "keep `observables` needs to know which", [])
        if self.keep != "observables" and self.observables:
            reason = f"keep `{self.keep}` keeps all of them: leave `observables` out, or keep `observables`"
            refuse(("observables",), "superfluous", reason, len(self.observables))
        return self


class Depths(Strict):
    """From so many layers to so many."""

    model_config = ConfigDict(serialize_by_alias=True)

    first: Annotated[int, Field(ge=1, le=MAX_LAYERS)] = Field(alias="from", description="The fewest.", examples=[4])
    last: Annotated[int, Field(ge=1, le=MAX_LAYERS)] = Field(alias="to", description="The most.", examples=[6])

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            refuse(("to",), "reversed", f"`to` is at least `from`, which is {self.first}", self.last)
        if self.last - self.first >= MAX_DEPTHS:
            refuse(("to",), "too_many_depths", f"a job tries {MAX_DEPTHS} depths at most", self.last)
        return self


def _as_range(given: Any) -> Any:
    """A number alone is a range of one."""
    return {"from": given, "to": given} if isinstance(given, int) and not isinstance(given, bool) else given


class ShortAnsatz(Strict):
    """Layers of rotations on every qubit and CX, and rotations after the last."""

    kind: Literal["quantum"] = Field(description="A circuit.", examples=["quantum"])
    layers: Annotated[
        Depths,
        BeforeValidator(_as_range, json_schema_input_type=Annotated[int, Field(ge=1, le=MAX_LAYERS)] | Depths),
    ] = Field(
        description="How many layers. Of a range every depth is tried, and the best one for the noise is chosen; one "
        "number tries that one.",
        examples=[{"from": 4, "to": 6}, 5],
    )
    entanglement: Literal["brickwork", "line", "ring", "full"] = Field(
        "brickwork",
        description="Which CX a layer has. brickwork: on every second neighbouring pair, by turns: about half as many "
        "as line. line: each qubit and the next. ring: the last and the first, too. full: every two.",
        examples=["brickwork"],
    )


class ShortStudent(Strict):
    """The shorter circuit."""

    architecture: ShortAnsatz = Field(
        description="What it is made of.",
        examples=[{"kind": "quantum", "layers": {"from": 4, "to": 6}, "entanglement": "brickwork"}],
    )


class Fitting(Strict):
    """How angles are found: Adam from several starts at once, its learning rate a cosine that ends at 0."""

    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)] = Field(400, description="Of each depth.", examples=[400])
    restarts: Annotated[int, Field(ge=1, le=MAX_RESTARTS)] = Field(
        4,
        description="Starts of each depth, by turns from angles anywhere and from small ones; all are judged.",
        examples=[4],
    )
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(
        0.1, description="At the first step, radians.", examples=[0.1]
    )
    seed: Seed = Field(0, description="Draws the first angles, and compiles for the device.", examples=[0])


class ShorteningEvaluation(Strict):
    """Where the circuit will run: what its depth is chosen for."""

    noise: Noise | None = Field(
        None,
        description="As in a circuit job. The depth with the best noisy fidelity is chosen; null: the shallowest whose "
        f"fidelity without noise is at least {FAITHFUL}, or else the best.",
        examples=[{"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}],
    )
    device: Device | None = Field(
        None,
        description="As in a circuit job: both circuits are compiled for it before they are judged. Null: the given "
        "circuit is judged as it is, the short one in u and cx.",
        examples=[{"coupling_map": {"shape": "line", "qubits": 4}}],
    )

    @property
    def errors(self) -> Noise | None:
        """The noise; None where there is none, or an ideal one."""
        return None if self.noise is None or self.noise.model == "ideal" else self.noise


class ShorteningJob(Submission):
    """Make a circuit of your own into a shorter one that does the same, and say what that is worth under noise."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset": {
                        "source": "circuit",
                        "circuit": {"format": "openqasm3", "source": TROTTER},
                        "keep": "state",
                    },
                    "student": {
                        "architecture": {
                            "kind": "quantum",
                            "layers": {"from": 3, "to": 5},
                            "entanglement": "brickwork",
                        }
                    },
                    "training": {"steps": 300, "restarts": 4, "seed": 1},
                    "evaluation": {
                        "noise": {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01},
                        "device": {"coupling_map": {"shape": "line", "qubits": 4}},
                    },
                }
            ]
        }
    )

    dataset: GivenCircuit = Field(
        description="The circuit.",
        examples=[{"source": "circuit", "circuit": {"format": "openqasm3", "source": TROTTER}, "keep": "state"}],
    )
    student: ShortStudent = Field(
        description="What the shorter circuit may be.",
        examples=[{"architecture": {"kind": "quantum", "layers": {"from": 3, "to": 5}}}],
    )
    training: Fitting = Field(
        default_factory=lambda: Fitting(), description="How its angles are found.", examples=[{"steps": 300}]
    )
    evaluation: ShorteningEvaluation = Field(
        default_factory=lambda: ShorteningEvaluation(),
        description="What it is judged under.",
        examples=[{"noise": {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}}],
    )

    @property
    def depths(self) -> range:
        """The numbers of layers to try."""
        layers = self.student.architecture.layers
        return range(layers.first, layers.last + 1)


def check_size(job: ShorteningJob, qubits: int) -> None:
    """Raise Problem where a circuit of so many qubits is not fitted, or not judged, or its starts need more memory."""
    _check_qubits(job, qubits)
    columns = 1 << qubits if job.dataset.keep == "unitary" or qubits <= DENSE_QUBITS else 1
    each = 2 * job.depths[-1] * columns << qubits  # of one start
    if job.training.restarts * each > MAX_AMPLITUDES:
        fewer = MAX_AMPLITUDES // each
        ways: list[dict[str, Any]] = [{"training": {"restarts": fewer}}] if fewer else []
        layers = job.depths[-1] * MAX_AMPLITUDES // (job.training.restarts * each)
        ways += [{"student": {"architecture": {"layers": layers}}}] if layers else []
        title = f"{job.training.restarts} starts of {job.depths[-1]} layers on {qubits} qubits need too much memory."
        raise Problem("needs_more_memory", title, pointer="/training/restarts", ways_out=ways)


def _check_qubits(job: ShorteningJob, qubits: int) -> None:
    noisy, unitary = job.evaluation.errors is not None, job.dataset.keep == "unitary"
    fitted = MAX_UNITARY_QUBITS if unitary else MAX_QUBITS
    judged = MAX_NOISY_UNITARY_QUBITS if unitary else MAX_NOISY_QUBITS
    most = min(fitted, judged) if noisy else fitted
    if qubits <= most:
        return
    how = f"keep `{job.dataset.keep}` {'with' if noisy else 'without'} noise"
    ways: list[dict[str, Any]] = [{"qubits": most}]
    if noisy and qubits <= fitted:
        ways.append({"evaluation": {"noise": None}})
    if unitary and qubits <= (MAX_NOISY_QUBITS if noisy else MAX_QUBITS):
        ways.append({"dataset": {"keep": "state"}})
    title = f"The circuit has {qubits} qubits; {how} takes up to {most}."
    raise Problem("too_many_qubits", title, pointer="/dataset/circuit", ways_out=ways)


def qubits_at_the_door(job: ShorteningJob) -> int | None:
    """How many qubits the circuit has, where that is said without reading a program."""
    match job.dataset.circuit:
        case JsonCircuit(qubits=qubits):
            return qubits
        case TemplateCircuit(template=template):
            return size_of(template)[0]
        case _:
            return None


class BreakEven(View):
    """The strength of the noise from which the short circuit is the better one."""

    scale: float | None = Field(
        description="All errors of the job's noise times this make both circuits equal; null: none in range.",
        examples=[0.021],
    )
    two_qubit: float | None = Field(
        description="The probability of an error after a two-qubit gate there, p2; null where it is none in range, or "
        "the noise is not one number for all two-qubit gates.",
        examples=[0.00021],
    )
    range: list[float] = Field(description="Between which scales it was looked for.", examples=[[0.001, 32.0]])
    said: str = Field(
        description="The same in words.", examples=["equal at 0.021 of the noise: the short circuit is better above"]
    )


class ShorteningResult(View):
    """The answer in short; the artifact `report.json` is the whole. Pairs are the given circuit's, then the short's."""

    measure: MeasureOfCircuits = Field(
        description="What the fidelities are. state_fidelity: ⟨t|ρ|t⟩. process_fidelity: |Tr(V†U)|²/4^n, under noise "
        "that of the channel. observable_agreement: 1 less the root mean square of the deviations, each as a share of "
        "the observable's range.",
        examples=["state_fidelity"],
    )
    chosen_layers: int = Field(description="Of the short circuit.", examples=[5])
    cx: list[int] = Field(
        description="Two-qubit gates before and after, each as compiled for the device.", examples=[[200, 13]]
    )
    cx_transpiled: int = Field(
        description="Those of the given circuit at the transpiler's level 3 for the same device.", examples=[190]
    )
    fidelity_ideal: float = Field(description="Of the short circuit without noise.", examples=[0.997])
    fidelity_noisy: list[float] | None = Field(
        description="Under the noise, before and after; null without noise.", examples=[[0.197, 0.857]]
    )
    fidelity_transpiled: float | None = Field(
        description="Under the noise, of the given circuit at level 3; null without noise.", examples=[0.21]
    )
    gain: bool = Field(
        description="Whether the short circuit is worth having: under the noise it is nearer to the given circuit's "
        f"action than that circuit and its level 3; without noise it has fewer two-qubit gates at {FAITHFUL}.",
        examples=[True],
    )
    verdict: str = Field(
        description="One sentence.", examples=["gain: 13 CX instead of 200, fidelity .857 under the noise, not .197"]
    )
    break_even: BreakEven | None = Field(description="Null without noise, or where it cannot be scaled.")
    certificate: str = Field(
        description="The circuit job that runs the short circuit again: it was queued when this one succeeded, is "
        "yours as any other, and its request may be submitted anew. The export `certificate.json` is the same.",
        examples=["job_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"],
    )
    seconds: float = Field(description="Computing time over all attempts.", examples=[6.1])
