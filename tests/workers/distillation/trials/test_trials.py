"""What of many students is worth having, and when those are compared that still learn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.testing.examples import examples
from workers.distillation.trials.pareto import dominates, front
from workers.distillation.trials.trials import PRUNING, rung_of

MEDIAN = PRUNING["median"]
assert MEDIAN is not None


@given(st.lists(st.tuples(*[st.integers(0, 4).map(float)] * 3), min_size=1, max_size=12))
@settings(max_examples=examples(60))
def test_the_front_is_what_nothing_dominates(candidates: list[tuple[float, ...]]) -> None:
    on_front = set(front(candidates))
    assert on_front
    for i, costs in enumerate(candidates):
        beaten = any(dominates(candidates[j], costs) for j in on_front)
        assert beaten == (i not in on_front)


@pytest.mark.parametrize(("epochs", "due"), [(40, {10: "4", 20: "2"}), (3, {1: "4", 2: "2"}), (2, {1: "2"}), (1, {})])
def test_trials_are_compared_after_a_quarter_and_a_half(epochs: int, due: dict[int, str]) -> None:
    found = {epoch: rung_of(MEDIAN.rungs, epochs, epoch) for epoch in range(1, epochs + 1)}
    assert {epoch: rung for epoch, rung in found.items() if rung} == due
