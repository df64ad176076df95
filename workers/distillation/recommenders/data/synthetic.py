"""Interactions of users that do not exist: a latent-factor model with popularity, drawn from a seed."""

import numpy as np
from numpy.typing import NDArray

from qstill.contract.distillations.recommenders.data import SyntheticInteractions

USERS_AT_ONCE = 1024  # bounds the scores in memory

Indices = NDArray[np.int64]


def draw(spec: SyntheticInteractions) -> tuple[Indices, Indices, NDArray[np.float64]]:
    """(users, items, times) of every interaction. A user's choices are without repetition, in random order.

    The chance of an item is in proportion to n^-popularity · exp(taste · cos), where n is its rank in popularity and
    cos a normal variable made of the user's tastes and the item's traits: Plackett and Luce's model, drawn exactly by
    adding Gumbel noise and taking the largest.
    """
    random = np.random.default_rng([spec.seed, 0])
    tastes = random.standard_normal((spec.users, spec.factors))
    traits = random.standard_normal((spec.items, spec.factors))
    popularity = -spec.popularity * np.log1p(random.permutation(spec.items))
    most = spec.items // 2
    counts = np.minimum(3 + random.geometric(1 / max(1, spec.per_user - 2), spec.users) - 1, most)
    users, items = [], []
    for first in range(0, spec.users, USERS_AT_ONCE):
        some = range(first, min(first + USERS_AT_ONCE, spec.users))
        likes = tastes[some.start : some.stop] @ traits.T * (spec.taste / np.sqrt(spec.factors)) + popularity
        order = np.argsort(-(likes + random.gumbel(size=likes.shape)), axis=1, kind="stable")
        for user, chosen in zip(some, order, strict=True):
            items.append(random.permutation(chosen[: counts[user]]))
            users.append(np.full(counts[user], user))
    everyone = np.concatenate(users)
    return everyone, np.concatenate(items), random.random(len(everyone))
