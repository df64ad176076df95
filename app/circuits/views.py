"""What a client reads back about a circuit's counts."""

from typing import Literal

from pydantic import Field

from app.schemas import View

BitOrder = Literal["little", "big"]


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
