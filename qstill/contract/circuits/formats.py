"""The formats that a circuit may be submitted in, and what each of them may hold."""

from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import BeforeValidator, FailFast, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from qstill.contract.circuits.gates import MAX_QUBITS, Condition, Operation
from qstill.contract.circuits.templates import Template
from qstill.contract.schemas import Strict, refuse

MAX_OPERATIONS = 100_000  # half a second of validation and 100 MB of objects
MAX_SOURCE_CHARACTERS = 8_388_608  # a whole body: the door reads no more than its first words, a child a million in 2 s
MAX_CIRQ_CHARACTERS = 10_000_000  # an operation takes 150 characters, indented 400

BELL_OPERATIONS: list[JsonValue] = [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}]
BELL_SOURCE = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
BELL_SOURCE_2 = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1]; measure q -> c;'

CIRQ_EXAMPLE = (
    '{"cirq_type": "Circuit", "moments": [{"cirq_type": "Moment", "operations": [{"cirq_type": "GateOperation", '
    '"gate": {"cirq_type": "HPowGate"}, "qubits": [{"cirq_type": "LineQubit", "x": 0}]}]}, {"cirq_type": "Moment", '
    '"operations": [{"cirq_type": "GateOperation", "gate": {"cirq_type": "CXPowGate"}, "qubits": [{"cirq_type": '
    '"LineQubit", "x": 0}, {"cirq_type": "LineQubit", "x": 1}]}]}]}'
)


class JsonCircuit(Strict):
    """A circuit as a list of operations. All qubits start in 0; without a `measure`, all are measured at the end."""

    format: Literal["json"] = Field(description="The circuit is a list of operations.", examples=["json"])
    qubits: int = Field(ge=1, le=MAX_QUBITS, description="How many qubits. Idle ones cost nothing.", examples=[2])
    operations: Annotated[list[Operation], FailFast(), Field(max_length=MAX_OPERATIONS)] = Field(
        description="Applied in order.", examples=[BELL_OPERATIONS]
    )

    @model_validator(mode="after")
    def _qubits_and_clbits_exist(self) -> Self:
        written: set[int] = set()
        for index, operation in enumerate(self.operations):
            if max(operation.acts_on + operation.controlled_by, default=0) >= self.qubits:
                self._refuse_qubit(index, operation)
            if operation.condition is not None and not written.issuperset(operation.condition.reads):
                self._refuse_condition(index, operation.condition, written)
            if operation.gate == "measure":
                written.update(operation.writes)
        return self

    def _refuse_condition(self, index: int, condition: Condition, written: set[int]) -> NoReturn:
        place, clbit = next((place, bit) for place, bit in enumerate(condition.reads) if bit not in written)
        loc = ("clbit",) if condition.clbits is None else ("clbits", place)
        message = f"Classical bit {clbit} is read before a measurement writes it."
        refuse(("operations", index, "if", *loc), "clbit_not_measured", message, clbit)

    def _refuse_qubit(self, index: int, operation: Operation) -> NoReturn:
        named: list[tuple[tuple[str | int, ...], int | None]] = [
            (("target",), operation.target),
            (("control",), operation.control),
            *((("targets", i), qubit) for i, qubit in enumerate(operation.targets or ())),
            *((("controls", i), qubit) for i, qubit in enumerate(operation.controls or ())),
        ]
        loc, qubit = next((loc, qubit) for loc, qubit in named if qubit is not None and qubit >= self.qubits)
        message = f"There is no qubit {qubit}: the circuit has {self.qubits}, numbered from 0."
        refuse(("operations", index, *loc), "no_such_qubit", message, qubit)


def free_parameters(circuit: JsonCircuit) -> list[str]:
    """The names in the circuit's expressions, in order of first use."""
    return list(dict.fromkeys(name for operation in circuit.operations for name in operation.free_parameters()))


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


class TemplateCircuit(Strict):
    """A circuit with a known answer; `GET /v1/circuits/templates` explains them all."""

    format: Literal["template"] = Field(description="The circuit is made from a template.", examples=["template"])
    template: Template = Field(description="Which one, and its parameters.", examples=[{"name": "ghz", "qubits": 5}])


def _an_object(value: Any) -> Any:
    """What is no object would be refused in words that do not say what is wanted."""
    if isinstance(value, str | list | int | float):
        reason = """A circuit is an object such as {"format": "openqasm3", "source": "OPENQASM 3.0; …"}."""
        raise PydanticCustomError("circuit_type", "{reason}", {"reason": reason})
    return value


Circuit = TypeAliasType(  # a schema of its own in the OpenAPI document: a generator of bad input can then name it
    "Circuit",
    Annotated[
        JsonCircuit | OpenQasm3Circuit | OpenQasm2Circuit | CirqCircuit | TemplateCircuit,
        Field(discriminator="format"),
        BeforeValidator(_an_object),
    ],
)
