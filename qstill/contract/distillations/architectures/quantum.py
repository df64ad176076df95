"""Variational circuits: rows become states, trained turns and CX act on them, and a linear layer reads observables."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from qstill.contract.circuits.outputs import MAX_MATRIX_QUBITS, AnyObservable, Observable, check_observable
from qstill.contract.distillations.architectures.family import Family, FeatureKind
from qstill.contract.distillations.architectures.quantum_programs import QUANTUM_PROGRAM
from qstill.contract.errors import Problem
from qstill.contract.schemas import FieldPath, Strict, refuse

MAX_TRAINED_QUBITS = 16  # a step of a batch of 32 takes a quarter of a second
MAX_CIRCUIT_LAYERS = 64
MAX_OBSERVABLES = 256

Inputs = Literal["raw", "standardised"]
Entanglement = Literal["ring", "line", "brickwork", "full", "none"]


class AmplitudeEncoding(Strict):
    """A row is the amplitudes of the state, divided by its length and filled up with zeros: 2^n numbers on n qubits."""

    kind: Literal["amplitude"] = Field(
        description="Numbers of a row are amplitudes; 64 fit on six qubits.", examples=["amplitude"]
    )
    inputs: Inputs = Field(
        "raw",
        description="Rows as they were uploaded, or as `dataset.standardise` makes them. Shifted numbers have "
        "lost what their length said: digits reach 93 % raw and 83 % standardised.",
        examples=["raw"],
    )


class AngleEncoding(Strict):
    """A number of a row turns the qubit of its place by RY, at the beginning or before every layer."""

    kind: Literal["angle"] = Field(description="Each number turns a qubit of its own.", examples=["angle"])
    inputs: Inputs = Field(
        "standardised",
        description="Rows as `dataset.standardise` makes them, or as they were uploaded.",
        examples=["standardised"],
    )
    turn: Literal["arctan", "linear"] = Field(
        "arctan",
        description="The angle of a number x: gain·arctan(x), which no outlier takes round the circle, or gain·x. The "
        "gain of each number is learned; it begins at 1.",
        examples=["arctan"],
    )
    upload_again: bool = Field(
        False,
        description="Turn before every layer and not only before the first: more frequencies of the inputs "
        "(Pérez-Salinas and others 2020, 1907.02085).",
        examples=[False],
    )


Encoding = Annotated[AmplitudeEncoding | AngleEncoding, Field(discriminator="kind")]


class ReadOut(Strict):
    """What a linear layer reads of a circuit, and whether the circuit is trained."""

    observables: Annotated[
        list[Literal["z", "zz"] | AnyObservable], Field(min_length=1, max_length=MAX_OBSERVABLES)
    ] = Field(
        default=["z"],
        description="What the linear layer reads: `z`, the Z of every qubit; `zz`, the product of every two; or sums "
        "of Pauli strings, as in circuit jobs.",
        examples=[["z", "zz"]],
    )
    frozen: bool = Field(
        False,
        description="Leave the angles as they were drawn: only the linear layer learns. A control: what a trained "
        "circuit is worth is what it has over this one.",
        examples=[False],
    )


class Quantum(ReadOut):
    """A variational circuit: an encoding, layers of RY and RZ on every qubit and CX, a linear layer on observables.

    Its tensors: `angles` (layers, 2, qubits), radians, RY before RZ; `gain` (features,) of an angle encoding;
    `head.weight`, `head.bias`; `mean` and `std`, by which standardised rows become raw ones. Features: `observables`.
    """

    kind: Literal["quantum"] = Field(description="A variational quantum circuit, simulated.", examples=["quantum"])
    qubits: Annotated[int, Field(ge=1, le=MAX_TRAINED_QUBITS)] = Field(description="How many.", examples=[6])
    layers: Annotated[int, Field(ge=1, le=MAX_CIRCUIT_LAYERS)] = Field(
        description="Of turns and CX: 2·qubits weights each.", examples=[8]
    )
    encoding: Encoding = Field(
        default_factory=lambda: AngleEncoding(kind="angle"),
        description="How a row becomes a state.",
        examples=[{"kind": "amplitude", "inputs": "raw"}],
    )
    entanglement: Entanglement = Field(
        "ring",
        description="The CX of a layer: of each qubit with the next and the last with the first (ring), without that "
        "last (line), of every other pair in turns (brickwork), of every two (full), or none.",
        examples=["ring"],
    )

    @model_validator(mode="after")
    def _reads_something(self) -> "Quantum":
        if self.qubits == 1 and self.observables == ["zz"]:
            refuse(("observables",), "nothing_to_read", "there are no two qubits: read `z`", self.observables)
        for number, wanted in enumerate(self.observables):
            if isinstance(wanted, Observable):
                refuse_other_qubits(wanted, self.qubits, ("observables", number))
        return self


def refuse_other_qubits(observable: Observable, qubits: int, place: FieldPath) -> None:
    """Raise a validation error where an observable acts on qubits that there are not."""
    try:
        check_observable(observable, qubits, "")
    except Problem as problem:
        refuse(place, problem.code, problem.title, None)


def features(_: ReadOut) -> dict[str, FeatureKind]:
    """What can be compared with a teacher's."""
    return {"observables": "flat"}


def no_units(_: ReadOut) -> str:
    """Why none can be removed."""
    return "a circuit has no units to remove: give it fewer qubits or layers"


def controls(quantum: Quantum) -> dict[str, Quantum]:
    """What learning its angles is worth, and what joining its qubits is."""
    simpler: dict[str, dict[str, Any]] = {"frozen": {"frozen": True}, "no_entanglement": {"entanglement": "none"}}
    made = {name: quantum.model_copy(update=changes) for name, changes in simpler.items()}
    return {name: control for name, control in made.items() if control != quantum}


def why_no_onnx(quantum: Quantum) -> tuple[str, str] | None:
    """A circuit that reads a row once is one matrix, of 16 MB for ten qubits; one that reads it again is none."""
    if isinstance(quantum.encoding, AngleEncoding) and quantum.encoding.upload_again:
        return "not_for_this_network", "a circuit that uploads its rows again is no one matrix"
    if quantum.qubits > MAX_MATRIX_QUBITS:
        reason = f"the matrix of {quantum.qubits} qubits is too large: up to {MAX_MATRIX_QUBITS} leave as ONNX"
        return "onnx_too_large", reason
    return None


QUANTUM = Family(
    definition=Quantum,
    reads="numbers",
    question="inputs",
    features=features,
    why_no_units=no_units,
    program=QUANTUM_PROGRAM,
    half_precision=False,
    compresses=False,
    exports=("onnx", "openqasm3", "cirq"),
    is_circuit=True,
    controls=controls,
    why_no_onnx=why_no_onnx,
)
