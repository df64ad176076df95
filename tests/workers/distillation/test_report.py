"""The measures and the verdict, against scipy and scikit-learn."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import log_loss

from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.evaluation import MAX_SEEDS
from qstill.contract.distillations.results import DistillationResult
from tests.testing.examples import examples
from workers.distillation.artifacts.clock import latency
from workers.distillation.jobs import distil_job
from workers.distillation.networks.families import build
from workers.distillation.quality import T_95, Comparison, calibration_error, compare, quality, size, verdict

Make = Callable[..., Any]


def test_the_table_of_quantiles_is_students() -> None:
    expected = [stats.t.ppf(0.975, freedom) for freedom in range(1, MAX_SEEDS)]
    assert pytest.approx(expected, abs=5e-5) == list(T_95)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=2, max_size=MAX_SEEDS))
@settings(deadline=None)
def test_the_interval_is_the_paired_t_interval(pairs: list[tuple[float, float]]) -> None:
    first, second = (list(side) for side in zip(*pairs, strict=True))
    found = compare(first, second)
    differences = np.subtract(first, second)
    assert found.mean == pytest.approx(differences.mean())
    spread = differences.std(ddof=1)
    if spread > 1e-9:
        low, high = stats.ttest_rel(first, second).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-4, abs=1e-4 * spread)


@given(st.lists(st.integers(-30, 30), min_size=2, max_size=MAX_SEEDS), st.integers(1, 200))
@settings(deadline=None, max_examples=examples(60))
def test_counts_that_agree_by_chance_do_not_narrow_the_interval_to_nothing(counts: list[int], rows: int) -> None:
    step = 100 / rows
    differences = [step * count for count in counts]
    found, plain = (compare(differences, [0.0] * len(counts), step=each) for each in (step, 0.0))
    assert found.low is not None
    assert found.high is not None
    assert plain.low is not None
    assert plain.high is not None
    least = T_95[len(counts) - 2] * step / math.sqrt(12 * len(counts))
    assert (found.high - found.low) / 2 == pytest.approx(max(least, (plain.high - plain.low) / 2))
    assert found.mean == plain.mean


def test_two_seeds_with_the_same_count_decide_nothing() -> None:
    assert verdict(compare([50.0, 60.0], [55.0, 65.0], step=100 / 20)) == "INCONCLUSIVE"
    assert verdict(compare([50.0, 60.0], [55.0, 65.0])) == "NO BEATS"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 2, "BEATS"),
        (-1, 2, "INCONCLUSIVE"),
        (-2, -1, "NO BEATS"),
        (0, 0, "NO BEATS"),
        (None, None, "INCONCLUSIVE"),
    ],
)
def test_the_verdict_follows_the_interval(low: float | None, high: float | None, expected: str) -> None:
    assert verdict(Comparison(1.0, low, high, [])) == expected
    assert verdict(None) is None


def test_quality_agrees_with_formulas_written_elsewhere() -> None:
    draw = np.random.default_rng(0)
    logits, labels = draw.normal(size=(300, 5)) * 2, draw.integers(0, 5, 300)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    found = quality(torch.from_numpy(logits), torch.from_numpy(labels))
    assert found.accuracy == pytest.approx(np.mean(p.argmax(1) == labels))
    assert found.negative_log_likelihood == pytest.approx(log_loss(labels, p))
    assert found.brier == pytest.approx(np.mean(np.sum((p - np.eye(5)[labels]) ** 2, axis=1)))
    confidence, right, expected = p.max(1), p.argmax(1) == labels, 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert found.expected_calibration_error == pytest.approx(expected)
    assert found.per_class[2] == pytest.approx(np.mean(right[labels == 2]))


def test_a_sure_and_right_network_is_calibrated() -> None:
    assert calibration_error(torch.ones(4), torch.ones(4, dtype=torch.bool)) == 0
    assert calibration_error(torch.ones(4), torch.zeros(4, dtype=torch.bool)) == 1


def test_a_network_that_is_sure_and_wrong_has_a_finite_loss() -> None:
    found = quality(torch.tensor([[1e6, 0.0]]), torch.tensor([1]))
    assert found.negative_log_likelihood == pytest.approx(103)
    assert found.per_class == [None, 0.0]


def test_the_student_of_the_contract_has_its_1210_parameters() -> None:
    network = build(Mlp(kind="mlp", hidden=[16]), (1, 8, 8), 10, seed=0, pointer="")
    found = size(network, (1, 8, 8), 5000)
    assert (found.parameters, found.multiply_adds) == (1210, 64 * 16 + 16 * 10)
    timed = latency(network, torch.zeros(1, 8, 8))
    assert 0 < timed.p50_ms <= timed.p95_ms
    assert 1 <= timed.runs <= 300


def report_of(job: Any, house: Make) -> tuple[dict[str, Any], dict[str, Any]]:
    told = house()
    result = distil_job(job, told)
    assert DistillationResult.model_validate(result).model_dump(mode="json") == result
    return result, json.loads(told.published["report.json"])


def test_the_report_answers_the_contracts_questions(job: Make, house: Make) -> None:
    result, report = report_of(job(), house)
    for arm in ("teacher", "student", "baseline"):
        summary = report[arm]["summary"]
        assert summary["accuracy"] == result[arm]
        assert set(summary) == {
            *("accuracy", "negative_log_likelihood", "expected_calibration_error", "brier", "agreement"),
        }
        assert set(report[arm]["cost"]["size"]) == {"parameters", "bytes", "multiply_adds"}
    accuracies = [[seed["accuracy"] for seed in report[arm]["runs"]] for arm in ("student", "baseline")]
    assert report["paired_differences_in_points"] == pytest.approx(100 * np.subtract(*accuracies))
    assert result["student"]["sd"] == pytest.approx(np.std(accuracies[0], ddof=1))
    assert report["soft_gradient_norm"] > 0
    assert [row["class"] for row in report["per_class"]] == ["setosa", "versicolor", "virginica"]
    assert report["rows"] == {
        "total": 150,
        "train": 90,
        "train_labels": 90,
        "validation": 30,
        "test": 30,
        "labels_seen": 9,
        "student_learns_from": 90,
    }
    assert set(report["digests"]) == {"data", "teacher", "signal"}
    assert "The student saw 9 labels" in report["notes"][0]


def test_one_seed_decides_nothing(job: Make, house: Make) -> None:
    result, report = report_of(job(evaluation={"seeds": 1}), house)
    assert result["verdict"] == "INCONCLUSIVE"
    assert result["gain"]["low"] is None
    assert any("One seed" in note for note in report["warnings"])


def test_without_a_baseline_there_is_no_gain(job: Make, house: Make) -> None:
    result, report = report_of(job(evaluation={"baseline": False}), house)
    assert (result["baseline"], result["gain"], result["verdict"]) == (None, None, None)
    assert result["checkpoints"] == 3
    assert any("No baseline" in note for note in report["warnings"])


def test_a_useless_teacher_and_a_large_student_are_noted(job: Make, house: Make) -> None:
    spec = job(
        teacher={
            "source": "train",
            "architecture": {"kind": "mlp", "hidden": []},
            "training": {"epochs": 1, "learning_rate": 1e-9, "seed": 3},
        },
        student={"architecture": {"kind": "mlp", "hidden": [8]}},
    )
    _, report = report_of(spec, house)
    assert any("larger than the teacher" in note for note in report["warnings"])
    no_better = any("no better than always" in note for note in report["warnings"])
    assert no_better == (report["teacher"]["summary"]["accuracy"]["mean"] <= 1 / 3)


def test_an_interval_of_two_seeds_stays_within_what_can_be(job: Make, house: Make) -> None:
    found = compare([96.0, 60.0], [20.0, 90.0], most=100)
    assert (found.low, found.high) == (-100, 100)
    _, report = report_of(job(evaluation={"seeds": 2}), house)
    assert any("Two seeds" in note for note in report["warnings"])
