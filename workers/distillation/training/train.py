"""Training one network: epochs, events, and a cursor that any later attempt can take up."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from torch import Tensor

from qstill.contract.distillations.training import Optimisation
from workers.distillation.data.dataset import Data
from workers.distillation.training.bias import corrected
from workers.distillation.training.keeper import Keeper, Outcome, Snapshot, thinned
from workers.distillation.training.learner import Learner, batches
from workers.distillation.training.plan import Lesson, Role, Stage

SECONDS_BETWEEN_EVENTS = 0.25  # of one stage; a fast job has hundreds of epochs a second


class AnyStage(Protocol):
    """What is told of a network in training, of any domain."""

    @property
    def name(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def seed(self) -> int: ...
    @property
    def training(self) -> Optimisation: ...


class AnyLearner(Protocol):
    """A network in training, of any domain."""

    best: Outcome
    epoch: int

    @property
    def step_number(self) -> int: ...
    @property
    def finished(self) -> bool: ...
    def snapshot(self) -> Snapshot: ...
    def restore(self, snapshot: Snapshot) -> None: ...
    def begin_epoch(self) -> None: ...
    def learn(self, positions: Tensor) -> None: ...
    def end_epoch(self) -> tuple[float, float]: ...
    def weights(self) -> dict[str, Tensor]: ...


def train(
    stage: Stage, lesson: Lesson, data: Data, keeper: Keeper, *, after_epoch: Callable[[Outcome], None] | None = None
) -> Outcome:
    """Train to the end, from where an earlier attempt left off. Returns the best epoch.

    after_epoch: is given every epoch, with weights that the next one overwrites.
    Raises Stopped once its state is saved, and Problem training_diverged when the loss is no number any more.
    """
    learner = Learner(stage, lesson, data)
    drive(
        learner,
        stage,
        keeper,
        batches=lambda: batches(stage, lesson, learner.epoch)[learner.batch :],
        measure=data.task.measure.validation,
        after_epoch=after_epoch,
    )
    return replace(corrected(learner.best, stage, data), curve=thinned(learner.curve))


def drive(
    learner: AnyLearner,
    stage: AnyStage,
    keeper: Keeper,
    *,
    batches: Callable[[], Iterable[Tensor]],
    measure: str,
    after_epoch: Callable[[Outcome], None] | None = None,
) -> None:
    """Epoch after epoch to the end, from where an earlier attempt left off; raises as `train`.

    batches: what is left of the running epoch. measure: the name of what chooses the best epoch.
    """
    earlier = keeper.snapshot(stage.name)
    if earlier is not None:
        learner.restore(earlier)
    run, epochs = keeper.run, stage.training.epochs
    about = {"stage": stage.name, "role": stage.role, "seed": stage.seed}
    run.event("stage", {**about, "state": "began", "epoch": learner.epoch, "epochs": epochs})
    last_event = -math.inf
    while not learner.finished:
        learner.begin_epoch()
        for positions in batches():
            keeper.between_batches(stage.name, learner.snapshot)
            learner.learn(positions)
        loss, score = learner.end_epoch()
        metrics = {"loss": loss, measure: score}
        run.progress(phase=stage.phase, done=learner.epoch, total=epochs, unit="epochs", **metrics)
        if learner.finished or time.monotonic() - last_event >= SECONDS_BETWEEN_EVENTS:
            last_event = time.monotonic()
            run.event("epoch", {**about, "epoch": learner.epoch, "loss": loss, f"validation_{measure}": score})
        if after_epoch is not None:
            after_epoch(Outcome(learner.weights(), learner.epoch, learner.step_number, score))
        keeper.between_epochs(stage.name, learner.snapshot)
    run.event("stage", {**about, "state": "ended", "epoch": learner.epoch, "epochs": epochs})
