"""The laws of knowledge distillation, against formulas written again in numpy double precision."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from torch.nn.functional import kl_div, log_softmax
from torch.testing import assert_close

from tests.testing.examples import examples
from workers.distillation.objectives.kd import kd
from workers.distillation.objectives.terms import Target, Terms
from workers.distillation.signals.signals import Signal

Matrix = NDArray[np.float64]

settings.register_profile("distillation", deadline=None, max_examples=examples(60))
settings.load_profile("distillation")

shapes = st.tuples(st.integers(1, 6), st.integers(2, 10))
temperatures = st.floats(0.1, 1000)
alphas = st.floats(0, 1)
numbers = st.floats(-30, 30)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Matrix, Matrix, NDArray[np.int64]]:
    """Student's and teacher's logits, and labels of which some are unknown."""
    rows, classes = draw(shapes)
    student, teacher = (draw(arrays(np.float64, (rows, classes), elements=numbers)) for _ in range(2))
    return student, teacher, draw(arrays(np.int64, rows, elements=st.integers(-1, classes - 1)))


def loss(student: Matrix, teacher: Matrix, labels: NDArray[np.int64], *, temperature: float, alpha: float) -> Terms:
    signal, target = Signal(torch.tensor(teacher), "teacher"), Target(torch.tensor(labels))
    return kd(torch.tensor(student), signal, target, temperature=temperature, alpha=alpha)


def softmax(z: Matrix) -> Matrix:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def soft_gradient(student: Matrix, teacher: Matrix, temperature: float) -> torch.Tensor:
    z = torch.tensor(student, requires_grad=True)
    target = Target(torch.zeros(len(student), dtype=torch.long))
    terms = kd(z, Signal(torch.tensor(teacher), "teacher"), target, temperature=temperature, alpha=1.0)
    (gradient,) = torch.autograd.grad(terms["soft"], z)
    return gradient


def random_logits(rows: int = 200, classes: int = 10) -> tuple[Matrix, Matrix]:
    draw = np.random.default_rng(0)
    return draw.normal(size=(rows, classes)), 3 * draw.normal(size=(rows, classes))


@given(batches(), temperatures, alphas)
def test_the_loss_is_the_formula(batch: tuple[Matrix, Matrix, NDArray[np.int64]], t: float, alpha: float) -> None:
    student, teacher, labels = batch
    p, q = softmax(teacher / t), softmax(student / t)
    soft = t**2 * np.mean(np.sum(p * (np.log(p) - np.log(q)), axis=1))
    known = labels >= 0
    hard = -np.mean(np.log(softmax(student))[known, labels[known]]) if known.any() else 0.0
    terms = loss(student, teacher, labels, temperature=t, alpha=alpha)
    assert terms["soft"].item() == pytest.approx(soft, rel=1e-9, abs=1e-9 * t**2)
    assert terms["hard"].item() == pytest.approx(hard, rel=1e-9, abs=1e-9)
    assert terms["loss"].item() == pytest.approx((1 - alpha) * hard + alpha * soft, rel=1e-9, abs=1e-9 * t**2)


def test_the_mean_is_over_rows_and_not_over_classes() -> None:
    student, teacher = random_logits(classes=10)
    terms = loss(student, teacher, np.zeros(200, dtype=np.int64), temperature=1.0, alpha=1.0)
    p, q = log_softmax(torch.tensor(teacher), 1), log_softmax(torch.tensor(student), 1)
    divided_by_classes_too = (p.exp() * (p - q)).mean()
    assert_close(terms["soft"], 10 * divided_by_classes_too)
    assert_close(terms["soft"], kl_div(q, p, reduction="batchmean", log_target=True))


def test_t_squared_keeps_the_gradient_while_without_it_the_gradient_falls_as_its_inverse() -> None:
    student, teacher = random_logits()
    norms = {t: soft_gradient(student, teacher, t).norm().item() for t in (4.0, 8.0, 20.0)}
    assert max(norms.values()) / min(norms.values()) < 1.1
    raw = {t: norm / t**2 for t, norm in norms.items()}
    assert raw[4.0] / raw[20.0] == pytest.approx(25, rel=0.1)


@given(batches(), temperatures)
def test_the_loss_is_continuous_at_both_ends_of_alpha(
    batch: tuple[Matrix, Matrix, NDArray[np.int64]], t: float
) -> None:
    for end, near in ((0.0, 1e-9), (1.0, 1 - 1e-9)):
        at, beside = (loss(*batch, temperature=t, alpha=alpha) for alpha in (end, near))
        assert_close(at["loss"], beside["loss"], rtol=1e-6, atol=1e-5 * t**2)
    assert_close(loss(*batch, temperature=t, alpha=0.0)["loss"], at["hard"])
    assert_close(loss(*batch, temperature=t, alpha=1.0)["loss"], at["soft"])


@given(batches(), temperatures, numbers, numbers)
def test_a_constant_added_to_all_logits_changes_nothing(
    batch: tuple[Matrix, Matrix, NDArray[np.int64]], t: float, c: float, d: float
) -> None:
    student, teacher, labels = batch
    moved = loss(student + c, teacher + d, labels, temperature=t, alpha=0.7)
    assert_close(moved["loss"], loss(*batch, temperature=t, alpha=0.7)["loss"], rtol=1e-9, atol=1e-9 * t**2)


@given(batches(), temperatures)
def test_the_soft_term_is_never_negative_and_zero_at_equality(
    batch: tuple[Matrix, Matrix, NDArray[np.int64]], t: float
) -> None:
    student, teacher, labels = batch
    assert loss(student, teacher, labels, temperature=t, alpha=1.0)["soft"] >= -1e-12 * t**2
    assert loss(teacher, teacher, labels, temperature=t, alpha=1.0)["soft"].abs() <= 1e-12 * t**2


@given(batches())
def test_a_high_temperature_matches_centred_logits(batch: tuple[Matrix, Matrix, NDArray[np.int64]]) -> None:
    student, teacher, labels = batch
    difference = (student - student.mean(1, keepdims=True)) - (teacher - teacher.mean(1, keepdims=True))
    limit = np.mean(np.sum(difference**2, axis=1)) / (2 * student.shape[1])
    soft = loss(student, teacher, labels, temperature=1e5, alpha=1.0)["soft"].item()
    assert soft == pytest.approx(limit, rel=5e-3, abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@given(batches(), st.floats(0.05, 50))
def test_half_precision_is_upcast_before_it_is_divided(
    dtype: torch.dtype, batch: tuple[Matrix, Matrix, NDArray[np.int64]], t: float
) -> None:
    student, teacher = (torch.tensor(z).mul(1000).to(dtype) for z in batch[:2])
    target = Target(torch.tensor(batch[2]))
    half = kd(student, Signal(teacher, "teacher"), target, temperature=t, alpha=0.5)
    single = kd(student.float(), Signal(teacher.float(), "teacher"), target, temperature=t, alpha=0.5)
    assert half["loss"].dtype == torch.float32
    assert half["loss"].isfinite()
    assert_close(half["loss"], single["loss"], rtol=0, atol=0)


def test_a_row_without_a_label_carries_the_soft_term_only() -> None:
    student, teacher = random_logits(rows=4)
    labels = np.array([3, -1, -1, -1])
    terms = loss(student, teacher, labels, temperature=2.0, alpha=0.5)
    assert_close(terms["hard"], loss(student[:1], teacher[:1], labels[:1], temperature=2.0, alpha=0.5)["hard"])
    none = loss(student, teacher, np.full(4, -1), temperature=2.0, alpha=0.0)
    assert none["loss"].item() == 0
