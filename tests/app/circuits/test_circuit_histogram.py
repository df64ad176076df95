"""Laws of keys, of the histogram's view and of comparisons."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.result.postprocess import format_counts_memory

from app.circuits.comparison import Reference, ideal_reference, job_reference
from app.circuits.histogram.answer import histogram_view, top_outcomes
from app.circuits.outcome_keys import key_writer, numeric
from app.circuits.stored_circuit import StoredCircuit
from qstill.contract.circuits.results.answers import BitOrder, HistogramView, KeyFormat
from qstill.contract.circuits.results.document import Register
from qstill.contract.errors import Problem
from tests.testing.stored_counts import JOB, histograms, shorn, store

ORDERS: tuple[BitOrder, ...] = ("little", "big")
FORMATS: tuple[KeyFormat, ...] = ("binary", "hex", "decimal", "registers")
AB = [Register(name="a", clbits=[0]), Register(name="b", clbits=[1, 2, 3])]


def written(key: str, key_format: KeyFormat, bit_order: BitOrder, registers: list[Register] = AB) -> str:
    write = key_writer(key_format=key_format, bit_order=bit_order, registers=registers, clbits=len(key))
    return write(key)


@pytest.mark.parametrize(
    ("key_format", "little", "big"),
    [
        ("binary", "0110", "0110"[::-1]),
        ("registers", "011 0", "0 110"),
        ("decimal", "6", "6"),
        ("hex", "0x6", "0x6"),
    ],
)
def test_a_key_in_each_format(key_format: KeyFormat, little: str, big: str) -> None:
    assert written("0110", key_format, "little") == little
    assert written("0110", key_format, "big") == big


def test_the_value_of_a_key_is_that_of_the_order_it_is_written_in() -> None:
    assert [written("0001", each, "little") for each in ("decimal", "hex")] == ["1", "0x1"]
    assert [written("0001", each, "big") for each in ("decimal", "hex")] == ["8", "0x8"]
    assert int(written("1" * 4096, "hex", "little"), 16) == 2**4096 - 1
    assert written("1" * 4096, "decimal", "little") == str(2**4096 - 1)
    assert [written("", each, "big", []) for each in FORMATS] == ["", "0x0", "0", ""]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.data())
def test_registers_are_written_as_qiskit_writes_them(sizes: list[int], data: st.DataObject) -> None:
    key = data.draw(st.text("01", min_size=sum(sizes), max_size=sum(sizes)))
    registers, first = [], 0
    for number, size in enumerate(sizes):
        registers.append(Register(name=f"r{number}", clbits=list(range(first, first + size))))
        first += size
    header = {"creg_sizes": [[each["name"], len(each["clbits"])] for each in registers], "memory_slots": len(key)}
    assert written(key, "registers", "little", registers) == format_counts_memory(hex(int(key, 2)), header)


def test_bits_of_no_register_and_of_scattered_ones_are_not_lost() -> None:
    scattered = [Register(name="a", clbits=[3, 0])]
    assert written("1010", "registers", "little", scattered) == "01 01"  # clbits 2, 1; then clbits 0, 3


@given(histograms(), st.sampled_from(ORDERS), st.sampled_from(FORMATS))
def test_different_keys_stay_different_and_in_order(
    counts: dict[str, int], bit_order: BitOrder, key_format: KeyFormat
) -> None:
    registers = [Register(name="c", clbits=list(range(len(next(iter(counts))))))]
    keys = sorted(counts) if bit_order == "little" else sorted(counts, key=lambda key: key[::-1])
    shown = [written(key, key_format, bit_order, registers) for key in keys]
    assert len(set(shown)) == len(counts)
    assert sorted(shown, key=numeric) == shown


@given(histograms(), st.integers(1, 100))
def test_the_top_outcomes_are_the_most_frequent(counts: dict[str, int], top: int) -> None:
    assert top_outcomes(counts, top) == sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]


@given(histograms(), st.sampled_from(ORDERS), st.sampled_from(FORMATS), st.integers(1, 20))
def test_a_view_holds_every_outcome_with_its_interval(
    counts: dict[str, int], bit_order: BitOrder, key_format: KeyFormat, top: int
) -> None:
    view = histogram_view(store(counts), bit_order=bit_order, key_format=key_format, top=top)
    assert (view.bit_order, view.key_format, view.interval, view.confidence) == (bit_order, key_format, "wilson", 0.95)
    assert [outcome.key for outcome in view.outcomes] == list(view.counts) == list(view.probabilities)
    assert sum(view.counts.values()) + (view.other.count if view.other else 0) == view.shots
    assert len(view.counts) + (view.other.outcomes if view.other else 0) == len(counts)
    assert all(outcome.low <= outcome.probability <= outcome.high for outcome in view.outcomes)


def test_the_exact_interval_is_wider() -> None:
    stored = store({"0": 3, "1": 997})
    wilson, exact = (histogram_view(stored, interval=method) for method in ("wilson", "clopper_pearson"))  # type: ignore[arg-type]
    assert exact.interval == "clopper_pearson"
    for score, sure in zip(wilson.outcomes, exact.outcomes, strict=True):
        assert sure.high - sure.low > score.high - score.low


def compared(first: StoredCircuit, second: StoredCircuit, top: int = 100) -> HistogramView:
    return histogram_view(first, reference=job_reference(first, second), top=top)


@given(histograms(width=3), histograms(width=3))
def test_a_comparison_is_the_same_from_both_sides(ours: dict[str, int], theirs: dict[str, int]) -> None:
    there = compared(store(ours), store(theirs)).comparison
    back = compared(store(theirs), store(ours)).comparison
    assert there is not None
    assert back is not None
    for figure in ("total_variation", "hellinger_distance", "fidelity", "expected_total_variation"):
        assert getattr(there, figure) == pytest.approx(getattr(back, figure))
    assert there.chi_square.p_value == pytest.approx(back.chi_square.p_value, rel=1e-6)
    mirrored = {each.key: (each.reference, each.measured, each.reference_low, each.low) for each in back.outcomes}
    assert mirrored == {
        each.key: (each.measured, each.reference, each.low, each.reference_low) for each in there.outcomes
    }
    assert sum(abs(each.difference) for each in there.outcomes) / 2 == pytest.approx(there.total_variation)


@given(histograms())
def test_counts_are_at_no_distance_from_themselves(counts: dict[str, int]) -> None:
    comparison = compared(store(counts), store(counts)).comparison
    assert comparison is not None
    assert (comparison.total_variation, comparison.hellinger_distance) == (0, 0)
    assert (comparison.fidelity, comparison.chi_square.p_value) == (pytest.approx(1), pytest.approx(1))
    assert {each.difference for each in comparison.outcomes} == {0}


@given(histograms(width=4), histograms(width=4), st.integers(1, 16))
def test_top_changes_no_distance_and_sums_up_what_it_leaves_out(
    ours: dict[str, int], theirs: dict[str, int], top: int
) -> None:
    whole = compared(store(ours), store(theirs)).comparison
    part = compared(store(ours), store(theirs), top=top).comparison
    assert whole is not None
    assert part is not None
    assert shorn(part) == shorn(whole)
    assert part.outcomes == whole.outcomes[:top]
    rest = whole.outcomes[top:]
    assert (part.other.outcomes if part.other else 0) == len(rest)
    if part.other:
        assert part.other.measured == pytest.approx(sum(each.measured for each in rest), abs=1e-12)
        assert part.other.reference == pytest.approx(sum(each.reference for each in rest), abs=1e-12)


def test_the_ideal_is_the_distribution_without_noise_where_there_is_one() -> None:
    noisy, ideal = {"0": 0.9, "1": 0.1}, {"0": 1.0}
    counts = {"0": 88, "1": 12}
    assert ideal_reference(store(counts, probabilities=noisy)) == Reference(name="ideal", probabilities=noisy)
    assert ideal_reference(store(counts, probabilities=noisy, ideal=ideal)).probabilities == ideal


def test_what_was_read_and_cannot_be_is_named_as_it_is_written() -> None:
    stored = store({"001": 3, "000": 500, "111": 497}, ideal={"000": 0.5, "111": 0.5})
    view = histogram_view(stored, bit_order="big", reference=ideal_reference(stored))
    assert view.comparison is not None
    test = view.comparison.chi_square
    assert (test.statistic, test.p_value) == (None, 0)
    assert test.note == "The outcome 100 has probability 0 and was read 3 times."
    assert {each.key: each.reference for each in view.comparison.outcomes} == {"000": 0.5, "111": 0.5, "100": 0}
    assert all(each.reference_low is None for each in view.comparison.outcomes)


def test_a_fair_sample_agrees_with_the_distribution_it_was_drawn_from() -> None:
    dice = random.Random(11)
    exact = {format(value, "04b"): (value + 1) / 136 for value in range(16)}
    drawn = dice.choices(list(exact), list(exact.values()), k=5000)
    stored = store({key: drawn.count(key) for key in set(drawn)}, probabilities=exact)
    comparison = histogram_view(stored, reference=ideal_reference(stored)).comparison
    assert comparison is not None
    assert comparison.chi_square.p_value > 0.01
    assert comparison.total_variation < 1.5 * comparison.expected_total_variation
    assert (comparison.with_, comparison.index, comparison.shots) == ("ideal", None, None)


def test_what_cannot_be_compared_is_refused_with_the_reason() -> None:
    with pytest.raises(Problem, match="2 bits here and 3 there") as different:
        job_reference(store({"00": 1}), store({"000": 1}))
    assert different.value.errors[0]["parameter"] == "compare"
    with pytest.raises(Problem, match="No exact distribution") as absent:
        ideal_reference(store({"00": 1}))
    assert absent.value.code == "no_ideal_distribution"
    with pytest.raises(Problem, match="the 1 kept hold 25"):
        ideal_reference(store({"00": 1}, probabilities={"00": 0.25}))
    assert job_reference(store({"00": 1}), store({"01": 2})).name == JOB
