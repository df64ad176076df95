"""The npy format of numpy, whose headers' claims are checked before memory is taken."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from qstill.contract.tables.bounds import Unreadable
from workers.distillation.data.files.table import MAX_VALUES
from workers.distillation.stored.pages import BLOCK_BYTES, Array
from workers.distillation.stored.shelf import MOST_BYTES, ArrayLayout


@dataclass(frozen=True)
class NpyHeader:
    """What an array says of itself. what: its name for people. fortran: column by column. begin: of its bytes."""

    what: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    begin: int

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def layout(self) -> ArrayLayout:
        return ArrayLayout(self.shape, self.dtype)

    def held(self, stream: IO[bytes]) -> Array:
        """The array in memory. stream: behind the header. Raises Unreadable."""
        if self.count > MAX_VALUES:
            raise Unreadable(f"{self.what} has shape {self.shape}: more than {MAX_VALUES} values.")
        values = np.frombuffer(self._exactly(stream, self.layout.bytes), dtype=self.dtype)
        return values.reshape(self.shape, order="F" if self.fortran else "C")

    def blocks(self, stream: IO[bytes]) -> Iterator[Array]:
        """Its rows, some at a time. Raises Unreadable."""
        row = self.layout.bytes // self.shape[0]
        at_once = max(1, BLOCK_BYTES // max(1, row))
        for first in range(0, self.shape[0], at_once):
            count = min(at_once, self.shape[0] - first)
            values = np.frombuffer(self._exactly(stream, count * row), dtype=self.dtype)
            yield values.reshape(count, *self.shape[1:])

    def _exactly(self, stream: IO[bytes], size: int) -> bytes:
        content = stream.read(size)
        if len(content) != size:
            raise Unreadable(f"{self.what} is truncated.")
        return content


def read_header(stream: IO[bytes], size: int, what: str) -> NpyHeader:
    """Of one npy array of `size` bytes with its header. Raises Unreadable."""
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise Unreadable(f"{what} is of an npy version that is not read here; 1.0 and 2.0 are.")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except Unreadable:
        raise
    except Exception as error:  # a header is Python's own notation, and its tokenizer and parser raise what they like
        raise Unreadable(f"{what} is not a readable npy array.") from error
    if dtype.hasobject or dtype.kind not in "biuf":
        raise Unreadable(f"{what} holds {dtype.name} values; only numbers are read.")
    header = NpyHeader(what, shape, dtype, fortran, stream.tell())
    if header.layout.bytes > MOST_BYTES or len(shape) > 4 or header.layout.bytes != size - header.begin:
        raise Unreadable(f"{what} declares shape {shape}, which does not fit its {size} bytes or the limits here.")
    return header


def read_npy(path: Path) -> Array:
    """The array of an npy file, in memory. Raises Unreadable."""
    with path.open("rb") as stream:
        return read_header(stream, path.stat().st_size, "The file").held(stream)
