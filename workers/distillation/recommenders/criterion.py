"""What a student minimises: the base loss and, for users of whom a teacher speaks, the objective's terms."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from qstill.contract.distillations.recommenders.objectives import (
    Base,
    Bpr,
    De,
    RankingObjective,
    Rd,
    Rrd,
    SingleRanking,
    SoftmaxKl,
    terms_of,
)
from workers.distillation.objectives.schedules import value_at
from workers.distillation.recommenders.data.sampling import Unseen, interesting_positions
from workers.distillation.recommenders.losses.bce import bce
from workers.distillation.recommenders.losses.bpr import bpr
from workers.distillation.recommenders.losses.de import Experts, temperature_at
from workers.distillation.recommenders.losses.rd import discrepancy_weights, hybrid_weights, position_weights, rd
from workers.distillation.recommenders.losses.rrd import rrd
from workers.distillation.recommenders.losses.softmax_kl import softmax_kl
from workers.distillation.recommenders.networks import ScorerNetwork
from workers.distillation.recommenders.signals import Signal


@dataclass(frozen=True)
class Batch:
    """users, items: the interactions of a step (rows,). unseen: what users have not chosen. epoch: from 1, of `epochs`.

    generator: all that is drawn in this step comes from it, so that a step can be repeated.
    """

    users: Tensor
    items: Tensor
    unseen: Unseen
    generator: Generator
    epoch: int
    epochs: int


def base_loss(base: Base, network: ScorerNetwork, batch: Batch) -> Tensor:
    """What the interactions say, in nats; its negatives are drawn first of all, the same for student and baseline."""
    drawn = batch.unseen.draw(batch.users, base.negatives, batch.generator)
    device = network.user.weight.device
    items = torch.cat([batch.items[:, None], drawn], 1).to(device)
    scores = network.pairs(batch.users.to(device), items)
    loss = bpr if isinstance(base, Bpr) else bce
    return loss(scores[:, :1], scores[:, 1:])


class Criterion(nn.Module):
    """Its parameters, those of experts, are trained with the student."""

    def __init__(self, objective: RankingObjective, network: ScorerNetwork, signal: Signal, *, seed: int) -> None:
        super().__init__()
        self.terms = [(weight, single) for _, weight, single in terms_of(objective)]
        self.signal = signal
        self.experts = nn.ModuleDict()
        for number, (_, single) in enumerate(self.terms):
            if isinstance(single, De):
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(seed)
                    self.experts[str(number)] = _experts(single, network, signal)

    def forward(self, network: ScorerNetwork, hard: Tensor, batch: Batch) -> dict[str, Tensor]:
        """{"hard", "soft", "loss"}: scalars. hard: the base loss. soft: the weighted sum of what the teacher says."""
        users = torch.unique(batch.users)
        users = users[self.signal.speaks[users]]
        hard_weight, soft = 0.0, hard.new_zeros(())
        for number, (outer, single) in enumerate(self.terms):
            weight = value_at(outer, batch.epoch)
            hard_weight += weight * value_at(single.hard_weight, batch.epoch)
            if len(users):
                said = self._said(number, single, network, users, batch)
                soft = soft + weight * value_at(single.weight, batch.epoch) * said
        return {"hard": hard, "soft": soft, "loss": hard_weight * hard + soft}

    def _said(self, number: int, single: SingleRanking, network: ScorerNetwork, users: Tensor, batch: Batch) -> Tensor:
        match single:
            case Rd():
                return _rd(single, network, self.signal, users, batch)
            case Rrd():
                return _rrd(single, network, self.signal, users, batch)
            case SoftmaxKl():
                return _softmax_kl(single, network, self.signal, users, batch)
            case De():
                experts = self.experts[str(number)]
                return _de(single, experts, network, self.signal, users, batch)


def _rd(spec: Rd, network: ScorerNetwork, signal: Signal, users: Tensor, batch: Batch) -> Tensor:
    device = network.user.weight.device
    top = signal.ranking[users, : spec.top].to(device)
    weights = position_weights(spec.top, spec.position).to(device)
    if batch.epoch <= spec.warm_up:
        return rd(network.pairs(users.to(device), top), weights)
    drawn = batch.unseen.draw(users, spec.samples, batch.generator).to(device)
    scores = network.pairs(users.to(device), top)
    with torch.no_grad():
        estimates = network.pairs(users.to(device), drawn)
        unseen = batch.unseen.counts(users).to(device)
        discrepancies = discrepancy_weights(scores, estimates, unseen, spec.discrepancy)
    return rd(scores, hybrid_weights(weights, discrepancies))


def _rrd(spec: Rrd, network: ScorerNetwork, signal: Signal, users: Tensor, batch: Batch) -> Tensor:
    ranking, device = signal.ranking[users], network.user.weight.device
    at = interesting_positions(len(ranking), ranking.shape[1], spec.interesting, spec.sharpness, batch.generator)
    down_to_the_last = torch.arange(ranking.shape[1]) <= at[:, -1:]  # uninteresting items are from below
    excluded = torch.where(down_to_the_last, ranking, -1)
    uninteresting = batch.unseen.draw_outside(users, excluded, spec.uninteresting, batch.generator)
    listed = torch.cat([ranking.gather(1, at), uninteresting], 1).to(device)
    scores = network.pairs(users.to(device), listed)
    return rrd(scores[:, : spec.interesting], scores[:, spec.interesting :])


def _softmax_kl(spec: SoftmaxKl, network: ScorerNetwork, signal: Signal, users: Tensor, batch: Batch) -> Tensor:
    device = network.user.weight.device
    chosen = tuple(part.to(device) for part in batch.unseen.mask(users))
    struck = torch.zeros(len(users), batch.unseen.item_count, dtype=torch.bool, device=device)
    struck[chosen] = True
    teacher = signal.scores(users).to(device).masked_fill(struck, -torch.inf)
    student = network(users.to(device)).masked_fill(struck, -torch.inf)
    return softmax_kl(student, teacher, value_at(spec.temperature, batch.epoch))


def _de(spec: De, experts: nn.Module, network: ScorerNetwork, signal: Signal, users: Tensor, batch: Batch) -> Tensor:
    temperature = temperature_at(batch.epoch, batch.epochs, spec.first_temperature, spec.last_temperature)
    sides: list[tuple[str, Tensor, Callable[[Tensor], Tensor], Tensor | None]] = [
        ("of_users", users, network.user_vectors, signal.user_vectors),
        ("of_items", torch.unique(batch.items), network.item_vectors, signal.item_vectors),
    ]
    total = torch.zeros((), device=network.user.weight.device)
    for side, numbers, vectors, theirs in sides:
        assert theirs is not None  # a job with lists for a teacher is refused
        numbers = numbers.to(theirs.device)
        total = total + experts.get_submodule(side)(vectors(numbers), theirs[numbers], temperature, batch.generator)
    return total


def _experts(spec: De, network: ScorerNetwork, signal: Signal) -> nn.ModuleDict:
    assert signal.user_vectors is not None
    first = torch.zeros(1, dtype=torch.int64, device=network.user.weight.device)
    mine, theirs = network.user_vectors(first).shape[1], signal.user_vectors.shape[1]
    return nn.ModuleDict({side: Experts(mine, theirs, spec.experts) for side in ("of_users", "of_items")})
