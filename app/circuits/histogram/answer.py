"""The answer to a histogram request, from stored counts. No numpy: the front door imports it."""

import functools
from collections.abc import Callable, Mapping
from heapq import nsmallest
from typing import Any

from app.circuits.comparison import Reference, comparison_view
from app.circuits.outcome_keys import key_writer
from app.circuits.stored_circuit import StoredCircuit
from qstill.contract.circuits.results.answers import (
    BitOrder,
    HistogramOutcome,
    HistogramView,
    IntervalMethod,
    KeyFormat,
    OtherOutcomes,
)
from qstill.contract.circuits.results.statistics import CONFIDENCE, INTERVALS

MAX_OUTCOMES = 65_536  # all of 16 bits; more are for programs, which read the results as stored


def top_outcomes(counts: Mapping[str, int], top: int) -> list[tuple[str, int]]:
    """The `top` most frequent (key, count); equal counts by key."""
    return nsmallest(top, counts.items(), key=lambda item: (-item[1], item[0]))


def histogram_view(
    stored: StoredCircuit,
    *,
    bit_order: BitOrder = "little",
    key_format: KeyFormat = "binary",
    interval: IntervalMethod = "wilson",
    top: int = MAX_OUTCOMES,
    reference: Reference | None = None,
) -> HistogramView:
    """The counts, most frequent first, each with its interval; with a reference also what they have in common."""
    circuit = stored.results
    counts, shots, registers, clbits = circuit["counts"], circuit["shots"], circuit["registers"], circuit["clbits"]
    write = key_writer(key_format=key_format, bit_order=bit_order, registers=registers, clbits=clbits)
    ends = functools.cache(INTERVALS[interval])  # of a million outcomes, a few thousand counts differ
    kept = [(write(key), count) for key, count in top_outcomes(counts, top)]
    others = len(counts) - len(kept)
    other_count = sum(counts.values()) - sum(count for _, count in kept)
    return HistogramView(
        index=stored.index,
        name=stored.name,
        binding=circuit.get("binding"),
        shots=shots,
        clbits=clbits,
        registers=registers,
        bit_order=bit_order,
        key_format=key_format,
        interval=interval,
        confidence=CONFIDENCE,
        counts=dict(kept),
        probabilities={key: count / shots for key, count in kept},
        outcomes=[HistogramOutcome(key=key, **_estimate(count, shots, ends)) for key, count in kept],
        other=OtherOutcomes(outcomes=others, **_estimate(other_count, shots, ends)) if others else None,
        comparison=comparison_view(stored, reference, top=top, write=write, interval=ends) if reference else None,
    )


def _estimate(count: int, shots: int, interval: Callable[[int, int], tuple[float, float]]) -> dict[str, Any]:
    low, high = interval(count, shots)
    return {"count": count, "probability": count / shots, "low": low, "high": high}
