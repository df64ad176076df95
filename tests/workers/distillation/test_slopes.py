"""The closed form of a loss and its gradient is what autograd finds of the loss as it is written."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from app.distillations.objectives import Kd, Ramp
from app.distillations.schemas import DistillationJob
from workers.distillation.objectives.kd import kd
from workers.distillation.objectives.schedules import value_at
from workers.distillation.objectives.terms import UNKNOWN, Target
from workers.distillation.plan import student_stages
from workers.distillation.signals import Signal
from workers.distillation.slopes import MOST_CLASSES, has_slope, kd_and_slope


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 40),
    classes=st.integers(2, MOST_CLASSES),
    temperature=st.sampled_from([0.1, 1.0, 2.0, 20.0, 1000.0]),
    alpha=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    labelled=st.sampled_from([0.0, 0.3, 1.0]),
    size=st.sampled_from([0.1, 1.0, 30.0]),
    precision=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 10**6),
)
def test_loss_and_gradient_are_autograds(
    rows: int,
    classes: int,
    temperature: float,
    alpha: float,
    labelled: float,
    size: float,
    precision: torch.dtype,
    seed: int,
) -> None:
    draw = torch.Generator().manual_seed(seed)
    student, teacher = (size * torch.randn(rows, classes, generator=draw, dtype=precision) for _ in range(2))
    labels = torch.randint(classes, (rows,), generator=draw)
    labels = torch.where(torch.rand(rows, generator=draw) < labelled, labels, UNKNOWN)
    student.requires_grad_()
    loss = kd(student, Signal(teacher, "made up"), Target(labels), temperature=temperature, alpha=alpha)["loss"]
    (slope,) = torch.autograd.grad(loss, student)
    found, closed = kd_and_slope(student.detach(), teacher, labels, Kd(temperature=temperature, alpha=alpha), epoch=1)
    # At T=1000 the soft term is T² times a difference of nearly equal numbers: both sides round it alike badly.
    noise = 1e-6 * temperature**2 if precision == torch.float32 else 1e-12 * temperature**2
    assert_close(found, loss.detach(), rtol=1e-5, atol=1e-5 + noise)
    assert_close(closed, slope, rtol=1e-4, atol=(1e-6 + noise / temperature) * max(1.0, 1 / temperature))


def test_ramps_are_read_at_the_running_epoch() -> None:
    student, teacher, labels = torch.randn(6, 3), torch.randn(6, 3), torch.arange(6) % 3
    heat, alpha = (
        Ramp.model_validate({"from": a, "to": b, "epochs": epochs}) for a, b, epochs in ((1.0, 5.0, 5), (0.2, 0.8, 3))
    )
    for epoch in (1, 2, 5, 9):
        loss, _ = kd_and_slope(student, teacher, labels, Kd(temperature=heat, alpha=alpha), epoch)
        now = {"temperature": value_at(heat, epoch), "alpha": value_at(alpha, epoch)}
        assert_close(loss, kd(student, Signal(teacher, "made up"), Target(labels), **now)["loss"])


@pytest.mark.parametrize(
    ("training", "objective", "classes", "has"),
    [
        ({}, {}, 10, True),
        ({}, {}, MOST_CLASSES + 1, False),
        ({"label_smoothing": 0.1}, {}, 10, False),
        ({"class_weights": "balanced"}, {}, 10, False),
        ({}, {"kind": "logit_mse"}, 10, False),
    ],
)
def test_what_else_a_training_asks_is_left_to_autograd(
    training: dict[str, object], objective: dict[str, object], classes: int, has: bool
) -> None:
    job = DistillationJob.model_validate(
        {
            "dataset": {"source": "builtin", "name": "digits"},
            "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [4]}},
            "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
            "objective": objective,
            "training": training,
        }
    )
    assert has_slope(student_stages(job)[0][0], job.objective, classes) is has
