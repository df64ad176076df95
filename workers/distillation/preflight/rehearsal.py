"""A few steps of a training, on few rows and in batches of the real size: what they cost and what they keep.

The rows of a batch beyond the few are the same ones again. So a slow teacher is asked about few rows, and time and
memory of a step are the real ones.
"""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from qstill.contract.distillations.training import Optimisation, Training
from workers.distillation.data.dataset import Data
from workers.distillation.networks.answers import rows_at_once
from workers.distillation.training.learner import Learner, score
from workers.distillation.training.plan import Lesson, Stage

BATCHES = 2  # at least, whatever they cost
MORE_BATCHES = 40
MORE_SECONDS = 0.6  # for batches beyond the two
LONG_SECONDS = 4.0  # a first batch that takes so long is the only one
SCORED_ROWS = 512


@dataclass(frozen=True)
class Rehearsal:
    """batch: its rows. seconds: of each batch after the first, or of that one where it took long.

    per_epoch: seconds of an epoch besides its batches. kept: bytes that a batch keeps for its gradients.
    evaluated: bytes that an evaluation needs. copies: numbers held beside each parameter. finite: whether the loss is.
    answered: shape of the network's logits for one batch. steps: batches learned.
    """

    stage: Stage
    batch: int
    batches_per_epoch: int
    steps_per_epoch: int
    seconds: list[float]
    per_epoch: float
    kept: int
    evaluated: int
    parameters: int
    copies: int
    finite: bool
    answered: tuple[int, int]
    steps: int

    @property
    def training(self) -> Training:
        """How the network is trained."""
        return self.stage.training


def rehearse(stage: Stage, lesson: Lesson, few: Data, data: Data) -> Rehearsal:
    """lesson: of the rows of `few`; its `epoch_rows` are the real ones. few: an excerpt of `data`."""
    learner = Learner(stage, lesson, few)
    began = time.perf_counter()
    learner.begin_epoch()
    per_row = (time.perf_counter() - began) / len(few.train.y)
    size = min(stage.training.batch_size, lesson.epoch_rows)
    drawn = _batches(lesson.positions, size)
    with keeping(learner.network) as kept:
        seconds = [_timed(learner, next(drawn))]
    until = time.perf_counter() + MORE_SECONDS
    while seconds[0] < LONG_SECONDS and (
        len(seconds) < BATCHES or (len(seconds) < MORE_BATCHES and time.perf_counter() < until)
    ):
        seconds.append(_timed(learner, next(drawn)))
    validation = data.validation.some(slice(SCORED_ROWS))
    began = time.perf_counter()
    score(learner.judged, validation, data.task, learner.device)
    scored = (time.perf_counter() - began) * len(data.validation.y) / len(validation.y)
    parameters = sum(each.numel() for each in learner.trained)
    return Rehearsal(
        stage=stage,
        batch=size,
        steps_per_epoch=learner.steps_per_epoch,
        batches_per_epoch=learner.batches_per_epoch,
        seconds=seconds[1:] or seconds,
        per_epoch=scored + per_row * len(data.train.y) * (stage.training.augmentation is not None or data.task.hides),
        kept=kept[0],
        evaluated=largest_output(learner.network, validation.x[:1].to(learner.device))
        * min(rows_at_once(data.validation.x), max(len(data.validation.y), len(data.test.y))),
        parameters=parameters,
        copies=copies_of(stage.training),
        finite=bool(torch.isfinite(torch.tensor(learner.loss_sum))),
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


def resident() -> int:
    """Bytes that this process occupied at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


@contextmanager
def keeping(network: nn.Module) -> Iterator[list[int]]:
    """Counts the bytes of what autograd keeps inside, each storage once and weights not at all."""
    own = {each.untyped_storage().data_ptr() for each in network.parameters()}
    seen: set[int] = set()
    total = [0]

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own | seen:
            seen.add(storage.data_ptr())
            total[0] += storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        yield total


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


def _timed(learner: Learner, positions: Tensor) -> float:
    if learner.batch == learner.batches_per_epoch:
        learner.batch = 0  # an epoch that nobody evaluates
    return timed(lambda: learner.learn(positions))


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def copies_of(training: Optimisation) -> int:
    """Numbers beside each weight: its gradient, the optimizer's, the best epoch's, the average's."""
    moments = {"sgd": 1 if training.momentum else 0}.get(training.optimizer, 2)
    return 2 + moments + (isinstance(training, Training) and training.ema is not None)


def _answered(learner: Learner, size: int) -> tuple[int, int]:
    chosen = next(_batches(learner.lesson.positions, size)).to(learner.device)
    with torch.no_grad():
        logits = learner.judged(learner.x.index_select(0, chosen))
    return len(logits), logits.shape[1]
