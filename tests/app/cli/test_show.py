"""What a terminal says of a distillation, by what its numbers are."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from app.cli.show import show_distillation


def shown(mean: float, points: float, **given: Any) -> str:
    spread = {"mean": mean, "sd": mean / 10}
    gain = {"points": points, "low": points / 2, "high": 2 * points}
    out = StringIO()
    result = {"teacher": spread, "student": spread, "baseline": None, "gain": gain, "verdict": "BEATS", **given}
    show_distillation(result, Console(file=out, width=200))
    return out.getvalue()


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        (shown(0.958, 16.2), ["test accuracy", "95.8%", "9.6%", "+16.2 points"]),
        (shown(53.11, 5.36, measure="rmse"), ["test RMSE", "53.11", "5.311", "+5.36 of test RMSE", "+10.72"]),
        (shown(0.25, 1.2, measure="ndcg@10"), ["test ndcg@10", "0.25", "+1.2 hundredths of ndcg@10"]),
    ],
)
def test_numbers_are_shown_as_what_they_are(said: str, parts: list[str]) -> None:
    for part in parts:
        assert part in said
