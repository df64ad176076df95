"""Laws of counts, intervals and the picture of them."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.circuits.histogram import (
    by_frequency,
    histogram_svg,
    histogram_view,
    probabilities,
    reverse_bits,
    top_outcomes,
    wilson_interval,
)

SVG = "{http://www.w3.org/2000/svg}"


@st.composite
def histograms(draw: st.DrawFn) -> dict[str, int]:
    width = draw(st.integers(1, 8))
    keys = st.text("01", min_size=width, max_size=width)
    return draw(st.dictionaries(keys, st.integers(1, 10_000), min_size=1, max_size=80))


@given(histograms())
def test_reversing_the_bits_twice_changes_nothing(counts: dict[str, int]) -> None:
    assert reverse_bits(reverse_bits(counts)) == counts


def test_reversing_moves_bit_0_from_the_right_to_the_left() -> None:
    assert reverse_bits({"001": 5}) == {"100": 5}


@given(histograms())
def test_probabilities_add_up_to_one(counts: dict[str, int]) -> None:
    assert sum(probabilities(counts, shots=sum(counts.values())).values()) == pytest.approx(1)


@given(st.integers(1, 10**7).flatmap(lambda shots: st.tuples(st.integers(0, shots), st.just(shots))))
def test_a_wilson_interval_holds_its_estimate_within_0_and_1(trial: tuple[int, int]) -> None:
    count, shots = trial
    low, high = wilson_interval(count, shots)
    assert 0 <= low <= count / shots <= high <= 1
    assert low < high


def test_the_wilson_interval_of_a_textbook() -> None:
    assert wilson_interval(10, 20) == pytest.approx((0.29930, 0.70070), abs=1e-5)  # Agresti & Coull 1998
    assert wilson_interval(0, 10) == pytest.approx((0, 0.27753), abs=1e-5)


@given(st.integers(0, 100), st.integers(1, 100))
def test_more_shots_narrow_the_interval(percent: int, hundreds: int) -> None:
    few = wilson_interval(percent * hundreds, 100 * hundreds)
    many = wilson_interval(percent * hundreds * 4, 400 * hundreds)
    assert many[1] - many[0] < few[1] - few[0]


@given(histograms(), st.one_of(st.none(), st.integers(1, 100)))
def test_top_loses_no_shot(counts: dict[str, int], top: int | None) -> None:
    kept, others, other_count = top_outcomes(counts, top)
    assert sum(kept.values()) + other_count == sum(counts.values())
    assert len(kept) + others == len(counts)
    assert list(kept.items()) == by_frequency(counts)[: len(kept)]


@given(histograms(), st.sampled_from(["little", "big"]))
def test_a_view_holds_every_outcome_with_its_interval(counts: dict[str, int], bit_order: str) -> None:
    shots, clbits = sum(counts.values()), len(next(iter(counts)))
    view = histogram_view(counts, shots=shots, clbits=clbits, bit_order=bit_order, top=5)  # type: ignore[arg-type]
    assert view.bit_order == bit_order
    assert [outcome.key for outcome in view.outcomes] == list(view.counts) == list(view.probabilities)
    assert sum(view.counts.values()) + (view.other.count if view.other else 0) == shots
    assert all(outcome.low <= outcome.probability <= outcome.high for outcome in view.outcomes)


@given(histograms(), st.text(max_size=30).filter(str.isprintable))
def test_the_picture_is_xml_with_one_bar_for_each_outcome(counts: dict[str, int], title: str) -> None:
    picture = histogram_svg(counts, shots=sum(counts.values()), title=title)
    root = ElementTree.fromstring(picture)  # noqa: S314 - we wrote it
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == title
    assert len(root.findall(f"{SVG}g")) == min(64, len(counts))


def test_the_title_of_a_picture_cannot_smuggle_markup() -> None:
    picture = histogram_svg({"0": 1}, shots=1, title='</title><script>alert("x")</script>')
    assert "<script" not in picture
