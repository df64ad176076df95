"""What a job of recommenders reports is what the front door's card reads."""

from collections.abc import Callable
from typing import Any

import pytest

from app.distillations.recommenders.card import ranking_card
from app.distillations.recommenders.plots import ranking_plot
from qstill.contract.distillations.recommenders.report import read_ranking
from qstill.contract.distillations.reports import USERS, domain_of
from tests.workers.distillation.recommenders.test_recommender_jobs import done, job

pytestmark = pytest.mark.training


@pytest.mark.parametrize("baseline", [True, False])
def test_a_card_says_what_the_report_says(house: Callable[..., Any], baseline: bool) -> None:
    wanted = job(export=["onnx"], evaluation={"seeds": 2, "k": 5, "baseline": baseline})
    _, result, report = done(house, wanted)
    assert domain_of(report) == USERS
    found = ranking_card(read_ranking(report))
    assert ("| baseline |" in found) == baseline
    assert ("**" in found.split("## What it is")[0]) == baseline
    for said in (f"Test NDCG\\@5 {result['student']['mean']:.4f}", "| Hit@5 |", "student-seed-0.onnx"):
        assert said in found
    assert found.count("\n- ") == len(report["notes"])
    ranking, curves = (ranking_plot(name, read_ranking(report)) for name in ("ranking", "curves"))
    assert ("Verdict: " in ranking) == baseline
    assert f"student {result['student']['mean']:.4f}" in ranking
    points = report["curves"]
    assert {name: len(points[name]) for name in points} == dict.fromkeys(points, 3)
    assert len(points) == (5 if baseline else 3)
    for run in report["student"]["runs"]:
        epochs = [each["validation_ndcg"] for each in points[f"student-seed-{run['seed']}"]]
        assert epochs[run["epoch"] - 1] == run["validation_ndcg"] == max(epochs)
    assert curves.count("<path") + curves.count("<polyline") >= 2 * len(points)
