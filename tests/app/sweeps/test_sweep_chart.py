"""The picture of a sweep: round numbers at its axes, and names at the trials of the front."""

import re

import pytest

from app.sweeps.chart import front_chart
from app.web.drawing import Text
from qstill.contract.sweeps.results import TrialView


def trial(number: int, size: int, accuracy: float) -> TrialView:
    return TrialView(
        number=number,
        setting={"/objective/temperature": number},
        status="complete",
        reason=None,
        accuracy=accuracy,
        worth=accuracy,
        negative_log_likelihood=0.5,
        accuracies=[accuracy],
        epochs=[1],
        parameters=size // 4,
        bytes=size,
        latency_ms=0.1,
        stacked=False,
    )


@pytest.mark.parametrize("sizes", [(4672, 5298), (4000, 4000), (900, 90_000), (3333, 3400)])
def test_ticks_are_round_and_the_front_is_named(sizes: tuple[int, int]) -> None:
    small, large = sizes
    found = front_chart([trial(0, small, 0.675), trial(1, large, 0.857), trial(2, large, 0.766)], {0, 1})
    said = [shape.text for shape in found.shapes if isinstance(shape, Text)]
    ticks = [text for text in said if re.fullmatch(r"[\d,]+", text)]
    assert len(ticks) >= 2
    assert all(re.fullmatch(r"(1|15|2|3|5|7)0*", tick.replace(",", "")) for tick in ticks)
    percents = [float(text[:-1]) for text in said if text.endswith("%")]
    assert len(percents) >= 3
    assert all(each == round(each) for each in percents)
    assert [text for text in said if text.startswith("trial")] == ["trial 0", "trial 1"]


def test_a_sweep_of_nothing_but_failures_has_a_picture() -> None:
    assert front_chart([], set()).title == "Pareto front: 0 of 0 complete trials"
