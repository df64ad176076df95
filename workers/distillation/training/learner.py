"""A network in training on rows, of numbers or of tokens."""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from qstill.contract.distillations.objectives import Kd
from qstill.contract.distillations.rules.text import too_many_logits
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.network import Features, Network
from workers.distillation.networks.seeds import seed_of
from workers.distillation.networks.shapes import shapes_of
from workers.distillation.networks.texts.tokens import PAD
from workers.distillation.objectives.criterion import Criterion
from workers.distillation.objectives.terms import UNKNOWN, Target, Terms, label_term
from workers.distillation.rows import Rows
from workers.distillation.signals.signals import heard
from workers.distillation.tasks.task import Task
from workers.distillation.training.augment import refuse_augmentation, rows_of_epoch
from workers.distillation.training.autocast import half
from workers.distillation.training.bias import corrects, shift
from workers.distillation.training.kd_gradient import has_slope, kd_and_slope
from workers.distillation.training.keeper import Snapshot
from workers.distillation.training.network_in_training import NetworkInTraining
from workers.distillation.training.optimise import Average
from workers.distillation.training.plan import Lesson, Stage


def batches(stage: Stage, lesson: Lesson, epoch: int) -> tuple[Tensor, ...]:
    """Positions (batch,) of every step of an epoch; a function of seed, stage and epoch alone."""
    draw = torch.Generator().manual_seed(seed_of("batches", stage.seed, stage.role, epoch))
    count = len(lesson.positions)
    weights = None if lesson.signal is None else lesson.signal.weights
    if stage.training.balanced_batches or weights is not None:
        chances = torch.ones(count, dtype=torch.float64)
        if stage.training.balanced_batches:
            chances = _balanced(lesson.labels[lesson.positions])
        if weights is not None:
            chances = chances * weights[lesson.positions]
        chosen = torch.multinomial(chances, lesson.epoch_rows, replacement=True, generator=draw)
        return torch.split(lesson.positions[chosen], stage.training.batch_size)
    rounds = [torch.randperm(count, generator=draw) for _ in range(-(-lesson.epoch_rows // count))]
    return torch.split(lesson.positions[torch.cat(rounds)[: lesson.epoch_rows]], stage.training.batch_size)


class Learner(NetworkInTraining[Stage, Data, Network]):
    """A network that learns to answer rows."""

    criterion: Criterion | None

    def __init__(self, stage: Stage, lesson: Lesson, data: Data) -> None:
        super().__init__(stage, data)
        training, self.lesson = stage.training, lesson
        if lesson.begun is not None:
            self.network.load_state_dict(lesson.begun)
        criterion = _criterion(stage, lesson, self.network, data, self.device)
        self.minimise(criterion, -(-lesson.epoch_rows // training.batch_size), training.accumulate)
        self.scaler = torch.amp.GradScaler(self.device.type) if training.precision == "float16" else None
        self.by_slope = has_slope(stage, lesson.objective if criterion else None, data)
        self.average = None if training.ema is None else Average(self.network, training.ema)
        self.class_weights = _class_weights(stage, lesson, len(data.classes), self.device)
        self.x = (data.train.x if lesson.x is None else lesson.x).to(self.device)
        self.labels = lesson.labels.to(self.device)
        self.signal = None if lesson.signal is None else lesson.signal.to(self.device)
        self.answered: Tensor | None = None  # (rows, tokens), those of a masked language model's epoch
        torch.manual_seed(seed_of("dropout", stage.seed, stage.role))

    @property
    def judged(self) -> Network:
        """The average where there is one."""
        return self.network if self.average is None else self.average.network

    def snapshot(self) -> Snapshot:
        """With what is drawn from, and the gradients of a step that is not complete."""
        return super().snapshot() | {
            "scaler": self.scaler.state_dict() if self.scaler else {},
            "average": self.average.state_dict() if self.average else {},
            "gradients": [parameter.grad for parameter in self.trained],
            "random": torch.get_rng_state(),
            "random_on_device": torch.cuda.get_rng_state() if self.device.type == "cuda" else None,
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Go on where `snapshot` was taken."""
        super().restore(snapshot)
        if self.scaler:
            self.scaler.load_state_dict(snapshot["scaler"])
        if self.average:
            self.average.load_state_dict(snapshot["average"])
        for parameter, gradient in zip(self.trained, snapshot["gradients"], strict=True):
            parameter.grad = None if gradient is None else gradient.to(self.device)
        torch.set_rng_state(snapshot["random"])
        if snapshot["random_on_device"] is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(snapshot["random_on_device"])

    def begin_epoch(self) -> None:
        """Show the rows of the running epoch, where it changes them, and hear what the teacher says of them."""
        of_epoch = rows_of_epoch(self.data, self.stage, self.epoch)
        if of_epoch is None:
            return
        rows, name = of_epoch
        self.x = rows.x.to(self.device)
        if rows.answered is not None:
            self.answered = rows.answered.to(self.device)
            self.labels = self.lesson.labels.to(self.device).masked_fill(~self.answered, UNKNOWN)
        how = self.stage.training.augmentation
        if self.lesson.ask is not None and (how is None or how.consistent):
            self.signal = self.lesson.ask(rows, name).to(self.device)

    def batches(self) -> tuple[Tensor, ...]:
        """Positions (batch,) of what is left of the running epoch."""
        return batches(self.stage, self.lesson, self.epoch)[self.batch :]

    def backward(self, positions: Tensor) -> Tensor:
        """The loss of a batch of training rows."""
        positions = positions.to(self.device)
        return self._loss_by_slope(positions) if self.by_slope else self._loss_by_autograd(positions)

    def _loss_by_autograd(self, positions: Tensor) -> Tensor:
        """The loss of a batch; its gradients are with the parameters then."""
        loss = self.terms(positions)["loss"]
        self._backward(loss)
        return loss

    def _loss_by_slope(self, positions: Tensor) -> Tensor:
        """The same, where the gradient by the logits is known without autograd."""
        assert isinstance(self.lesson.objective, Kd)
        assert self.signal is not None
        x, labels = self.x.index_select(0, positions), self.labels.index_select(0, positions)
        logits = self._answers(x)
        answers = logits.detach()
        said = heard(self.signal.rows(positions), answers).logits
        loss, slope = kd_and_slope(answers, said, labels, self.lesson.objective, self.epoch + 1)
        self._backward(logits, slope)
        return loss

    def terms(self, positions: Tensor) -> Terms:
        """What a batch of training rows is worth; with a lesson of labels alone, the labels' term."""
        x, labels = self.x.index_select(0, positions), self.labels.index_select(0, positions)
        answered = None if self.answered is None else self.answered.index_select(0, positions)
        if self.data.task.every_token:
            labels = labels.flatten() if answered is None else labels[answered]
        target = Target(
            labels, self.epoch + 1, self.class_weights, self.stage.training.label_smoothing, self.data.task.yes_no
        )
        features: dict[str, Tensor] | None = {} if self.criterion and self.criterion.layers else None
        logits = self._answers(x, features, answered)
        if self.criterion is None or self.signal is None:
            hard = label_term(logits, target)
            return {"hard": hard, "soft": torch.zeros_like(hard), "loss": hard}
        states = None
        if self.data.task.every_token:
            tokens = tokens_of(positions, x.shape[1])
            spoken = torch.nonzero(x.flatten() != PAD).flatten()  # padding says nothing, and nothing is said of it
            states, padded = tokens[spoken], len(spoken) < len(tokens)
            if padded:
                features = {name: of_tokens.index_select(0, spoken) for name, of_tokens in (features or {}).items()}
            if padded and answered is None:
                logits, target = logits.index_select(0, spoken), replace(target, labels=labels.index_select(0, spoken))
            positions = states if answered is None else self._places(tokens[answered.flatten()])
        return self.criterion(logits, features or {}, self.signal.rows(positions, states), target)  # type: ignore[no-any-return]

    def _places(self, tokens: Tensor) -> Tensor:
        """Where the signal has the answers for some tokens, which it has of none but those that are answered."""
        assert self.answered is not None
        return (self.answered.flatten().cumsum(0) - 1).index_select(0, tokens)

    def _answers(self, x: Tensor, seen: Features | None = None, answered: Tensor | None = None) -> Tensor:
        """Logits, in half precision where that is asked for; losses are outside of it. answered: the only tokens."""
        with half(self.device, self.stage.training.precision):
            return self.network(x, seen) if answered is None else self.network(x, seen, answered)  # type: ignore[no-any-return]

    def _together(self) -> int:
        """How many batches the running step is made of; at the end of an epoch there may be fewer."""
        return min(self.accumulate, self.batches_per_epoch - self.batch // self.accumulate * self.accumulate)

    def _backward(self, result: Tensor, slope: Tensor | None = None) -> None:
        """slope: the loss's gradient by `result`, in single precision; None for the loss itself.

        It is scaled before it is rounded to the precision of `result`: small slopes would be 0 in float16.
        """
        slope = torch.ones_like(result) if slope is None else slope
        together = self._together()
        slope = slope if together == 1 else slope / together
        slope = slope if self.scaler is None else self.scaler.scale(slope)
        result.backward(slope.to(result.dtype))  # type: ignore[no-untyped-call]

    def step(self) -> None:
        """One optimizer step, which the average follows."""
        super().step()
        if self.average is not None:
            self.average.follow(self.network)

    def end_epoch(self) -> tuple[float, float]:
        """Turn to the next epoch. Returns this one's mean loss, and its worth on the validation rows."""
        loss = self.loss_sum / self.batch
        unseen = self.data.left_out if corrects(self.stage, self.data) else ()
        worth, lost = score(self.judged, self.data.validation, self.data.task, self.device, unseen)
        if not math.isfinite(loss + lost):
            raise self.stage.diverged()
        return self.turn(loss, worth, self.data.task.order(worth, lost))


def score(
    network: Network, rows: Rows, task: Task[Any], device: torch.device, unseen: tuple[int, ...] = ()
) -> tuple[float, float]:
    """A network's worth and loss on some rows, as `Task.score` has them.

    unseen: classes whose logits are first shifted by what serves these rows best.
    """
    answered = None if rows.answered is None else rows.answered.to(device)
    logits, labels = logits_of(network, rows.x.to(device), answered), rows.labels.to(device)
    if unseen and bool(logits.isfinite().all()):
        logits = logits + shift(logits, labels, unseen)
    return task.score(logits, labels)


def refuse_unfit(stage: Stage, data: Data) -> None:
    """Raise the Problem of a stage that cannot be trained here or on this data, before anything is trained."""
    network = stage.begin(data)
    for rows in (data.train, data.validation, data.test):
        network.refuse_rows(rows, stage.pointer)
    stage.device()
    refuse_augmentation(stage.training.augmentation, data, stage.training_pointer)
    wanted, classes = stage.training.class_weights, len(data.classes)
    if isinstance(wanted, list) and len(wanted) != classes:
        title = f"There are {len(wanted)} class weights; this data has {classes} classes."
        raise Problem("class_weights_mismatch", title, pointer=f"{stage.training_pointer}/class_weights")
    if data.task.every_token and (reason := too_many_logits(stage.training, data.input_shape[0], classes)):
        raise Problem("batch_too_large", f"{reason}.", pointer=f"{stage.training_pointer}/batch_size")


def tokens_of(rows: Tensor, tokens: int) -> Tensor:
    """Numbers of all tokens of some rows, where those of a row stand after one another."""
    return (rows[:, None] * tokens + torch.arange(tokens, device=rows.device)).flatten()


def _criterion(stage: Stage, lesson: Lesson, network: Network, data: Data, device: torch.device) -> Criterion | None:
    """What the student minimises; None learns from labels alone."""
    if lesson.objective is None or lesson.signal is None:
        return None
    teacher = {name: tuple(rows.shape[1:]) for name, rows in lesson.signal.features.items()}
    student = shapes_of(network, data.train.x[:1].to(device)) if teacher else {}
    return Criterion(lesson.objective, student, teacher, seed=seed_of("projections", stage.seed)).to(device)


def _class_weights(stage: Stage, lesson: Lesson, classes: int, device: torch.device) -> Tensor | None:
    """(classes,), or None for equal ones."""
    wanted = stage.training.class_weights
    if wanted == "none":
        return None
    if wanted == "balanced":
        counts = lesson.labels[lesson.labels != UNKNOWN].bincount(minlength=classes)
        return (counts.sum() / (classes * counts.clamp(min=1))).float().to(device)
    return torch.tensor(wanted, dtype=torch.float32, device=device)


def _balanced(labels: Tensor) -> Tensor:
    """Chances (rows,) that give all classes present the same share; rows without a label have the average chance."""
    known = labels != UNKNOWN
    counts = labels[known].bincount()
    present = int((counts > 0).sum())
    chances = torch.ones(len(labels), dtype=torch.float64)
    chances[known] = known.sum().double() / (present * counts[labels[known]])
    return chances
