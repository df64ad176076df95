"""/v0.4/schemas/formats/{format}: what the artifacts of jobs look like, as JSON Schema."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import ConfigDict, Field

from app.ionq.answers import AGGREGATED, NATIVE, PROBABILITIES, SHOTS, SHOTS_V2
from app.ionq.auth import IonqOwner
from app.ionq.errors import refusals
from app.ionq.machines import NATIVE_GATES
from qstill.contract.errors import Problem
from qstill.contract.schemas import View

DRAFT = "http://json-schema.org/draft-07/schema#"

router = APIRouter(prefix="/schemas")

Json = dict[str, Any]

_OUTCOME = "^(0|[1-9][0-9]*)$"
_QUBIT = {"type": "integer", "minimum": 0}
_QUBITS = {"type": "array", "items": _QUBIT}
_NUMBER = {"type": "number"}


def _by_key(pattern: str, value: Json) -> Json:
    return {"type": "object", "patternProperties": {pattern: value}, "additionalProperties": False}


def _holding(**properties: Json) -> Json:
    """An object of exactly these properties."""
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT = {"type": "integer", "minimum": 0}
_BIT = {"type": "integer", "enum": [0, 1]}
_NATIVE_GATE = {
    "type": "object",
    "properties": {
        "gate": {"enum": list(NATIVE_GATES)},
        "target": _QUBIT,
        "targets": _QUBITS,
        "control": _QUBIT,
        "controls": _QUBITS,
        "phase": _NUMBER,
        "phases": {"type": "array", "items": _NUMBER},
        "angle": _NUMBER,
    },
    "required": ["gate"],
    "additionalProperties": False,
}


def _registers(value: Json) -> Json:
    return _holding(registers={"type": "object", "additionalProperties": value})


FORMATS: dict[str, Json] = {
    PROBABILITIES: {
        "description": "Probabilities by outcome: the bits of all qubits as one decimal number, qubit 0 the lowest.",
        **_by_key(_OUTCOME, _PROBABILITY),
    },
    "ionq.result.probabilities.json.v2": {
        "description": "Probabilities by register and the bits of each.",
        **_holding(probabilities=_registers(_by_key("^[01]*$", _PROBABILITY))),
    },
    "ionq.result.histogram.json.v1": {
        "description": "Shots by outcome: the bits of all qubits as one decimal number, qubit 0 the lowest.",
        **_by_key(_OUTCOME, _COUNT),
    },
    "ionq.result.histogram.json.v2": {
        "description": "Shots by register and the bits of each.",
        **_holding(histogram=_registers(_by_key("^[01]*$", _COUNT))),
    },
    SHOTS: {
        "description": "The outcome of every shot: the bits of all qubits as one decimal number, qubit 0 the lowest.",
        "type": "array",
        "items": {"type": "string", "pattern": _OUTCOME},
    },
    SHOTS_V2: {
        "description": "The bits that every shot read, by register, a register's bit 0 first.",
        **_holding(
            shots={
                "type": "array",
                "items": _registers({"type": "array", "items": _BIT}),
            }
        ),
    },
    AGGREGATED: {
        "description": "Probabilities by outcome of every circuit of a job, by the circuit's id.",
        "type": "object",
        "additionalProperties": _by_key(_OUTCOME, _PROBABILITY),
    },
    NATIVE: {
        "description": "A circuit in native gates: phases and angles in turns.",
        **_holding(qubits={"type": "integer", "minimum": 1}, circuit={"type": "array", "items": _NATIVE_GATE}),
    },
}


class FormatSchema(View):
    """A JSON Schema."""

    model_config = ConfigDict(extra="allow", serialize_by_alias=True)

    draft: str = Field(alias="$schema", description="The draft that it is written in.", examples=[DRAFT])
    id: str = Field(alias="$id", description="The format.", examples=[PROBABILITIES])
    type: str = Field(description="Of the whole.", examples=["object"])
    description: str = Field(description="For people.", examples=["Probabilities by outcome."])


@router.get("/formats/{name}", responses=refusals(404))
async def get_ionq_format(
    name: Annotated[str, Path(max_length=100, description="A format, as jobs name it.", examples=[PROBABILITIES])],
    owner: IonqOwner,
) -> FormatSchema:
    """The JSON Schema of a format of results or circuits."""
    found = FORMATS.get(name)
    if found is None:
        raise Problem("no_such_format", f"There is no such format. Known: {', '.join(FORMATS)}.", status=404)
    return FormatSchema.model_validate({"$schema": DRAFT, "$id": name, **found})
