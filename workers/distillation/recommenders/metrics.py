"""How good a ranking is: every held-out item is ranked among all items that its user has not chosen."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from workers.distillation.recommenders.data.dataset import Pairs
from workers.distillation.recommenders.data.sampling import Unseen

MAX_COMPARISONS_AT_ONCE = 1 << 22

Scores = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Ranks:
    """users: (rows,) as in the held-out pairs. ranks: (rows,) of their items, from 1.

    listed: the users asked (asked,), ascending, and their first k items (asked, k), -1 where there are fewer.
    """

    users: Tensor
    ranks: Tensor
    asked: Tensor
    listed: Tensor


@dataclass(frozen=True)
class Quality:
    """Means over the users that have something held out, all between 0 and 1."""

    ndcg: float
    hit: float
    mrr: float


def rank(scores: Scores, held: Pairs, candidates: Unseen, k: int) -> Ranks:
    """Rank held-out items among the candidates. Items of equal score are all taken to stand before it: to answer the
    same for everything is no way to a good rank.

    scores: users (users,) to (users, items). candidates: what may be recommended to whom.
    """
    asked, rows = torch.unique(held.users, return_inverse=True)
    ranks, lists = torch.empty(len(held), dtype=torch.int64), []
    at_once = max(1, MAX_COMPARISONS_AT_ONCE // candidates.item_count)
    for first in range(0, len(asked), at_once):
        part = asked[first : first + at_once]
        found = scores(part).cpu()
        struck = candidates.mask(part)
        found[struck] = -torch.inf
        best = found.topk(min(k, found.shape[1]), dim=1)
        lists.append(torch.where(best.values == -torch.inf, -1, best.indices))
        found[struck] = torch.nan  # compares false with everything
        mine = torch.nonzero((rows >= first) & (rows < first + at_once)).flatten()
        for some in torch.split(mine, at_once):
            theirs = found[rows[some] - first]
            own = theirs.gather(1, held.items[some][:, None])
            ranks[some] = (theirs >= own).sum(1)  # itself among them
    return Ranks(held.users, ranks, asked, torch.cat(lists))


def quality(ranks: Ranks, k: int) -> Quality:
    """NDCG@k, Hit@k: whether any held-out item of a user is among the first k; MRR: of its first, at any rank."""
    _, rows, counts = torch.unique(ranks.users, return_inverse=True, return_counts=True)
    gains = torch.where(ranks.ranks <= k, 1 / torch.log2(ranks.ranks + 1.0), 0).double()
    ideal = torch.tensor([1 / math.log2(place + 1) for place in range(1, k + 1)], dtype=torch.float64).cumsum(0)
    ndcg = torch.zeros(len(counts), dtype=torch.float64).index_add(0, rows, gains) / ideal[counts.clamp(max=k) - 1]
    best = torch.full((len(counts),), torch.iinfo(torch.int64).max).scatter_reduce(0, rows, ranks.ranks, "amin")
    return Quality(float(ndcg.mean()), float((best <= k).double().mean()), float((1 / best.double()).mean()))


def sampled(scores: Scores, held: Pairs, candidates: Unseen, negatives: int, generator: Generator) -> Ranks:
    """Ranks among so many items drawn evenly for each held-out one, as in many papers. They can order models wrongly
    (Krichene and Rendle 2020): they are here to be compared with, not to decide by.
    """
    asked, rows = torch.unique(held.users, return_inverse=True)
    ranks = torch.empty(len(held), dtype=torch.int64)
    at_once = max(1, MAX_COMPARISONS_AT_ONCE // max(candidates.item_count, negatives))
    for first in range(0, len(asked), at_once):
        found = scores(asked[first : first + at_once]).cpu()
        mine = torch.nonzero((rows >= first) & (rows < first + at_once)).flatten()
        for some in torch.split(mine, at_once):
            drawn = candidates.draw_outside(held.users[some], held.items[some][:, None], negatives, generator)
            theirs = found[rows[some] - first]
            own = theirs.gather(1, held.items[some][:, None])
            ranks[some] = (theirs.gather(1, drawn) >= own).sum(1) + 1
    return Ranks(held.users, ranks, asked, torch.empty(len(asked), 0, dtype=torch.int64))


def overlap(first: Ranks, second: Ranks) -> float:
    """Share of the first k items that both name, mean over users; both asked about the same ones."""
    named = (first.listed >= 0).sum(1).clamp(min=1)
    both = (first.listed[:, :, None] == second.listed[:, None, :]) & (first.listed[:, :, None] >= 0)
    return float((both.any(2).sum(1) / named).double().mean())


def coverage(ranks: Ranks, items: int) -> float:
    """Share of all items that is in anybody's list."""
    return len(torch.unique(ranks.listed[ranks.listed >= 0])) / items


def popularity(chosen: Tensor, items: int) -> Scores:
    """The same scores for everybody: how often an item was chosen. chosen: (rows,) items."""
    counts = chosen.bincount(minlength=items).float()
    return lambda users: counts.expand(len(users), -1).clone()


def head_items(chosen: Tensor, items: int) -> Tensor:
    """(items,) which belong to the head: the fewest that got half of all choices. chosen: (rows,) items."""
    counts = chosen.bincount(minlength=items)
    order = counts.argsort(descending=True, stable=True)
    before = counts[order].cumsum(0) - counts[order]
    head = torch.zeros(items, dtype=torch.bool)
    head[order[before * 2 < counts.sum()]] = True
    return head


def hit_of(ranks: Ranks, rows: Tensor, k: int) -> float | None:
    """Share of held-out rows (a mask) that are among the first k; None when there is none."""
    return float((ranks.ranks[rows] <= k).double().mean()) if rows.any() else None
