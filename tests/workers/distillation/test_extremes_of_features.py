"""Losses on features at the ends of what a job may ask, in single and half precision."""

import pytest
import torch
from torch import Tensor

from tests.workers.distillation.ends import PRECISIONS, Parameters, gradient, leaf
from workers.distillation.objectives import DISTANCES

pytestmark = pytest.mark.training

FEATURES: dict[str, list[Parameters]] = {
    "fitnet": [{}],
    "at": [{"p": 1.0}, {"p": 2.0}, {"p": 8.0}],
    "rkd": [{"distance_weight": 1.0, "angle_weight": 0.0}, {"distance_weight": 25.0, "angle_weight": 50.0}],
    "sp": [{}],
    "pkt": [{}],
    "crd": [{"temperature": 0.01}, {"temperature": 0.07}, {"temperature": 10.0}],
    "cosine": [{}],
}  # test_feature_laws.py holds them against their formulas in double precision


def features(kind: str, width: int, seed: int) -> Tensor:
    shape = (8, width, 3, 2) if kind == "at" else (8, width)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).bfloat16().float()


def test_no_loss_is_left_out() -> None:
    assert set(FEATURES) == set(DISTANCES)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", FEATURES)
def test_losses_on_features_are_right_at_every_end(kind: str, precision: torch.dtype) -> None:
    for width in (2, 64, 4096):
        student, teacher = features(kind, width, 0), features(kind, width, 1)
        for given in FEATURES[kind]:
            for size in (2.0**-10, 1.0, 2.0**10):
                z = leaf((size * student).to(precision))
                found = DISTANCES[kind](z, teacher.to(precision), **given)
                exact = DISTANCES[kind]((size * student).double(), teacher.double(), **given).item()
                assert found.dtype == torch.float32
                assert found.item() == pytest.approx(exact, rel=1e-3, abs=1e-7), f"{kind} {given} {width} {size}"
                assert gradient(found, z).isfinite().all()


@pytest.mark.parametrize("kind", FEATURES)
def test_only_relations_of_rows_ignore_a_constant(kind: str) -> None:
    """Features have an origin: the other losses compare values, attention or angles as seen from it."""
    student, teacher, given = features(kind, 16, 0), features(kind, 16, 1), FEATURES[kind][-1]
    still, moved = (DISTANCES[kind](s.double(), teacher.double(), **given).item() for s in (student, student + 1))
    assert (moved == pytest.approx(still, rel=1e-6)) is (kind == "rkd")
