"""The laws of every loss on logits besides kd, and the papers' formulas written again in numpy double precision."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from torch.testing import assert_close

from qstill.contract.distillations.objectives import Objective
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from tests.workers.distillation.batches import (
    DEFAULT_WEIGHTS,
    HAVE_TEMPERATURE,
    Batch,
    batches,
    labels_term,
    loss,
    numbers,
    quick,
    random_batch,
    softmax,
    temperatures,
)
from workers.distillation.objectives import LOSSES, loss_of, refuse_undefined
from workers.distillation.objectives.dist import pearson_distance
from workers.distillation.objectives.terms import Target
from workers.distillation.signals.signals import Signal

HAVE_ALPHA = ["hard_label", "logit_mse", "reverse_kl", "jsd", "tf_kd"]
ALL = [kind for kind in LOSSES if kind != "kd"]
HEAR_THE_TEACHER = [kind for kind in ALL if kind != "tf_kd"]
ZERO_AT_EQUALITY = [kind for kind in HEAR_THE_TEACHER if kind != "hard_label"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", LOSSES)
def test_losses_and_gradients_are_finite(kind: str, dtype: torch.dtype) -> None:
    draw = torch.Generator().manual_seed(0)
    fewest = 3 if kind == "dkd" else 2
    temperatures_of_it = (0.1, 1.0, 7.0, 1000.0) if kind in ["kd", *HAVE_TEMPERATURE] else (None,)
    shares_of_it = (0.0, 0.5, 1.0) if kind in ["kd", *HAVE_ALPHA] else (None,)
    for t, alpha in itertools.product(temperatures_of_it, shares_of_it):
        given_ = {name: value for name, value in (("temperature", t), ("alpha", alpha)) if value is not None}
        loss_ = loss_of(TypeAdapter(Objective).validate_python({"kind": kind, **given_}))
        for classes in (fewest, 10, 10_000) if alpha in (None, 0.5) else (fewest, 10):
            some, other = (torch.randn(5, classes, generator=draw).to(dtype) for _ in range(2))
            flat = torch.zeros_like(some)
            sure = torch.eye(classes, dtype=dtype)[:5].repeat(5, 1)[:5] * 3e4
            for student, teacher in (
                *((some * size, other * size) for size in (1e-3, 1.0, 30.0, 1e4)),
                *((some, some), (flat, some), (some, flat), (flat, flat), (sure, sure), (sure, -sure), (some, sure)),
                (some[:1], other[:1]),
            ):
                z = student.clone().requires_grad_()
                labels = torch.arange(len(z)) % (classes + 1) - 1
                terms = loss_(z, Signal(teacher, "teacher"), Target(labels))
                (gradient,) = torch.autograd.grad(terms["loss"], z)
                assert all(term.isfinite() and term.dtype == torch.float32 for term in terms.values())
                assert gradient.isfinite().all()


@pytest.mark.parametrize("kind", ALL)
@given(batch=batches(), c=numbers, d=numbers)
@settings(deadline=None, max_examples=examples(20))
def test_a_constant_added_to_all_logits_changes_nothing(kind: str, batch: Batch, c: float, d: float) -> None:
    # In steps that double precision adds exactly: rounding would create variation, and ties, where there are none.
    student, teacher, c, d = (np.round(np.multiply(part, 1024)) / 1024 for part in (batch[0], batch[1], c, d))
    labels = batch[2]
    moved, still = loss(kind, (student + c, teacher + d, labels)), loss(kind, (student, teacher, labels))
    assert_close(moved["loss"], still["loss"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ALL)
@given(batch=batches())
@settings(deadline=None, max_examples=examples(20))
def test_the_soft_term_is_never_negative(kind: str, batch: Batch) -> None:
    assert loss(kind, batch)["soft"] >= -1e-11


@pytest.mark.parametrize("kind", ZERO_AT_EQUALITY)
@given(batch=batches())
@settings(deadline=None, max_examples=examples(20))
def test_the_soft_term_is_zero_at_equality(kind: str, batch: Batch) -> None:
    _, teacher, labels = batch
    assert loss(kind, (teacher, teacher, labels))["soft"].abs() <= 1e-9


@pytest.mark.parametrize("kind", HEAR_THE_TEACHER)
def test_a_row_without_a_label_has_no_hard_term(kind: str) -> None:
    student, teacher, _ = random_batch(rows=4)
    one = loss(kind, (student, teacher, np.array([3, -1, -1, -1])))
    assert one["hard"].item() == pytest.approx(labels_term(student[:1], np.array([3])))
    none = loss(kind, (student, teacher, np.full(4, -1)))
    assert none["hard"].item() == 0
    assert none["soft"] > 0
    assert none["loss"] > 0


@pytest.mark.parametrize("kind", HAVE_ALPHA)
def test_alpha_means_what_it_means_in_kd(kind: str) -> None:
    batch = random_batch()
    terms = loss(kind, batch)
    for alpha in (0.0, 0.25, 1.0):
        expected = (1 - alpha) * terms["hard"] + alpha * terms["soft"]
        assert_close(loss(kind, batch, alpha=alpha)["loss"], expected)


@pytest.mark.parametrize("kind", ["dkd", "dist", "logit_std"])
def test_the_weights_of_the_papers_are_weights(kind: str) -> None:
    batch = random_batch()
    labels_only = dict.fromkeys(DEFAULT_WEIGHTS[kind], 0)
    assert_close(loss(kind, batch, hard_weight=3, **labels_only)["loss"], 3 * loss(kind, batch)["hard"])
    doubled = {name: 2 * value for name, value in DEFAULT_WEIGHTS[kind].items()}
    assert_close(loss(kind, batch, hard_weight=0, **doubled)["loss"], 2 * loss(kind, batch, hard_weight=0)["loss"])


def test_the_virtual_teacher_of_tf_kd_speaks_only_where_there_is_a_label() -> None:
    student, teacher, _ = random_batch(rows=4)
    none = loss("tf_kd", (student, teacher, np.full(4, -1)))
    assert none["soft"].item() == none["loss"].item() == 0
    one = loss("tf_kd", (student, teacher, np.array([2, -1, -1, -1])))
    alone = loss("tf_kd", (student[:1], teacher[:1], np.array([2])))
    assert_close(one["soft"], alone["soft"])
    deaf = loss("tf_kd", (student, -teacher, np.array([2, -1, -1, -1])))
    assert_close(deaf["loss"], one["loss"])


def test_tf_kd_is_zero_for_a_student_that_is_the_virtual_teacher() -> None:
    labels = np.array([0, 3, 2])
    virtual = np.log(np.where(np.eye(5)[labels] > 0, 0.99, 0.01 / 4))
    assert loss("tf_kd", (virtual, virtual, labels))["soft"].abs() <= 1e-9


@given(batches())
@quick
def test_hard_label_sees_the_teachers_order_only(batch: Batch) -> None:
    student, teacher, labels = batch
    assert_close(loss("hard_label", (student, 4 * teacher, labels)), loss("hard_label", batch))


@given(batches())
@quick
def test_logit_mse_is_twice_the_limit_of_kd(batch: Batch) -> None:
    limit = loss("kd", batch, temperature=1000)["soft"].item()
    assert loss("logit_mse", batch)["soft"].item() / 2 == pytest.approx(limit, rel=0.1, abs=1e-3)


@given(batches(), temperatures)
@quick
def test_dkd_decomposes_kd_row_by_row(batch: Batch, t: float) -> None:
    """As in the paper: KL = TCKD + (1 - p)·NCKD."""
    student, teacher, labels = batch
    for row in range(len(student)):
        one = (student[row : row + 1], teacher[row : row + 1], labels[row : row + 1])
        p = softmax(one[1] / t)[0]
        c = labels[row] if labels[row] >= 0 else np.argmax(teacher[row])
        parts = loss("dkd", one, temperature=t, alpha=1, beta=float(np.delete(p, c).sum()))
        assert_close(parts["soft"], loss("kd", one, temperature=t)["soft"], rtol=1e-8, atol=1e-9 * t**2)


def test_dkd_warms_up_over_its_epochs_and_is_warm_when_measured() -> None:
    batch = random_batch()
    for epoch, warmth in ((1, 0.05), (10, 0.5), (20, 1), (50, 1), (None, 1)):
        terms = loss("dkd", batch, epoch=epoch)
        assert_close(terms["loss"], terms["hard"] + warmth * terms["soft"])
    terms = loss("dkd", batch, epoch=1, warm_up=0)
    assert_close(terms["loss"], terms["hard"] + terms["soft"])


def test_dkd_is_refused_for_two_classes_and_no_other_loss_is() -> None:
    for kind in LOSSES:
        objective = TypeAdapter(Objective).validate_python({"kind": kind})
        refuse_undefined(objective, 3)
        if kind != "dkd":
            refuse_undefined(objective, 2)
            continue
        refused = problem_of(refuse_undefined, objective, 2)
        assert (refused.code, refused.pointer) == ("too_few_classes", "/objective/kind")


@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(0, 10), st.floats(0.01, 100))
@quick
def test_the_distance_of_dist_ignores_scale_and_shift_of_each_row(seed: int, a: float, b: float, c: float) -> None:
    draw = np.random.default_rng(seed)
    student, teacher = (torch.tensor(draw.dirichlet(np.ones(6), size=4)) for _ in range(2))
    scales = torch.tensor([[a], [1.0], [c], [2.0]]).double()
    distance = pearson_distance(student, teacher)
    assert_close(pearson_distance(scales * student + b, c * teacher + a), distance, rtol=1e-6, atol=1e-9)
    assert_close(pearson_distance(-student, teacher), 2 - distance)
    assert_close(pearson_distance(teacher, student), distance)


def test_where_the_teacher_does_not_vary_dist_asks_for_nothing() -> None:
    student, _, labels = random_batch()
    assert loss("dist", (student, np.zeros_like(student), labels))["soft"].item() == 0
    one_row = loss("dist", (student[:1], student[:1] ** 2, labels[:1]))
    assert one_row["intra_class"].item() == 0
    assert one_row["inter_class"] > 0


@given(st.integers(0, 10**6), st.floats(0.1, 100), st.floats(0.1, 100))
@quick
def test_logit_std_ignores_scale_and_shift_of_logits(seed: int, a: float, c: float) -> None:
    draw = np.random.default_rng(seed)
    student, teacher = (draw.normal(size=(4, 6)) for _ in range(2))
    labels = np.full(4, -1)
    scaled = loss("logit_std", (a * student + c, c * teacher - a, labels))["soft"]
    assert_close(scaled, loss("logit_std", (student, teacher, labels))["soft"], rtol=1e-4, atol=1e-6)


@given(batches(least_classes=2), temperatures)
@quick
def test_reverse_kl_is_kd_with_the_roles_exchanged(batch: Batch, t: float) -> None:
    student, teacher, labels = batch
    exchanged = loss("kd", (teacher, student, labels), temperature=t)["soft"]
    assert_close(loss("reverse_kl", batch, temperature=t)["soft"], exchanged)


@given(batches(least_classes=2), temperatures, st.floats(0.01, 0.99))
@quick
def test_jsd_is_bounded_and_symmetric(batch: Batch, t: float, beta: float) -> None:
    student, teacher, labels = batch
    forth = loss("jsd", batch, temperature=t, beta=beta)["soft"]
    back = loss("jsd", (teacher, student, labels), temperature=t, beta=1 - beta)["soft"]
    assert_close(forth, back, rtol=1e-7, atol=1e-9 * t**2)
    assert forth.item() / t**2 <= -beta * np.log(beta) - (1 - beta) * np.log1p(-beta) + 1e-9
    halves = [loss("jsd", (a, b, labels), temperature=t)["soft"] for a, b in ((student, teacher), (teacher, student))]
    assert_close(*halves, rtol=1e-9, atol=1e-11 * t**2)


def test_the_limits_of_jsd_are_the_two_divergences() -> None:
    batch = random_batch()
    for beta, share, limit in ((1e-6, 1e-6, "kd"), (1 - 1e-6, 1e-6, "reverse_kl")):
        scaled = loss("jsd", batch, beta=beta)["soft"].item() / share
        assert scaled == pytest.approx(loss(limit, batch, temperature=1)["soft"].item(), rel=1e-3)
