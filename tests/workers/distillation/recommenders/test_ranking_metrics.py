"""Measures of rankings against their definitions, written with loops."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.testing.examples import examples
from workers.distillation.recommenders import metrics
from workers.distillation.recommenders.data.dataset import Pairs
from workers.distillation.recommenders.data.sampling import Unseen
from workers.distillation.recommenders.metrics import Ranks, coverage, head_items, hit_of, overlap, quality

USERS, ITEMS = 5, 9


def pairs(sets: list[set[int]]) -> Pairs:
    rows = [(user, item) for user, items in enumerate(sets) for item in sorted(items)]
    users, items = torch.tensor(rows, dtype=torch.int64).reshape(-1, 2).T
    return Pairs(users, items)


def candidates(chosen: list[set[int]]) -> Unseen:
    seen = pairs(chosen)
    return Unseen(seen.users, seen.items, user_count=USERS, item_count=ITEMS)


def ranked(scores: Tensor, held: Pairs, unseen: Unseen, k: int) -> Ranks:
    return metrics.rank(lambda users: scores[users].clone(), held, unseen, k)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Tensor, list[set[int]], list[set[int]]]:
    """(scores with ties, what users chose, what is held out)."""
    chosen = [draw(st.sets(st.integers(0, ITEMS - 1), max_size=4)) for _ in range(USERS)]
    held = [draw(st.sets(st.sampled_from(sorted(set(range(ITEMS)) - seen)), max_size=3)) for seen in chosen]
    held[0] = held[0] or {min(set(range(ITEMS)) - chosen[0])}
    values = draw(st.lists(st.integers(-3, 3), min_size=USERS * ITEMS, max_size=USERS * ITEMS))
    return torch.tensor(values, dtype=torch.float32).reshape(USERS, ITEMS), chosen, held


def rank_by_hand(scores: Tensor, user: int, item: int, chosen: set[int]) -> int:
    others = [other for other in range(ITEMS) if other not in chosen and other != item]
    return 1 + sum(float(scores[user, other]) >= float(scores[user, item]) for other in others)


@given(worlds(), st.integers(1, 12))
@settings(max_examples=examples(60))
def test_measures_are_those_of_the_definition(world: tuple[Tensor, list[set[int]], list[set[int]]], k: int) -> None:
    scores, chosen, held = world
    found = ranked(scores, pairs(held), candidates(chosen), k)
    ndcg, hit, mrr = [], [], []
    for user, items in enumerate(held):
        if items:
            ranks = [rank_by_hand(scores, user, item, chosen[user]) for item in items]
            best = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(items)) + 1))
            ndcg.append(sum(1 / math.log2(r + 1) for r in ranks if r <= k) / best)
            hit.append(float(min(ranks) <= k))
            mrr.append(1 / min(ranks))
    measured = quality(found, k)
    expected = tuple(float(np.mean(each)) for each in (ndcg, hit, mrr))
    assert (measured.ndcg, measured.hit, measured.mrr) == pytest.approx(expected, rel=1e-6)


@given(worlds(), st.integers(1, 12))
@settings(max_examples=examples(30))
def test_lists_hold_the_best_of_what_was_not_chosen(
    world: tuple[Tensor, list[set[int]], list[set[int]]], k: int
) -> None:
    scores, chosen, held = world
    found = ranked(scores, pairs(held), candidates(chosen), k)
    for user, listed in zip(found.asked.tolist(), found.listed.tolist(), strict=True):
        left = set(range(ITEMS)) - chosen[user]
        named = [item for item in listed if item >= 0]
        assert len(named) == min(k, len(left))
        assert set(named) <= left
        worst = min(float(scores[user, item]) for item in named)
        assert all(float(scores[user, item]) <= worst for item in left - set(named))


def test_parts_of_the_users_are_ranked_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = torch.randn(USERS, ITEMS, generator=torch.Generator().manual_seed(0))
    held, unseen = pairs([{0, 1}, {2}, set(), {3, 8}, {4}]), candidates([{2}, {0, 5}, set(), {1}, {8}])
    whole = ranked(scores, held, unseen, 3)
    monkeypatch.setattr(metrics, "MAX_COMPARISONS_AT_ONCE", 2 * ITEMS)
    parts = ranked(scores, held, unseen, 3)
    assert torch.equal(whole.ranks, parts.ranks)
    assert torch.equal(whole.listed, parts.listed)


def test_answering_the_same_for_everything_earns_nothing() -> None:
    found = quality(ranked(torch.zeros(USERS, ITEMS), pairs([{0}, {4}, {8}]), candidates([]), 5), 5)
    assert (found.ndcg, found.hit, found.mrr) == pytest.approx((0, 0, 1 / ITEMS))


def test_many_drawn_items_tell_the_rank_that_all_items_tell_at_their_share() -> None:
    scores = torch.randn(USERS, ITEMS, generator=torch.Generator().manual_seed(0))
    held, unseen = pairs([{1}, {3}, {5}, {7}, {8}]), candidates([])
    exact = ranked(scores, held, unseen, 1).ranks

    def drawn(count: int) -> Tensor:
        draw = torch.Generator().manual_seed(0)
        return metrics.sampled(lambda users: scores[users], held, unseen, count, draw).ranks

    assert ((drawn(4000) - 1 - 4000 * (exact - 1) / (ITEMS - 1)).abs() < 150).all()
    assert int(drawn(2).max()) <= 3
    assert torch.equal(drawn(2), drawn(2))


def test_overlap_coverage_and_the_head() -> None:
    held, unseen = pairs([{0}, {1}]), candidates([])
    rising = torch.arange(float(ITEMS)).expand(USERS, -1)
    first, second = ranked(rising, held, unseen, 6), ranked(-rising, held, unseen, 6)
    assert overlap(first, first) == 1
    assert overlap(first, second) == 0.5  # items 3, 4 and 5 of six
    assert coverage(first, ITEMS) == pytest.approx(6 / ITEMS)
    assert hit_of(second, torch.tensor([True, False]), 1) == 1
    assert hit_of(second, torch.tensor([False, True]), 1) == 0
    assert hit_of(second, torch.tensor([False, False]), 1) is None
    chosen = torch.tensor([3, 3, 3, 1, 1, 0, 2, 5])  # half of eight is four: items 3 and 1
    assert head_items(chosen, 6).nonzero().flatten().tolist() == [1, 3]
