"""Losses of recommenders at the ends of what a job may ask, against their formulas in numpy's double precision."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.workers.distillation.ends import (
    ENDS,
    PRECISIONS,
    TEMPERATURES,
    Matrix,
    batch,
    divergence,
    gradient,
    leaf,
    softened,
)
from workers.distillation.recommenders.losses.bce import bce
from workers.distillation.recommenders.losses.bpr import bpr
from workers.distillation.recommenders.losses.de import de
from workers.distillation.recommenders.losses.rd import position_weights, rd
from workers.distillation.recommenders.losses.rrd import rrd
from workers.distillation.recommenders.losses.softmax_kl import softmax_kl

pytestmark = pytest.mark.training


def bpr_reference(s: Matrix, t: Matrix) -> float:
    return float(np.mean(np.logaddexp(0, s[:, 1:] - s[:, :1])))


def bce_reference(s: Matrix, t: Matrix) -> float:
    return float((np.logaddexp(0, -s[:, 0]).sum() + np.logaddexp(0, s[:, 1:]).sum()) / s.size)


def rd_reference(s: Matrix, t: Matrix) -> float:
    weights = np.exp(-np.arange(1, s.shape[1] + 1) / 10)
    return float(np.mean((np.logaddexp(0, -s) * weights / weights.sum()).sum(axis=1)))


def rrd_reference(s: Matrix, t: Matrix) -> float:
    below = [np.logaddexp.reduce(s[:, k:], axis=1) - s[:, k] for k in range(min(40, s.shape[1] - 1))]
    return float(np.mean(np.sum(below, axis=0)))


def de_reference(s: Matrix, t: Matrix) -> float:
    return float(np.mean(((t - (0.25 * s - 0.75 * s)) ** 2).sum(axis=1)))


def rrd_of(s: Tensor, t: Tensor) -> Tensor:
    top = min(40, s.shape[1] - 1)
    return rrd(s[:, :top], s[:, top:])


def de_of(s: Tensor, t: Tensor) -> Tensor:
    return de(torch.stack([s, -s], 1), t, torch.tensor([[0.25, 0.75]], dtype=s.dtype).expand(len(s), -1))


RANKING: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Matrix, Matrix], float], bool]] = {
    "bpr": (lambda s, t: bpr(s[:, :1], s[:, 1:]), bpr_reference, True),
    "bce": (lambda s, t: bce(s[:, :1], s[:, 1:]), bce_reference, False),
    "rd": (lambda s, t: rd(s, position_weights(s.shape[1], 10.0)), rd_reference, False),
    "rrd": (rrd_of, rrd_reference, True),
    "de": (de_of, de_reference, False),
    **{
        f"softmax_kl at {temperature}": (
            lambda s, t, temperature=temperature: softmax_kl(s, t, temperature),
            lambda s, t, temperature=temperature: (
                temperature**2 * divergence(softened(t, temperature), softened(s, temperature))
            ),
            True,
        )
        for temperature in TEMPERATURES
    },
}  # the loss, its formula, and whether it ignores a constant: a chance of one item alone has an origin


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", RANKING)
def test_losses_of_recommenders_are_right_at_every_end(name: str, precision: torch.dtype) -> None:
    loss, reference, ignores_a_constant = RANKING[name]
    for items, size in ENDS:
        student, teacher, _ = batch(items, size)
        z = leaf(student.to(precision))
        found = loss(z, teacher.to(precision))
        expected = reference(student.double().numpy(), teacher.double().numpy())
        assert found.dtype == torch.float32
        assert found.item() == pytest.approx(expected, rel=1e-3, abs=1e-6), f"{items} items, size {size}"
        assert gradient(found, z).isfinite().all()
        moved = loss((student + 4 * size).to(precision), teacher.to(precision)).item()
        assert (moved == pytest.approx(found.item(), rel=1e-3, abs=1e-6)) is ignores_a_constant
