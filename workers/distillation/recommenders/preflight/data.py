"""What interactions and uploaded lists are like, before anything is learned from them."""

import torch

from qstill.contract.distillations.recommenders.preflight import InteractionCheck, RankingCheck
from workers.distillation.recommenders.data.dataset import Data, Pairs
from workers.distillation.recommenders.learner import some_users
from workers.distillation.recommenders.metrics import Quality, Scores, head_items, popularity, quality, rank
from workers.distillation.recommenders.signals import Signal

ASKED_USERS = 2_000  # of the validation split at most: all items are ranked for each


def check_interactions(data: Data, k: int) -> InteractionCheck:
    """k: of NDCG@k."""
    users = data.train.users.bincount(minlength=data.users)
    items = data.train.items.bincount(minlength=data.items)
    popular = _quality(popularity(data.train.items, data.items), data.validation, data, k)
    return InteractionCheck(
        density=len(data.train) / (data.users * data.items),
        median_per_user=float(users.double().quantile(0.5)),
        fewest_per_user=int(users.min()),
        most_per_user=int(users.max()),
        cold_users=int((users == 0).sum()),
        cold_items=int((items == 0).sum()),
        left_out=data.cold,
        tested_users=len(torch.unique(data.test.users)),
        head_items=int(head_items(data.train.items, data.items).sum()),
        fewest_left=int(data.unseen.counts(torch.arange(data.users)).min()),
        popularity_ndcg=popular.ndcg,
        popularity_hit=popular.hit,
    )


def check_lists(signal: Signal, data: Data, k: int) -> RankingCheck:
    """A teacher that is there already, on the validation rows of the users that it speaks of."""
    spoken = signal.speaks[data.validation.users]
    asked = Pairs(data.validation.users[spoken], data.validation.items[spoken])
    found, popular = (
        _quality(scores, asked, data, k) if len(asked) else Quality(0.0, 0.0, 0.0)
        for scores in (signal.scores, popularity(data.train.items, data.items))
    )
    return RankingCheck(
        pointer="/teacher",
        users=int(signal.speaks.sum()),
        users_asked=min(ASKED_USERS, len(torch.unique(asked.users))),
        depth=signal.ranking.shape[1],
        ndcg=found.ndcg,
        hit=found.hit,
        popularity_ndcg=popular.ndcg,
    )


def _quality(scores: Scores, held: Pairs, data: Data, k: int) -> Quality:
    return quality(rank(scores, some_users(held, 0, ASKED_USERS), data.unseen, k), k)
