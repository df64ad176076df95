"""Results in IonQ's decimal outcomes are the same results."""

import json
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ionq import outcomes

CLBITS = 4
MEANT = 5.1e-12  # half of the last of 12 digits, and what floating point adds

Entry = dict[str, Any]

keys = st.text("01", min_size=CLBITS, max_size=CLBITS)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    counts = draw(st.dictionaries(keys, st.integers(1, 60), min_size=1, max_size=8))
    return {
        "counts": counts,
        "shots": sum(counts.values()),
        "seed": draw(st.integers(0, 2**53)),
        "clbits": CLBITS,
        "registers": [{"name": "a", "clbits": [0]}, {"name": "b", "clbits": [3, 1, 2]}],
    }


@given(entries())
def test_clients_get_the_counts_back_from_the_probabilities(entry: Entry) -> None:
    """Qiskit and Cirq round p · shots."""
    found = outcomes.probabilities(entry)
    back = {int(outcome): round(probability * entry["shots"]) for outcome, probability in found.items()}
    assert back == {int(key, 2): count for key, count in entry["counts"].items()}


@given(entries(), st.dictionaries(keys, st.floats(1e-300, 1), min_size=1))
def test_exact_probabilities_are_told_as_they_are_to_eleven_digits(entry: Entry, exact: dict[str, float]) -> None:
    found = outcomes.probabilities(entry | {"probabilities": exact})
    assert found == pytest.approx({str(int(key, 2)): value for key, value in exact.items()}, rel=MEANT, abs=0)


@given(st.integers(1, 2**32), st.integers(0, 60), st.integers(-1000, 1000))
def test_sums_of_few_powers_of_a_half_are_told_exactly_however_blurred(weight: int, power: int, ulps: int) -> None:
    exact = math.ldexp(weight, -power - weight.bit_length())
    assert outcomes.cleared(exact + ulps * math.ulp(exact)) == exact


@given(st.integers(1, 10**9), st.integers(-100, 100))
def test_short_decimal_numbers_are_told_as_such(billionths: int, ulps: int) -> None:
    exact = billionths / 10**9
    assert outcomes.cleared(exact + ulps * math.ulp(exact)) == pytest.approx(exact, rel=MEANT)
    assert len(repr(outcomes.cleared(0.1 + ulps * math.ulp(0.1)))) == len("0.1")


@given(st.lists(st.floats(1e-9, 1), min_size=1, max_size=16))
def test_what_sums_to_one_still_does(weights: list[float]) -> None:
    total = math.fsum(weights)
    exact = {f"{place:04b}": weight / total for place, weight in enumerate(weights)}
    entry = {"counts": {}, "shots": 1, "probabilities": exact}
    assert math.fsum(outcomes.probabilities(entry).values()) == pytest.approx(1, abs=1e-11)


@given(entries())
def test_the_shots_are_the_counts_in_some_order_that_stays(entry: Entry) -> None:
    shots = json.loads(outcomes.shots(entry))
    assert Counter(shots) == {str(int(key, 2)): count for key, count in entry["counts"].items()}
    backwards = entry | {"counts": dict(reversed(entry["counts"].items()))}
    assert json.loads(outcomes.shots(backwards)) == shots


@given(entries())
def test_registers_are_the_same_shots_bit_by_bit(entry: Entry) -> None:
    shots = json.loads(outcomes.shots(entry))
    registers = [shot["registers"] for shot in json.loads(outcomes.shots_by_register(entry))["shots"]]
    assert len(registers) == len(shots)
    for outcome, shot in zip(shots, registers, strict=True):
        assert {name: len(bits) for name, bits in shot.items()} == {"a": 1, "b": 3}
        written = [*zip([0], shot["a"], strict=True), *zip([3, 1, 2], shot["b"], strict=True)]
        assert str(sum(bit << clbit for clbit, bit in written)) == outcome


def test_shots_are_shuffled() -> None:
    entry = {"counts": {"0": 500, "1": 500}, "shots": 1000, "seed": 7, "clbits": 1, "registers": []}
    first_half = Counter(json.loads(outcomes.shots(entry))[:500])
    assert 200 < first_half["0"] < 300  # within 6 standard deviations of the hypergeometric distribution
