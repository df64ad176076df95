"""Trigonometric sums: what a quantum circuit is as a function of its angles (Schuld and others 2021, 2008.08605)."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qstill.contract.distillations.architectures.family import Family
from qstill.contract.distillations.architectures.pieces import MAX_WIDTH
from qstill.contract.schemas import Strict, refuse

MAX_FREQUENCY = 16_000  # of one input; its sum alone is as long as MAX_NODES allows
MAX_NODES = 1 << 15  # coefficients, as many numbers for each of the 4,096 rows that are judged at once: 512 MiB

Frequency = Annotated[int, Field(ge=0, le=MAX_FREQUENCY)]
Unit = Annotated[float, Field(gt=0, le=1e6)]


class Fourier(Strict):
    """A sum of products of cosines and sines of the inputs: exactly what circuits are whose angles are linear in them.

    It reads rows as they stand in the data. Its tensors: `head.weight`, `head.bias`, and `mean` and `std`, which
    undo the job's standardisation.
    """

    kind: Literal["fourier"] = Field(description="A trigonometric sum.", examples=["fourier"])
    frequencies: Frequency | Annotated[list[Frequency], Field(min_length=1, max_length=MAX_WIDTH)] | None = Field(
        None,
        description="The highest frequency of each input, or one for all; lower ones are there too. Null: those that "
        "the circuit has which teaches; other teachers do not say.",
        examples=[[1, 1, 2]],
    )
    units: Unit | Annotated[list[Unit], Field(min_length=1, max_length=MAX_WIDTH)] | None = Field(
        None,
        description="What frequency 1 is of each input, or of all, in radians for each unit of it: π where a circuit "
        "turns by π·x. Null: those of the circuit that teaches, and 1 of other teachers.",
        examples=[3.141592653589793],
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if isinstance(self.frequencies, list) and nodes_of(self.frequencies) > MAX_NODES:
            reason = f"these are {nodes_of(self.frequencies):,} coefficients, and {MAX_NODES:,} are at most"
            refuse(("frequencies",), "grid_too_large", reason, self.frequencies)
        given = [each for each in (self.frequencies, self.units) if isinstance(each, list)]
        if len({len(each) for each in given}) > 1:
            refuse(("units",), "wrong_number_of_units", "as many units as frequencies", self.units)
        return self


def nodes_of(frequencies: Sequence[int]) -> int:
    """Coefficients of a sum, and nodes of the grid that they follow from."""
    return math.prod(2 * each + 1 for each in frequencies)


def spread(given: int | float | list[int] | list[float] | None, inputs: int) -> list[float]:
    """One for each input. Null: 1."""
    return list(given) if isinstance(given, list) else [1.0 if given is None else given] * inputs


FOURIER_PROGRAM = """

def each(name, count):
    given = architecture.get(name)
    return given if isinstance(given, list) else [1 if given is None else given] * count


def network(x):
    x = x.flatten(1) * weights["std"] + weights["mean"]
    waves = torch.ones(len(x), 1)
    for n, (most, unit) in enumerate(zip(each("frequencies", x.shape[1]), each("units", x.shape[1]))):
        angles = x[:, n : n + 1] * unit * torch.arange(1, most + 1)
        own = torch.cat([torch.ones(len(x), 1), angles.cos(), angles.sin()], 1)
        waves = (waves[:, :, None] * own[:, None, :]).flatten(1)
    return linear("head", waves[:, 1:])

"""

FOURIER = Family(
    definition=Fourier,
    reads="numbers",
    question="inputs",
    features=lambda fourier: {},
    why_no_units=lambda fourier: "a fourier has no hidden units to remove",
    program=FOURIER_PROGRAM,
    half_precision=False,
    compresses=False,
    exports=("onnx",),
)
