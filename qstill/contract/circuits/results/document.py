"""`results.json`, all that a job's circuits left behind: the workers write it, the front door reads it.

These are dictionaries with a type, not objects: a thousand circuits are made, written and read in the time that plain
JSON takes.
"""

import json
from collections.abc import Iterable, Mapping
from random import Random
from typing import (
    Annotated,
    Literal,
    NotRequired,  # pydantic reads no other before Python 3.12
)

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

Amplitude = tuple[float, float]  # real, imaginary

_FORBID = ConfigDict(extra="forbid")


@with_config(_FORBID)
class Register(TypedDict):
    """A classical register and which of the circuit's bits it is made of."""

    name: Annotated[str, Field(description="As the circuit calls it.", examples=["c"])]
    clbits: Annotated[
        list[int], Field(description="The circuit's bits in it; its own bit 0 comes first.", examples=[[0, 1]])
    ]


@with_config(_FORBID)
class Expectation(TypedDict):
    """The expectation value of one observable."""

    name: Annotated[str | None, Field(description="As submitted.", examples=["parity"])]
    value: Annotated[float, Field(description="⟨O⟩ before the final measurements.", examples=[1.0])]
    standard_error: Annotated[
        float,
        Field(
            description="Of `value`, from the trajectories or branches it was averaged over; 0 where it is exact.",
            examples=[0.0],
        ),
    ]
    shot_noise: Annotated[
        float | None,
        Field(
            description="What measuring O with `shots` shots would leave as a standard error: √(⟨O²⟩ - ⟨O⟩²)/√shots; "
            "null for sums of many terms.",
            examples=[0.0],
        ),
    ]


class CircuitResults(TypedDict):
    """What one circuit of a job left behind. A key has a character for each classical bit, bit 0 rightmost.

    binding: of a sweep's circuit, the values of its parameters. probabilities: exact, noise included. ideal: exact,
    without noise. memory: the key of each shot in turn. States stand here where they are small. What nobody asked for,
    or there is none of, is absent.
    """

    shots: int
    seed: int
    clbits: int
    registers: list[Register]
    method: str
    counts: dict[str, int]
    binding: NotRequired[dict[str, float]]
    probabilities: NotRequired[dict[str, float]]
    ideal: NotRequired[dict[str, float]]
    memory: NotRequired[list[str]]
    expectations: NotRequired[list[Expectation]]
    statevector: NotRequired[list[Amplitude]]
    density_matrix: NotRequired[list[list[Amplitude]]]
    unitary: NotRequired[list[list[Amplitude]]]


class Results(TypedDict):
    """The whole document: the circuits in the order of the job."""

    bit_order: Literal["little"]
    circuits: list[CircuitResults]


_RESULTS = TypeAdapter(Results)


def read_results(content: bytes) -> list[CircuitResults]:
    """The circuits of a document."""
    return _RESULTS.validate_json(content)["circuits"]


def results_json(circuits: Iterable[CircuitResults]) -> str:
    """The document of these circuits. Python's encoder takes three times as long for a hundred thousand outcomes."""
    return '{"bit_order": "little", "circuits": [' + ", ".join(map(_circuit_json, circuits)) + "]}"


def shots_in_order(counts: Mapping[str, int], seed: int) -> list[str]:
    """A key for every shot. Shots are exchangeable: any order is as likely as the one drawn, and the seed gives one."""
    keys = [key for key, count in sorted(counts.items()) for _ in range(count)]
    Random(seed).shuffle(keys)  # noqa: S311  # not a secret
    return keys


def _circuit_json(circuit: CircuitResults) -> str:
    """A value that is a mapping is one from keys of 0 and 1, or names of parameters, to finite numbers."""
    fields = (
        f'"{name}": {_numbers_json(value) if isinstance(value, dict) else json.dumps(value)}'
        for name, value in circuit.items()
    )
    return "{" + ", ".join(fields) + "}"


def _numbers_json(numbers: Mapping[str, float]) -> str:
    return "{" + ", ".join([f'"{key}": {number!r}' for key, number in numbers.items()]) + "}"
