"""Where the arrays of a data set are kept that are larger than what a job holds in memory.

What is unpacked or decoded is written once, a block at a time, into the folder that the jobs of a machine share, under
the digest of the upload; where that has no room, into a file of this job that has no name, so that nothing is left of
it, however the process ends.
"""

import math
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np

from qstill.contract.errors import Problem
from workers.distillation.signals.answers_on_disk import Block, Cache
from workers.distillation.stored.pages import BLOCK_BYTES, Array, mapped
from workers.run import Run, Stopped

HELD_VALUES = 60_000_000  # of a data set; up to here its numbers are in memory, 240 MB: MNIST has 55 million
MOST_BYTES = 16 << 30  # of a data set as it is kept in files


@dataclass(frozen=True)
class ArrayLayout:
    """An array of numbers in row order."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def rows(self) -> int:
        return self.shape[0]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def header(self) -> dict[str, Any]:
        return {"shape": list(self.shape), "dtype": self.dtype.str}

    def mapped(self, path: Path, offset: int) -> Array:
        return mapped(path, self.shape, self.dtype, offset=offset)


@dataclass(frozen=True)
class Shelf:
    """folder: of the job. cache: shared by jobs. pause: called while another job writes the same; may raise.

    held: so many values are held in memory.
    """

    folder: Path | None = None
    cache: Cache | None = None
    pause: Callable[[], None] = lambda: None
    held: int = HELD_VALUES

    def holds(self, values: int) -> bool:
        """Whether an array of so many values is held in memory."""
        return values <= self.held

    def array(self, key: str, layout: ArrayLayout, blocks: Callable[[], Iterable[Array]]) -> Array:
        """An array that blocks make, one after the other along its first side. key: hexadecimal, names what it is.

        Raises Problem dataset_too_large, and what `blocks` does.
        """
        if layout.bytes > MOST_BYTES:
            raise _too_large(f"The data takes {layout.bytes >> 20:,} MiB; at most {MOST_BYTES >> 20:,} are kept.")
        name = sha256(f"{key}/{layout.header()}".encode()).hexdigest()

        def compute(_: int) -> Iterable[Block]:
            return map(Block, _in_pieces(blocks(), layout))

        cache, pause = self.cache, self.pause
        kept = None if cache is None else cache.kept(name, layout, compute, pause, goes_on=False)
        return self._unnamed(layout, blocks) if kept is None else kept.records

    def _unnamed(self, layout: ArrayLayout, blocks: Callable[[], Iterable[Array]]) -> Array:
        free = shutil.disk_usage(self.folder or tempfile.gettempdir()).free
        if layout.bytes > free:
            raise _too_large(f"The data takes {layout.bytes >> 20:,} MiB on the disk, which has {free >> 20:,} left.")
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            for piece in _in_pieces(blocks(), layout):
                file.write(piece.data)
            file.flush()
            return layout.mapped(Path(file.name), 0)  # which keeps the bytes when the name goes


IN_MEMORY = Shelf()


def shelf_of(run: Run) -> Shelf:
    """Of a job."""

    def pause() -> None:
        if run.stop_requested():
            raise Stopped

    try:
        cache = None if run.cache is None else Cache(run.cache, run.cache_bytes)
    except OSError:  # a disk that is full or may not be written
        cache = None
    return Shelf(run.scratch, cache, pause, HELD_VALUES)


def _in_pieces(blocks: Iterable[Array], layout: ArrayLayout) -> Iterator[Array]:
    """Blocks as the layout has them; small ones, single images say, in pieces that are worth writing."""
    waiting: list[Array] = []
    for block in blocks:
        waiting.append(block)
        if len(waiting) * block.nbytes >= BLOCK_BYTES:
            yield np.concatenate(waiting, dtype=layout.dtype, casting="unsafe")
            waiting.clear()
    if waiting:
        yield np.concatenate(waiting, dtype=layout.dtype, casting="unsafe")


def digest_of_file(path: Path) -> str:
    """Of an upload's bytes."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _too_large(title: str) -> Problem:
    ways_out = [{"image": {"size": [64, 64]}}]
    return Problem("dataset_too_large", title, pointer="/dataset", ways_out=ways_out)
