"""Results in IonQ's decimal outcomes are the same results."""

import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.ionq import outcomes

CLBITS = 4

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


@given(entries(), st.dictionaries(keys, st.floats(0, 1), min_size=1))
def test_exact_probabilities_are_told_as_they_are(entry: Entry, exact: dict[str, float]) -> None:
    found = outcomes.probabilities(entry | {"probabilities": exact})
    assert found == {str(int(key, 2)): probability for key, probability in exact.items()}


@given(entries())
def test_the_shots_are_the_counts_in_some_order_that_stays(entry: Entry) -> None:
    shots = json.loads(outcomes.shots(entry))
    assert Counter(shots) == {int(key, 2): count for key, count in entry["counts"].items()}
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
        assert sum(int(bit) << clbit for clbit, bit in written) == outcome


def test_shots_are_shuffled() -> None:
    entry = {"counts": {"0": 500, "1": 500}, "shots": 1000, "seed": 7, "clbits": 1, "registers": []}
    first_half = Counter(json.loads(outcomes.shots(entry))[:500])
    assert 200 < first_half[0] < 300  # within 6 standard deviations of the hypergeometric distribution
