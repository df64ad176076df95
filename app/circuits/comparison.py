"""Counts beside what they should be, or beside another job's counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from math import fsum, isfinite

from app.circuits.stored_circuit import StoredCircuit
from qstill.contract.circuits.results.answers import ChiSquareView, ComparedOutcome, ComparisonView, OtherCompared
from qstill.contract.circuits.results.statistics import (
    IMPOSSIBLE,
    MIN_EXPECTED,
    ChiSquareTest,
    chi_square,
    classical_fidelity,
    expected_total_variation,
    hellinger,
    total_variation,
    two_sample_chi_square,
)
from qstill.contract.errors import Problem

IDEAL = "ideal"
COMPLETE = 1e-6  # how far from 1 a distribution may add up; single precision leaves about this


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What counts are compared with. counts: None where the probabilities are exact."""

    name: str
    probabilities: Mapping[str, float]
    counts: Mapping[str, int] | None = None
    index: int | None = None
    shots: int | None = None


def ideal_reference(stored: StoredCircuit) -> Reference:
    """The exact distribution without noise, else the one with it. Raises Problem where none, or a part, was stored."""
    exact = stored.results.get("ideal", stored.results.get("probabilities"))
    if exact is None:
        raise _refused(
            "no_ideal_distribution",
            "No exact distribution was stored with these counts; ask for one when you submit the circuit.",
            {"outputs": ["counts", "probabilities"]},
        )
    named = fsum(exact.values())
    if abs(named - 1) > COMPLETE:
        raise _refused(
            "ideal_incomplete",
            f"The exact distribution has more outcomes than are kept: the {len(exact):,} kept hold {named:.2%} of it.",
        )
    return Reference(name=IDEAL, probabilities=exact)


def job_reference(stored: StoredCircuit, other: StoredCircuit) -> Reference:
    """Another job's counts. Raises Problem where its outcomes are of another kind."""
    here, there = stored.results, other.results
    if there["clbits"] != here["clbits"]:
        raise _refused(
            "different_outcomes",
            f"The outcomes have {here['clbits']} bits here and {there['clbits']} there: they cannot be compared.",
        )
    counts, shots = there["counts"], there["shots"]
    probabilities = {key: count / shots for key, count in counts.items()}
    return Reference(name=other.job_id, probabilities=probabilities, counts=counts, index=other.index, shots=shots)


def _refused(code: str, title: str, *ways_out: dict[str, object]) -> Problem:
    return Problem(code, title, ways_out=ways_out, errors=[{"parameter": "compare", "code": code, "detail": title}])


def comparison_view(
    stored: StoredCircuit,
    reference: Reference,
    *,
    top: int,
    write: Callable[[str], str],
    interval: Callable[[int, int], tuple[float, float]],
) -> ComparisonView:
    """The distances over all outcomes, and the `top` most probable ones in either side by side.

    write: how a key is written. interval: the ends of a probability's interval from (count, shots).
    """
    counts, shots = stored.results["counts"], stored.results["shots"]
    measured = {key: count / shots for key, count in counts.items()}
    exact = reference.probabilities
    keys = measured.keys() | exact.keys()
    shown = nsmallest(top, keys, key=lambda key: (-max(measured.get(key, 0), exact.get(key, 0)), key))

    def compared(key: str) -> ComparedOutcome:
        low, high = interval(counts.get(key, 0), shots)
        ends: tuple[float, float] | tuple[None, None] = (None, None)
        if reference.counts is not None and reference.shots:
            ends = interval(reference.counts.get(key, 0), reference.shots)
        p, q = measured.get(key, 0.0), exact.get(key, 0.0)
        return ComparedOutcome(
            key=write(key),
            measured=p,
            low=low,
            high=high,
            reference=q,
            reference_low=ends[0],
            reference_high=ends[1],
            difference=p - q,
        )

    other = None
    if left_out := len(keys) - len(shown):
        p = max(0.0, 1 - sum(measured.get(key, 0) for key in shown))
        q = max(0.0, 1 - sum(exact.get(key, 0) for key in shown))
        other = OtherCompared(outcomes=left_out, measured=p, reference=q, difference=p - q)
    if reference.counts is None or not reference.shots:
        test = chi_square(counts, exact, shots)
        outcomes, trials = sum(probability > IMPOSSIBLE for probability in exact.values()), float(shots)
    else:
        test = two_sample_chi_square(counts, reference.counts)
        outcomes, trials = len(keys), 1 / (1 / shots + 1 / reference.shots)  # the variances add up
    return ComparisonView(
        with_=reference.name,
        index=reference.index,
        shots=reference.shots,
        total_variation=total_variation(measured, exact),
        expected_total_variation=expected_total_variation(outcomes, trials),
        hellinger_distance=hellinger(measured, exact),
        fidelity=classical_fidelity(measured, exact),
        chi_square=_chi_square_view(test, counts, write),
        outcomes=[compared(key) for key in shown],
        other=other,
    )


def _chi_square_view(test: ChiSquareTest, counts: Mapping[str, int], write: Callable[[str], str]) -> ChiSquareView:
    note = None
    if test.impossible:
        first, *more = test.impossible
        note = f"The outcome {write(first)} has probability 0 and was read {counts[first]:,} times"
        note += f"; {len(more):,} more like it." if more else "."
    elif test.bins < 2:
        note = f"No two outcomes expect {MIN_EXPECTED} shots, so there is nothing to test."
    return ChiSquareView(
        statistic=test.statistic if isfinite(test.statistic) else None,
        degrees_of_freedom=test.degrees_of_freedom,
        p_value=test.p_value,
        bins=test.bins,
        note=note,
    )
