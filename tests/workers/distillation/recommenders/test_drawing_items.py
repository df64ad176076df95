"""Drawing items: against brute force, and by how often."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from tests.testing.examples import examples
from workers.distillation.recommenders.data.sampling import Unseen, interesting_positions

ITEMS = 12

CHOICES = st.lists(st.sets(st.integers(0, ITEMS - 1), max_size=ITEMS - 1), min_size=1, max_size=6)


def unseen_of(choices: list[set[int]]) -> Unseen:
    pairs = [(user, item) for user, items in enumerate(choices) for item in items]
    users, items = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
    return Unseen(users, items, user_count=len(choices), item_count=ITEMS)


def draws(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def histogram(drawn: Tensor) -> NDArray[np.float64]:
    return np.bincount(drawn.flatten().numpy(), minlength=ITEMS) / drawn.numel()


@given(CHOICES)
@settings(max_examples=examples(50))
def test_unseen_items_are_numbered_in_ascending_order(choices: list[set[int]]) -> None:
    unseen = unseen_of(choices)
    for user, chosen in enumerate(choices):
        left = [item for item in range(ITEMS) if item not in chosen]
        asked = torch.tensor([user])
        assert int(unseen.counts(asked)) == len(left)
        assert unseen.items(asked, torch.arange(len(left))[None]).tolist() == [left]
        assert unseen.numbers(asked, torch.tensor([left])).tolist() == [list(range(len(left)))]


@given(CHOICES)
@settings(max_examples=examples(30))
def test_the_mask_strikes_out_what_was_chosen_and_nothing_else(choices: list[set[int]]) -> None:
    users = torch.arange(len(choices)).flip(0)
    struck = torch.zeros(len(choices), ITEMS, dtype=torch.bool)
    struck[unseen_of(choices).mask(users)] = True
    assert [set(row.nonzero().flatten().tolist()) for row in struck] == choices[::-1]


@given(CHOICES, st.integers(0, 2**31))
@settings(max_examples=examples(30))
def test_nothing_chosen_is_drawn(choices: list[set[int]], seed: int) -> None:
    drawn = unseen_of(choices).draw(torch.arange(len(choices)), 50, draws(seed))
    for chosen, items in zip(choices, drawn.tolist(), strict=True):
        assert not chosen & set(items)
        assert set(items) <= set(range(ITEMS))


@given(CHOICES, st.integers(0, 2**31), st.data())
@settings(max_examples=examples(50))
def test_nothing_excluded_is_drawn(choices: list[set[int]], seed: int, data: st.DataObject) -> None:
    unseen = unseen_of(choices)
    users, excluded = [], []
    for user, chosen in enumerate(choices):
        left = [item for item in range(ITEMS) if item not in chosen]
        if len(left) > 1:
            users.append(user)
            out = data.draw(
                st.lists(st.sampled_from(left), unique=True, max_size=len(left) - 1)
            )  # one is left at least
            excluded.append(data.draw(st.permutations(out + [-1] * (ITEMS - len(out)))))
    if users:
        drawn = unseen.draw_outside(torch.tensor(users), torch.tensor(excluded), 40, draws(seed))
        for user, out, items in zip(users, excluded, drawn.tolist(), strict=True):
            assert not (choices[user] | set(out)) & set(items)
            assert set(items) <= set(range(ITEMS))


def test_what_is_left_is_drawn_evenly_and_again_by_the_same_seed() -> None:
    unseen = unseen_of([{0, 3, 4, 11}])
    asked, excluded = torch.tensor([0]), torch.tensor([[5, -1, 1]])
    assert torch.equal(unseen.draw(asked, 10, draws(1)), unseen.draw(asked, 10, draws(1)))
    found = histogram(unseen.draw(asked, 40_000, draws(2)))
    np.testing.assert_allclose(found, [0 if i in {0, 3, 4, 11} else 1 / 8 for i in range(ITEMS)], atol=0.01)
    found = histogram(unseen.draw_outside(asked, excluded, 40_000, draws(3)))
    np.testing.assert_allclose(found, [0 if i in {0, 1, 3, 4, 5, 11} else 1 / 6 for i in range(ITEMS)], atol=0.01)


def test_interesting_positions_are_distinct_and_in_the_teachers_order() -> None:
    found = interesting_positions(1000, 30, 8, 4.0, draws(0))
    assert (found.diff(dim=1) > 0).all()
    assert int(found.min()) == 0
    assert int(found.max()) < 30


def test_positions_are_interesting_with_a_chance_in_proportion_to_e_to_minus_their_rank() -> None:
    chances = np.exp(-np.arange(1, 7) / 2.0)
    chances /= chances.sum()
    one = histogram(interesting_positions(60_000, 6, 1, 2.0, draws(0)))[:6]
    np.testing.assert_allclose(one, chances, atol=0.007)
    two = interesting_positions(60_000, 6, 2, 2.0, draws(1))
    for first in range(6):
        for second in range(first + 1, 6):
            p, q = chances[first], chances[second]
            expected = p * q / (1 - p) + q * p / (1 - q)  # drawn one after the other, without repetition
            found = float(((two[:, 0] == first) & (two[:, 1] == second)).double().mean())
            assert abs(found - expected) < 0.008
