"""Answers are judged: in which order the columns stand, what numbers they are, how sure and how right."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.testing.examples import examples
from workers.distillation.tasks.judge import best_order, class_order, judge, kind_of

pytestmark = pytest.mark.training

orders = st.permutations(range(5)).map(lambda order: torch.tensor(list(order)))


@given(orders, st.integers(0, 2**31), st.floats(0.75, 1.0))
@settings(max_examples=examples(40), deadline=None)
def test_any_order_of_columns_is_found_again(order: Tensor, seed: int, accuracy: float) -> None:
    draw = torch.Generator().manual_seed(seed)
    labels = torch.arange(200) % 5
    said = torch.where(torch.rand(200, generator=draw) < accuracy, labels, torch.randint(5, (200,), generator=draw))
    logits = 4 * torch.eye(5)[said][:, order]
    assert best_order(logits, labels).tolist() == order.tolist()
    found = class_order(logits, labels)
    expected = None if order.tolist() == list(range(5)) else order.tolist()
    moved = (order != torch.arange(5)).float().mean()
    assert (None if found is None else found.tolist()) == expected or moved < 0.2


def test_noise_is_not_taken_for_an_order() -> None:
    suspected = 0
    for seed in range(200):
        draw = torch.Generator().manual_seed(seed)
        logits, labels = torch.randn(60, 3, generator=draw), torch.randint(3, (60,), generator=draw)
        suspected += class_order(logits, labels) is not None
    assert suspected <= 4


@given(st.integers(0, 2**31))
@settings(max_examples=examples(20), deadline=None)
def test_what_numbers_are_is_seen(seed: int) -> None:
    logits = torch.randn(20, 4, generator=torch.Generator().manual_seed(seed)) + 2
    assert kind_of(logits.softmax(1)) == "probabilities"
    assert kind_of(logits.log_softmax(1)) == "log_probabilities"
    assert kind_of(logits) == "logits"


def test_a_judgement_is_what_the_report_would_say() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 0.0]])
    found = judge(logits, torch.tensor([0, 1, 1, 0]), pointer="/teacher", chance_class=0)
    assert (found.accuracy, found.chance, found.rows) == (0.75, 0.5, 4)
    sure = float(torch.tensor([2.0, 0.0]).softmax(0)[0])
    assert found.confidence == pytest.approx(sure)
    assert found.expected_calibration_error == pytest.approx(sure - 0.75)
