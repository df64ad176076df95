"""The sparsity at which a pruned network just fits: looked for by the lengths of files, before anything is trained.

How long a file gets depends on which weights are 0, not on what the others are: files with random weights tell.
"""

from collections.abc import Callable

from workers.distillation.networks.network import Network

MAGNITUDE_STEPS = 1000  # a tenth of a percent
ROOM = 0.99  # of the bytes that there are: trained weights and their scales round otherwise than random ones
MOST = 0.999  # sparser than this a network is hardly one


def least_that_fits(length: Callable[[float], int], steps: int, limit: int) -> float | None:
    """The smallest multiple of 1/steps whose file is not longer than `limit`, or None where even the last one is.

    length: of a file by its sparsity; it does not grow.
    """
    low, high = 0, int(MOST * steps)  # of which `high` fits, and nothing below `low` does
    if length(high / steps) > limit:
        return None
    while low < high:
        middle = (low + high) // 2
        if length(middle / steps) <= limit:
            high = middle
        else:
            low = middle + 1
    return high / steps


def steps_of(network: Network, kind: str) -> int:
    """In how many steps it can be pruned: the units of its widest layer, or as fine as is worth telling apart."""
    return max(joint.units for joint in network.joints()) if kind == "structured" else MAGNITUDE_STEPS
