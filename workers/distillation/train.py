"""Training one network: epochs, events, and a cursor that any later attempt can take up."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

from workers.distillation.bias import corrected
from workers.distillation.data import Data
from workers.distillation.learner import Learner, batches
from workers.distillation.plan import Lesson, Stage
from workers.distillation.state import Keeper, Outcome, thinned

SECONDS_BETWEEN_EVENTS = 0.25  # of one stage; a fast job has hundreds of epochs a second


def train(
    stage: Stage, lesson: Lesson, data: Data, keeper: Keeper, *, after_epoch: Callable[[Outcome], None] | None = None
) -> Outcome:
    """Train to the end, from where an earlier attempt left off. Returns the best epoch.

    after_epoch: is given every epoch, with weights that the next one overwrites.
    Raises Stopped once its state is saved, and Problem training_diverged when the loss is no number any more.
    """
    learner = Learner(stage, lesson, data)
    earlier = keeper.snapshot(stage.name)
    if earlier is not None:
        learner.restore(earlier)
    run, epochs = keeper.run, stage.training.epochs
    about = {"stage": stage.name, "role": stage.role, "seed": stage.seed}
    run.event("stage", {**about, "state": "began", "epoch": learner.epoch, "epochs": epochs})
    last_event = -math.inf
    while not learner.finished:
        learner.begin_epoch()
        for positions in batches(stage, lesson, learner.epoch)[learner.batch :]:
            keeper.between_batches(stage.name, learner.snapshot)
            learner.learn(positions)
        loss, accuracy = learner.end_epoch()
        run.progress(phase=stage.phase, done=learner.epoch, total=epochs, unit="epochs", loss=loss, accuracy=accuracy)
        if learner.finished or time.monotonic() - last_event >= SECONDS_BETWEEN_EVENTS:
            last_event = time.monotonic()
            run.event("epoch", {**about, "epoch": learner.epoch, "loss": loss, "validation_accuracy": accuracy})
        if after_epoch is not None:
            after_epoch(Outcome(learner.weights(), learner.epoch, learner.step_number, accuracy))
        keeper.between_epochs(stage.name, learner.snapshot)
    run.event("stage", {**about, "state": "ended", "epoch": learner.epoch, "epochs": epochs})
    return replace(corrected(learner.best, stage, data), curve=thinned(learner.curve))
