"""What every rehearsal of a training finds, of any domain: what a step costs and what it keeps."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from qstill.contract.distillations.training import Optimisation, Training
from workers.distillation.training.network_in_training import NetworkInTraining

BATCHES = 2  # at least, whatever they cost
MORE_BATCHES = 40
MORE_SECONDS = 0.6  # for batches beyond the two
LONG_SECONDS = 4.0  # a first batch that takes so long is the only one


@dataclass(frozen=True, kw_only=True)
class Pace:
    """batch: its rows. seconds: of each batch after the first, or of that one where it took long.

    per_epoch: seconds of an epoch besides its batches. kept: bytes that a batch keeps for its gradients.
    evaluated: bytes that an evaluation needs. finite: whether the loss is. steps: batches learned.
    """

    training: Optimisation
    batch: int
    batches_per_epoch: int
    steps_per_epoch: int
    seconds: list[float]
    per_epoch: float
    kept: int
    evaluated: int
    parameters: int
    finite: bool
    steps: int

    @property
    def total_steps(self) -> int:
        """Of one network, if it does not stop early."""
        return self.steps_per_epoch * self.training.epochs

    @property
    def copies(self) -> int:
        """Numbers beside each weight: its gradient, the optimizer's, the best epoch's, the average's."""
        training = self.training
        moments = {"sgd": 1 if training.momentum else 0}.get(training.optimizer, 2)
        return 2 + moments + (isinstance(training, Training) and training.ema is not None)


def rehearsed(learner: NetworkInTraining[Any, Any, Any], batches: Iterator[Tensor]) -> tuple[list[float], int]:
    """(seconds of each step, bytes that the first one keeps). batches: without end."""
    with keeping(learner.network) as kept:
        seconds = [seconds_of_step(learner, next(batches))]
    until = time.perf_counter() + MORE_SECONDS
    while seconds[0] < LONG_SECONDS and (
        len(seconds) < BATCHES or (len(seconds) < MORE_BATCHES and time.perf_counter() < until)
    ):
        seconds.append(seconds_of_step(learner, next(batches)))
    return seconds, kept[0]


def seconds_of_step(learner: NetworkInTraining[Any, Any, Any], positions: Tensor) -> float:
    """That it takes to learn a batch."""
    if learner.batch == learner.batches_per_epoch:
        learner.batch = 0  # an epoch that nobody evaluates
    return timed(lambda: learner.learn(positions))


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


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
