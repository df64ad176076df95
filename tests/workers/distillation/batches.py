"""Batches of logits and labels, and what losses say of them."""

from typing import Any

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pydantic import TypeAdapter

from qstill.contract.distillations.objectives import Objective
from tests.testing.examples import examples
from workers.distillation.objectives import loss_of
from workers.distillation.objectives.terms import Target
from workers.distillation.signals.signals import Signal

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]
Batch = tuple[Matrix, Matrix, Labels]

quick = settings(deadline=None, max_examples=examples(40))
temperatures = st.floats(0.1, 1000)
numbers = st.floats(-30, 30)
DEFAULT_WEIGHTS = {"dkd": {"alpha": 1, "beta": 8}, "dist": {"beta": 1, "gamma": 1}, "logit_std": {"weight": 9}}


@st.composite
def batches(draw: st.DrawFn, *, least_classes: int = 3) -> Batch:
    """Student's and teacher's logits, and labels of which some are unknown."""
    rows, classes = draw(st.integers(1, 6)), draw(st.integers(least_classes, 10))
    student, teacher = (draw(arrays(np.float64, (rows, classes), elements=numbers)) for _ in range(2))
    return student, teacher, draw(arrays(np.int64, rows, elements=st.integers(-1, classes - 1)))


def loss(kind: str, batch: Batch, *, epoch: int | None = None, **given: float) -> dict[str, Any]:
    """The terms of a loss with its defaults, some replaced."""
    objective = TypeAdapter(Objective).validate_python({"kind": kind, **given})
    student, teacher, labels = (torch.tensor(part) for part in batch)
    return dict(loss_of(objective)(student, Signal(teacher, "teacher"), Target(labels, epoch=epoch)))


def random_batch(rows: int = 40, classes: int = 5) -> Batch:
    draw = np.random.default_rng(0)
    labels = draw.integers(-1, classes, rows)
    return draw.normal(size=(rows, classes)), 3 * draw.normal(size=(rows, classes)), labels


HAVE_TEMPERATURE = ["dkd", "dist", "logit_std", "reverse_kl", "jsd", "tf_kd"]


def softmax(z: Matrix) -> Matrix:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def labels_term(student: Matrix, labels: Labels) -> float:
    known = labels >= 0
    return float(-np.mean(np.log(softmax(student))[known, labels[known]])) if known.any() else 0.0
