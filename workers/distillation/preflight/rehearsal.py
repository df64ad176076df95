"""A few steps of a training, on few rows and in batches of the real size: what they cost and what they keep.

The rows of a batch beyond the few are the same ones again. So a slow teacher is asked about few rows, and time and
memory of a step are the real ones.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from workers.distillation.data.dataset import Data
from workers.distillation.networks.answers import rows_at_once
from workers.distillation.preflight.pace import Pace, rehearsed
from workers.distillation.training.learner import Learner, score
from workers.distillation.training.plan import Lesson, Stage

SCORED_ROWS = 512


@dataclass(frozen=True, kw_only=True)
class Rehearsal(Pace):
    """answered: shape of the network's logits for one batch."""

    answered: tuple[int, int]


def rehearse(stage: Stage, lesson: Lesson, few: Data, data: Data) -> Rehearsal:
    """lesson: of the rows of `few`; its `epoch_rows` are the real ones. few: an excerpt of `data`."""
    learner = Learner(stage, lesson, few)
    began = time.perf_counter()
    learner.begin_epoch()
    per_row = (time.perf_counter() - began) / len(few.train.y)
    size = min(stage.training.batch_size, lesson.epoch_rows)
    drawn = _batches(lesson.positions, size)
    seconds, kept = rehearsed(learner, drawn)
    validation = data.validation.some(slice(SCORED_ROWS))
    began = time.perf_counter()
    score(learner.judged, validation, data.task, learner.device)
    scored = (time.perf_counter() - began) * len(data.validation.y) / len(validation.y)
    parameters = sum(each.numel() for each in learner.trained)
    return Rehearsal(
        training=stage.training,
        batch=size,
        steps_per_epoch=learner.steps_per_epoch,
        batches_per_epoch=learner.batches_per_epoch,
        seconds=seconds[1:] or seconds,
        per_epoch=scored + per_row * len(data.train.y) * (stage.training.augmentation is not None or data.task.hides),
        kept=kept + learner.network.states_kept(size),
        evaluated=largest_output(learner.network, validation.x[:1].to(learner.device))
        * min(rows_at_once(data.validation.x), max(len(data.validation.y), len(data.test.y))),
        parameters=parameters,
        finite=math.isfinite(learner.loss_sum),
        answered=_answered(learner, size),
        steps=len(seconds),
    )


def excerpt(data: Data, rows: Tensor) -> Data:
    """The data with only these training rows, all of which are learned from."""
    few = data.train.some(rows)
    return replace(data, train=few, seen=data.seen[rows], learned=torch.arange(len(rows)))


def excerpt_of(data: Data, positions: Tensor, stage: Stage, most: int) -> Data:
    """The rows of the first two batches, or some of them."""
    draw = torch.Generator().manual_seed(stage.seed)
    drawn = positions[torch.randperm(len(positions), generator=draw)]
    return excerpt(data, drawn[: min(most, 2 * stage.training.batch_size)])


def as_long(lesson: Lesson, real: Lesson, few: Data) -> Lesson:
    """The lesson of an excerpt, whose epochs have the real length."""
    return replace(lesson, positions=torch.arange(len(few.train.y)), epoch_rows=real.epoch_rows)


def largest_output(network: nn.Module, row: Tensor) -> int:
    """Bytes of one row's largest intermediate result, twice: what a layer reads and what it writes."""
    sizes = [0]

    def note(layer: nn.Module, given: object, output: object) -> None:
        if isinstance(output, Tensor):
            sizes.append(output.numel() * output.element_size())

    hooks = [layer.register_forward_hook(note) for layer in network.modules()]
    training = network.training
    network.eval()
    with torch.no_grad():
        network(row)
    network.train(training)
    for hook in hooks:
        hook.remove()
    return 2 * max(sizes)


def _batches(positions: Tensor, size: int) -> Iterator[Tensor]:
    """Batches of a size, without end, the positions in turn."""
    first = 0
    while True:
        yield positions[torch.arange(first, first + size) % len(positions)]
        first += size


def _answered(learner: Learner, size: int) -> tuple[int, int]:
    chosen = next(_batches(learner.lesson.positions, size)).to(learner.device)
    with torch.no_grad():
        logits = learner.judged(learner.x.index_select(0, chosen))
    return len(logits), logits.shape[1]
