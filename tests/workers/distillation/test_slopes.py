"""The closed form of a loss and its gradient is what autograd finds of the loss as it is written."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from qstill.contract.distillations.datasets import BuiltinText
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import Kd, Ramp
from tests.testing.examples import examples
from workers.distillation.data.dataset import load
from workers.distillation.data.texts import load_text
from workers.distillation.objectives.kd import kd
from workers.distillation.objectives.schedules import value_at
from workers.distillation.objectives.terms import UNKNOWN, Target
from workers.distillation.signals.signals import Signal
from workers.distillation.tasks.classes import Classes
from workers.distillation.teachers import Teacher, signal_and_use
from workers.distillation.training.kd_gradient import HOT, MOST_CLASSES, has_slope, kd_and_slope
from workers.distillation.training.learner import Learner, batches
from workers.distillation.training.plan import student_lesson, student_stages

Make = Callable[..., Any]

EXAMPLES = Path(__file__).parents[3] / "examples"


@settings(max_examples=examples(60), deadline=None)
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
    # The gradient is T times a difference of probabilities, and each is rounded.
    noise = (1e-6 if precision == torch.float32 else 1e-12) * temperature
    assert_close(found, loss.detach(), rtol=1e-4, atol=1e-5 + noise * min(temperature, HOT))
    assert_close(closed, slope, rtol=1e-4, atol=(1e-6 + noise) * max(1.0, 1 / temperature))


def test_ramps_are_read_at_the_running_epoch() -> None:
    student, teacher, labels = torch.randn(6, 3), torch.randn(6, 3), torch.arange(6) % 3
    heat, alpha = (
        Ramp.model_validate({"from": a, "to": b, "epochs": epochs}) for a, b, epochs in ((1.0, 5.0, 5), (0.2, 0.8, 3))
    )
    for epoch in (1, 2, 5, 9):
        loss, _ = kd_and_slope(student, teacher, labels, Kd(temperature=heat, alpha=alpha), epoch)
        now = {"temperature": value_at(heat, epoch), "alpha": value_at(alpha, epoch)}
        assert_close(loss, kd(student, Signal(teacher, "made up"), Target(labels), **now)["loss"])


@pytest.mark.parametrize("training", [{"accumulate": 3}, {"clip_norm": 0.5}, {"precision": "bfloat16"}], ids=str)
@pytest.mark.parametrize("storage", [{}, {"top_k": 2}], ids=["dense", "sparse"])
def test_a_student_learns_the_same_either_way(job: Make, training: dict[str, Any], storage: dict[str, Any]) -> None:
    spec = job(training={**training, "batch_size": 8, "epochs": 2}, signal=storage)
    data = load(spec.dataset, {})
    answers = 3 * torch.randn(len(data.train.y), 3, generator=torch.Generator().manual_seed(0))
    teacher = Teacher(lambda rows: answers[: len(rows.y)], "made up")
    lesson = student_lesson(spec, data, signal_and_use(teacher, data, spec.signal, None)[0])
    learned = []
    for by_slope in (True, False):
        learner = Learner(student_stages(spec)[0][0], lesson, data)
        assert learner.by_slope
        learner.by_slope = by_slope
        for _ in range(2):
            for positions in batches(learner.stage, lesson, learner.epoch):
                learner.learn(positions)
            loss, _ = learner.end_epoch()
        learned.append((torch.tensor(loss), learner.weights(copied=True)))
    rounding = 3e-2 if training.get("precision") == "bfloat16" else 1e-4
    assert_close(learned[0], learned[1], rtol=rounding, atol=rounding)


@pytest.mark.parametrize(
    ("changes", "has"),
    [
        ({}, True),
        ({"training": {"label_smoothing": 0.1}}, False),
        ({"training": {"class_weights": "balanced"}}, False),
        ({"objective": {"kind": "logit_mse"}}, False),
    ],
)
def test_what_else_a_training_asks_is_left_to_autograd(job: Make, changes: dict[str, Any], has: bool) -> None:
    spec = job(**changes)
    data = load(spec.dataset, {})
    stage = student_stages(spec)[0][0]
    assert has_slope(stage, spec.objective, data) is has
    assert not has_slope(stage, None, data)
    assert not has_slope(stage, spec.objective, replace(data, task=Classes(["class"] * (MOST_CLASSES + 1))))


def test_a_language_model_of_few_tokens_is_left_to_autograd() -> None:
    body = json.loads((EXAMPLES / "distil-topics-language-model.json").read_text(encoding="utf-8"))
    body["dataset"]["tokenizer"] = {"kind": "character", "vocabulary": 40}
    spec = DistillationJob.model_validate(body)
    assert isinstance(spec.dataset, BuiltinText)
    data = load_text(spec.dataset, {})
    assert len(data.classes) <= MOST_CLASSES
    assert not has_slope(student_stages(spec)[0][0], spec.objective, data)
