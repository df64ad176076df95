"""From numbers to keys: little-endian strings with a character for each classical bit."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.circuits.program import Bits, Integers


def keys_of(outcomes: Integers, columns: Sequence[int]) -> list[str]:
    """Keys of as many characters as `columns`: clbit i reads bit columns[i] of an outcome, -1 reads 0."""
    bits = np.zeros((len(outcomes), len(columns)), dtype=np.uint8)
    for clbit, column in enumerate(columns):
        if column >= 0:
            bits[:, clbit] = (outcomes >> column) & 1
    return keys_of_bits(bits)


def keys_of_bits(bits: Bits) -> list[str]:
    """bits: (outcomes, clbits), each 0 or 1."""
    count, width = bits.shape
    if not width:
        return [""] * count
    characters = np.ascontiguousarray(bits[:, ::-1]).astype(np.uint32) + ord("0")  # as numpy keeps a string
    keys: list[str] = characters.view(f"U{width}").ravel().tolist()
    return keys


def counts_of(outcomes: Integers, frequencies: NDArray[np.int64], columns: Sequence[int]) -> dict[str, int]:
    """Counts by key; outcomes that differ in no clbit are one."""
    return dict(zip(keys_of(outcomes, columns), frequencies.tolist(), strict=True))
