"""How well predictions held, as ratios of measured to predicted seconds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.circuits.past_estimates import DEFAULT_FACTOR, FEW, calibrate, estimate, ratios
from qstill.contract.circuits.cost.estimates import Findings

ROUNDING = 1e-9  # quantiles are interpolated
several = st.lists(st.floats(1e-3, 1e3), min_size=FEW, max_size=60)


@given(several)
def test_nine_of_ten_ratios_lie_in_the_interval(found: list[float]) -> None:
    made = calibrate(found)
    assert made.median_ratio is not None
    low, high = made.low * (1 - ROUNDING), made.high * (1 + ROUNDING)
    assert min(found) * (1 - ROUNDING) <= made.low <= made.median_ratio * (1 + ROUNDING)
    assert made.median_ratio * (1 - ROUNDING) <= made.high <= max(found) * (1 + ROUNDING)
    outside = sum(not low <= ratio <= high for ratio in found)
    assert outside <= 2 * (len(found) // 20 + 1)
    assert (made.jobs, made.basis) == (len(found), "history")


@given(several, st.floats(0.1, 10))
def test_a_slower_machine_moves_the_interval_by_as_much(found: list[float], factor: float) -> None:
    made, slower = calibrate(found), calibrate([ratio * factor for ratio in found])
    assert (slower.low, slower.high) == pytest.approx((made.low * factor, made.high * factor))


def test_few_jobs_give_the_factor_that_is_assumed() -> None:
    made = calibrate([1.0] * (FEW - 1))
    assert (made.low, made.high, made.median_ratio) == (1 / DEFAULT_FACTOR, DEFAULT_FACTOR, None)
    assert (made.jobs, made.basis) == (FEW - 1, "default")


@pytest.mark.parametrize(
    "result",
    [None, {}, {"predicted_seconds": 1.0}, {"predicted_seconds": 0.0, "simulation_seconds": 1.0}],
)
def test_results_without_both_figures_do_not_count(result: dict[str, Any] | None) -> None:
    assert ratios([result, {"predicted_seconds": 2.0, "simulation_seconds": 1.0}]) == [0.5]


def test_an_estimate_is_the_prediction_between_its_scaled_ends() -> None:
    made = estimate(Findings(circuits=[], predicted_seconds=2.0), calibrate([0.5] * FEW))
    assert (made.low_seconds, made.predicted_seconds, made.high_seconds) == (1.0, 2.0, 1.0)
