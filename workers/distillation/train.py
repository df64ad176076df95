"""Training one network: batches, steps, the best epoch, and a cursor that any later attempt can take up."""

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from app.distillations.training import Training
from app.errors import Problem
from workers.distillation.data import Data, Rows
from workers.distillation.objectives.terms import Target, cross_entropy_of_known
from workers.distillation.plan import Lesson, Stage, seed_of
from workers.distillation.signals import heard
from workers.distillation.state import Keeper, Outcome, Snapshot
from workers.distillation.students import logits_of

SECONDS_BETWEEN_EVENTS = 0.25  # of one stage; a fast job has hundreds of epochs a second


def batches(stage: Stage, lesson: Lesson, epoch: int) -> tuple[Tensor, ...]:
    """Positions (batch,) of every step of an epoch; a function of seed, stage and epoch alone."""
    draw = torch.Generator().manual_seed(seed_of("batches", stage.seed, stage.role, epoch))
    count = len(lesson.positions)
    rounds = [torch.randperm(count, generator=draw) for _ in range(-(-lesson.epoch_rows // count))]
    return torch.split(lesson.positions[torch.cat(rounds)[: lesson.epoch_rows]], stage.training.batch_size)


class Learner:
    """A network in training and everything that its next step depends on."""

    def __init__(self, stage: Stage, lesson: Lesson, data: Data) -> None:
        self.stage, self.lesson, self.data = stage, lesson, data
        self.network = stage.begin(data)
        self.optimizer = _optimizer(self.network, stage.training)
        self.steps_per_epoch = -(-lesson.epoch_rows // stage.training.batch_size)
        self.epoch = 0  # finished epochs
        self.batch = 0  # finished batches of the running epoch
        self.loss_sum = 0.0  # over them, nats
        self.best = Outcome({}, 0, 0, 0.0)  # of no epoch; the first one replaces it
        self.best_score = (-1.0, -math.inf)
        torch.manual_seed(seed_of("dropout", stage.seed, stage.role))

    @property
    def step_number(self) -> int:
        """Finished optimizer steps."""
        return self.epoch * self.steps_per_epoch + self.batch

    def snapshot(self) -> Snapshot:
        """For `restore`; plain values and tensors only."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "cursor": (self.epoch, self.batch, self.loss_sum),
            "best": vars(self.best),
            "best_score": self.best_score,
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Go on where `snapshot` was taken. The learning rate follows from the step: there is no schedule to load."""
        self.network.load_state_dict(snapshot["network"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        torch.set_rng_state(snapshot["random"])
        self.epoch, self.batch, self.loss_sum = snapshot["cursor"]
        self.best = Outcome(**snapshot["best"])
        self.best_score = snapshot["best_score"]

    def learn(self, positions: Tensor) -> None:
        """One optimizer step on a batch of training rows."""
        logits = self.network(self.data.train.x.index_select(0, positions))
        labels = self.lesson.labels.index_select(0, positions)
        if self.lesson.loss is not None and self.lesson.signal is not None:
            target = Target(labels, epoch=self.epoch + 1)
            loss = self.lesson.loss(logits, heard(self.lesson.signal.rows(positions), logits), target)["loss"]
        else:
            loss = cross_entropy_of_known(logits, labels)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.batch += 1
        self.loss_sum += loss.item()

    def learning_rate(self) -> float:
        """Of the next step."""
        training = self.stage.training
        if training.schedule == "constant":
            return training.learning_rate
        total = training.epochs * self.steps_per_epoch
        return training.learning_rate * 0.5 * (1 + math.cos(math.pi * self.step_number / total))

    def end_epoch(self) -> tuple[float, float]:
        """Turn to the next epoch. Returns this one's mean loss in nats, and its accuracy on the validation rows."""
        loss = self.loss_sum / self.batch
        accuracy, negative_log_likelihood = score(self.network, self.data.validation)
        if not math.isfinite(loss + negative_log_likelihood):
            raise _diverged(self.stage)
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0
        if (accuracy, -negative_log_likelihood) > self.best_score:
            weights = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
            self.best = Outcome(weights, self.epoch, self.step_number, accuracy)
            self.best_score = (accuracy, -negative_log_likelihood)
        return loss, accuracy


def score(network: nn.Module, rows: Rows) -> tuple[float, float]:
    """(accuracy, negative log-likelihood in nats) of some rows; equal accuracies are told apart by the second."""
    logits = logits_of(network, rows.x)
    accuracy = (logits.argmax(1) == rows.y).double().mean()
    return float(accuracy), float(cross_entropy_of_known(logits, rows.y))


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
    while learner.epoch < epochs:
        for positions in batches(stage, lesson, learner.epoch)[learner.batch :]:
            keeper.between_batches(stage.name, learner.snapshot)
            learner.learn(positions)
        loss, accuracy = learner.end_epoch()
        run.progress(phase=stage.phase, done=learner.epoch, total=epochs, unit="epochs", loss=loss, accuracy=accuracy)
        if learner.epoch == epochs or time.monotonic() - last_event >= SECONDS_BETWEEN_EVENTS:
            last_event = time.monotonic()
            run.event("epoch", {**about, "epoch": learner.epoch, "loss": loss, "validation_accuracy": accuracy})
        if after_epoch is not None:
            after_epoch(Outcome(learner.network.state_dict(), learner.epoch, learner.step_number, accuracy))
        keeper.between_epochs(stage.name, learner.snapshot)
    run.event("stage", {**about, "state": "ended", "epoch": epochs, "epochs": epochs})
    return learner.best


def _optimizer(network: nn.Module, training: Training) -> Optimizer:
    rate, decay = training.learning_rate, training.weight_decay
    if training.optimizer == "sgd":
        return SGD(network.parameters(), lr=rate, weight_decay=decay, momentum=training.momentum)
    kind = Adam if training.optimizer == "adam" else AdamW
    return kind(network.parameters(), lr=rate, weight_decay=decay)


def _diverged(stage: Stage) -> Problem:
    title = f"Training of the {stage.role} diverged: its loss is no longer a number. A lower learning rate helps."
    ways_out = [{"learning_rate": stage.training.learning_rate / 10}]
    return Problem("training_diverged", title, pointer=f"{stage.training_pointer}/learning_rate", ways_out=ways_out)
