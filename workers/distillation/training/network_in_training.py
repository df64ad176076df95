"""Everything that the next step of a training depends on, in any domain."""

import math
from dataclasses import asdict
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from workers.distillation.training.keeper import Curve, Outcome, Point, Snapshot, outcome_of
from workers.distillation.training.optimise import learning_rate, optimizer_of
from workers.distillation.training.stage import AnyStage, Net, Rows

Stage = TypeVar("Stage", bound=AnyStage[Any, Any, Any, Any])


class NetworkInTraining(Generic[Stage, Rows, Net]):
    """`learn` batch after batch, `begin_epoch` and `end_epoch` around them, `snapshot` and `restore` at any point.

    A domain says `batches`, `backward` of a batch, and `end_epoch`, which judges.
    """

    network: Net
    criterion: nn.Module | None
    scaler: torch.amp.GradScaler | None = None

    def __init__(self, stage: Stage, data: Rows) -> None:
        """What is left to say is `minimise`."""
        self.stage, self.data = stage, data
        self.device = stage.device()
        self.network = stage.begin(data).to(self.device)
        self.epoch = 0  # finished epochs
        self.batch = 0  # finished batches of the running epoch
        self.loss_sum = 0.0  # over them, nats
        self.best = Outcome({}, 0, 0, 0.0)  # of no epoch; the first one replaces it
        self.best_score = (-math.inf, -math.inf)
        self.curve: Curve = []  # of the finished epochs

    def minimise(self, criterion: nn.Module | None, batches_per_epoch: int, accumulate: int = 1) -> None:
        """criterion: whose parameters are trained with the network; None: labels alone. accumulate: batches a step."""
        self.criterion = criterion
        self.trained = [*self.network.parameters(), *(criterion.parameters() if criterion else ())]
        self.optimizer = optimizer_of(self.trained, self.stage.training)
        self.accumulate = accumulate
        self.batches_per_epoch = batches_per_epoch
        self.steps_per_epoch = -(-batches_per_epoch // accumulate)

    @property
    def step_number(self) -> int:
        """Finished optimizer steps."""
        return self.epoch * self.steps_per_epoch + -(-self.batch // self.accumulate)

    @property
    def judged(self) -> Net:
        """The network that is evaluated and kept."""
        return self.network

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or so many without a better one that the training ends early."""
        patience = self.stage.training.patience
        waited = self.epoch - self.best.epoch
        return self.epoch >= self.stage.training.epochs or (patience is not None and waited >= patience)

    def snapshot(self) -> Snapshot:
        """For `restore`; plain values and tensors only."""
        return {
            "network": self.network.state_dict(),
            "criterion": self.criterion.state_dict() if self.criterion else {},
            "optimizer": self.optimizer.state_dict(),
            "cursor": (self.epoch, self.batch, self.loss_sum),
            "best": vars(self.best),
            "best_score": self.best_score,
            "curve": list(map(asdict, self.curve)),
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Go on where `snapshot` was taken. The learning rate follows from the step: there is no schedule to load."""
        self.network.load_state_dict(snapshot["network"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        if self.criterion:
            self.criterion.load_state_dict(snapshot["criterion"])
        self.epoch, self.batch, self.loss_sum = snapshot["cursor"]
        self.best = outcome_of(snapshot["best"])
        self.best_score = snapshot["best_score"]
        self.curve = [Point(**point) for point in snapshot["curve"]]

    def begin_epoch(self) -> None:
        """Prepare what the running epoch learns from."""

    def batches(self) -> tuple[Tensor, ...]:
        """Positions (batch,) of what is left of the running epoch; a function of seed, stage and epoch alone."""
        raise NotImplementedError

    def learn(self, positions: Tensor) -> None:
        """One batch of training rows; an optimizer step once enough of them are together."""
        loss = self.backward(positions)
        self.batch += 1
        self.loss_sum += loss.item()
        if self.batch % self.accumulate == 0 or self.batch == self.batches_per_epoch:
            self.step()

    def backward(self, positions: Tensor) -> Tensor:
        """The loss of a batch; its gradients are with the parameters then."""
        raise NotImplementedError

    def step(self) -> None:
        """One optimizer step on the gradients that have come together."""
        training = self.stage.training
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(training, self.step_number - 1, self.steps_per_epoch)
        if training.clip_norm is not None:
            if self.scaler is not None:
                self.scaler.unscale_(self.optimizer)
            clip_grad_norm_(self.trained, training.clip_norm)
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        for parameter in self.trained:  # as zero_grad does, without its bookkeeping
            parameter.grad = None

    def end_epoch(self) -> tuple[float, float]:
        """Turn to the next epoch. Returns this one's mean loss, and what its network is worth on the validation split.

        Raises Problem training_diverged.
        """
        raise NotImplementedError

    def turn(self, loss: float, score: float, order: tuple[float, float]) -> tuple[float, float]:
        """The end of an epoch that was judged. order: by which the best epoch is chosen, the larger the better."""
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0
        self.curve.append(Point(self.epoch, loss, score))
        if order > self.best_score:
            self.best = Outcome(self.weights(copied=True), self.epoch, self.step_number, score)
            self.best_score = order
        return loss, score

    def weights(self, *, copied: bool = False) -> dict[str, Tensor]:
        """Of the judged network, in main memory. copied: not to be overwritten by the next step."""
        weights = {name: tensor.cpu() for name, tensor in self.judged.state_dict().items()}
        return {name: tensor.clone() for name, tensor in weights.items()} if copied else weights
