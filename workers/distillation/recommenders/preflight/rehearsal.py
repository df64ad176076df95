"""A few steps of a recommender's training: what they cost and what they keep. Nothing but a few users is ranked."""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from qstill.contract.distillations.recommenders.objectives import RankingObjective
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.seeds import seed_of
from workers.distillation.preflight.pace import BATCHES, Pace, rehearsed, timed
from workers.distillation.recommenders.data.dataset import Data, Pairs
from workers.distillation.recommenders.learner import RankingLearner, some_users
from workers.distillation.recommenders.metrics import MAX_COMPARISONS_AT_ONCE, quality, rank
from workers.distillation.recommenders.plan import Stage
from workers.distillation.recommenders.signals import Signal

RANKED_USERS = 512  # of the validation split, for the time of an evaluation
TABLES = 4  # of scores that a ranking holds at once: the scores, their comparison, what is struck out, the best ones
BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Rehearsal(Pace):
    """per_user: seconds to rank all items for a user."""

    per_user: float


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
    seconds, kept = rehearsed(learner, itertools.cycle(batches))
    some = some_users(learner.judges, 0, RANKED_USERS)
    per_user = _ranking(learner, some, k) / _users(some)
    at_once = min(_users(data.test), max(1, MAX_COMPARISONS_AT_ONCE // data.items))
    return Rehearsal(
        training=stage.training,
        batch=len(batches[0]),
        batches_per_epoch=learner.batches_per_epoch,
        steps_per_epoch=learner.steps_per_epoch,
        seconds=seconds[1:] or seconds,
        per_epoch=per_user * _users(learner.judges),
        per_user=per_user,
        kept=kept,
        evaluated=TABLES * BYTES * at_once * data.items,
        parameters=parameters(learner.network),
        finite=math.isfinite(learner.loss_sum),
        steps=len(seconds),
    )


def _ranking(learner: RankingLearner, held: Pairs, k: int) -> float:
    """Seconds that it takes to judge by these pairs."""
    return timed(lambda: quality(rank(learner.scores, held, learner.data.unseen, k), k))


def _users(held: Pairs) -> int:
    return len(torch.unique(held.users))
