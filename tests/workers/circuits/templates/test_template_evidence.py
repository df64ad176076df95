"""The test that says whether counts fit: true draws pass, wrong ones do not, and its p-values are probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from tests.testing.examples import examples
from workers.circuits.templates.evidence import DOUBT, SIGMA, clopper_pearson, fit, within

weights = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=40)
shots = st.integers(1, 5000)
seeds = st.integers(0, 2**32)


def normalised(values: list[float]) -> NDArray[np.float64]:
    return np.array(values) / sum(values)


def by_key(values: NDArray[np.float64]) -> dict[str, float]:
    return {format(index, "06b"): float(value) for index, value in enumerate(values)}


def draw(values: NDArray[np.float64], shots: int, seed: int) -> dict[str, int]:
    drawn = np.random.default_rng(seed).multinomial(shots, values)
    return {format(index, "06b"): int(count) for index, count in enumerate(drawn) if count}


def test_the_criterion_is_five_sigma() -> None:
    assert pytest.approx(2 * stats.norm.sf(SIGMA)) == DOUBT


@settings(max_examples=examples(60))
@given(weights, shots, seeds)
def test_a_draw_from_the_distribution_fits_it(values: list[float], shots: int, seed: int) -> None:
    probabilities = normalised(values)
    assert fit(draw(probabilities, shots, seed), shots, by_key(probabilities)).good


@settings(max_examples=examples(60))
@given(weights, shots, seeds)
def test_one_shot_of_what_is_impossible_does_not_fit(values: list[float], shots: int, seed: int) -> None:
    probabilities = normalised(values)
    counts = draw(probabilities, shots, seed) | {"111111": 1}
    tested = fit(counts, shots + 1, by_key(probabilities))
    assert (tested.good, tested.impossible) == (False, 1)


@settings(max_examples=examples(60))
@given(st.integers(2, 40), seeds)
def test_a_draw_from_another_distribution_does_not_fit(outcomes: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(outcomes))
    other = np.roll(np.sort(probabilities), 1)
    expected = np.sort(probabilities)
    distance = np.abs(other - expected).sum() / 2
    if distance > 0.1:
        assert not fit(draw(other, 20_000, seed), 20_000, by_key(expected)).good


def test_p_values_below_a_half_are_no_more_frequent_than_they_say() -> None:
    probabilities = normalised([1, 2, 3, 4, 0.01, 0.02])
    tested = [fit(draw(probabilities, 500, seed), 500, by_key(probabilities)).figures() for seed in range(1000)]
    for name in ("p_chi_square", "p_binomial", "p_combined"):
        p_values = np.array([figures[name] for figures in tested])
        for level in (0.01, 0.05, 0.2):
            assert np.mean(p_values <= level) <= level + 4 * np.sqrt(level / 1000)


@settings(max_examples=examples(30))
@given(st.integers(2, 8), seeds)
def test_the_p_value_of_chi_square_is_its_own(outcomes: int, seed: int) -> None:
    counts = draw(np.full(outcomes, 1 / outcomes), 1000, seed)
    figures = fit(counts, 1000, by_key(np.full(outcomes, 1 / outcomes))).figures()
    observed = [counts.get(key, 0) for key in by_key(np.full(outcomes, 1 / outcomes))]
    peer = stats.chisquare(observed)
    assert (figures["chi_square"], figures["degrees_of_freedom"]) == (pytest.approx(peer.statistic), outcomes - 1)
    assert figures["p_chi_square"] == pytest.approx(peer.pvalue)


def test_five_shots_that_are_all_improbable_do_not_fit() -> None:
    likely = {"1": 0.999, "0": 0.001}
    assert not fit({"0": 5}, 5, likely).good
    assert fit({"1": 5}, 5, likely).good


@settings(max_examples=examples(60))
@given(st.integers(0, 50), st.integers(0, 50), st.floats(1e-6, 0.3))
def test_an_interval_ends_where_its_tails_are_half_the_doubt(hits: int, misses: int, doubt: float) -> None:
    shots = hits + misses
    if shots == 0:
        return
    low, high = clopper_pearson(hits, shots, doubt)
    assert low <= hits / shots <= high
    if hits:
        assert stats.binom.sf(hits - 1, shots, low) == pytest.approx(doubt / 2)
    if misses:
        assert stats.binom.cdf(hits, shots, high) == pytest.approx(doubt / 2)
    assert (low == 0, high == 1) == (hits == 0, misses == 0)


def test_within_five_deviations() -> None:
    assert within(1.0, 1.5, 0.1)
    assert not within(1.0, 1.51, 0.1)
