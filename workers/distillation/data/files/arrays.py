"""Reading uploaded arrays and tables: bounded, never unpickling, and exact about what is wrong where."""

import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qstill.contract.distillations.datasets import MAX_TARGETS, UploadedData, has_several_labels, is_regression
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import MAX_BYTES, Unreadable
from qstill.contract.tables.lines import is_gzip, start_of
from workers.distillation.data.files.archives import is_litter
from workers.distillation.data.files.csv_table import counting, read_csv
from workers.distillation.data.files.labels import with_targets
from workers.distillation.data.files.npy import NpyHeader, read_header
from workers.distillation.data.files.several_labels import checked, of_array
from workers.distillation.data.files.table import (
    MAX_ROWS,
    TEST,
    TRAIN,
    VALIDATION,
    Array,
    ReadingNote,
    Table,
    refuse_infinite,
    said_of_missing,
    with_classes,
)
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.stored.pages import mapped, row_blocks
from workers.distillation.stored.shelf import IN_MEMORY, MOST_BYTES, ArrayLayout, Shelf, digest_of_file
from workers.distillation.tables.read import frame_table
from workers.distillation.tables.sheet import ARROW, PARQUET, sheet_of_arrow

FEW_CHANNELS = (1, 3, 4)  # of images: grey, RGB, RGB with transparency
PARTS = {
    "train": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
}  # x_train, x_val, x_test


def read_table(path: Path, spec: UploadedData, shelf: Shelf = IN_MEMORY) -> Table:
    """An uploaded npz, csv, parquet or Arrow file.

    Raises Unreadable, and Problem dataset_invalid for a column that is not there.
    """
    if not zipfile.is_zipfile(path):
        start = start_of(path)
        if start.startswith((PARQUET, ARROW)):
            return frame_table(sheet_of_arrow(path, start), spec)
        _refuse_texts(path, start)
        return read_csv(path, spec)
    arrays = _one_of_each(path, read_npz(path, shelf), shelf)
    if has_several_labels(spec):
        return _several_labels(arrays, spec.targets)
    return _numbers_to_predict(arrays) if is_regression(spec) else _table_of(arrays)


def is_npz(path: Path) -> bool:
    """Whether the members of a zip are arrays; if its directory cannot be read, that is for `read_npz` to tell."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return True
    return not names or any(name.endswith(".npy") and "/" not in name and not is_litter([name]) for name in names)


def read_npz(path: Path, shelf: Shelf | None = None) -> dict[str, Array]:
    """The arrays of an npz archive, by name. shelf: for those that are larger than what is held in memory, which are
    mapped from the archive where it is not compressed; None: they are refused. Raises Unreadable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if not is_litter(each.filename.split("/"))]
            arrays, held = {}, 0
            for member in members:
                name = member.filename.removesuffix(".npy")
                with archive.open(member) as stream:
                    found = read_header(stream, member.file_size, f"Array {name[:100]!r}")
                    if shelf is not None and not shelf.holds(found.count):
                        arrays[name] = _on_shelf(path, archive, member, found, shelf)
                        continue
                    held += member.file_size
                    if held > MAX_BYTES:
                        raise Unreadable(f"The archive unpacks to {held} bytes; at most {MAX_BYTES} are allowed.")
                    arrays[name] = found.held(stream)
            return arrays
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Unreadable("The file is not a readable npz archive.") from error


def _on_shelf(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, header: NpyHeader, shelf: Shelf) -> Array:
    """An array that is not held in memory."""
    if header.fortran:
        raise Unreadable(f"{header.what} is stored column by column: save np.ascontiguousarray of it.")
    if member.compress_type == zipfile.ZIP_STORED:
        return mapped(path, header.shape, header.dtype, offset=_place(path, member) + header.begin)

    def blocks() -> Iterator[Array]:
        with archive.open(member) as stream:
            stream.read(header.begin)
            yield from header.blocks(stream)

    return shelf.array(f"{digest_of_file(path)}/{member.filename}", header.layout, blocks)


def _place(path: Path, member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin: behind its local header, a name and an extra field of their own lengths."""
    with path.open("rb") as file:
        file.seek(member.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
        return int(member.header_offset + 30 + name + extra)


@dataclass(frozen=True)
class _Arrays:
    """x, y: as they are in the file. parts: of each row, where the file divides them. notes: how they were found."""

    x: Array
    y: Array
    parts: NDArray[np.int8] | None = None
    notes: tuple[ReadingNote, ...] = ()


def _one_of_each(path: Path, arrays: dict[str, Array], shelf: Shelf) -> _Arrays:
    """x and y; of an archive as Keras has them those of its parts, one after the other. Raises Unreadable."""
    named = {name.lower(): array for name, array in arrays.items()}
    if set(named) == {"x", "y"} and len(arrays) == 2:
        return _Arrays(named["x"], named["y"])
    found = [(name, part) for name, part in PARTS.items() if f"x_{name}" in named]
    wanted = {f"{letter}_{name}" for name, _ in found for letter in "xy"}
    if not found or found[0][1] != TRAIN or set(named) != wanted or len(arrays) != len(wanted):
        raise Unreadable(
            f"The archive holds {sorted(arrays)[:10]}; it must hold the arrays x and y, or x_train, y_train, x_test "
            "and y_test."
        )
    xs, ys = ([named[f"{letter}_{name}"] for name, _ in found] for letter in "xy")
    for (name, _), x, y in zip(found, xs, ys, strict=True):
        if not x.ndim or not y.ndim or len(x) != len(y):
            raise Unreadable(f"x_{name} has shape {x.shape} and y_{name} {y.shape}: not as many rows.")
        if x.shape[1:] != xs[0].shape[1:] or y.shape[1:] != ys[0].shape[1:]:
            raise Unreadable(
                f"x_{name} and y_{name} have shapes {x.shape} and {y.shape}; the rows of x_train and y_train are of "
                f"{xs[0].shape[1:]} and {ys[0].shape[1:]}."
            )
    parts = np.concatenate([np.full(len(x), part, dtype=np.int8) for (_, part), x in zip(found, xs, strict=True)])
    counts = ", ".join(f"{len(x)} in x_{name}" for (name, _), x in zip(found, xs, strict=True))
    own = ReadingNote("own_split", f"The file divides its rows itself, and so they were divided: {counts}.")
    x, channels = _channels_first(_joined(path, xs, shelf))
    return _Arrays(x, np.concatenate(ys), parts if len(found) > 1 else None, (own, *channels))


def _joined(path: Path, xs: list[Array], shelf: Shelf) -> Array:
    """The rows of several arrays, one after the other; mapped where they are many."""
    if shelf.holds(sum(x.size for x in xs)):
        return np.concatenate(xs)
    layout = ArrayLayout((sum(map(len, xs)), *xs[0].shape[1:]), np.result_type(*xs))
    blocks = lambda: (block for x in xs for _, block in row_blocks(x))  # noqa: E731
    return shelf.array(f"{digest_of_file(path)}/joined", layout, blocks)


def _channels_first(x: Array) -> tuple[Array, list[ReadingNote]]:
    """Images as Keras keeps them, whose last axis are the channels, as networks here take them."""
    if x.ndim != 4 or not _looks_channels_last(x.shape):
        return x, []
    said = f"Images of shape {x.shape[1:]} were taken for (height, width, channels), and turned to channels first."
    return x.transpose(0, 3, 1, 2), [ReadingNote("channels_last", said)]


def _inputs_of(arrays: _Arrays, *, columns: bool) -> Array:
    """x, if it fits y. columns: whether y may have several."""
    x, y = arrays.x, arrays.y
    if x.ndim < 2 or y.shape[:1] != x.shape[:1] or y.ndim > 2 or (y.ndim == 2 and y.shape[1] != 1 and not columns):
        needed = "(rows,) or (rows, targets)" if columns else "(rows,) or (rows, 1)"
        hint = (
            " Of rows with a 1 at their class, give y.argmax(1); with several, ask for `task` multi_label."
            if y.ndim == 2 and not columns
            else ""
        )
        raise Unreadable(
            f"x has shape {x.shape} and y {y.shape}; needed are (rows, features or image) and {needed}.{hint}"
        )
    if x.size == 0 or len(x) > MAX_ROWS or x.nbytes > MOST_BYTES:
        raise Unreadable(
            f"x has shape {x.shape}; between 1 and {MAX_ROWS} rows with at least one feature, and at most {MOST_BYTES} "
            "bytes are read."
        )
    if x.ndim == 3:
        x = x[:, None]
    if x.ndim == 4 and _looks_channels_last(x.shape):
        _, first, second, last = x.shape
        raise Unreadable(
            f"x has shape {x.shape}, whose last axis looks like channels: give (rows, channels, height, width), as by "
            f"x.transpose(0, 3, 1, 2). If these are {first} channels of {second} x {last} pixels, swap their sides."
        )
    refuse_infinite(x, [f"feature {i}" for i in range(math.prod(x.shape[1:]))])
    return x


def _looks_channels_last(shape: tuple[int, ...]) -> bool:
    """Whether images are as most libraries but PyTorch keep them: read the other way round they are noise."""
    _, first, second, last = shape
    return last in FEW_CHANNELS and min(first, second) > max(FEW_CHANNELS)


def _counted(x: Array) -> list[ReadingNote]:
    return [*counting(x, [f"Feature {i}" for i in range(x.shape[1])])] if x.ndim == 2 else []


def _table_of(arrays: _Arrays) -> Table:
    x = _inputs_of(arrays, columns=False)
    y = arrays.y.reshape(len(x))
    marked, missing = y == UNKNOWN, np.isnan(y)  # whole numbers of which some are missing are floats in pandas
    nothing = marked | missing
    wrong = np.flatnonzero(~nothing & (~np.isfinite(y) | (y != np.trunc(y)) | (y < 0)))
    if len(wrong):
        raise Unreadable(
            f"Label {y[wrong[0]]} of row {wrong[0]} is not a class: integers from 0, or -1 or NaN where unknown. Real "
            "numbers are predicted with `task` regression."
        )
    values, unknown = np.unique(y[~nothing]), int(nothing.sum())
    codes = np.where(nothing, UNKNOWN, np.searchsorted(values, y)).astype(np.int64)
    written = [name for name, rows in (("-1", marked), ("NaN", missing)) if rows.any()]
    notes = [
        *arrays.notes,
        *_counted(x),
        *([said_of_missing(unknown, len(y), written)] if unknown else []),
    ]
    hint = " -1 stands for an unknown label: number the classes from 0." if marked.any() else ""
    table = with_classes(x, codes, [str(int(value)) for value in values], tuple(notes), hint=hint)
    return replace(table, parts=arrays.parts)


def _several_labels(arrays: _Arrays, names: list[str] | None) -> Table:
    """names: of the columns of y; None: numbers."""
    x = _inputs_of(arrays, columns=True)
    y = of_array(arrays.y.reshape(len(x), -1))
    if names is not None and len(names) != y.shape[1]:
        title = f"y has {y.shape[1]} columns, and {len(names)} names are given for them."
        raise Problem("dataset_invalid", title, pointer="/dataset/targets")
    called = names or [str(at) for at in range(y.shape[1])]
    unknown = int(np.isnan(y).any(1).sum())
    said = [said_of_missing(unknown, len(y), ["-1 or NaN"])] if unknown else []
    return Table(x, checked(y, called), called, (*arrays.notes, *_counted(x), *said), arrays.parts)


def _numbers_to_predict(arrays: _Arrays) -> Table:
    x, y = _inputs_of(arrays, columns=True), arrays.y.astype(np.float64)
    y = y.reshape(len(y), -1)
    if not 1 <= y.shape[1] <= MAX_TARGETS:
        raise Unreadable(f"y has {y.shape[1]} columns; 1 to {MAX_TARGETS} targets are read.")
    names = ["y"] if y.shape[1] == 1 else [f"y{column}" for column in range(y.shape[1])]
    unknown = int(np.isnan(y).any(1).sum())
    notes = [
        *arrays.notes,
        *_counted(x),
        *([said_of_missing(unknown, len(y), ["NaN"])] if unknown else []),
    ]
    return replace(with_targets(x, y, names, tuple(notes)), parts=arrays.parts)


def _refuse_texts(path: Path, start: bytes) -> None:
    """Raises Problem for the formats in which texts come, and numbers do not; Unreadable for half an archive."""
    start = start.lstrip()
    if start[:4] == b"PK\x03\x04":
        if is_gzip(path):
            raise Unreadable("The file is a gzip around an archive, npz or zip: upload the archive itself.")
        raise Unreadable("The file begins as an archive, npz or zip, and its end is missing: upload it again.")
    if start[:1] in (b"{", b"["):
        title = "The file is JSON, from which texts are read (`text_file`); tables come as csv, parquet, Arrow or npz."
        ways_out: list[dict[str, Any]] = [{"source": "text_file"}]
        raise Problem("dataset_invalid", title, pointer="/dataset/source", ways_out=ways_out)
