"""Measures by name are scikit-learn's, on rows as they are and on rows that stand there several times."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from torch import Tensor

from qstill.contract.distillations.measures import measure as named
from qstill.contract.distillations.measures.measure import Measure, measure_of, top
from tests.testing.examples import examples
from workers.distillation.measures import classes, numbers
from workers.distillation.measures.draws import DRAWS, drawn, interval
from workers.distillation.quality import compared_by
from workers.distillation.tasks.classes import Classes
from workers.distillation.tasks.numbers import Numbers
from workers.distillation.tasks.targets import errors, targets_of

ROWS = 40
SEEDS = st.integers(0, 2**32)


def some(seed: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """(logits, labels, weights of one draw) with every class, ties among the logits, and rows that do not count."""
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randint(-4, 5, (ROWS, count), generator=draw).float() / 2
    labels = torch.cat([torch.arange(count), torch.randint(count, (ROWS - count,), generator=draw)])
    weights = torch.randint(0, 3, (1, ROWS), generator=draw).double()
    weights[:, :count] = 1  # so that no class is absent
    return logits, labels, weights


def told(measure: Measure, logits: Tensor, labels: Tensor) -> float:
    """By scikit-learn."""
    p, y, count = logits.double().softmax(1).numpy(), labels.numpy(), logits.shape[1]
    said = p.argmax(1)
    if measure.name in ("auc", "average_precision"):
        of = metrics.roc_auc_score if measure.name == "auc" else metrics.average_precision_score
        which = [1] if count == 2 else range(count)
        return float(np.mean([of(y == code, p[:, code]) for code in which]))
    if measure.name.startswith("top_"):
        given = p if count > 2 else p[:, 1]
        k = int(measure.name.removeprefix("top_"))
        return float(metrics.top_k_accuracy_score(y, given, k=k, labels=range(count)))
    return {
        "accuracy": lambda: metrics.accuracy_score(y, said),
        "f1_macro": lambda: metrics.f1_score(y, said, average="macro", zero_division=0),
        "f1_micro": lambda: metrics.f1_score(y, said, average="micro"),
        "log_loss": lambda: metrics.log_loss(y, p, labels=range(count)),
    }[measure.name]()  # type: ignore[no-any-return]


OF_CLASSES = [each for each in named.NAMED if "classes" in each.fits]


@pytest.mark.parametrize("measure", [*OF_CLASSES, top(2), top(3)], ids=lambda each: each.name)
@given(seed=SEEDS, count=st.integers(4, 6))
@settings(deadline=None, max_examples=examples(15))
def test_measures_of_classes_are_scikit_learns(measure: Measure, seed: int, count: int) -> None:
    logits, labels, weights = some(seed, count)
    found = classes.measured(measure, logits, labels, torch.ones(1, ROWS, dtype=torch.float64))
    assert float(found) == pytest.approx(told(measure, logits, labels), abs=1e-12)
    again = torch.arange(ROWS).repeat_interleave(weights[0].long())
    found = classes.measured(measure, logits, labels, weights)
    assert float(found) == pytest.approx(told(measure, logits[again], labels[again]), abs=1e-12)


@pytest.mark.parametrize("measure", [named.AUC, named.AVERAGE_PRECISION, named.F1_MACRO], ids=lambda each: each.name)
@given(seed=SEEDS)
@settings(deadline=None, max_examples=examples(10))
def test_of_two_classes_areas_are_of_the_second(measure: Measure, seed: int) -> None:
    logits, labels, _ = some(seed, 2)
    found = classes.measured(measure, logits, labels, torch.ones(1, ROWS, dtype=torch.float64))
    assert float(found) == pytest.approx(told(measure, logits, labels), abs=1e-12)


@given(seed=SEEDS, count=st.integers(1, 3), far=st.sampled_from([0.0, 1e4]))
@settings(deadline=None, max_examples=examples(20))
def test_measures_of_numbers_are_scikit_learns(seed: int, count: int, far: float) -> None:
    draw = torch.Generator().manual_seed(seed)
    labels = far + 3 * torch.randn(ROWS, count, generator=draw, dtype=torch.float64)
    answers = labels + torch.randn(ROWS, count, generator=draw, dtype=torch.float64)
    weights = torch.randint(0, 3, (1, ROWS), generator=draw).double()
    weights[0, :4] = 1.0
    again = np.repeat(np.arange(ROWS), weights[0].long().numpy())
    y, said = labels.numpy()[again], answers.numpy()[again]
    expected = {
        named.RMSE: math.sqrt(metrics.mean_squared_error(y, said)),
        named.MAE: metrics.mean_absolute_error(y, said),
        named.R2: metrics.r2_score(y, said),
    }
    for measure, value in expected.items():
        found = numbers.measured(measure, answers - labels, labels, weights)
        assert float(found) == pytest.approx(value, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2])
def test_numbers_by_name_are_those_of_the_report(count: int) -> None:
    draw = torch.Generator().manual_seed(3)
    raw = 100 + 30 * torch.randn(60, count, generator=draw, dtype=torch.float64)
    targets = targets_of(raw[:30], [f"y{i}" for i in range(count)])
    labels = targets.standardised(raw)
    answers = labels + torch.randn(labels.shape, generator=draw) / 3
    found, task = errors(answers, labels, answers, targets), Numbers(targets)
    for measure in (named.RMSE, named.MAE, named.R2):
        assert task.value_of(measure, answers, labels) == pytest.approx(getattr(found, measure.name), rel=1e-12)


def test_what_rows_do_not_have_is_said_and_no_number() -> None:
    task, labels = Classes(["red", "green", "blue"]), torch.tensor([0, 0, 2, 2])
    assert "'green'" in (task.unmeasured(named.AUC, labels) or "")
    assert task.unmeasured(named.F1_MACRO, labels) is None
    logits = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]])
    assert math.isnan(task.value_of(named.AUC, logits, labels))
    flat = torch.zeros(4, 1)
    assert Numbers(targets_of(torch.randn(9, 1).double(), ["y"])).unmeasured(named.R2, flat) is not None


def test_draws_are_the_same_for_all_networks_and_none_where_they_would_take_too_long() -> None:
    values = torch.arange(50.0, dtype=torch.float64)

    def mean(weights: Tensor) -> Tensor:
        assert bool((weights.sum(1) == 50).all())
        return weights @ values / 50

    first, second = (drawn(mean, 50, numbers=50, seed=0) for _ in range(2))
    assert first is not None
    assert len(first) == DRAWS
    assert torch.equal(first, second if second is not None else first.new_zeros(0))
    low, high = interval(first)
    assert low is not None
    assert high is not None
    spread = float(values.std(correction=0)) / math.sqrt(50)
    assert (low, high) == pytest.approx((24.5 - 1.96 * spread, 24.5 + 1.96 * spread), abs=0.5 * spread)
    assert drawn(mean, 50, numbers=1 << 40, seed=0) is None


def test_half_of_the_draws_must_have_a_number() -> None:
    few = torch.full((100,), torch.nan, dtype=torch.float64)
    few[:49] = 1.0
    assert interval(few) == (None, None)
    few[:50] = 1.0
    assert interval(few) == (1.0, 1.0)
    assert interval(None) == (None, None)


@pytest.mark.parametrize("measure", [*named.NAMED, top(3)], ids=lambda each: each.name)
def test_above_zero_the_first_is_better_whatever_the_measure(measure: Measure) -> None:
    better, worse = ([0.9, 0.91], [0.1, 0.11])
    if measure.better == "less":
        better, worse = worse, better
    found = compared_by(measure, better, worse, rows=100)
    assert found.mean > 0
    assert measure_of(measure.name) == measure
