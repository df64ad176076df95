"""Distillation with the teacher's answers kept, against the plain loop of the textbook: the teacher on every batch.

`python -m benchmarks.distillation.textbook`

Our seconds hold the teacher's one pass over the rows, writing and reading the cache, and all that a job's training does
besides. The plain loop is the one of PyTorch's tutorial. Digits of 8x8 pixels are the least that a convolution can be
asked about: larger images only widen the gap.
"""

import sys
from typing import Any

import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.distillation.work import (
    ALPHA,
    BATCH,
    CNN,
    LEARNING_RATE,
    MLP,
    TEMPERATURE,
    Work,
    check_alike,
    compare,
    cpu_seconds,
    distilled,
    work,
)
from benchmarks.report import Line, report
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.network import Network

GOALS = ((CNN, 8), (MLP, 4))  # times as many samples a second
EPOCH_GOAL = 30  # milliseconds, with the convolutional teacher
EPOCHS = 100
ROUNDS = 3


def textbook(given: Work) -> Network:
    """The loop."""
    teacher, student, data = given.network.eval(), given.student(), given.data
    optimizer = torch.optim.Adam(student.parameters(), lr=LEARNING_RATE)
    loader = DataLoader(TensorDataset(data.train.x, data.train.y), batch_size=BATCH, shuffle=True)
    for _ in range(given.epochs):
        student.train()
        for x, labels in loader:
            with torch.no_grad():
                said = teacher(x)
            logits = student(x)
            soft = kl_div(
                log_softmax(logits / TEMPERATURE, dim=1), softmax(said / TEMPERATURE, dim=1), reduction="batchmean"
            )
            loss = (1 - ALPHA) * cross_entropy(logits, labels) + ALPHA * TEMPERATURE**2 * soft
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        (logits_of(student, data.validation.x).argmax(1) == data.validation.y).double().mean()
    return student


def against(teacher: dict[str, Any], goal: float) -> list[Line]:
    given = work(teacher, epochs=EPOCHS)
    ours: list[float] = []
    theirs: list[float] = []
    mine, plain = compare(
        lambda: cpu_seconds(given, lambda: distilled(given), ours),
        lambda: cpu_seconds(given, lambda: textbook(given), theirs),
        rounds=ROUNDS,
    )
    check_alike(ours, theirs)
    claim = f"{teacher['kind']} teacher of {parameters(given.network):,} weights"
    return [
        Line(
            claim=f"{claim}: an epoch",
            ours=1e3 * mine / EPOCHS,
            plain=1e3 * plain / EPOCHS,
            unit="ms",
            goal=EPOCH_GOAL,
            better="less",
        ),
        Line(
            claim=f"{claim}: samples/s",
            ours=given.samples / mine,
            plain=given.samples / plain,
            unit="",
            goal=goal * given.samples / plain,
            better="more",
        ),
    ]


def measure() -> list[Line]:
    return [line for teacher, goal in GOALS for line in against(teacher, goal)]


if __name__ == "__main__":
    sys.exit(report(measure()))
