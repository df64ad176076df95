"""Laws of intervals, distances and tests of counts; scipy computes the same in its own way."""

import random
from math import inf, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qstill.contract.circuits.results.statistics import (
    MIN_EXPECTED,
    chi_square,
    classical_fidelity,
    clopper_pearson_interval,
    expected_total_variation,
    hellinger,
    total_variation,
    two_sample_chi_square,
    wilson_interval,
)
from qstill.contract.circuits.results.tail_probabilities import beta_below, gamma_above

KEYS = [format(value, "03b") for value in range(8)]

Counts = dict[str, int]
Distribution = dict[str, float]


def trials() -> st.SearchStrategy[tuple[int, int]]:
    """(count, shots), extremes included."""
    shots = st.one_of(st.integers(1, 100), st.integers(1, 10**7))
    return shots.flatmap(lambda n: st.tuples(st.one_of(st.integers(0, min(n, 20)), st.integers(0, n)), st.just(n)))


def counts() -> st.SearchStrategy[Counts]:
    return st.dictionaries(st.sampled_from(KEYS), st.integers(1, 1000), min_size=1)


def distributions() -> st.SearchStrategy[Distribution]:
    return counts().map(lambda weights: {key: weight / sum(weights.values()) for key, weight in weights.items()})


@given(trials())
def test_an_interval_holds_its_estimate_within_0_and_1(trial: tuple[int, int]) -> None:
    count, shots = trial
    for low, high in (wilson_interval(count, shots), clopper_pearson_interval(count, shots)):
        assert 0 <= low <= count / shots <= high <= 1
        assert low < high


@given(trials())
def test_intervals_are_those_of_scipy(trial: tuple[int, int]) -> None:
    count, shots = trial
    trusted = stats.binomtest(count, shots)
    wilson, exact = (trusted.proportion_ci(0.95, method) for method in ("wilson", "exact"))
    assert wilson_interval(count, shots) == pytest.approx((wilson.low, wilson.high), rel=1e-9, abs=1e-15)
    assert clopper_pearson_interval(count, shots) == pytest.approx((exact.low, exact.high), rel=1e-8)


def test_intervals_of_textbooks() -> None:
    assert wilson_interval(10, 20) == pytest.approx((0.29930, 0.70070), abs=1e-5)  # Agresti & Coull 1998
    assert wilson_interval(0, 10) == pytest.approx((0, 0.27753), abs=1e-5)
    assert clopper_pearson_interval(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert clopper_pearson_interval(1, 1) == pytest.approx((0.025, 1))


@given(st.integers(0, 100), st.integers(1, 100))
def test_more_shots_narrow_an_interval(percent: int, hundreds: int) -> None:
    for interval in (wilson_interval, clopper_pearson_interval):
        few = interval(percent * hundreds, 100 * hundreds)
        many = interval(percent * hundreds * 4, 400 * hundreds)
        assert many[1] - many[0] < few[1] - few[0]


@given(trials(), st.floats(-5, 5))
def test_the_beta_tail_is_that_of_scipy(trial: tuple[int, int], deviations: float) -> None:
    a, b = trial[0] + 1, trial[1] - trial[0] + 1
    x = min(1.0, max(0.0, (a + deviations * sqrt(a * b / (a + b))) / (a + b)))
    assert beta_below(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-7, abs=1e-12)


@given(st.integers(1, 10**6), st.floats(-8, 8))
def test_the_chi_square_tail_is_that_of_scipy(degrees: int, deviations: float) -> None:
    statistic = max(0.0, degrees + deviations * sqrt(2 * degrees))
    expected = stats.chi2.sf(statistic, degrees)
    assert gamma_above(statistic / 2, degrees / 2) == pytest.approx(expected, rel=1e-9, abs=1e-14)


@given(distributions(), distributions())
def test_distances_are_symmetric_between_0_and_1_and_bound_each_other(p: Distribution, q: Distribution) -> None:
    variation, distance, fidelity = total_variation(p, q), hellinger(p, q), classical_fidelity(p, q)
    assert (variation, distance) == pytest.approx((total_variation(q, p), hellinger(q, p)))
    assert fidelity == pytest.approx(classical_fidelity(q, p))
    assert all(0 <= each <= 1 for each in (variation, distance, fidelity))
    assert distance**2 - 1e-12 <= variation <= sqrt(2) * distance + 1e-12  # Le Cam
    assert distance**2 == pytest.approx(1 - sqrt(fidelity), abs=1e-12)


@given(distributions())
def test_a_distribution_is_at_no_distance_from_itself(p: Distribution) -> None:
    assert (total_variation(p, p), hellinger(p, p), classical_fidelity(p, p)) == (0, 0, pytest.approx(1))
    elsewhere = {f"{key}0": probability for key, probability in p.items()}
    assert total_variation(p, elsewhere) == pytest.approx(1)
    assert (hellinger(p, elsewhere), classical_fidelity(p, elsewhere)) == (pytest.approx(1), 0)


@given(distributions(), distributions(), distributions())
def test_no_detour_is_shorter(p: Distribution, q: Distribution, r: Distribution) -> None:
    for distance in (total_variation, hellinger):
        assert distance(p, r) <= distance(p, q) + distance(q, r) + 1e-12


@given(distributions(), distributions())
def test_total_variation_is_the_largest_difference_of_an_event(p: Distribution, q: Distribution) -> None:
    event = [key for key in KEYS if p.get(key, 0) > q.get(key, 0)]
    assert total_variation(p, q) == pytest.approx(sum(p[key] - q.get(key, 0) for key in event), abs=1e-12)


def test_chance_keeps_a_uniform_sample_about_as_far_away_as_expected() -> None:
    dice, outcomes, shots = random.Random(5), 64, 2000
    uniform = {str(outcome): 1 / outcomes for outcome in range(outcomes)}
    found = []
    for _ in range(40):
        drawn = [str(dice.randrange(outcomes)) for _ in range(shots)]
        found.append(total_variation({key: drawn.count(key) / shots for key in set(drawn)}, uniform))
    assert sum(found) / len(found) == pytest.approx(expected_total_variation(outcomes, shots), rel=0.05)
    assert expected_total_variation(4, 1000) == pytest.approx(sqrt(4 / (2 * pi * 1000)))
    assert expected_total_variation(2**40, 1) == 1


@given(st.lists(st.integers(0, 300), min_size=2, max_size=8), st.data())
def test_chi_square_is_that_of_scipy_where_nothing_is_pooled(read: list[int], data: st.DataObject) -> None:
    shots = sum(read)
    weights = data.draw(st.lists(st.integers(1, 5), min_size=len(read), max_size=len(read)))
    exact = dict(zip(KEYS, (weight / sum(weights) for weight in weights), strict=False))
    expected = [probability * shots for probability in exact.values()]
    if min(expected) < MIN_EXPECTED:
        assert chi_square(dict(zip(KEYS, read, strict=False)), exact, shots).bins <= len(read)
        return
    test = chi_square(dict(zip(KEYS, read, strict=False)), exact, shots)
    trusted = stats.chisquare(read, expected)
    assert (test.statistic, test.bins) == (pytest.approx(trusted.statistic), len(read))
    assert test.p_value == pytest.approx(trusted.pvalue, rel=1e-9, abs=1e-300)


def test_outcomes_that_expect_few_shots_are_pooled() -> None:
    exact = {"00": 0.9, "01": 0.04, "10": 0.04, "11": 0.02}
    test = chi_square({"00": 85, "01": 8, "10": 6, "11": 1}, exact, 100)
    trusted = stats.chisquare([85, 15], [90, 10])
    assert (test.statistic, test.p_value) == (pytest.approx(trusted.statistic), pytest.approx(trusted.pvalue))
    assert (test.bins, test.degrees_of_freedom) == (2, 1)
    lonely = chi_square({"00": 40, "01": 57, "10": 3}, {"00": 0.41, "01": 0.56, "10": 0.03}, 100)
    assert lonely.statistic == pytest.approx(stats.chisquare([43, 57], [44, 56]).statistic)  # the pool was too small


def test_an_impossible_outcome_settles_it() -> None:
    test = chi_square({"00": 500, "01": 2, "10": 3}, {"00": 0.5, "11": 0.5, "01": 1e-15}, 505)
    assert (test.statistic, test.p_value, test.impossible) == (inf, 0, ["10", "01"])


@pytest.mark.parametrize("read", [{"0": 1000}, {"0": 1}])
def test_one_bin_is_nothing_to_test(read: Counts) -> None:
    test = chi_square(read, {"0": 1.0}, sum(read.values()))
    assert (test.statistic, test.degrees_of_freedom, test.p_value, test.bins) == (0, 0, 1, 1)
    test = two_sample_chi_square(read, {"0": 3})
    assert (test.degrees_of_freedom, test.p_value) == (0, 1)


@given(counts(), counts())
def test_the_test_of_two_samples_is_that_of_scipy(first: Counts, second: Counts) -> None:
    test = two_sample_chi_square(first, second)
    mirrored = two_sample_chi_square(second, first)
    assert (test.bins, test.p_value) == (mirrored.bins, pytest.approx(mirrored.p_value, rel=1e-6, abs=1e-300))
    keys = sorted({*first, *second})
    table = [[sample.get(key, 0) for key in keys] for sample in (first, second)]
    trusted = stats.contingency.expected_freq(table)
    if len(keys) > 1 and trusted.min() >= MIN_EXPECTED:
        chi2 = stats.chi2_contingency(table, correction=False)
        assert (test.statistic, test.degrees_of_freedom) == (pytest.approx(chi2.statistic), chi2.dof)
        assert test.p_value == pytest.approx(chi2.pvalue, rel=1e-6, abs=1e-300)


@given(counts())
def test_a_sample_agrees_with_itself(read: Counts) -> None:
    assert two_sample_chi_square(read, read).p_value == pytest.approx(1)
