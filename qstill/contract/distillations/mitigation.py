"""Error mitigation: what a circuit would say without noise, estimated from more circuits under it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qstill.contract.schemas import Strict, refuse

MAX_SCALE = 9  # as many times the gates, of which noise leaves little anyway
MAX_VARIANTS = 64  # each is compiled and simulated by itself

Scale = Annotated[int, Field(ge=1, le=MAX_SCALE)]


class ZeroNoise(Strict):
    """Zero-noise extrapolation (Li and Benjamin 2017, 1611.09301) by unitary folding (Giurgica-Tiron and others 2020,
    2005.10921): a circuit G is also run as G·G†·G and so on, and its values are extrapolated to no gate at all.

    Every scale is a circuit of its own with as many shots. Wrong readings do not grow with the gates, and stay.
    """

    kind: Literal["zne"] = Field(description="Zero-noise extrapolation.", examples=["zne"])
    scales: Annotated[list[Scale], Field(min_length=2, max_length=5)] = Field(
        default=[1, 3, 5],
        description="How many times as long the circuits are: odd numbers, as a circuit is folded whole.",
        examples=[[1, 3, 5]],
    )
    fit: Literal["linear", "richardson", "exponential"] = Field(
        "linear",
        description="linear: a least-squares line. richardson: the polynomial through all scales, which multiplies "
        "shot noise most. exponential: a line through the logarithms, which is exact where all noise is depolarizing "
        "of all qubits together; linear where values differ in sign or shots do not tell them from 0.",
        examples=["linear"],
    )

    @model_validator(mode="after")
    def _folds_whole(self) -> Self:
        for place, scale in enumerate(self.scales):
            if scale % 2 == 0:
                reason = "a circuit is folded whole, and is 1, 3, 5, 7 or 9 times as long then"
                refuse(("scales", place), "not_odd", reason, scale)
            if scale in self.scales[:place]:
                refuse(("scales", place), "named_twice", "one scale gives one value", scale)
        return self

    @property
    def circuits(self) -> int:
        """In place of one."""
        return len(self.scales)


class CliffordGains(Strict):
    """Clifford data regression (Czarnik and others 2020, 2005.10189; learned more widely by 2309.17368): a gain for
    each observable, from near-Clifford variants of the circuit, whose ideal values a classical computer has at any
    size.

    A variant has all gates of the circuit; most angles are turned to multiples of a quarter turn. Of four times as
    many that are drawn, those whose ideal values say most are run.
    """

    kind: Literal["clifford_gains"] = Field(
        description="Gains from near-Clifford variants.", examples=["clifford_gains"]
    )
    variants: Annotated[int, Field(ge=4, le=MAX_VARIANTS)] = Field(
        16, description="That are run, once for all rows, with as many shots as a row.", examples=[16]
    )

    @property
    def circuits(self) -> int:
        """In place of one."""
        return 1


Mitigation = Annotated[ZeroNoise | CliffordGains, Field(discriminator="kind")]
