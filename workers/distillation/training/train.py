"""Training one network: epochs, events, and a cursor that any later attempt can take up."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from workers.distillation.data.dataset import Data
from workers.distillation.training.bias import corrected
from workers.distillation.training.keeper import Keeper, Outcome, thinned
from workers.distillation.training.learner import Learner, score
from workers.distillation.training.network_in_training import NetworkInTraining
from workers.distillation.training.plan import Lesson, Stage
from workers.distillation.training.solution import Solution
from workers.distillation.training.stage import AnyStage

SECONDS_BETWEEN_EVENTS = 0.25  # of one stage; a fast job has hundreds of epochs a second


def train(
    stage: Stage, lesson: Lesson, data: Data, keeper: Keeper, *, after_epoch: Callable[[Outcome], None] | None = None
) -> Outcome:
    """Train to the end, from where an earlier attempt left off. Returns the best epoch.

    after_epoch: is given every epoch, with weights that the next one overwrites.
    Raises Stopped once its state is saved, and Problem training_diverged when the loss is no number any more.
    """
    if lesson.solution is not None:
        return _solved(stage, lesson.solution, data, keeper)
    learner = Learner(stage, lesson, data)
    drive(learner, keeper, measure=data.task.measure.validation, after_epoch=after_epoch)
    return replace(corrected(learner.best, stage, data), curve=thinned(learner.curve))


def _solved(stage: Stage, solution: Solution, data: Data, keeper: Keeper) -> Outcome:
    """A network with the weights that it has to have: of epoch 0, after no step."""
    network = stage.begin(data)
    network.load_state_dict(network.state_dict() | solution.weights())
    worth, _ = score(network, data.validation, data.task, torch.device("cpu"))
    about = {"stage": stage.name, "role": stage.role, "seed": stage.seed, "epoch": 0, "epochs": 0}
    for state in ("began", "ended"):
        keeper.run.event("stage", {**about, "state": state})
    return Outcome(network.state_dict(), 0, 0, worth)


def drive(
    learner: NetworkInTraining[Any, Any, Any],
    keeper: Keeper,
    *,
    measure: str,
    after_epoch: Callable[[Outcome], None] | None = None,
) -> None:
    """Epoch after epoch to the end, from where an earlier attempt left off; raises as `train`.

    measure: the name of what chooses the best epoch.
    """
    stage: AnyStage[Any, Any, Any, Any] = learner.stage
    earlier = keeper.snapshot(stage.name)
    if earlier is not None:
        learner.restore(earlier)
    run, epochs = keeper.run, stage.training.epochs
    about = {"stage": stage.name, "role": stage.role, "seed": stage.seed}
    run.event("stage", {**about, "state": "began", "epoch": learner.epoch, "epochs": epochs})
    last_event = -math.inf
    while not learner.finished:
        learner.begin_epoch()
        for positions in learner.batches():
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


def hand_over(
    name: str, stage: AnyStage[Any, Any, Any, Any], outcome: Outcome, content: bytes, keeper: Keeper, *, measure: str
) -> None:
    """Hand over a checkpoint. measure: the name of what chose its epoch."""
    meta = {
        "role": stage.role,
        "seed": stage.seed,
        "stage": stage.name,
        "epoch": outcome.epoch,
        "step": outcome.step,
        f"validation_{measure}": outcome.validation_score,
        "architecture": stage.architecture.model_dump(mode="json"),
    }
    keeper.hand_over(name, content, meta)
