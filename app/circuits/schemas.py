"""The circuit definition that both sides agree on: what a client submits, and what it reads back.

Gate names and meanings follow IonQ's JSON (qis and native), so that their clients' circuits run unchanged.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import BaseModel, ConfigDict, FailFast, Field, JsonValue, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from app.schemas import Strict, Submission, View

MAX_QUBITS = 4_096  # keys have a character per qubit; a register of 10^7 qubits aborts a simulator
MAX_CLBITS = 4_096  # as above
MAX_OPERATIONS = 100_000  # half a second of validation and 100 MB of objects
MAX_SOURCE_CHARACTERS = 1_000_000  # the reference OpenQASM parser reads about 50 kB a second
MAX_CIRQ_CHARACTERS = 10_000_000  # an operation takes 150 characters, indented 400
MAX_SHOTS = 10_000_000  # a dynamic circuit may pay for every one of them
MAX_SEED = 2**63 - 1  # fits a signed 64-bit column
MAX_PAULI_TERMS = 1_024  # terms are compared in pairs to see whether they commute
TOP_OUTCOMES = 16  # the job row stays small; the artifact holds every outcome

BitOrder = Literal["little", "big"]
Index = Annotated[int, Field(ge=0, lt=MAX_QUBITS)]
Real = Annotated[float, Field(allow_inf_nan=False)]
PauliTerm = Annotated[str, Field(pattern=r"^[IXYZ]+$", max_length=MAX_QUBITS)]


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What an operation of one gate may carry. A one-qubit gate with several targets acts on each of them."""

    forms: tuple[frozenset[str], ...] = (frozenset(),)  # the sets of parameters it can be written with
    targets: int | None = None  # exactly so many; None is one or more
    controls: Literal["optional", "required", "none"] = "optional"
    targets_optional: bool = False


def _forms(*forms: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(form.split()) for form in forms)


_PLAIN = GateFacts()
_ROTATION = GateFacts(_forms("rotation"))
_ROTATION_OF_TWO = GateFacts(_forms("rotation"), targets=2)

GATES: dict[str, GateFacts] = {
    **dict.fromkeys(("x", "not", "y", "h", "s", "si", "t", "ti", "v", "vi"), _PLAIN),
    "z": GateFacts(_forms("", "rotation")),
    "cnot": GateFacts(controls="required"),
    "swap": GateFacts(targets=2),
    **dict.fromkeys(("rx", "ry", "rz"), _ROTATION),
    **dict.fromkeys(("xx", "yy"), _ROTATION_OF_TWO),
    "zz": GateFacts(_forms("rotation", "angle", "phase"), targets=2),
    "pauliexp": GateFacts(_forms("terms coefficients time")),
    **dict.fromkeys(("gpi", "gpi2"), GateFacts(_forms("phase"))),
    "ms": GateFacts(_forms("phases", "phases angle"), targets=2),
    "nop": GateFacts(targets_optional=True),
    "measure": GateFacts(_forms("", "clbit", "clbits"), controls="none"),
    "reset": GateFacts(controls="none"),
    "barrier": GateFacts(controls="none", targets_optional=True),
}
_PARAMETERS = {"rotation", "phase", "phases", "angle", "terms", "coefficients", "time", "clbit", "clbits"}


def _refuse(model: BaseModel, loc: tuple[str | int, ...], code: str, message: str, given: Any) -> NoReturn:
    """Raise a validation error at `loc` below the model; a plain ValueError would point at the model as a whole."""
    detail = InitErrorDetails(type=PydanticCustomError(code, message), loc=loc, input=given)
    raise ValidationError.from_exception_data(type(model).__name__, [detail])


def _unknown_gate(name: str) -> str:
    near = get_close_matches(name.lower(), GATES, n=1)
    suggestion = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no gate {name!r}.{suggestion} Known: {', '.join(GATES)}."


class Operation(Strict):
    """One gate, measurement, reset or barrier."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"gate": "h", "target": 0},
                {"gate": "x", "target": 1, "control": 0},
                {"gate": "rx", "target": 0, "rotation": 0.3},
                {"gate": "measure", "targets": [0, 1]},
            ]
        }
    )

    gate: str = Field(
        max_length=32,
        description=f"One of {', '.join(GATES)}. `z` with `rotation` is the phase gate diag(1, e^iθ); `zz` with "
        "`rotation` is exp(-iθ/2 Z⊗Z), with `angle` or `phase` the native exp(-iπa Z⊗Z); `v` is the square root of X.",
        examples=["h"],
    )
    target: Index | None = Field(None, description="The qubit acted on.", examples=[0])
    targets: Annotated[list[Index], Field(min_length=1, max_length=MAX_QUBITS)] | None = Field(
        None, description="The qubits acted on; a one-qubit gate acts on each of them.", examples=[[0, 1]]
    )
    control: Index | None = Field(None, description="The gate acts where this qubit is 1.", examples=[0])
    controls: Annotated[list[Index], Field(max_length=MAX_QUBITS)] | None = Field(
        None, description="The gate acts where all of these qubits are 1.", examples=[[0, 1]]
    )
    rotation: Real | None = Field(None, description="rx, ry, rz, xx, yy, zz, z: the angle, radians.", examples=[0.3])
    phase: Real | None = Field(None, description="gpi, gpi2, native zz: the phase, turns.", examples=[0.25])
    phases: Annotated[list[Real], Field(min_length=2, max_length=2)] | None = Field(
        None, description="ms: one phase for each target, turns.", examples=[[0.0, 0.5]]
    )
    angle: Real | None = Field(
        None, description="ms (0.25 if absent) and native zz: the angle, turns.", examples=[0.25]
    )
    terms: Annotated[list[PauliTerm], Field(min_length=1, max_length=MAX_PAULI_TERMS)] | None = Field(
        None,
        description="pauliexp: Pauli strings P_k of exp(-i·time·Σ c_k P_k); the rightmost letter acts on targets[0].",
        examples=[["XX", "ZI"]],
    )
    coefficients: Annotated[list[Real], Field(min_length=1, max_length=MAX_PAULI_TERMS)] | None = Field(
        None, description="pauliexp: the real c_k, one for each term.", examples=[[0.5, 0.25]]
    )
    time: Real | None = Field(None, description="pauliexp: the evolution time.", examples=[1.0])
    clbit: Annotated[int, Field(ge=0, lt=MAX_CLBITS)] | None = Field(
        None, description="measure: the classical bit written; the qubit's own number if absent.", examples=[0]
    )
    clbits: Annotated[list[Annotated[int, Field(ge=0, lt=MAX_CLBITS)]], Field(max_length=MAX_CLBITS)] | None = Field(
        None, description="measure: the classical bits written, one for each target.", examples=[[0, 1]]
    )

    @property
    def acts_on(self) -> list[int]:
        """The target qubits, in the order written."""
        return [self.target] if self.target is not None else self.targets or []

    @property
    def controlled_by(self) -> list[int]:
        """The control qubits, in the order written."""
        return [self.control] if self.control is not None else self.controls or []

    @property
    def writes(self) -> list[int]:
        """The classical bits that a measurement writes, one for each target."""
        return [self.clbit] if self.clbit is not None else self.clbits or self.acts_on

    @model_validator(mode="after")
    def _fits_its_gate(self) -> Self:
        facts = GATES.get(self.gate)
        if facts is None:
            _refuse(self, ("gate",), "unknown_gate", _unknown_gate(self.gate), self.gate)
        self._check_qubits(facts)
        given = frozenset(name for name in self.model_fields_set & _PARAMETERS if getattr(self, name) is not None)
        if given not in facts.forms:
            self._refuse_parameters(facts, given)
        if self.gate == "pauliexp":
            self._check_pauli_terms()
        elif self.gate == "measure" and (len(self.writes) != len(self.acts_on) or _repeats(self.writes)):
            field = "clbits" if self.clbits is not None else "clbit"
            _refuse(self, (field,), "clbits", "Name one classical bit for each target, none twice.", self.writes)
        return self

    def _check_qubits(self, facts: GateFacts) -> None:
        targets, controls = self.acts_on, self.controlled_by
        if self.target is not None and self.targets is not None:
            _refuse(self, ("targets",), "twice", "Give `target` or `targets`, not both.", self.targets)
        if self.control is not None and self.controls is not None:
            _refuse(self, ("controls",), "twice", "Give `control` or `controls`, not both.", self.controls)
        where = "target" if self.targets is None else "targets"
        if not targets and not facts.targets_optional:
            _refuse(self, (where,), "missing", f"{self.gate} needs a target.", None)
        if facts.targets is not None and len(targets) != facts.targets:
            message = f"{self.gate} needs exactly {facts.targets} targets, not {len(targets)}."
            _refuse(self, (where,), "target_count", message, targets)
        control_field = "control" if self.controls is None else "controls"
        if controls and facts.controls == "none":
            _refuse(self, (control_field,), "superfluous", f"{self.gate} takes no control.", controls)
        if not controls and facts.controls == "required":
            _refuse(self, (control_field,), "missing", f"{self.gate} needs a control.", None)
        if _repeats(targets):
            _refuse(self, (where,), "repeated_qubit", "A qubit is named twice in one operation.", targets)
        if controls and _repeats(targets + controls):
            message = "A qubit is named twice in one operation."
            _refuse(self, (control_field,), "repeated_qubit", message, controls)

    def _refuse_parameters(self, facts: GateFacts, given: frozenset[str]) -> NoReturn:
        nearest = min(facts.forms, key=lambda form: len(form ^ given))
        superfluous = sorted(given - nearest)
        if superfluous:
            message = f"{self.gate} takes no {superfluous[0]} here."
            _refuse(self, (superfluous[0],), "superfluous", message, getattr(self, superfluous[0]))
        missing = sorted(nearest - given)[0]
        forms = " or ".join(", ".join(sorted(form)) for form in facts.forms if form)
        _refuse(self, (missing,), "missing", f"{self.gate} needs {forms}.", None)

    def _check_pauli_terms(self) -> None:
        terms, coefficients = self.terms or [], self.coefficients or []
        for index, term in enumerate(terms):
            if len(term) != len(self.acts_on):
                message = f"The term has {len(term)} letters for {len(self.acts_on)} targets."
                _refuse(self, ("terms", index), "term_length", message, term)
        if len(coefficients) != len(terms):
            message = f"There are {len(coefficients)} coefficients for {len(terms)} terms."
            _refuse(self, ("coefficients",), "coefficient_count", message, coefficients)


def _repeats(numbers: list[int]) -> bool:
    return len(numbers) > 1 and len(set(numbers)) != len(numbers)


BELL_OPERATIONS: list[JsonValue] = [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}]
BELL_SOURCE = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
BELL_SOURCE_2 = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1]; measure q -> c;'

CIRQ_EXAMPLE = (
    '{"cirq_type": "Circuit", "moments": [{"operations": [{"cirq_type": "GateOperation", "gate": {"cirq_type": '
    '"HPowGate"}, "qubits": [{"cirq_type": "LineQubit", "x": 0}]}]}, {"operations": [{"cirq_type": "GateOperation", '
    '"gate": {"cirq_type": "CXPowGate"}, "qubits": [{"cirq_type": "LineQubit", "x": 0}, '
    '{"cirq_type": "LineQubit", "x": 1}]}]}]}'
)


class JsonCircuit(Strict):
    """A circuit as a list of operations. All qubits start in 0; without a `measure`, all are measured at the end."""

    format: Literal["json"] = Field(description="The circuit is a list of operations.", examples=["json"])
    qubits: int = Field(ge=1, le=MAX_QUBITS, description="How many qubits. Idle ones cost nothing.", examples=[2])
    operations: Annotated[list[Operation], FailFast(), Field(max_length=MAX_OPERATIONS)] = Field(
        description="Applied in order.", examples=[BELL_OPERATIONS]
    )

    @model_validator(mode="after")
    def _qubits_exist(self) -> Self:
        for index, operation in enumerate(self.operations):
            if max(operation.acts_on + operation.controlled_by, default=0) >= self.qubits:
                self._refuse_qubit(index, operation)
        return self

    def _refuse_qubit(self, index: int, operation: Operation) -> NoReturn:
        named: list[tuple[tuple[str | int, ...], int | None]] = [
            (("target",), operation.target),
            (("control",), operation.control),
            *((("targets", i), qubit) for i, qubit in enumerate(operation.targets or ())),
            *((("controls", i), qubit) for i, qubit in enumerate(operation.controls or ())),
        ]
        loc, qubit = next((loc, qubit) for loc, qubit in named if qubit is not None and qubit >= self.qubits)
        message = f"There is no qubit {qubit}: the circuit has {self.qubits}, numbered from 0."
        _refuse(self, ("operations", index, *loc), "no_such_qubit", message, qubit)


class OpenQasm3Circuit(Strict):
    """A circuit in OpenQASM 3. Without a measurement, all qubits are measured at the end."""

    format: Literal["openqasm3"] = Field(description="The circuit is OpenQASM 3.", examples=["openqasm3"])
    source: str = Field(
        min_length=1,
        max_length=MAX_SOURCE_CHARACTERS,
        description="The program. `stdgates.inc` is the only file it may include.",
        examples=[BELL_SOURCE],
    )


class OpenQasm2Circuit(Strict):
    """A circuit in OpenQASM 2. Without a measurement, all qubits are measured at the end."""

    format: Literal["openqasm2"] = Field(description="The circuit is OpenQASM 2.", examples=["openqasm2"])
    source: str = Field(
        min_length=1,
        max_length=MAX_SOURCE_CHARACTERS,
        description="The program. `qelib1.inc` is the only file it may include; the gates that Qiskit added to it "
        "(`sx`, `p`, `u`, `cu`, `rzz`, …) need no definition.",
        examples=[BELL_SOURCE_2],
    )


class CirqCircuit(Strict):
    """A circuit as `cirq.to_json` writes it. Without a measurement, all qubits are measured at the end."""

    format: Literal["cirq"] = Field(description="The circuit is Cirq's JSON.", examples=["cirq"])
    source: Annotated[str, Field(min_length=1, max_length=MAX_CIRQ_CHARACTERS)] | dict[str, JsonValue] = Field(
        description="What `cirq.to_json(circuit)` returned, or the object in it. Qubits are numbered as Cirq sorts "
        "them; each measurement key takes the next classical bits.",
        examples=[CIRQ_EXAMPLE],
    )


Circuit = Annotated[JsonCircuit | OpenQasm3Circuit | OpenQasm2Circuit | CirqCircuit, Field(discriminator="format")]


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


class HistogramOutcome(View):
    """One outcome and how sure its probability is."""

    key: str = Field(description="The classical bits, in the order that `bit_order` names.", examples=["00"])
    count: int = Field(description="Shots that read it.", examples=[507])
    probability: float = Field(description="count / shots.", examples=[0.507])
    low: float = Field(description="The lower end of the Wilson 95% interval.", examples=[0.476])
    high: float = Field(description="The upper end of the Wilson 95% interval.", examples=[0.5379])


class OtherOutcomes(View):
    """All outcomes that a top-k histogram leaves out, as one."""

    outcomes: int = Field(description="How many different outcomes.", examples=[12])
    count: int = Field(description="Shots that read one of them.", examples=[31])
    probability: float = Field(description="count / shots.", examples=[0.031])
    low: float = Field(description="The lower end of the Wilson 95% interval.", examples=[0.0219])
    high: float = Field(description="The upper end of the Wilson 95% interval.", examples=[0.0437])


class HistogramView(View):
    """A job's counts with probabilities and intervals, most frequent first."""

    shots: int = Field(description="How often the circuit was run.", examples=[1000])
    clbits: int = Field(description="Characters of a key.", examples=[2])
    bit_order: BitOrder = Field(
        description="`little`: bit 0 is a key's rightmost character, as in Qiskit. `big`: its leftmost.",
        examples=["little"],
    )
    counts: dict[str, int] = Field(description="Shots by outcome.", examples=[{"00": 507, "11": 493}])
    probabilities: dict[str, float] = Field(
        description="count / shots by outcome.", examples=[{"00": 0.507, "11": 0.493}]
    )
    outcomes: list[HistogramOutcome] = Field(description="The same with 95% intervals.")
    other: OtherOutcomes | None = Field(None, description="What `top` left out; null if nothing.")
