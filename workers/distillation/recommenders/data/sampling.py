"""Drawing items: what a user has not chosen, exactly and without trying again; and what a teacher finds interesting."""

import torch
from torch import Generator, Tensor


class Unseen:
    """The items that each user has not chosen, numbered per user from 0 in ascending order.

    The n-th unseen item is n plus the number of chosen items c_j (ascending, j from 0) with c_j - j ≤ n: a binary
    search in one array of all users, so that drawing costs as much for a user who chose nearly everything.
    """

    def __init__(self, users: Tensor, items: Tensor, *, user_count: int, item_count: int) -> None:
        """users, items: (rows,) of what was chosen, in any order; a pair counts once."""
        pairs = torch.unique(users * item_count + items)
        users, self.chosen = pairs // item_count, pairs % item_count
        self.item_count = item_count
        self.chosen_counts = users.bincount(minlength=user_count)
        self.starts = self.chosen_counts.cumsum(0) - self.chosen_counts
        below = self.chosen - (torch.arange(len(pairs)) - self.starts[users])  # unseen items before a chosen one
        self._keys = users * (item_count + 1) + below
        self._pairs = pairs

    def counts(self, users: Tensor) -> Tensor:
        """(users,) how many items each has not chosen."""
        return self.item_count - self.chosen_counts[users]

    def items(self, users: Tensor, numbers: Tensor) -> Tensor:
        """The unseen items of these numbers. users: (rows,). numbers, and what is returned: (rows, n)."""
        before = torch.searchsorted(self._keys, users[:, None] * (self.item_count + 1) + numbers, right=True)
        return numbers + before - self.starts[users][:, None]

    def numbers(self, users: Tensor, items: Tensor) -> Tensor:
        """The inverse of `items`: how many unseen items come before these. Both (rows, n)."""
        before = torch.searchsorted(self._pairs, users[:, None] * self.item_count + items)
        return items - before + self.starts[users][:, None]

    def draw(self, users: Tensor, count: int, generator: Generator) -> Tensor:
        """(users, count) unseen items, evenly, each on its own: one may come twice."""
        return self.items(users, _below(self.counts(users), count, generator))

    def draw_outside(self, users: Tensor, excluded: Tensor, count: int, generator: Generator) -> Tensor:
        """(users, count) as `draw`, outside of excluded: distinct unseen items (users, n), -1 where there are fewer."""
        there = excluded >= 0
        numbers = torch.where(there, self.numbers(users, excluded), self.item_count).sort(1).values
        below = torch.where(numbers < self.item_count, numbers - torch.arange(numbers.shape[1]), self.item_count)
        drawn = _below(self.counts(users) - there.sum(1), count, generator)
        return self.items(users, drawn + torch.searchsorted(below, drawn, right=True))

    def mask(self, users: Tensor) -> tuple[Tensor, Tensor]:
        """(rows, items) of what these users chose, to be struck out of a matrix (users, items)."""
        counts = self.chosen_counts[users]
        rows = torch.arange(len(users)).repeat_interleave(counts)
        within = torch.arange(len(rows)) - (counts.cumsum(0) - counts)[rows]
        return rows, self.chosen[self.starts[users][rows] + within]


def _below(bounds: Tensor, count: int, generator: Generator) -> Tensor:
    """(bounds, count) whole numbers from 0, evenly below each bound."""
    uniform = torch.rand(len(bounds), count, generator=generator, dtype=torch.float64)
    return (uniform * bounds[:, None]).long()


def interesting_positions(rows: int, depth: int, count: int, sharpness: float, generator: Generator) -> Tensor:
    """(rows, count) positions in a ranking of `depth` items, from 0, ascending: drawn without repetition, the r-th item
    with a chance in proportion to e^(-r/T) (Kang and others 2020).

    To add Gumbel noise to the logarithms and take the largest is that very draw.
    """
    logs = -torch.arange(1, depth + 1, dtype=torch.float64) / sharpness
    noisy = logs + gumbel((rows, depth), generator)
    return noisy.topk(count, dim=1).indices.sort(1).values


def gumbel(shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Standard Gumbel noise, float64."""
    uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
    return -(-uniform.clamp(min=1e-300).log()).log()
