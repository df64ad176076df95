"""Searches for a minimum: none asks more often than it may, all find one that is easy, and the verdict is just."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.distillations.report.surrogate import Searched, SearchName
from tests.testing.examples import examples
from workers.distillation.networks.fourier import Waves
from workers.distillation.quantum.optimum import decided
from workers.distillation.quantum.searches import Box, Sum, cobyla, lowest, spsa

BOX = Box(np.array([-2.0, 0.0]), np.array([2.0, 3.0]))


class Bowl:
    """Its lowest point is at (1, 2)."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, row: Any) -> float:
        self.asked += 1
        return float((row[0] - 1) ** 2 + (row[1] - 2) ** 2)


@pytest.mark.parametrize("search", [cobyla, spsa])
@settings(max_examples=examples(8), deadline=None)
@given(st.integers(0, 120), st.integers(0, 5))
def test_a_search_asks_no_more_often_than_it_may_and_repeats_with_its_seed(search: Any, most: int, seed: int) -> None:
    first, second = Bowl(), Bowl()
    ends = [search(bowl, BOX, [0.0, 1.0], most, seed) for bowl in (first, second)]
    assert first.asked == second.asked <= most
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("search", [cobyla, spsa])
def test_a_search_finds_the_bottom_of_a_bowl(search: Any) -> None:
    assert Bowl()(search(Bowl(), BOX, [-1.5, 0.5], 150, 0)) < 0.01


@settings(max_examples=examples(5), deadline=None)
@given(st.integers(0, 1_000))
def test_nothing_in_the_box_is_below_what_a_surrogate_finds(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    surrogate = Sum((2, 1), (1.0, 2.0), torch.randn(15, dtype=torch.float64, generator=draw))
    row, value = lowest(surrogate, BOX, seed, [[0.0, 0.0]])
    assert (BOX.low <= row).all()
    assert (row <= BOX.high).all()
    assert float(surrogate(torch.from_numpy(row)[None])) == pytest.approx(value)
    axes = [torch.linspace(float(low), float(high), 40) for low, high in zip(BOX.low, BOX.high, strict=True)]
    dense = torch.stack([axis.flatten() for axis in torch.meshgrid(*axes, indexing="ij")], 1).double()
    assert value <= float(surrogate(dense).min()) + 1e-9


def test_a_sum_is_in_radians_of_its_units() -> None:
    cosine = torch.zeros(3, dtype=torch.float64)
    cosine[1] = 1.0
    rows = torch.tensor([[0.3]], dtype=torch.float64)
    assert float(Sum((1,), (2.0,), cosine)(rows)) == pytest.approx(math.cos(0.6))
    assert Waves((1,))(rows * 2).shape == (1, 3)


def searches(**values: float) -> dict[SearchName, Searched]:
    whole: dict[Any, float] = {"surrogate": 0.0, "start": 1.0, "best_asked": 1.0, "cobyla": 1.0, "spsa": 1.0} | values
    return {name: Searched(angles=[0.0], value=value, evaluations=9) for name, value in whole.items()}


@pytest.mark.parametrize(
    ("values", "gain", "said"),
    [
        ({}, True, "gain: 0 at the surrogate's minimum, after 9 evaluations; "),
        ({"cobyla": 0.05}, False, "COBYLA finds with 9 evaluations 0.05, which is the same"),
        ({"spsa": -1.0}, False, "no gain: 0 at the surrogate's minimum, after 9 evaluations; SPSA finds"),
        ({"start": -1.0}, False, "the start is -1"),
        ({"best_asked": 0.0}, False, "which is the same"),
    ],
)
def test_a_gain_is_over_every_other_search_and_more_than_shots_blur(
    values: dict[str, float], gain: bool, said: str
) -> None:
    found, verdict = decided(searches(**values), tolerance=0.1)
    assert found is gain
    assert said in verdict
