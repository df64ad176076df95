"""Results in IonQ's decimal outcomes are the same results."""

import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ionq import outcomes
from qstill.contract.circuits.results.document import CircuitResults
from tests.testing.stored_counts import results

CLBITS = 4
MEANT = 5.1e-12  # half of the last of 12 digits, and what floating point adds

keys = st.text("01", min_size=CLBITS, max_size=CLBITS)


@st.composite
def circuits(draw: st.DrawFn) -> CircuitResults:
    counts = draw(st.dictionaries(keys, st.integers(1, 60), min_size=1, max_size=8))
    registers = [{"name": "a", "clbits": [0]}, {"name": "b", "clbits": [3, 1, 2]}]
    return results(counts, seed=draw(st.integers(0, 2**53)), registers=registers)


@given(circuits())
def test_clients_get_the_counts_back_from_the_probabilities(circuit: CircuitResults) -> None:
    """Qiskit and Cirq round p · shots."""
    found = outcomes.probabilities(circuit)
    back = {int(outcome): round(probability * circuit["shots"]) for outcome, probability in found.items()}
    assert back == {int(key, 2): count for key, count in circuit["counts"].items()}


@given(circuits(), st.dictionaries(keys, st.floats(1e-300, 1), min_size=1))
def test_exact_probabilities_are_told_as_they_are_to_eleven_digits(
    circuit: CircuitResults, exact: dict[str, float]
) -> None:
    found = outcomes.probabilities(circuit | {"probabilities": exact})
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
    circuit = results({"0000": 1}, probabilities=exact)
    assert math.fsum(outcomes.probabilities(circuit).values()) == pytest.approx(1, abs=1e-11)


@given(circuits())
def test_the_shots_are_the_counts_in_some_order_that_stays(circuit: CircuitResults) -> None:
    shots = json.loads(outcomes.shots(circuit))
    assert Counter(shots) == {str(int(key, 2)): count for key, count in circuit["counts"].items()}
    backwards = circuit | {"counts": dict(reversed(circuit["counts"].items()))}
    assert json.loads(outcomes.shots(backwards)) == shots


@given(circuits())
def test_registers_are_the_same_shots_bit_by_bit(circuit: CircuitResults) -> None:
    shots = json.loads(outcomes.shots(circuit))
    registers = [shot["registers"] for shot in json.loads(outcomes.shots_by_register(circuit))["shots"]]
    assert len(registers) == len(shots)
    for outcome, shot in zip(shots, registers, strict=True):
        assert {name: len(bits) for name, bits in shot.items()} == {"a": 1, "b": 3}
        written = [*zip([0], shot["a"], strict=True), *zip([3, 1, 2], shot["b"], strict=True)]
        assert str(sum(bit << clbit for clbit, bit in written)) == outcome


def test_shots_are_shuffled() -> None:
    circuit = results({"0": 500, "1": 500})
    first_half = Counter(json.loads(outcomes.shots(circuit))[:500])
    assert 200 < first_half["0"] < 300  # within 6 standard deviations of the hypergeometric distribution
