"""The gate table, and one operation of a circuit. Names and meanings follow IonQ's JSON (qis and native)."""

from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import ConfigDict, Field, PlainValidator, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from qstill.contract.circuits.dialects import NAMES
from qstill.contract.circuits.expressions import MAX_EXPRESSION_CHARACTERS, ExpressionError, compile_expression
from qstill.contract.schemas import Strict, refuse

MAX_QUBITS = 4_096  # keys have a character per qubit; a register of 10^7 qubits aborts a simulator
MAX_CLBITS = 4_096  # as above
MAX_PAULI_TERMS = 1_024  # terms are compared in pairs to see whether they commute
MAX_CONDITION_BITS = 32  # a condition becomes one `if` inside another for each of them

_REAL = TypeAdapter(Annotated[float, Field(allow_inf_nan=False, strict=True)])


def _number(value: Any) -> float | str:
    """A finite number, or text that is an expression and, where it names no parameter, has a value."""
    if not isinstance(value, str):
        return _REAL.validate_python(value)
    try:
        expression = compile_expression(value)
        if not expression.names:
            expression.evaluate({})
    except ExpressionError as error:
        raise PydanticCustomError("expression", "{reason}", {"reason": str(error)}) from None
    return value


Index = Annotated[int, Field(ge=0, lt=MAX_QUBITS)]
ClbitIndex = Annotated[int, Field(ge=0, lt=MAX_CLBITS)]
_Text = Annotated[str, Field(min_length=1, max_length=MAX_EXPRESSION_CHARACTERS)]
Number = Annotated[float | _Text, PlainValidator(_number, json_schema_input_type=float | _Text)]
PauliTerm = Annotated[str, Field(pattern=r"^[IXYZ]+$", max_length=MAX_QUBITS)]


@dataclass(frozen=True, slots=True)
class GateForms:
    """What an operation of one gate may carry. A one-qubit gate with several targets acts on each of them."""

    forms: tuple[frozenset[str], ...] = (frozenset(),)  # the sets of parameters it can be written with
    targets: int | None = None  # exactly so many; None is one or more
    controls: Literal["optional", "required", "none"] = "optional"
    targets_optional: bool = False


def _forms(*forms: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(form.split()) for form in forms)


_PLAIN = GateForms()
_ROTATION = GateForms(_forms("rotation"))
_ROTATION_OF_TWO = GateForms(_forms("rotation"), targets=2)

GATES: dict[str, GateForms] = {
    **dict.fromkeys(("x", "not", "y", "h", "s", "si", "t", "ti", "v", "vi"), _PLAIN),
    "z": GateForms(_forms("", "rotation")),
    "cnot": GateForms(controls="required"),
    "swap": GateForms(targets=2),
    **dict.fromkeys(("rx", "ry", "rz"), _ROTATION),
    **dict.fromkeys(("xx", "yy"), _ROTATION_OF_TWO),
    "zz": GateForms(_forms("rotation", "angle", "phase"), targets=2),
    "pauliexp": GateForms(_forms("terms coefficients time")),
    **dict.fromkeys(("gpi", "gpi2"), GateForms(_forms("phase"))),
    "ms": GateForms(_forms("phases", "phases angle"), targets=2),
    "nop": GateForms(targets_optional=True),
    "measure": GateForms(_forms("", "clbit", "clbits"), controls="none"),
    "reset": GateForms(controls="none"),
    "barrier": GateForms(controls="none", targets_optional=True),
}
_UNCONDITIONAL = ("barrier", "nop")
_PARAMETERS = {"rotation", "phase", "phases", "angle", "terms", "coefficients", "time", "clbit", "clbits"}


def _unknown_gate(name: str) -> str:
    near = get_close_matches(name.lower(), GATES, n=1)
    suggestion = f" Did you mean {near[0]!r}?" if near else ""
    if (here := NAMES.get(name.lower())) is not None:
        suggestion = f" Here it is written {here}."
    return f"There is no gate {name!r}.{suggestion} Known: {', '.join(GATES)}."


class Condition(Strict):
    """What classical bits must read for an operation to happen."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"clbit": 0, "value": 1}, {"clbits": [0, 1], "value": 2}]}
    )

    clbit: ClbitIndex | None = Field(None, description="The classical bit that is read.", examples=[0])
    clbits: Annotated[list[ClbitIndex], Field(min_length=1, max_length=MAX_CONDITION_BITS)] | None = Field(
        None, description="Or several, read together as an integer; the first is its lowest bit.", examples=[[0, 1]]
    )
    value: int = Field(ge=0, description="What they must read.", examples=[1])

    @property
    def reads(self) -> list[int]:
        """The classical bits, lowest first."""
        return [self.clbit] if self.clbit is not None else self.clbits or []

    @property
    def bits(self) -> list[tuple[int, int]]:
        """(classical bit, what it must read), lowest first."""
        return [(clbit, self.value >> place & 1) for place, clbit in enumerate(self.reads)]

    @model_validator(mode="after")
    def _has_a_meaning(self) -> Self:
        if (self.clbit is None) == (self.clbits is None):
            field, code = ("clbits", "twice") if self.clbit is not None else ("clbit", "missing")
            refuse((field,), code, "Give `clbit` or `clbits`, one of them.", self.clbits)
        if repeats(self.reads):
            refuse(("clbits",), "repeated_clbit", "A classical bit is named twice in one condition.", self.clbits)
        if self.value >> len(self.reads):
            message = f"{len(self.reads)} classical bits never read {self.value}."
            refuse(("value",), "value_too_large", message, self.value)
        return self


class Operation(Strict):
    """One gate, measurement, reset or barrier. A number may be written as an expression of free parameters."""

    model_config = ConfigDict(
        serialize_by_alias=True,
        json_schema_extra={
            "examples": [
                {"gate": "h", "target": 0},
                {"gate": "x", "target": 1, "control": 0},
                {"gate": "rx", "target": 0, "rotation": 0.3},
                {"gate": "rz", "target": 0, "rotation": "2*gamma + pi/4"},
                {"gate": "measure", "targets": [0, 1]},
                {"gate": "x", "target": 1, "if": {"clbit": 0, "value": 1}},
            ]
        },
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
    rotation: Number | None = Field(
        None, description="rx, ry, rz, xx, yy, zz, z: the angle, radians.", examples=[0.3, "theta"]
    )
    phase: Number | None = Field(None, description="gpi, gpi2, native zz: the phase, turns.", examples=[0.25])
    phases: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = Field(
        None, description="ms: one phase for each target, turns.", examples=[[0.0, 0.5]]
    )
    angle: Number | None = Field(
        None, description="ms (0.25 if absent) and native zz: the angle, turns.", examples=[0.25]
    )
    terms: Annotated[list[PauliTerm], Field(min_length=1, max_length=MAX_PAULI_TERMS)] | None = Field(
        None,
        description="pauliexp: Pauli strings P_k of exp(-i·time·Σ c_k P_k); the rightmost letter acts on targets[0].",
        examples=[["XX", "ZI"]],
    )
    coefficients: Annotated[list[Number], Field(min_length=1, max_length=MAX_PAULI_TERMS)] | None = Field(
        None, description="pauliexp: the real c_k, one for each term.", examples=[[0.5, 0.25]]
    )
    time: Number | None = Field(None, description="pauliexp: the evolution time.", examples=[1.0])
    clbit: ClbitIndex | None = Field(
        None, description="measure: the classical bit written; the qubit's own number if absent.", examples=[0]
    )
    clbits: Annotated[list[ClbitIndex], Field(max_length=MAX_CLBITS)] | None = Field(
        None, description="measure: the classical bits written, one for each target.", examples=[[0, 1]]
    )
    condition: Condition | None = Field(
        None,
        alias="if",
        description="It happens only where classical bits, measured before, read this value.",
        examples=[{"clbit": 0, "value": 1}],
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

    def free_parameters(self) -> list[str]:
        """The names in its expressions, in order of first use."""
        single = (self.rotation, self.phase, self.angle, self.time)
        several = chain(self.phases or (), self.coefficients or ())
        texts = [number for number in chain(single, several) if isinstance(number, str)]
        return list(dict.fromkeys(name for text in texts for name in compile_expression(text).names))

    @model_validator(mode="after")
    def _fits_its_gate(self) -> Self:
        known = GATES.get(self.gate)
        if known is None:
            refuse(("gate",), "unknown_gate", _unknown_gate(self.gate), self.gate)
        self._check_qubits(known)
        given = frozenset(name for name in self.model_fields_set & _PARAMETERS if getattr(self, name) is not None)
        if given not in known.forms:
            self._refuse_parameters(known, given)
        if self.gate == "pauliexp":
            self._check_pauli_terms()
        elif self.gate == "measure" and (len(self.writes) != len(self.acts_on) or repeats(self.writes)):
            field = "clbits" if self.clbits is not None else "clbit"
            refuse((field,), "clbits", "Name one classical bit for each target, none twice.", self.writes)
        if self.condition is not None and self.gate in _UNCONDITIONAL:
            refuse(("if",), "superfluous", f"{self.gate} takes no condition.", self.condition)
        return self

    def _check_qubits(self, known: GateForms) -> None:
        targets, controls = self.acts_on, self.controlled_by
        if self.target is not None and self.targets is not None:
            refuse(("targets",), "twice", "Give `target` or `targets`, not both.", self.targets)
        if self.control is not None and self.controls is not None:
            refuse(("controls",), "twice", "Give `control` or `controls`, not both.", self.controls)
        where = "target" if self.targets is None else "targets"
        if not targets and not known.targets_optional:
            refuse((where,), "missing", f"{self.gate} needs a target.", None)
        if known.targets is not None and len(targets) != known.targets:
            message = f"{self.gate} needs exactly {known.targets} targets, not {len(targets)}."
            refuse((where,), "target_count", message, targets)
        control_field = "control" if self.controls is None else "controls"
        if controls and known.controls == "none":
            refuse((control_field,), "superfluous", f"{self.gate} takes no control.", controls)
        if not controls and known.controls == "required":
            refuse((control_field,), "missing", f"{self.gate} needs a control.", None)
        if repeats(targets):
            refuse((where,), "repeated_qubit", "A qubit is named twice in one operation.", targets)
        if controls and repeats(targets + controls):
            message = "A qubit is named twice in one operation."
            refuse((control_field,), "repeated_qubit", message, controls)

    def _refuse_parameters(self, known: GateForms, given: frozenset[str]) -> NoReturn:
        nearest = min(known.forms, key=lambda form: len(form ^ given))
        superfluous = sorted(given - nearest)
        forms = " or ".join(", ".join(sorted(form)) for form in known.forms if form)
        if superfluous:
            message = f"{self.gate} takes no {superfluous[0]} here" + (f"; it takes {forms}." if forms else ".")
            refuse((superfluous[0],), "superfluous", message, getattr(self, superfluous[0]))
        missing = sorted(nearest - given)[0]
        refuse((missing,), "missing", f"{self.gate} needs {forms}.", None)

    def _check_pauli_terms(self) -> None:
        terms, coefficients = self.terms or [], self.coefficients or []
        for index, term in enumerate(terms):
            if len(term) != len(self.acts_on):
                message = f"The term has {len(term)} letters for {len(self.acts_on)} targets."
                refuse(("terms", index), "term_length", message, term)
        if len(coefficients) != len(terms):
            message = f"There are {len(coefficients)} coefficients for {len(terms)} terms."
            refuse(("coefficients",), "coefficient_count", message, coefficients)


def repeats(numbers: list[int]) -> bool:
    return len(numbers) > 1 and len(set(numbers)) != len(numbers)
