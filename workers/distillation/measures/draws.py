"""How far other test rows would change a measure: the same networks on rows drawn again with replacement."""

from collections.abc import Callable

import torch
from torch import Tensor

DRAWS = 400
FEWEST = 100  # below, the ends of an interval of 95 % are three draws
MAX_NUMBERS = 400_000_000  # of all draws of a network and measure: seconds
AT_ONCE = 4_000_000  # weights, 32 MB

Weighed = Callable[[Tensor], Tensor]  # weights (draws, rows) to a measure of each draw


def drawn(of: Weighed, rows: int, *, numbers: int, seed: int) -> Tensor | None:
    """(draws,) a measure on rows drawn again; the same draws for all networks of a seed. numbers: that a draw takes.

    None where that would take too long.
    """
    count = min(DRAWS, MAX_NUMBERS // max(1, numbers))
    if count < FEWEST:
        return None
    draw = torch.Generator().manual_seed(seed)
    at_once = max(1, AT_ONCE // max(rows, numbers))
    found = []
    for first in range(0, count, at_once):
        chosen = torch.randint(rows, (min(at_once, count - first), rows), generator=draw)
        weights = torch.zeros(chosen.shape, dtype=torch.float64)
        found.append(of(weights.scatter_add_(1, chosen, torch.ones_like(weights))))
    return torch.cat(found)


def interval(values: Tensor | None) -> tuple[float | None, float | None]:
    """The middle 95 % of the draws that have a number; (None, None) where half of them have none."""
    known = None if values is None else values[values.isfinite()]
    if values is None or known is None or len(known) * 2 < len(values):
        return None, None
    low, high = known.quantile(torch.tensor([0.025, 0.975], dtype=known.dtype)).tolist()
    return low, high
