"""Losses on logits besides kd against the papers' formulas, written again in numpy double precision."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.distillation.batches import (
    Batch,
    Labels,
    Matrix,
    batches,
    labels_term,
    loss,
    quick,
    softmax,
    temperatures,
)


def kl(p: Matrix, q: Matrix) -> float:
    return float(np.mean(np.sum(p * (np.log(p) - np.log(q)), axis=1)))


def hard_label_formula(s: Matrix, t: Matrix, y: Labels) -> float:
    return 0.5 * labels_term(s, y) + 0.5 * labels_term(s, np.argmax(t, axis=1))


def logit_mse_formula(s: Matrix, t: Matrix, y: Labels) -> float:
    centre = np.eye(s.shape[1]) - 1 / s.shape[1]
    return 0.1 * labels_term(s, y) + 0.9 * float(np.mean(((s - t) @ centre) ** 2))


def dkd_formula(s: Matrix, t: Matrix, y: Labels, temperature: float) -> float:
    target_class = other_classes = 0.0
    for z_s, z_t, label in zip(s, t, y, strict=True):
        p, q = softmax(z_t[None] / temperature)[0], softmax(z_s[None] / temperature)[0]
        c = label if label >= 0 else np.argmax(z_t)
        p_rest, q_rest = np.delete(p, c), np.delete(q, c)
        b_p, b_q = (np.array([[one[c], rest.sum()]]) for one, rest in ((p, p_rest), (q, q_rest)))
        target_class += kl(b_p, b_q) / len(s)
        other_classes += kl(p_rest[None] / p_rest.sum(), q_rest[None] / q_rest.sum()) / len(s)
    return labels_term(s, y) + temperature**2 * (target_class + 8 * other_classes)


def dist_formula(s: Matrix, t: Matrix, y: Labels, temperature: float) -> float:
    p, q = softmax(t / temperature), softmax(s / temperature)
    inter = np.mean([1 - np.corrcoef(a, b)[0, 1] for a, b in zip(q, p, strict=True)])
    intra = np.mean([1 - np.corrcoef(a, b)[0, 1] for a, b in zip(q.T, p.T, strict=True)])
    return labels_term(s, y) + float(inter + intra)


def logit_std_formula(s: Matrix, t: Matrix, y: Labels, temperature: float) -> float:
    p, q = (softmax((z - z.mean(1, keepdims=True)) / z.std(1, keepdims=True) / temperature) for z in (t, s))
    return 0.1 * labels_term(s, y) + 9 * temperature**2 * kl(p, q)


def reverse_kl_formula(s: Matrix, t: Matrix, y: Labels, temperature: float) -> float:
    return 0.1 * labels_term(s, y) + 0.9 * temperature**2 * kl(softmax(s / temperature), softmax(t / temperature))


def tf_kd_formula(s: Matrix, t: Matrix, y: Labels, temperature: float) -> float:
    known = y >= 0
    virtual = np.where(np.eye(s.shape[1])[y[known]] > 0, 0.99, 0.01 / (s.shape[1] - 1))
    softened = virtual ** (1 / temperature)
    p = softened / softened.sum(axis=1, keepdims=True)
    soft = temperature**2 * kl(p, softmax(s[known] / temperature)) if known.any() else 0.0
    return 0.9 * labels_term(s, y) + 0.1 * soft


def jsd_formula(s: Matrix, t: Matrix, y: Labels, temperature: float) -> float:
    p, q = softmax(t / temperature), softmax(s / temperature)
    return 0.1 * labels_term(s, y) + 0.9 * temperature**2 * (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2


@given(batches())
@quick
def test_hard_label_and_logit_mse_are_their_formulas(batch: Batch) -> None:
    for kind, formula in (("hard_label", hard_label_formula), ("logit_mse", logit_mse_formula)):
        assert loss(kind, batch)["loss"].item() == pytest.approx(formula(*batch), rel=1e-9, abs=1e-9)


@given(batches(), temperatures)
@quick
def test_losses_with_a_temperature_are_their_formulas(batch: Batch, t: float) -> None:
    for kind, formula in (
        *(("dkd", dkd_formula), ("reverse_kl", reverse_kl_formula)),
        *(("jsd", jsd_formula), ("tf_kd", tf_kd_formula)),
    ):
        found = loss(kind, batch, temperature=t)["loss"].item()
        assert found == pytest.approx(formula(*batch, t), rel=1e-8, abs=1e-8 * t**2)


@given(st.integers(0, 10**6), st.integers(2, 8), st.integers(3, 30), temperatures)
@quick
def test_dist_and_logit_std_are_their_formulas_where_rows_vary(seed: int, rows: int, classes: int, t: float) -> None:
    draw = np.random.default_rng(seed)
    batch = (draw.normal(size=(rows, classes)), 3 * draw.normal(size=(rows, classes)), draw.integers(-1, classes, rows))
    assert loss("dist", batch, temperature=t)["loss"].item() == pytest.approx(dist_formula(*batch, t), rel=1e-6)
    found = loss("logit_std", batch, temperature=t)["loss"].item()
    assert found == pytest.approx(logit_std_formula(*batch, t), rel=1e-6)
