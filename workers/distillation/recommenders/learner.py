"""A recommender in training and everything that its next step depends on."""

import math
from dataclasses import asdict

import torch
from torch import Generator, Tensor
from torch.nn.utils import clip_grad_norm_

from qstill.contract.distillations.recommenders.objectives import RankingObjective
from qstill.contract.errors import Problem
from workers.distillation.networks.seeds import seed_of
from workers.distillation.recommenders.criterion import Batch, Criterion, base_loss
from workers.distillation.recommenders.data.dataset import Data, Pairs
from workers.distillation.recommenders.metrics import quality, rank
from workers.distillation.recommenders.plan import Stage
from workers.distillation.recommenders.signals import Signal
from workers.distillation.training.keeper import Curve, Outcome, Point, Snapshot
from workers.distillation.training.optimise import learning_rate, optimizer_of

MAX_VALIDATION_USERS = 10_000  # that choose an epoch; more would cost more than the epoch


class RankingLearner:
    """`learn` batch after batch, `begin_epoch` and `end_epoch` around them, `snapshot` and `restore` at any point.

    What a step draws depends on seed, epoch and batch alone: there is no random state to keep.
    """

    def __init__(
        self, stage: Stage, data: Data, k: int, objective: RankingObjective | None = None, signal: Signal | None = None
    ) -> None:
        """objective, signal: None learns from interactions alone."""
        self.stage, self.data, self.k = stage, data, k
        self.device = device_of(stage)
        self.network = stage.begin(data).to(self.device)
        self.criterion: Criterion | None = None
        if objective is not None and signal is not None:
            seed = seed_of("experts", stage.seed)
            self.criterion = Criterion(objective, self.network, signal, seed=seed).to(self.device)
        self.trained = [*self.network.parameters(), *(self.criterion.parameters() if self.criterion else ())]
        self.optimizer = optimizer_of(self.trained, stage.training)
        self.steps_per_epoch = -(-len(data.train) // stage.training.batch_size)
        self.judges = some_users(data.validation, seed_of("judges", stage.training.seed), MAX_VALIDATION_USERS)
        self.epoch = 0  # finished epochs
        self.batch = 0  # finished batches of the running epoch
        self.loss_sum = 0.0  # over them, nats
        self.best = Outcome({}, 0, 0, 0.0)  # of no epoch; the first one replaces it
        self.best_score = (-1.0, -1.0)
        self.curve: Curve = []  # of the finished epochs

    @property
    def step_number(self) -> int:
        """Finished optimizer steps."""
        return self.epoch * self.steps_per_epoch + self.batch

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
        """Go on where `snapshot` was taken."""
        self.network.load_state_dict(snapshot["network"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        if self.criterion:
            self.criterion.load_state_dict(snapshot["criterion"])
        self.epoch, self.batch, self.loss_sum = snapshot["cursor"]
        self.best = Outcome(**snapshot["best"])
        self.best_score = snapshot["best_score"]
        self.curve = [Point(**point) for point in snapshot["curve"]]

    def begin_epoch(self) -> None:
        """Nothing is prepared."""

    def batches(self) -> tuple[Tensor, ...]:
        """Positions (batch,) among the training pairs of what is left of the running epoch; the same for student and
        baseline.
        """
        draw = Generator().manual_seed(seed_of("batches", self.stage.seed, self.epoch))
        order = torch.randperm(len(self.data.train), generator=draw)
        return torch.split(order, self.stage.training.batch_size)[self.batch :]

    def learn(self, positions: Tensor) -> None:
        """One optimizer step on these interactions."""
        loss = self.terms(positions)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
        training = self.stage.training
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(training, self.step_number, self.steps_per_epoch)
        if training.clip_norm is not None:
            clip_grad_norm_(self.trained, training.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.batch += 1
        self.loss_sum += loss.item()

    def terms(self, positions: Tensor) -> dict[str, Tensor]:
        """{"hard", "soft", "loss"} of these interactions in the running step."""
        self.network.train()
        draw = Generator().manual_seed(seed_of("draws", self.stage.seed, self.epoch, self.batch))
        users, items = self.data.train.users[positions], self.data.train.items[positions]
        batch = Batch(users, items, self.data.unseen, draw, self.epoch + 1, self.stage.training.epochs)
        hard = base_loss(self.stage.training.loss, self.network, batch)
        if self.criterion is None:
            return {"hard": hard, "soft": hard.new_zeros(()), "loss": hard}
        return self.criterion(self.network, hard, batch)  # type: ignore[no-any-return]

    def end_epoch(self) -> tuple[float, float]:
        """Turn to the next epoch. Returns this one's mean loss in nats, and NDCG@k on the validation pairs."""
        loss = self.loss_sum / self.batch
        if not math.isfinite(loss) or not all(p.isfinite().all() for p in self.network.parameters()):
            raise _diverged(self.stage)
        found = quality(rank(self.scores, self.judges, self.data.unseen, self.k), self.k)
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0
        self.curve.append(Point(self.epoch, loss, found.ndcg))
        if (found.ndcg, found.mrr) > self.best_score:
            self.best = Outcome(self.weights(copied=True), self.epoch, self.step_number, found.ndcg)
            self.best_score = (found.ndcg, found.mrr)
        return loss, found.ndcg

    def scores(self, users: Tensor) -> Tensor:
        """(users, items) as the network is now, without gradients."""
        self.network.eval()
        with torch.no_grad():
            return self.network(users.to(self.device))  # type: ignore[no-any-return]

    def weights(self, *, copied: bool = False) -> dict[str, Tensor]:
        """In main memory. copied: not to be overwritten by the next step."""
        weights = {name: tensor.cpu() for name, tensor in self.network.state_dict().items()}
        return {name: tensor.clone() for name, tensor in weights.items()} if copied else weights


def device_of(stage: Stage) -> torch.device:
    """Where a stage is computed. Raises Problem no_cuda."""
    wanted, here = stage.training.device, torch.cuda.is_available()
    if wanted == "cuda" and not here:
        pointer = f"{stage.training_pointer}/device"
        raise Problem("no_cuda", "This worker has no GPU.", pointer=pointer, ways_out=[{"device": "auto"}])
    return torch.device("cuda" if wanted != "cpu" and here else "cpu")


def some_users(held: Pairs, seed: int, most: int) -> Pairs:
    """All held-out pairs, or those of so many drawn users."""
    users = torch.unique(held.users)
    if len(users) <= most:
        return held
    drawn = users[torch.randperm(len(users), generator=Generator().manual_seed(seed))[:most]]
    some = torch.isin(held.users, drawn)
    return Pairs(held.users[some], held.items[some])


def _diverged(stage: Stage) -> Problem:
    title = f"Training of the {stage.role} diverged: its loss is no longer a number. A lower learning rate helps."
    ways_out = [{"learning_rate": stage.training.learning_rate / 10}]
    return Problem("training_diverged", title, pointer=f"{stage.training_pointer}/learning_rate", ways_out=ways_out)
