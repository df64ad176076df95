"""How entangled a circuit can be at most: what its gates add to each bond between the qubits, set in a row."""

from collections import defaultdict
from collections.abc import Collection
from itertools import accumulate


class BondDimension:
    """A bound of the largest bond dimension, in bits: gates as they come, then the bond that most of them cross."""

    def __init__(self) -> None:
        self._changes: defaultdict[int, int] = defaultdict(int)

    def add(self, places: Collection[int], bits: int) -> None:
        """A gate on these places in the row. 2 to the power of bits bounds its operator Schmidt rank."""
        self._changes[min(places)] += bits
        self._changes[max(places)] -= bits

    def bits(self) -> int:
        """Those of all gates across the most crossed bond: 2 to its power bounds the bond dimension."""
        return max(accumulate(change for _, change in sorted(self._changes.items())), default=0)
