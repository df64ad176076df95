"""Losses and measures of several labels a row: what must hold of all, and the formulas written by themselves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss
from torch.testing import assert_close

from qstill.contract.distillations.measures import measure as named
from qstill.contract.distillations.measures.measure import Measure
from tests.testing.examples import examples
from workers.distillation.measures import labels as measures
from workers.distillation.objectives.kd import kd
from workers.distillation.objectives.logit_mse import logit_mse
from workers.distillation.objectives.terms import Target, binary_kl_from_logits, label_term
from workers.distillation.signals.signals import Signal
from workers.distillation.teachers.ensemble import average_of_labels

ROWS, LABELS = 12, 4
SEEDS = st.integers(0, 2**32)


def drawn(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """(student, teacher, what is so), each (rows, labels)."""
    draw = torch.Generator().manual_seed(seed)
    student, teacher = (3 * torch.randn(ROWS, LABELS, generator=draw, dtype=torch.float64) for _ in range(2))
    so = torch.randint(0, 2, (ROWS, LABELS), generator=draw).double()
    so[0], so[1] = 1.0, 0.0
    return student, teacher, so


def signal(teacher: Tensor) -> Signal:
    return Signal(teacher, "")


@given(seed=SEEDS, temperature=st.floats(0.5, 20), alpha=st.floats(0, 1))
@settings(deadline=None, max_examples=examples(25))
def test_kd_is_two_binary_cross_entropies(seed: int, temperature: float, alpha: float) -> None:
    student, teacher, so = drawn(seed)
    found = kd(student, signal(teacher), Target(so, yes_no=True), temperature=temperature, alpha=alpha)
    own = (teacher / temperature).sigmoid()
    entropy = -(own * own.log() + (1 - own) * (1 - own).log()).mean()
    soft = temperature**2 * (binary_cross_entropy_with_logits(student / temperature, own) - entropy)
    assert_close(found["hard"], binary_cross_entropy_with_logits(student, so))
    assert_close(found["soft"], soft, atol=1e-8, rtol=1e-6)
    assert_close(found["loss"], (1 - alpha) * found["hard"] + alpha * found["soft"])


@given(seed=SEEDS)
@settings(deadline=None, max_examples=examples(15))
def test_a_student_that_says_the_same_has_nothing_to_hear_and_no_other_has_less(seed: int) -> None:
    student, teacher, _ = drawn(seed)
    assert_close(binary_kl_from_logits(teacher, teacher), torch.tensor(0.0, dtype=torch.float64))
    assert binary_kl_from_logits(teacher, student) > 0


def test_hot_kd_is_a_mean_square_of_logits() -> None:
    """At a high temperature a sigmoid is a quarter of its logit, and KL half a square over p(1 - p): an eighth."""
    student, teacher, so = drawn(1)
    hot = kd(student, signal(teacher), Target(so, yes_no=True), temperature=1e3, alpha=1.0)
    assert_close(hot["soft"], mse_loss(student, teacher) / 8, rtol=1e-3, atol=0.0)


@given(seed=SEEDS)
@settings(deadline=None, max_examples=examples(15))
def test_what_is_unknown_is_left_out_of_the_labels_term_alone(seed: int) -> None:
    student, teacher, so = drawn(seed)
    hidden = so.clone()
    hidden[2, 1] = torch.nan
    hidden[3] = torch.nan
    known = hidden.isfinite()
    expected = binary_cross_entropy_with_logits(student[known], so[known])
    assert_close(label_term(student, Target(hidden, yes_no=True)), expected)
    all_hidden = Target(torch.full_like(so, torch.nan), yes_no=True)
    none = logit_mse(student, signal(teacher), all_hidden, alpha=0.5)
    assert_close(none["hard"], torch.tensor(0.0, dtype=torch.float64))
    assert_close(none["soft"], mse_loss(student, teacher))


def told(measure: Measure, logits: Tensor, so: Tensor) -> float:
    y, p = so.numpy(), logits.sigmoid().numpy()
    said = (p > 0.5).astype(int)
    return float(
        {
            "f1_macro": lambda: metrics.f1_score(y, said, average="macro", zero_division=0),
            "f1_micro": lambda: metrics.f1_score(y, said, average="micro", zero_division=0),
            "auc": lambda: metrics.roc_auc_score(y, p, average="macro"),
            "average_precision": lambda: metrics.average_precision_score(y, p, average="macro"),
            "log_loss": lambda: np.mean([metrics.log_loss(y[:, at], p[:, at]) for at in range(y.shape[1])]),
            "subset_accuracy": lambda: metrics.accuracy_score(y, said),
            "hamming": lambda: metrics.hamming_loss(y, said),
        }[measure.name]()
    )


@pytest.mark.parametrize("measure", named.OF_LABELS, ids=lambda each: each.name)
@given(seed=SEEDS)
@settings(deadline=None, max_examples=examples(15))
def test_measures_of_labels_are_scikit_learns(measure: Measure, seed: int) -> None:
    logits, _, so = drawn(seed)
    logits = (2 * logits).round() / 2 + 0.25  # with ties, and none at a probability of a half
    ones = torch.ones(1, ROWS, dtype=torch.float64)
    assert float(measures.measured(measure, logits, so, ones)) == pytest.approx(told(measure, logits, so), abs=1e-12)
    weights = torch.randint(0, 3, (1, ROWS), generator=torch.Generator().manual_seed(seed)).double()
    weights[:, :2] = 1
    again = torch.arange(ROWS).repeat_interleave(weights[0].long())
    found = float(measures.measured(measure, logits, so, weights))
    assert found == pytest.approx(told(measure, logits[again], so[again]), abs=1e-12)


def test_areas_are_of_labels_that_have_them() -> None:
    logits, _, so = drawn(5)
    so[:, 0], so[:, 1] = 0.0, 1.0
    ones = torch.ones(1, ROWS, dtype=torch.float64)
    rest = told(named.AUC, logits[:, 2:], so[:, 2:])
    assert float(measures.measured(named.AUC, logits, so, ones)) == pytest.approx(rest)
    assert not measures.lacking(named.AUC, so)
    assert measures.lacking(named.AUC, so[:, :2])
    assert not measures.lacking(named.AVERAGE_PRECISION, so[:, :2])
    assert measures.lacking(named.AVERAGE_PRECISION, so[:, :1])


@given(seed=SEEDS)
@settings(deadline=None, max_examples=examples(10))
def test_an_ensemble_says_the_mean_of_each_probability(seed: int) -> None:
    one, other, _ = drawn(seed)
    weights = torch.tensor([0.25, 0.75], dtype=torch.float64)
    found = average_of_labels([one, other], weights, geometric=False).double().sigmoid()
    assert_close(found, 0.25 * one.sigmoid() + 0.75 * other.sigmoid(), atol=1e-6, rtol=1e-5)
    hot = average_of_labels([one, other], weights, geometric=True)
    assert_close(hot.double(), 0.25 * one + 0.75 * other, atol=1e-5, rtol=1e-5)
