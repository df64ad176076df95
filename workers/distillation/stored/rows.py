"""Inputs that are read when they are picked: a tensor whose rows stay in a file, in the bytes that they came in.

    x = StoredRows(pixels, numbers, (scaled, standardise))   # pixels: (all rows, 3, 32, 32), uint8, mapped
    x.index_select(0, positions)                           # those rows, read and standardised: an ordinary tensor

Whoever picks rows need not know which of both tensors it has. What is done to all rows reads all of them, which is
refused where they are many: a tensor subclass (pytorch.org/docs/stable/notes/extending.html) hears of everything.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._pytree import tree_map_only

from qstill.contract.errors import Problem
from workers.distillation.stored.pages import Array, expect

MOST_AT_ONCE = 1 << 30  # bytes of rows that are read where all are wanted: more would be the memory of a job

PIECE_VALUES = 1 << 18  # that are standardised together, 2 MB in double precision: about a processor's cache
Step = Callable[[Tensor], Tensor]

CPU = torch.device("cpu")
NUMBERS = {torch.float32: np.float32, torch.int64: np.int64}
DESCRIBE = {Tensor.dim, Tensor.size, Tensor.numel, Tensor.is_floating_point, Tensor.element_size, Tensor.__len__}


class StoredRows(Tensor):
    """(rows, ...), float32 or int64. source: (rows of the data set, ...). numbers: which of them, in what order.

    steps: what is done to rows that were read, one after the other; each works row by row. row: the shape that they
    leave a row in; None: the source's. place: where rows go once they are read.
    """

    source: Array
    numbers: NDArray[np.int64]
    steps: tuple[Step, ...]
    place: torch.device

    @staticmethod
    def __new__(
        cls,
        source: Array,
        numbers: NDArray[np.int64],
        steps: Sequence[Step] = (),
        *,
        dtype: torch.dtype = torch.float32,
        row: tuple[int, ...] | None = None,
        place: torch.device = CPU,
    ) -> "StoredRows":
        shape = (len(numbers), *(source.shape[1:] if row is None else row))
        made: StoredRows = torch.Tensor._make_wrapper_subclass(cls, shape, dtype=dtype)
        made.source, made.numbers, made.steps, made.place = source, numbers, tuple(steps), place
        return made

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """What describes the tensor is known; for anything else all rows are read."""
        if func in DESCRIBE or getattr(func, "__name__", "") == "__get__":
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **kwargs or {})
        return func(*tree_map_only(cls, cls.whole, args), **tree_map_only(cls, cls.whole, kwargs or {}))

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """There are no numbers to compute with before rows are read, of which `__torch_function__` takes care."""
        raise NotImplementedError(f"{func} of rows that were not read")

    def __getitem__(self, rows: Any) -> Tensor:
        """Rows by a slice, a number or positions, and what is wanted of each; they are read."""
        first, rest = (rows[0], rows[1:]) if isinstance(rows, tuple) else (rows, ())
        if isinstance(first, int):
            return self._read(self.numbers[[first]])[(0, *rest)]
        chosen = first.cpu().numpy() if isinstance(first, Tensor) else first
        picked = self._read(self.numbers[chosen])
        return picked[(slice(None), *rest)] if rest else picked

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """Rows by their positions; they are read."""
        assert dim == 0
        return self._read(self.numbers[index.cpu().numpy()])

    def to(self, place: torch.device) -> "StoredRows":  # type: ignore[override]
        """The same rows, which go to a device once they are read."""
        return self._other(place=place)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """(rows, numbers), still stored, where rows stay rows."""
        if (start_dim, end_dim) != (1, -1):
            return self.whole().flatten(start_dim, end_dim)
        return self._other(steps=(*self.steps, _flat), row=(math.prod(self.shape[1:]),))

    def some(self, positions: Tensor) -> "StoredRows":
        """Some of the rows, none of which is read."""
        return self._other(numbers=self.numbers[positions.numpy()])

    def then(self, step: Step) -> "StoredRows":
        """The rows with something more done to each that is read; it leaves their shape as it is."""
        return self._other(steps=(*self.steps, step))

    def whole(self) -> Tensor:
        """All rows, read. Raises Problem out_of_memory where they are too many."""
        self.refuse_large("A part of this job", "/dataset")
        return self._read(self.numbers)

    def refuse_large(self, what: str, pointer: str) -> None:
        """Raise Problem out_of_memory for something that takes all rows at once, where they are too many."""
        size = self.numel() * self.element_size()
        if size > MOST_AT_ONCE:
            title = f"{what} takes all rows at once, {size >> 20:,} MiB; at most {MOST_AT_ONCE >> 20:,} are held."
            raise Problem("out_of_memory", title, pointer=pointer, ways_out=[{"training": {"augmentation": None}}])

    def _other(self, **changed: Any) -> "StoredRows":
        kept: dict[str, Any] = {name: getattr(self, name) for name in ("source", "numbers", "steps", "place")}
        return StoredRows(**kept | {"dtype": self.dtype, "row": tuple(self.shape[1:])} | changed)

    def _read(self, rows: NDArray[np.int64]) -> Tensor:
        """Rows by their numbers in the source."""
        expect(self.source, rows)
        at_once = max(1, PIECE_VALUES // max(1, math.prod(self.source.shape[1:])))
        if len(rows) <= at_once:
            return self._made(rows).to(self.place)
        made = torch.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        for first in range(0, len(rows), at_once):
            made[first : first + at_once] = self._made(rows[first : first + at_once])
        return made.to(self.place)

    def _made(self, rows: NDArray[np.int64]) -> Tensor:
        """The same of few rows."""
        read = torch.from_numpy(np.require(self.source[rows], NUMBERS[self.dtype], ["C", "W"]))
        for step in self.steps:
            read = step(read)
        return read


def blocks_of(x: Tensor, at_once: int) -> Iterator[Tensor]:
    """Rows (at most `at_once`, ...) of a tensor, in its order; of a stored one each block is read as it comes."""
    return (x[first : first + at_once] for first in range(0, len(x), at_once))


def scaled(rows: Tensor) -> Tensor:
    """Bytes of images as numbers from 0 to 1, float32."""
    return rows / 255


def picked(x: Tensor, positions: Tensor) -> Tensor:
    """Rows by their positions, which stay stored if they are."""
    return x.some(positions) if isinstance(x, StoredRows) else x[positions]


def _flat(rows: Tensor) -> Tensor:
    return rows.flatten(1)
