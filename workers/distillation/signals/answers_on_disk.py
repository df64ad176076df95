"""Teachers' answers on disk: one file of records for each key, mapped into memory, shared by the jobs of a machine.

A file is written aside and renamed when it is whole, so that a process may be killed at any moment; whoever comes next
goes on behind the last block that was written. What is read is checked, and a file that is not what it claims is
removed and computed again. Any number of processes may share a folder: one of them computes an entry while the others
wait for it, and a process that dies lets go of its turn.

    magic, 8 bytes · header length, 4 · header, JSON · zeros up to a multiple of 64 · records · trailer, 12 bytes

and, until it is whole, how far it is, 16 bytes.
"""

import contextlib
import fcntl
import json
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from qstill.contract.errors import Problem

MAGIC = b"QSTILLS1"
ALIGNMENT = 64  # bytes: any number type may be mapped from there
TRAILER = struct.Struct("<dI")  # the largest rounding error, and the CRC-32 of the records
MAX_HEADER = 10_000  # bytes; ours have 200
STALE_SECONDS = 3600.0  # a file that nobody finished for so long has no writer any more
PAUSE_SECONDS = 0.05  # between looks at whether another process is done
DONE = struct.Struct("<QQ")  # blocks and records that are written
SUFFIX = ".signal"
CHUNK = 1 << 20  # bytes that are read at once
SLACK = 1e-3  # of the limit: so much more, about, is used before somebody looks
MAX_IN_MEMORY = 2 << 30  # bytes of answers that find no place on the disk

Records = NDArray[Any]


class Kept(Protocol):
    """What an entry holds: rows, one record each. bytes: of all, which `mapped` finds in a file from an offset on."""

    @property
    def rows(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    def header(self) -> dict[str, Any]:
        """JSON that no other layout has."""

    def mapped(self, path: Path, offset: int) -> Records: ...


@dataclass(frozen=True)
class Layout:
    """What an entry holds: `rows` records, each of `classes` values, or of `kept` values and their classes."""

    rows: int
    classes: int
    precision: Literal["float32", "float16"] = "float32"
    kept: int | None = None

    @property
    def record(self) -> np.dtype[Any]:
        """Of one row."""
        number = np.dtype(self.precision).newbyteorder("<")
        if self.kept is None:
            return np.dtype((number, (self.classes,)))
        index = "<i2" if self.classes <= np.iinfo(np.int16).max else "<i4"
        return np.dtype([("values", number, (self.kept,)), ("indices", index, (self.kept,))], align=True)

    @property
    def bytes(self) -> int:
        return self.rows * self.record.itemsize

    def header(self) -> dict[str, Any]:
        return asdict(self)

    def mapped(self, path: Path, offset: int) -> Records:
        """To copy on write: torch wants memory that may be written, and pages that nobody writes stay shared."""
        raw = np.memmap(path, np.uint8, mode="c", offset=offset, shape=(self.bytes,))
        record = self.record
        return raw.view(record) if record.subdtype is None else raw.view(record.base).reshape(self.rows, self.classes)


@dataclass(frozen=True)
class Entry:
    """records: as the layout maps them. error: the largest that rounding made.

    reused: whether it was there already.
    """

    records: Records
    error: float
    reused: bool


@dataclass(frozen=True)
class Block:
    """Some consecutive records, and the largest error that rounding made in them."""

    records: Records
    error: float = 0.0


Compute = Callable[[int], Iterable[Block]]  # all blocks but the first so many


class Cache:
    """A folder of entries. limit: bytes of all of them; the ones that were not used for longest give way."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def entry(
        self, key: str, layout: Layout, compute: Compute, pause: Callable[[], None], *, goes_on: bool = True
    ) -> Entry:
        """A teacher's answers as `kept` has them; in memory where there is no room: a full disk costs the next job its
        time, not this one its answers.
        """
        return self.kept(key, layout, compute, pause, goes_on=goes_on) or in_memory(layout, compute)

    def kept(
        self, key: str, layout: Kept, compute: Compute, pause: Callable[[], None], *, goes_on: bool = True
    ) -> Entry | None:
        """The entry of a key (hexadecimal digits), computed if it is not there; None where there is no room for it.

        pause: called while another process computes it; may raise. goes_on: whether later blocks are the same without
        the earlier ones.
        """
        with self._turn(key, pause):
            found = self._find(key, layout)
            if found is not None:
                return found
            try:
                self._write(key, layout, compute, goes_on)
            except OSError:
                return None
            return self._find(key, layout, reused=False)

    def bytes(self) -> int:
        """Of all entries."""
        return sum(size for _, size, _ in self._entries())

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    @contextlib.contextmanager
    def _turn(self, key: str, pause: Callable[[], None]) -> Iterator[None]:
        """Hold the lock of a key: one byte of one file, which the kernel takes back from a process that dies."""
        byte = int(key[:15], 16)
        with (self.folder / "turns").open("a+b") as turns:
            while True:
                try:
                    fcntl.lockf(turns, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
                    break
                except (BlockingIOError, PermissionError):
                    pause()
                    time.sleep(PAUSE_SECONDS)
            yield

    def _find(self, key: str, layout: Kept, *, reused: bool = True) -> Entry | None:
        """The entry if it is whole; one that is not is removed."""
        path = self._path(key)
        try:
            found = _read(path, layout)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            path.unlink(missing_ok=True)
            return None
        return Entry(*found, reused)

    def _write(self, key: str, layout: Kept, compute: Compute, goes_on: bool) -> None:
        """Raises OSError when there is no room on the disk or under the limit; nothing stays then."""
        if layout.bytes > self.limit:
            raise OSError("larger than the whole cache")
        if self._due(key, layout.bytes):
            self._make_room(layout.bytes)
        partial = self.folder / f"{key}.partial"
        if not goes_on:
            partial.unlink(missing_ok=True)
        try:
            with partial.open("r+b" if partial.exists() else "x+b") as file:
                _write(file, layout, compute)
            partial.replace(self._path(key))
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def _due(self, key: str, size: int) -> bool:
        """Whether to look for room. Looking at thousands of small entries before each new one would cost more than they
        do: a share of the keys, in proportion to the size, has its turn, and little more than the limit is ever used.
        """
        return int(key[:8], 16) / 0xFFFFFFFF <= size / (self.limit * SLACK)

    def _make_room(self, needed: int) -> None:
        """Remove what was not used for longest, and what a killed process left behind."""
        for path in self.folder.glob("*.partial"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > STALE_SECONDS:
                    path.unlink()
        entries = sorted(self._entries())
        total = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if total + needed <= self.limit:
                break
            path.unlink(missing_ok=True)  # who has it mapped keeps it until the end
            total -= size

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """(last use, bytes, path) of each."""
        for path in self.folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                yield stat.st_mtime, stat.st_size, path


def in_memory(layout: Layout, compute: Compute) -> Entry:
    """The entry of a job that keeps nothing for others. Raises Problem signal_too_large."""
    if layout.bytes > MAX_IN_MEMORY:
        title = f"The teacher's answers take {layout.bytes >> 20:,} MiB, more than the cache has; in memory at most "
        ways_out: list[dict[str, Any]] = [{"top_k": 32}, {"precision": "float16"}]
        raise Problem(
            "signal_too_large", f"{title}{MAX_IN_MEMORY >> 20:,} are held.", pointer="/signal", ways_out=ways_out
        )
    records, error, end = np.empty(layout.rows, layout.record), 0.0, 0
    for block in compute(0):
        records[end : end + len(block.records)] = block.records
        error, end = max(error, block.error), end + len(block.records)
    return Entry(records, error, reused=False)


def _write(file: BinaryIO, layout: Kept, compute: Compute) -> None:
    """Write an entry, or what it lacks. Each block is there before it is counted."""
    header = json.dumps(layout.header()).encode()
    start = MAGIC + struct.pack("<I", len(header)) + header
    start += bytes(-len(start) % ALIGNMENT)
    end = len(start) + layout.bytes
    blocks, records, error, checksum = _done(file, start, layout)
    if blocks == 0:
        file.seek(0)
        file.truncate()
        file.write(start)
    file.seek(len(start) + records * (layout.bytes // layout.rows))
    for block in compute(blocks):
        content = np.ascontiguousarray(block.records).tobytes()
        checksum, error = zlib.crc32(content, checksum), max(error, block.error)
        blocks, records = blocks + 1, records + len(block.records)
        file.write(content)
        file.flush()
        here = file.tell()
        file.seek(end)
        file.write(TRAILER.pack(error, checksum) + DONE.pack(blocks, records))
        file.flush()
        file.seek(here)
    file.seek(end)
    file.write(TRAILER.pack(error, checksum))
    file.truncate()


def _done(file: BinaryIO, start: bytes, layout: Kept) -> tuple[int, int, float, int]:
    """(blocks, records, largest error, checksum) that another process left; of nothing that can be believed, zeros."""
    nothing = (0, 0, 0.0, 0)
    end = len(start) + layout.bytes
    if file.seek(0, os.SEEK_END) != end + TRAILER.size + DONE.size:
        return nothing
    file.seek(end)
    error, checksum = TRAILER.unpack(file.read(TRAILER.size))
    blocks, records = DONE.unpack(file.read(DONE.size))
    file.seek(0)
    if records > layout.rows or file.read(len(start)) != start:
        return nothing
    found, left = 0, records * (layout.bytes // layout.rows)
    while left and (part := file.read(min(left, 1 << 24))):
        found, left = zlib.crc32(part, found), left - len(part)
    return (blocks, records, error, checksum) if found == checksum and not left else nothing


def _read(path: Path, layout: Kept) -> tuple[Records, float]:
    """(records, largest error). Raises ValueError for a file that is not a whole entry of this layout."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC) + 4)
        length = int.from_bytes(start[len(MAGIC) :], "little")
        if start[: len(MAGIC)] != MAGIC or length > MAX_HEADER or json.loads(file.read(length)) != layout.header():
            raise ValueError("another layout")
        offset = file.tell() + -file.tell() % ALIGNMENT
        if file.seek(0, os.SEEK_END) != offset + layout.bytes + TRAILER.size:
            raise ValueError("cut off")
        file.seek(-TRAILER.size, os.SEEK_END)
        error, checksum = TRAILER.unpack(file.read(TRAILER.size))
        if _checksum(file, offset, layout.bytes) != checksum:
            raise ValueError("damaged")
    return layout.mapped(path, offset), error


def _checksum(file: BinaryIO, offset: int, size: int) -> int:
    """CRC-32 of a part of a file, which is read and not mapped: pages that were looked at would count as the job's."""
    file.seek(offset)
    checksum = 0
    for left in range(size, 0, -CHUNK):
        checksum = zlib.crc32(file.read(min(left, CHUNK)), checksum)
    return checksum
