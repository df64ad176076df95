"""The laws of the losses on features, and the papers' formulas written again in numpy double precision."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torch.testing import assert_close

from tests.testing.examples import examples
from workers.distillation.objectives import DISTANCES
from workers.distillation.objectives.at import at
from workers.distillation.objectives.cosine import cosine
from workers.distillation.objectives.crd import crd
from workers.distillation.objectives.features import of_one_size
from workers.distillation.objectives.fitnet import fitnet
from workers.distillation.objectives.pkt import pkt
from workers.distillation.objectives.rkd import rkd
from workers.distillation.objectives.sp import sp

Array = NDArray[np.float64]

quick = settings(deadline=None, max_examples=examples(30))
seeds = st.integers(0, 10**6)
scales = st.floats(1e-3, 1e3)

DEFAULTS: dict[str, dict[str, Any]] = {
    "fitnet": {},
    "at": {"p": 2.0},
    "rkd": {"distance_weight": 25.0, "angle_weight": 50.0},
    "sp": {},
    "pkt": {},
    "crd": {"temperature": 0.07},
    "cosine": {},
}
ZERO_AT_EQUALITY = [kind for kind in DEFAULTS if kind != "crd"]
OF_ROWS = ["rkd", "sp", "pkt"]  # compare rows with rows, whatever the widths


def distance(kind: str, student: Tensor, teacher: Tensor) -> Tensor:
    return DISTANCES[kind](student, teacher, **DEFAULTS[kind])


def features(kind: str, seed: int, rows: int = 5, width: int = 7) -> Tensor:
    """Images for attention transfer, vectors for the others."""
    draw = np.random.default_rng(seed)
    shape = (rows, width, 4, 3) if kind == "at" else (rows, width)
    return torch.tensor(draw.normal(size=shape))


def rotation(seed: int, width: int) -> Tensor:
    return torch.tensor(np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0])


def smooth_l1(difference: float) -> float:
    return 0.5 * difference**2 if abs(difference) < 1 else abs(difference) - 0.5


def fitnet_formula(s: Array, t: Array) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(s.ravel(), t.ravel(), strict=True)) / s.size)


def at_formula(s: Array, t: Array) -> float:
    total = 0.0
    for student, teacher in zip(s, t, strict=True):
        maps = [np.sum(np.abs(image) ** 2, axis=0).ravel() for image in (student, teacher)]
        first, second = (one / np.linalg.norm(one) for one in maps)
        total += float(np.sum((first - second) ** 2))
    return total / (len(s) * s.shape[2] * s.shape[3])


def rkd_formula(s: Array, t: Array) -> float:
    pairs = list(itertools.permutations(range(len(s)), 2))
    triples = list(itertools.permutations(range(len(s)), 3))

    def far(f: Array) -> list[float]:
        lengths = [float(np.linalg.norm(f[i] - f[j])) for i, j in pairs]
        return [length / (sum(lengths) / len(pairs)) for length in lengths]

    def cosine(f: Array, i: int, j: int, k: int) -> float:
        e, g = f[i] - f[j], f[k] - f[j]
        return float(e @ g / np.linalg.norm(e) / np.linalg.norm(g))

    distances = np.mean([smooth_l1(a - b) for a, b in zip(far(s), far(t), strict=True)])
    angles = np.mean([smooth_l1(cosine(s, *triple) - cosine(t, *triple)) for triple in triples])
    return float(25 * distances + 50 * angles)


def sp_formula(s: Array, t: Array) -> float:
    first, second = (g / np.linalg.norm(g, axis=1, keepdims=True) for g in (s @ s.T, t @ t.T))
    return float(np.linalg.norm(first - second, "fro") ** 2 / len(s) ** 2)


def pkt_formula(s: Array, t: Array) -> float:
    def picks(f: Array, i: int) -> dict[int, float]:
        kernel = {
            j: (float(f[i] @ f[j]) / float(np.linalg.norm(f[i]) * np.linalg.norm(f[j])) + 1) / 2
            for j in range(len(f))
            if j != i
        }
        return {j: value / sum(kernel.values()) for j, value in kernel.items()}

    total = 0.0
    for i in range(len(s)):
        p, q = picks(t, i), picks(s, i)
        total += sum(p[j] * np.log(p[j] / q[j]) for j in p)
    return total / len(s) ** 2


def crd_formula(s: Array, t: Array, temperature: float = 0.07) -> float:
    rows = len(s)
    unit_s, unit_t = (f / np.linalg.norm(f, axis=1, keepdims=True) for f in (s, t))
    e = np.exp(unit_s @ unit_t.T / temperature)
    mean = np.mean([e[i, j] for i, j in itertools.permutations(range(rows), 2)])
    h = e / (e + (rows - 1) * mean)
    anchors = [-np.log(h[i, i]) - sum(np.log(1 - h[i, j]) for j in range(rows) if j != i) for i in range(rows)]
    return float(2 * np.mean(anchors))


def cosine_formula(s: Array, t: Array) -> float:
    return float(np.mean([1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(s, t, strict=True)]))


FORMULAS: dict[str, Callable[[Array, Array], float]] = {
    "fitnet": fitnet_formula,
    "at": at_formula,
    "rkd": rkd_formula,
    "sp": sp_formula,
    "pkt": pkt_formula,
    "crd": crd_formula,
    "cosine": cosine_formula,
}


@pytest.mark.parametrize("kind", DISTANCES)
@given(seed=seeds, rows=st.integers(3, 7))
@quick
def test_a_loss_is_its_formula(kind: str, seed: int, rows: int) -> None:
    student, teacher = features(kind, seed, rows), features(kind, seed + 1, rows)
    expected = FORMULAS[kind](student.numpy(), teacher.numpy())
    assert distance(kind, student, teacher).item() == pytest.approx(expected, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("kind", ZERO_AT_EQUALITY)
@given(seed=seeds)
@quick
def test_a_loss_is_zero_at_equality_and_only_there(kind: str, seed: int) -> None:
    student, teacher = features(kind, seed), features(kind, seed + 1)
    assert distance(kind, teacher, teacher).abs() <= 1e-12
    assert distance(kind, student, teacher) > 1e-6


@given(seed=seeds)
@quick
def test_crd_is_least_where_each_row_points_where_its_teacher_does(seed: int) -> None:
    student, teacher = features("crd", seed), features("crd", seed + 1)
    apart = rotation(seed, 7)[:5]  # rows at right angles: nothing to confuse
    assert crd(apart, apart, temperature=0.07).item() == pytest.approx(2 * 4 * np.log(5 / 4), rel=1e-4)
    assert crd(apart.roll(1, 0), apart, temperature=0.07) > 10
    assert crd(student, teacher, temperature=0.07) > crd(teacher, teacher, temperature=0.07)


@pytest.mark.parametrize("kind", ["at", *OF_ROWS, "crd", "cosine"])
@given(seed=seeds, a=scales, b=scales)
@quick
def test_the_scale_of_either_network_changes_nothing(kind: str, seed: int, a: float, b: float) -> None:
    student, teacher = features(kind, seed), features(kind, seed + 1)
    assert_close(distance(kind, a * student, b * teacher), distance(kind, student, teacher), rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize("kind", OF_ROWS)
@given(seed=seeds)
@quick
def test_a_rotation_of_either_space_changes_nothing(kind: str, seed: int) -> None:
    student, teacher = features(kind, seed), features(kind, seed + 1, width=4)
    turned = distance(kind, student @ rotation(seed, 7), teacher @ rotation(seed + 1, 4))
    assert_close(turned, distance(kind, student, teacher), rtol=1e-6, atol=1e-12)


@given(seed=seeds, a=st.floats(-10, 10))
@quick
def test_rkd_ignores_where_the_rows_lie_as_a_whole(seed: int, a: float) -> None:
    student, teacher = features("rkd", seed), features("rkd", seed + 1)
    assert_close(distance("rkd", student + a, teacher - a), distance("rkd", student, teacher), rtol=1e-5, atol=1e-9)


@given(seed=seeds)
@quick
def test_at_ignores_signs_and_the_order_of_channels(seed: int) -> None:
    student, teacher = features("at", seed), features("at", seed + 1, width=2)
    assert_close(at(-student.flip(1), teacher, p=2.0), at(student, teacher, p=2.0))


@pytest.mark.parametrize("kind", OF_ROWS)
@given(seed=seeds)
@quick
def test_the_order_of_the_rows_changes_nothing(kind: str, seed: int) -> None:
    student, teacher = features(kind, seed), features(kind, seed + 1)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    assert_close(distance(kind, student[order], teacher[order]), distance(kind, student, teacher))


def test_the_cosine_of_images_is_that_of_their_channels_at_each_place() -> None:
    student, teacher = (torch.randn(2, 3, 2, 2, generator=torch.Generator().manual_seed(s)).double() for s in (0, 1))
    places = [
        cosine_formula(s[:, i, j][None].numpy(), t[:, i, j][None].numpy())
        for s, t in zip(student, teacher, strict=True)
        for i, j in itertools.product(range(2), repeat=2)
    ]
    assert cosine(student, teacher).item() == pytest.approx(np.mean(places))


@given(seed=seeds, p=st.sampled_from([1.0, 2.0, 4.0]), temperature=st.floats(0.05, 5.0), weight=st.floats(0, 100))
@quick
def test_parameters_stand_where_the_formulas_have_them(seed: int, p: float, temperature: float, weight: float) -> None:
    some, other = features("at", seed), features("at", seed + 1)
    maps = [(f.abs() ** p).sum(1).flatten(1) for f in (some, other)]
    first, second = (m / m.norm(dim=1, keepdim=True) for m in maps)
    assert_close(at(some, other, p=p), ((first - second) ** 2).mean(), rtol=1e-5, atol=1e-9)
    student, teacher = features("crd", seed), features("crd", seed + 1)
    expected = crd_formula(student.numpy(), teacher.numpy(), temperature)
    assert crd(student, teacher, temperature=temperature).item() == pytest.approx(expected, rel=1e-4)
    parts = [rkd(student, teacher, distance_weight=d, angle_weight=a) for d, a in ((1.0, 0.0), (0.0, 1.0))]
    both = rkd(student, teacher, distance_weight=weight, angle_weight=2 * weight)
    assert_close(both, weight * (parts[0] + 2 * parts[1]))


def test_images_of_different_size_meet_at_the_smaller() -> None:
    large, small = torch.randn(2, 3, 8, 6), torch.randn(2, 5, 4, 4)
    pooled, same = of_one_size(large, small)
    assert_close(pooled, torch.nn.functional.adaptive_avg_pool2d(large, (4, 4)))
    assert same is small
    assert at(large, small, p=2.0) > 0
    assert_close(fitnet(large, small[:, :3]), fitnet(pooled, small[:, :3]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", DISTANCES)
def test_losses_and_gradients_are_finite(kind: str, dtype: torch.dtype) -> None:
    for rows, width in itertools.product((1, 2, 3, 16), (1, 8, 512)):
        some, other = (features(kind, seed, rows, width).to(dtype) for seed in (0, 1))
        none, dead = torch.zeros_like(some), some.clone().index_fill(0, torch.tensor([0]), 0)
        one = some[:1].expand_as(some).contiguous()
        for student, teacher in (
            *((size * some, other) for size in (1e-6, 1e-3, 1.0, 1e4)),
            *((some, 1e4 * other), (some, some), (some, -some), (some.relu(), other.relu())),
            *((none, some), (some, none), (none, none), (dead, other), (other, dead), (one, other), (other, one)),
        ):
            z = student.clone().requires_grad_()
            found = distance(kind, z, teacher)
            (gradient,) = torch.autograd.grad(found, z)
            assert found.dtype == torch.float32
            assert found.isfinite()
            assert found >= -1e-6
            assert gradient.isfinite().all()


@pytest.mark.parametrize("kind", DISTANCES)
def test_the_gradient_leads_to_the_teacher(kind: str) -> None:
    student, teacher = features(kind, 0, rows=8).requires_grad_(), features(kind, 1, rows=8)
    before = distance(kind, student, teacher)
    optimizer = torch.optim.Adam([student], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        distance(kind, student, teacher).backward()
        optimizer.step()
    assert distance(kind, student, teacher) < 0.3 * before


def test_few_rows_have_nothing_to_compare() -> None:
    student, teacher = features("rkd", 0), features("rkd", 1)
    assert rkd(student[:1], teacher[:1], distance_weight=1.0, angle_weight=1.0) == 0
    assert rkd(student[:2], teacher[:2], distance_weight=1.0, angle_weight=1.0).abs() < 1e-9
    assert pkt(student[:2], teacher[:2]).abs() < 1e-9
    assert sp(student[:1], teacher[:1]).abs() < 1e-9
    assert crd(student[:1], teacher[:1], temperature=0.07) == 0
