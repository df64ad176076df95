"""A recommender in training."""

import math

import torch
from torch import Generator, Tensor

from qstill.contract.distillations.recommenders.objectives import RankingObjective
from workers.distillation.networks.seeds import seed_of
from workers.distillation.recommenders.criterion import Batch, Criterion, base_loss
from workers.distillation.recommenders.data.dataset import Data, Pairs
from workers.distillation.recommenders.metrics import quality, rank
from workers.distillation.recommenders.networks import ScorerNetwork
from workers.distillation.recommenders.plan import Stage
from workers.distillation.recommenders.signals import Signal
from workers.distillation.training.network_in_training import NetworkInTraining

MAX_VALIDATION_USERS = 10_000  # that choose an epoch; more would cost more than the epoch


class RankingLearner(NetworkInTraining[Stage, Data, ScorerNetwork]):
    """A network that learns to rank items for users.

    What a step draws depends on seed, epoch and batch alone: there is no random state to keep.
    """

    criterion: Criterion | None

    def __init__(
        self, stage: Stage, data: Data, k: int, objective: RankingObjective | None = None, signal: Signal | None = None
    ) -> None:
        """objective, signal: None learns from interactions alone."""
        super().__init__(stage, data)
        self.k = k
        criterion = None
        if objective is not None and signal is not None:
            seed = seed_of("experts", stage.seed)
            criterion = Criterion(objective, self.network, signal, seed=seed).to(self.device)
        self.minimise(criterion, -(-len(data.train) // stage.training.batch_size))
        self.judges = some_users(data.validation, seed_of("judges", stage.training.seed), MAX_VALIDATION_USERS)

    def batches(self) -> tuple[Tensor, ...]:
        """Positions (batch,) among the training pairs of what is left of the running epoch; the same for student and
        baseline.
        """
        draw = Generator().manual_seed(seed_of("batches", self.stage.seed, self.epoch))
        order = torch.randperm(len(self.data.train), generator=draw)
        return torch.split(order, self.stage.training.batch_size)[self.batch :]

    def backward(self, positions: Tensor) -> Tensor:
        """The loss of these interactions."""
        loss = self.terms(positions)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

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
            raise self.stage.diverged()
        found = quality(rank(self.scores, self.judges, self.data.unseen, self.k), self.k)
        return self.turn(loss, found.ndcg, (found.ndcg, found.mrr))

    def scores(self, users: Tensor) -> Tensor:
        """(users, items) as the network is now, without gradients."""
        self.network.eval()
        with torch.no_grad():
            return self.network(users.to(self.device))  # type: ignore[no-any-return]


def some_users(held: Pairs, seed: int, most: int) -> Pairs:
    """All held-out pairs, or those of so many drawn users."""
    users = torch.unique(held.users)
    if len(users) <= most:
        return held
    drawn = users[torch.randperm(len(users), generator=Generator().manual_seed(seed))[:most]]
    some = torch.isin(held.users, drawn)
    return Pairs(held.users[some], held.items[some])
