"""A circuit of the user's own as a network: some of its parameters are numbers of a row, the others are trained."""

from collections.abc import Set
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from qstill.contract.circuits.admission import Limits, check_size
from qstill.contract.circuits.formats import (
    CirqCircuit,
    JsonCircuit,
    OpenQasm2Circuit,
    OpenQasm3Circuit,
    free_parameters,
)
from qstill.contract.circuits.job import ParameterName
from qstill.contract.circuits.openqasm3 import door
from qstill.contract.circuits.outputs import MAX_MATRIX_QUBITS, Observable
from qstill.contract.distillations.architectures.family import Family
from qstill.contract.distillations.architectures.quantum import (
    MAX_TRAINED_QUBITS,
    AmplitudeEncoding,
    Inputs,
    ReadOut,
    features,
    no_units,
    refuse_other_qubits,
)
from qstill.contract.distillations.architectures.quantum_programs import CIRCUIT_PROGRAM
from qstill.contract.errors import Problem
from qstill.contract.schemas import FieldPath, Strict, refuse

MAX_TRAINED_OPERATIONS = 10_000  # a diagonal of the engine for each: with 16 qubits half a megabyte
MAX_INPUTS = 256

EXAMPLE = (
    'OPENQASM 3.0; include "stdgates.inc"; input float x0; input float x1; input float a; input float b; qubit[2] q; '
    "ry(x0) q[0]; ry(x1) q[1]; cx q[0], q[1]; ry(a) q[0]; ry(b) q[1];"
)

TrainableCircuit = Annotated[
    JsonCircuit | OpenQasm3Circuit | OpenQasm2Circuit | CirqCircuit, Field(discriminator="format")
]


class InputEncoding(Strict):
    """Numbers of a row are the circuit's inputs, in their order."""

    kind: Literal["angle"] = Field(description="Each number is an input of the circuit.", examples=["angle"])
    inputs: Inputs = Field(
        "standardised",
        description="Rows as `dataset.standardise` makes them, or as they were uploaded.",
        examples=["standardised"],
    )
    turn: Literal["arctan", "linear", "plain"] = Field(
        "arctan",
        description="The input of a number x: gain·arctan(x), which no outlier takes round the circle, gain·x, or x. "
        "The gain of each number is learned; it begins at 1.",
        examples=["arctan"],
    )


def _usual(said: dict[str, Any]) -> AmplitudeEncoding | InputEncoding:
    return InputEncoding(kind="angle") if said.get("inputs") else AmplitudeEncoding(kind="amplitude")


class OwnCircuit(ReadOut):
    """Your own circuit: `inputs` are numbers of a row, all other parameters are trained, a linear layer reads it.

    Its tensors: `angles` (weights,), in alphabetical order of their names; `gain` (inputs,) of inputs that are not
    plain; `head.weight`, `head.bias`; `mean` and `std`, by which standardised rows become raw ones. Features:
    `observables`.
    """

    kind: Literal["circuit"] = Field(description="A circuit of your own, simulated.", examples=["circuit"])
    circuit: TrainableCircuit = Field(
        description="Gates alone, of up to 16 qubits, with free parameters; what is measured at its end is left out.",
        examples=[{"format": "openqasm3", "source": EXAMPLE}],
    )
    inputs: Annotated[list[ParameterName], Field(max_length=MAX_INPUTS)] = Field(
        default_factory=list,
        description="The parameters that are numbers of a row, in its order. Without any, the row is the state that "
        "the circuit begins with.",
        examples=[["x0", "x1"]],
    )
    encoding: Annotated[AmplitudeEncoding | InputEncoding, Field(discriminator="kind")] = Field(
        default_factory=_usual,
        description="How a row enters: as `inputs`, or as amplitudes where there are none.",
        examples=[{"kind": "angle", "turn": "plain"}],
    )

    @model_validator(mode="after")
    def _can_be_trained(self) -> "OwnCircuit":
        if len(set(self.inputs)) != len(self.inputs):
            refuse(("inputs",), "repeated_input", "an input is named twice", self.inputs)
        if bool(self.inputs) == isinstance(self.encoding, AmplitudeEncoding):
            reason = "amplitudes are for circuits without inputs" if self.inputs else "name the inputs that rows are"
            refuse(("encoding", "kind"), "nothing_to_encode", reason, self.encoding.kind)
        _refuse_unfit_size(self.circuit, MAX_TRAINED_QUBITS)
        if (known := _names_of(self.circuit)) is not None:
            refuse_unknown(self.inputs, known)
        if isinstance(self.circuit, JsonCircuit):
            for number, wanted in enumerate(self.observables):
                if isinstance(wanted, Observable):
                    refuse_other_qubits(wanted, self.circuit.qubits, ("observables", number))
        return self


def refuse_unknown(inputs: list[str], known: Set[str]) -> None:
    """Raise a validation error at an input that a circuit with these parameters does not have."""
    for number, name in enumerate(inputs):
        if name not in known:
            refuse(("inputs", number), "unused_input", said_of_unknown(name, known), name)


def said_of_unknown(name: str, known: Set[str]) -> str:
    """Of an input that is no parameter of the circuit."""
    has = f"its parameters are {', '.join(sorted(known)[:20])}" if known else "it has no parameter"
    return f"the circuit has no parameter {name!r}: {has}"


def _names_of(circuit: JsonCircuit | OpenQasm3Circuit | OpenQasm2Circuit | CirqCircuit) -> set[str] | None:
    """Its parameters; None where only a parser can tell."""
    if isinstance(circuit, JsonCircuit):
        return set(free_parameters(circuit))
    if isinstance(circuit, OpenQasm3Circuit) and (read := door.elaborated(circuit.source)) is not None:
        return set(read.inputs)
    return None


def _refuse_unfit_size(circuit: TrainableCircuit, qubits: int) -> None:
    limits = Limits(memory_available=0, qubits=qubits, operations=MAX_TRAINED_OPERATIONS)
    try:
        check_size(circuit, limits)
    except Problem as problem:
        place: FieldPath = tuple((problem.pointer or "/circuit").split("/")[1:])
        said = problem.title
        if problem.code == "too_many_qubits":
            said = f"{said.rstrip('.')}: networks are circuits of up to {MAX_TRAINED_QUBITS}"
        refuse(place, problem.code, said, None)


def why_no_onnx(own: OwnCircuit) -> tuple[str, str] | None:
    """As one matrix, where rows are what it begins with, of up to ten qubits."""
    if own.inputs:
        return "not_for_this_network", "a circuit with inputs is no one matrix"
    try:
        check_size(own.circuit, Limits(memory_available=0, qubits=MAX_MATRIX_QUBITS))
    except Problem as problem:
        if problem.code == "too_many_qubits":
            return "onnx_too_large", f"circuits of up to {MAX_MATRIX_QUBITS} qubits leave as ONNX"
    return None


OWN_CIRCUIT = Family(
    definition=OwnCircuit,
    reads="numbers",
    question="inputs",
    features=features,
    why_no_units=no_units,
    program=CIRCUIT_PROGRAM,
    half_precision=False,
    compresses=False,
    exports=("onnx", "openqasm3", "cirq"),
    is_circuit=True,
    controls=lambda own: {} if own.frozen else {"frozen": own.model_copy(update={"frozen": True})},
    why_no_onnx=why_no_onnx,
)
