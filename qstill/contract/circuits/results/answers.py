"""What a client reads back about a circuit's counts."""

from typing import Literal

from pydantic import ConfigDict, Field

from qstill.contract.circuits.results.document import Register
from qstill.contract.schemas import View

BitOrder = Literal["little", "big"]
KeyFormat = Literal["binary", "hex", "decimal", "registers"]
IntervalMethod = Literal["wilson", "clopper_pearson"]

_BIT_ORDER = "`little`: bit 0 is a key's rightmost character, as in Qiskit. `big`: its leftmost."
_KEY_FORMAT = "`registers`: binary with a space between classical registers. `decimal`, `hex`: the binary key's value."
_INTERVAL = "How the intervals are computed: `wilson` (score), or `clopper_pearson` (exact, wider)."
_KEY = Field(description="The outcome, written as `bit_order` and `key_format` say.", examples=["00"])


class HistogramOutcome(View):
    """One outcome and how sure its probability is."""

    key: str = _KEY
    count: int = Field(description="Shots that read it.", examples=[507])
    probability: float = Field(description="count / shots.", examples=[0.507])
    low: float = Field(description="The lower end of the 95% interval.", examples=[0.476])
    high: float = Field(description="The upper end of the 95% interval.", examples=[0.5379])


class OtherOutcomes(View):
    """All outcomes that a top-k histogram leaves out, as one."""

    outcomes: int = Field(description="How many different outcomes.", examples=[12])
    count: int = Field(description="Shots that read one of them.", examples=[31])
    probability: float = Field(description="count / shots.", examples=[0.031])
    low: float = Field(description="The lower end of the 95% interval.", examples=[0.0219])
    high: float = Field(description="The upper end of the 95% interval.", examples=[0.0437])


class ChiSquareView(View):
    """The chi-square test of a difference."""

    statistic: float | None = Field(
        description="Pearson's statistic; null where an impossible outcome was read: it is infinite.", examples=[0.196]
    )
    degrees_of_freedom: int = Field(description="Compared bins less one.", examples=[1])
    p_value: float = Field(
        description="How probable so large a statistic is if both come from one distribution. Small: they do not.",
        examples=[0.658],
    )
    bins: int = Field(
        description="Bins compared: each outcome that expects 5 shots, and all rarer ones together.", examples=[2]
    )
    note: str | None = Field(description="What must be known about this test; null if nothing.", examples=[None])


class ComparedOutcome(View):
    """One outcome in both distributions."""

    key: str = _KEY
    measured: float = Field(description="Its probability in this circuit's counts.", examples=[0.507])
    low: float = Field(description="The lower end of the 95% interval of `measured`.", examples=[0.476])
    high: float = Field(description="The upper end of the 95% interval of `measured`.", examples=[0.5379])
    reference: float = Field(description="Its probability in what is compared with.", examples=[0.5])
    reference_low: float | None = Field(
        None, description="The lower end of the 95% interval of `reference`; null where that is exact.", examples=[None]
    )
    reference_high: float | None = Field(
        None, description="The upper end of the 95% interval of `reference`; null where that is exact.", examples=[None]
    )
    difference: float = Field(description="measured - reference.", examples=[0.007])


class OtherCompared(View):
    """All outcomes that `top` leaves out of a comparison, as one."""

    outcomes: int = Field(description="How many different outcomes.", examples=[12])
    measured: float = Field(description="Their probability in this circuit's counts.", examples=[0.031])
    reference: float = Field(description="Their probability in what is compared with.", examples=[0.029])
    difference: float = Field(description="measured - reference.", examples=[0.002])


class ComparisonView(View):
    """This circuit's counts beside an ideal distribution or another job's counts. Distances are over all outcomes."""

    model_config = ConfigDict(validate_by_name=True)

    with_: str = Field(
        alias="with",
        description="`ideal`, the exact distribution that was stored with the counts, or the id of the other job.",
        examples=["ideal"],
    )
    index: int | None = Field(description="Which circuit of the other job; null for `ideal`.", examples=[None])
    shots: int | None = Field(description="Shots of the other job; null for `ideal`.", examples=[None])
    total_variation: float = Field(
        description="½ Σ|p - q|: 0 where both are the same, 1 where they share no outcome.", examples=[0.007]
    )
    expected_total_variation: float = Field(
        description="√(outcomes / 2π·shots): about the total variation that chance alone causes between equals.",
        examples=[0.0178],
    )
    hellinger_distance: float = Field(
        description="√(½ Σ(√p - √q)²): 0 where both are the same, 1 where they share no outcome.", examples=[0.00495]
    )
    fidelity: float = Field(
        description="(Σ√(p·q))²: 1 where both are the same, 0 where they share no outcome.", examples=[0.99995]
    )
    chi_square: ChiSquareView = Field(description="Whether chance alone explains the difference.")
    outcomes: list[ComparedOutcome] = Field(description="Outcome by outcome, the most probable in either first.")
    other: OtherCompared | None = Field(None, description="What `top` left out; null if nothing.")


class HistogramView(View):
    """A circuit's counts with probabilities and intervals, most frequent first."""

    index: int = Field(description="Which circuit of the job.", examples=[0])
    name: str | None = Field(description="The job's.", examples=["bell"])
    binding: dict[str, float] | None = Field(
        None,
        description="Of a sweep's circuit: the values of its parameters; null of any other.",
        examples=[{"theta": 0.1}],
    )
    shots: int = Field(description="How often the circuit was run.", examples=[1000])
    clbits: int = Field(description="Classical bits of a key.", examples=[2])
    registers: list[Register] = Field(
        description="The classical registers in the order of their declaration: the first is rightmost in a "
        "little-endian key and leftmost in a big-endian one."
    )
    bit_order: BitOrder = Field(description=_BIT_ORDER, examples=["little"])
    key_format: KeyFormat = Field(description=_KEY_FORMAT, examples=["binary"])
    interval: IntervalMethod = Field(description=_INTERVAL, examples=["wilson"])
    confidence: float = Field(description="How often such an interval holds the true probability.", examples=[0.95])
    counts: dict[str, int] = Field(description="Shots by outcome.", examples=[{"00": 507, "11": 493}])
    probabilities: dict[str, float] = Field(
        description="count / shots by outcome.", examples=[{"00": 0.507, "11": 0.493}]
    )
    outcomes: list[HistogramOutcome] = Field(description="The same with intervals.")
    other: OtherOutcomes | None = Field(None, description="What `top` left out; null if nothing.")
    comparison: ComparisonView | None = Field(None, description="What `compare` asked for; null if nothing.")


class MemoryView(View):
    """What each shot read."""

    index: int = Field(description="Which circuit of the job.", examples=[0])
    shots: int = Field(description="How often the circuit was run.", examples=[3])
    clbits: int = Field(description="Classical bits of a key.", examples=[2])
    bit_order: BitOrder = Field(description=_BIT_ORDER, examples=["little"])
    key_format: KeyFormat = Field(description=_KEY_FORMAT, examples=["binary"])
    memory: list[str] = Field(description="One key per shot.", examples=[["00", "11", "00"]])
