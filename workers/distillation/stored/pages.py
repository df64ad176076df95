"""Arrays that stay in a file and are mapped from there, and what the kernel is told of the pages that come next.

Mapped pages are no memory of the process: the kernel has them in its cache, and takes them back when it needs room.
"""

import math
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 8 << 20  # of rows that are looked at together where all are looked at one after the other
DENSE = 0.5  # of a range: so many of its rows are wanted that the range is read as a whole

Array = NDArray[Any]


def mapped(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], *, offset: int = 0, order: str = "C") -> Array:
    """An array in a file, to be read only. What is next to a page is not read along with it: see `expect`."""
    array = np.memmap(path, dtype, mode="r", offset=offset, shape=shape, order="F" if order == "F" else "C")
    _map_of(array).madvise(mmap.MADV_RANDOM)
    return array


def expect(source: Array, rows: NDArray[np.int64]) -> None:
    """Have the pages of some rows read side by side, and none beyond them; nothing is done for arrays in memory."""
    size = math.prod(source.shape[1:]) * source.itemsize
    if not isinstance(source, np.memmap) or not len(rows) or source.strides[0] != size:
        return
    pages = _map_of(source)
    begin = _address(source) - _address(np.frombuffer(pages, np.uint8))
    first, last = int(rows.min()), int(rows.max())
    if len(rows) >= DENSE * (last - first + 1):
        _will_need(pages, begin + first * size, (last - first + 1) * size)
        return
    for row in rows.tolist():
        _will_need(pages, begin + row * size, size)


def row_blocks(x: Array, size: int = BLOCK_BYTES) -> Iterator[tuple[int, Array]]:
    """(number of the first row, some rows) of about so many bytes, one block after the other."""
    at_once = max(1, size // max(1, math.prod(x.shape[1:]) * x.itemsize))
    for first in range(0, len(x), at_once):
        expect(x, np.arange(first, min(first + at_once, len(x))))
        yield first, x[first : first + at_once]


def _map_of(array: Array) -> mmap.mmap:
    """What an array that was mapped, or a view of it, lies in."""
    base: Any = array
    while not isinstance(base, mmap.mmap):
        base = base.base
    return base


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def _will_need(pages: mmap.mmap, begin: int, size: int) -> None:
    start = begin - begin % mmap.PAGESIZE
    pages.madvise(mmap.MADV_WILLNEED, start, begin + size - start)
