"""A few steps of a recommender's training: what they cost and what they keep. Nothing but a few users is ranked."""

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from qstill.contract.distillations.recommenders.job import RankingTraining
from qstill.contract.distillations.recommenders.objectives import RankingObjective
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.seeds import seed_of
from workers.distillation.preflight.rehearsal import (
    BATCHES,
    LONG_SECONDS,
    MORE_BATCHES,
    MORE_SECONDS,
    keeping,
    timed,
)
from workers.distillation.recommenders.data.dataset import Data, Pairs
from workers.distillation.recommenders.learner import RankingLearner, some_users
from workers.distillation.recommenders.metrics import MAX_COMPARISONS_AT_ONCE, quality, rank
from workers.distillation.recommenders.plan import Stage
from workers.distillation.recommenders.signals import Signal

RANKED_USERS = 512  # of the validation split, for the time of an evaluation
TABLES = 4  # of scores that a ranking holds at once: the scores, their comparison, what is struck out, the best ones
BYTES = 4


@dataclass(frozen=True)
class Rehearsal:
    """batch: its interactions. seconds: of each batch after the first, or of that one where it took long.

    per_epoch: seconds of an epoch besides its batches. per_user: seconds to rank all items for a user. kept: bytes that
    a batch keeps for its gradients. evaluated: bytes that a ranking needs. finite: whether the loss is.
    """

    training: RankingTraining
    batch: int
    batches_per_epoch: int
    seconds: list[float]
    per_epoch: float
    per_user: float
    kept: int
    evaluated: int
    parameters: int
    finite: bool
    steps: int

    @property
    def total_steps(self) -> int:
        """Of one network, if it does not stop early."""
        return self.batches_per_epoch * self.training.epochs


def first_batches(stage: Stage, data: Data) -> list[Tensor]:
    """Positions of the first batches of a training: those that are rehearsed, again and again."""
    draw = torch.Generator().manual_seed(seed_of("batches", stage.seed, 0))
    order = torch.randperm(len(data.train), generator=draw)[: BATCHES * stage.training.batch_size]
    return list(torch.split(order, stage.training.batch_size))


def first_users(stage: Stage, data: Data) -> Tensor:
    """The users of these batches."""
    users: Tensor = torch.unique(data.train.users[torch.cat(first_batches(stage, data))])
    return users


def rehearse(
    stage: Stage, data: Data, k: int, objective: RankingObjective | None = None, signal: Signal | None = None
) -> Rehearsal:
    """objective, signal: None learns from interactions alone."""
    learner = RankingLearner(stage, data, k, objective, signal)
    batches = first_batches(stage, data)
    batches = [batch for batch in batches if len(batch) == len(batches[0])]  # the last one of an epoch may be short
    learner.epoch = stage.training.epochs // 2  # beyond the warm-up of `rd`, whose steps cost less
    with keeping(learner.network) as kept:
        seconds = [_step(learner, batches[0])]
    until = time.perf_counter() + MORE_SECONDS
    while seconds[0] < LONG_SECONDS and (
        len(seconds) < BATCHES or (len(seconds) < MORE_BATCHES and time.perf_counter() < until)
    ):
        seconds.append(_step(learner, batches[len(seconds) % len(batches)]))
    some = some_users(learner.judges, 0, RANKED_USERS)
    per_user = _ranking(learner, some, k) / _users(some)
    at_once = min(_users(data.test), max(1, MAX_COMPARISONS_AT_ONCE // data.items))
    return Rehearsal(
        training=stage.training,
        batch=len(batches[0]),
        batches_per_epoch=learner.steps_per_epoch,
        seconds=seconds[1:] or seconds,
        per_epoch=per_user * _users(learner.judges),
        per_user=per_user,
        kept=kept[0],
        evaluated=TABLES * BYTES * at_once * data.items,
        parameters=parameters(learner.network),
        finite=math.isfinite(learner.loss_sum),
        steps=len(seconds),
    )


def _step(learner: RankingLearner, positions: Tensor) -> float:
    """Seconds."""
    if learner.batch == learner.steps_per_epoch:
        learner.batch = 0  # an epoch that nobody evaluates
    return timed(lambda: learner.learn(positions))


def _ranking(learner: RankingLearner, held: Pairs, k: int) -> float:
    """Seconds that it takes to judge by these pairs."""
    return timed(lambda: quality(rank(learner.scores, held, learner.data.unseen, k), k))


def _users(held: Pairs) -> int:
    return len(torch.unique(held.users))
