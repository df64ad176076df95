"""Every loss at the ends of what a job may ask: in single and half precision, at T from 0.1 to 1000, for 2 to 10,000
classes, with the teacher alone, with labels alone and with both. What is expected is written again in numpy, in double
precision, with no more than the paper's formula.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor

from qstill.contract.distillations.objectives import Kd, Objective
from tests.workers.distillation.ends import (
    ENDS,
    PRECISIONS,
    TEMPERATURES,
    Labels,
    Matrix,
    Parameters,
    batch,
    divergence,
    gradient,
    leaf,
    softened,
)
from workers.distillation.objectives import LOSSES, loss_of
from workers.distillation.objectives.terms import Target
from workers.distillation.signals.signals import Signal, heard
from workers.distillation.training.kd_gradient import kd_and_slope

pytestmark = pytest.mark.training

CLASSES = (2, 10, 10_000)
SHARES: list[Parameters] = [{"alpha": 0.0}, {"alpha": 0.5}, {"alpha": 1.0}]
WEIGHTS: dict[str, list[Parameters]] = {
    "dkd": [
        {"hard_weight": 1.0, "alpha": 0.0, "beta": 0.0},
        {"hard_weight": 1.0, "alpha": 1.0, "beta": 8.0},
        {"hard_weight": 0.0, "alpha": 1.0, "beta": 8.0},
    ],
    "dist": [
        {"hard_weight": 1.0, "beta": 0.0, "gamma": 0.0},
        {"hard_weight": 1.0, "beta": 1.0, "gamma": 1.0},
        {"hard_weight": 0.0, "beta": 2.0, "gamma": 0.5},
    ],
    "logit_std": [
        {"hard_weight": 1.0, "weight": 0.0},
        {"hard_weight": 0.1, "weight": 9.0},
        {"hard_weight": 0.0, "weight": 9.0},
    ],
    "jsd": [{"alpha": share, "beta": beta} for share in (0.0, 0.5, 1.0) for beta in (0.1, 0.9)],
}  # from labels alone to the teacher alone; of the other losses, `SHARES`
WITHOUT_TEMPERATURE = ("hard_label", "logit_mse")


def said_by(labels: Labels, s: Matrix) -> float:
    known = labels >= 0
    return float(-np.mean(softened(s, 1)[known, labels[known]])) if known.any() else 0.0


def kd_reference(s: Matrix, t: Matrix, y: Labels, temperature: float, alpha: float) -> float:
    soft = temperature**2 * divergence(softened(t, temperature), softened(s, temperature))
    return (1 - alpha) * said_by(y, s) + alpha * soft


def reverse_kl_reference(s: Matrix, t: Matrix, y: Labels, temperature: float, alpha: float) -> float:
    soft = temperature**2 * divergence(softened(s, temperature), softened(t, temperature))
    return (1 - alpha) * said_by(y, s) + alpha * soft


def jsd_reference(s: Matrix, t: Matrix, y: Labels, temperature: float, alpha: float, beta: float) -> float:
    p, q = softened(t, temperature), softened(s, temperature)
    m = np.logaddexp(p + np.log(beta), q + np.log(1 - beta))
    soft = temperature**2 * (beta * divergence(p, m) + (1 - beta) * divergence(q, m))
    return (1 - alpha) * said_by(y, s) + alpha * soft


def hard_label_reference(s: Matrix, t: Matrix, y: Labels, alpha: float) -> float:
    return (1 - alpha) * said_by(y, s) + alpha * said_by(t.argmax(axis=1), s)


def logit_mse_reference(s: Matrix, t: Matrix, y: Labels, alpha: float) -> float:
    gap = s - t
    soft = np.mean((gap - gap.mean(axis=1, keepdims=True)) ** 2)
    return float((1 - alpha) * said_by(y, s) + alpha * soft)


def dkd_reference(
    s: Matrix, t: Matrix, y: Labels, temperature: float, hard_weight: float, alpha: float, beta: float
) -> float:
    p, q = softened(t, temperature), softened(s, temperature)
    parts = np.zeros(2)
    for row, label in enumerate(y):
        c = label if label >= 0 else t[row].argmax()
        others = np.arange(s.shape[1]) != c
        rest_p, rest_q = (np.logaddexp.reduce(one[row, others]) for one in (p, q))
        pairs = [np.array([[one[row, c], rest]]) for one, rest in ((p, rest_p), (q, rest_q))]
        among = [one[row, others][None] - rest for one, rest in ((p, rest_p), (q, rest_q))]
        parts += divergence(*pairs), divergence(*among)
    return float(hard_weight * said_by(y, s) + temperature**2 * (alpha * parts[0] + beta * parts[1]) / len(s))


def correlation_distance(s: Matrix, t: Matrix) -> float:
    """1 - ρ, a mean over the rows in which the teacher varies by more than single precision can round."""
    s, t = (v / np.maximum(v.max(axis=1, keepdims=True), 1e-30) for v in (s, t))
    s, t = (v - v.mean(axis=1, keepdims=True) for v in (s, t))
    s_squares, t_squares = ((v**2).sum(axis=1) for v in (s, t))
    varies = t_squares > 1e-10
    found = 1 - (s * t).sum(axis=1)[varies] / np.sqrt(np.maximum(s_squares, 1e-10) * t_squares)[varies]
    return float(np.mean(found)) if varies.any() else 0.0


def dist_reference(
    s: Matrix, t: Matrix, y: Labels, temperature: float, hard_weight: float, beta: float, gamma: float
) -> float:
    p, q = np.exp(softened(t, temperature)), np.exp(softened(s, temperature))
    inter, intra = correlation_distance(q, p), correlation_distance(q.T, p.T)
    return hard_weight * said_by(y, s) + beta * inter + gamma * intra


def logit_std_reference(
    s: Matrix, t: Matrix, y: Labels, temperature: float, hard_weight: float, weight: float
) -> float:
    p, q = (softened((z - z.mean(1, keepdims=True)) / z.std(1, keepdims=True), temperature) for z in (t, s))
    return hard_weight * said_by(y, s) + weight * temperature**2 * divergence(p, q)


def tf_kd_reference(s: Matrix, t: Matrix, y: Labels, temperature: float, alpha: float) -> float:
    known = y >= 0
    virtual = np.full((known.sum(), s.shape[1]), np.log(0.01 / (s.shape[1] - 1)))
    virtual[np.arange(len(virtual)), y[known]] = np.log(0.99)
    soft = temperature**2 * divergence(softened(virtual, temperature), softened(s[known], temperature))
    return (1 - alpha) * said_by(y, s) + alpha * soft


REFERENCES: dict[str, Callable[..., float]] = {
    "kd": kd_reference,
    "hard_label": hard_label_reference,
    "logit_mse": logit_mse_reference,
    "dkd": dkd_reference,
    "dist": dist_reference,
    "logit_std": logit_std_reference,
    "reverse_kl": reverse_kl_reference,
    "jsd": jsd_reference,
    "tf_kd": tf_kd_reference,
}


def terms(kind: str, logits: Tensor, teacher: Tensor, labels: Tensor, given: Parameters) -> dict[str, Any]:
    more = {"warm_up": 0} if kind == "dkd" else {}
    objective = TypeAdapter(Objective).validate_python({"kind": kind, **given, **more})
    return dict(loss_of(objective)(logits, Signal(teacher, "made up"), Target(labels)))


def asked(kind: str) -> list[Parameters]:
    """Every end of a loss's parameters."""
    temperatures: list[Parameters] = [{"temperature": t} for t in TEMPERATURES]
    temperatures = [{}] if kind in WITHOUT_TEMPERATURE else temperatures
    return [at | weights for at in temperatures for weights in WEIGHTS.get(kind, SHARES)]


def test_no_loss_is_left_out() -> None:
    assert set(REFERENCES) == set(LOSSES)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", REFERENCES)
def test_losses_on_logits_are_right_at_every_end(kind: str, precision: torch.dtype) -> None:
    for some, size in ENDS:
        classes = max(some, 3) if kind == "dkd" else some
        student, teacher, labels = batch(classes, size)
        for given in asked(kind):
            z, exact_z = leaf(student.to(precision)), leaf(student.double())
            found = terms(kind, z, teacher.to(precision), labels, given)["loss"]
            exact = gradient(terms(kind, exact_z, teacher.double(), labels, given)["loss"], exact_z)
            slope = gradient(found, z)
            about = f"{kind} {given} of {classes} classes, size {size}"
            expected = REFERENCES[kind](student.double().numpy(), teacher.double().numpy(), labels.numpy(), **given)
            assert found.dtype == torch.float32, about
            assert found.item() == pytest.approx(expected, rel=2e-3, abs=2e-5), about
            assert slope.isfinite().all(), about
            rounding = 0.01 if precision == torch.bfloat16 else 5e-3
            assert (slope - exact).abs().max() <= rounding * exact.abs().max() + 1e-6, about


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", REFERENCES)
def test_losses_on_logits_ignore_a_constant_at_every_end(kind: str, precision: torch.dtype) -> None:
    for classes in CLASSES:
        classes = max(classes, 3) if kind == "dkd" else classes
        student, teacher, labels = (part.to(precision) for part in batch(classes, 1.0))
        for given in asked(kind):
            still = terms(kind, student, teacher, labels.long(), given)["loss"].item()
            moved = terms(kind, student + 4, teacher - 4, labels.long(), given)["loss"].item()
            assert moved == pytest.approx(still, rel=1e-3, abs=2e-5), f"{kind} {given} of {classes} classes"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_closed_form_of_kd_is_right_at_every_end(precision: torch.dtype) -> None:
    for classes in (2, 10, 64):
        student, teacher, labels = batch(classes, 1.0)
        for given in asked("kd"):
            found, slope = kd_and_slope(student.to(precision), teacher.to(precision), labels, Kd(**given), 1)
            expected = kd_reference(student.double().numpy(), teacher.double().numpy(), labels.numpy(), **given)
            assert found.item() == pytest.approx(expected, rel=2e-3, abs=2e-5), given
            assert slope.isfinite().all()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", ["kd", "reverse_kl", "jsd"])
def test_what_a_sparse_teacher_leaves_open_is_right_at_every_end(kind: str, precision: torch.dtype) -> None:
    """A language model's teacher that names its 8 likeliest tokens of 10,000."""
    student, teacher, labels = batch(10_000, 1.0)
    named = torch.zeros_like(teacher, dtype=torch.bool).scatter(1, teacher.topk(8, dim=1).indices, True)
    for given in asked(kind):

        def loss(z: Tensor, given: Parameters = given) -> Tensor:
            signal = heard(Signal(teacher.to(z.dtype), "made up", unspoken=~named), z)
            return terms(kind, z, signal.logits, labels, given)["loss"]  # type: ignore[no-any-return]

        z = leaf(student.to(precision))
        found = loss(z)
        assert found.item() == pytest.approx(loss(student.double()).item(), rel=2e-3, abs=2e-5), given
        assert gradient(found, z).isfinite().all()
