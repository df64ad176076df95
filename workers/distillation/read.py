"""Reading uploaded arrays and tables: bounded, never unpickling, and exact about what is wrong where."""

import csv
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from app.errors import Problem
from workers.distillation.objectives.terms import UNKNOWN

MAX_BYTES = 1 << 30  # declared by an archive's members together: a bomb is refused before it is unpacked
MAX_VALUES = 50_000_000  # of a data set; 200 MB in single precision
MAX_ROWS = 1_000_000
MAX_COLUMNS = 10_000  # a csv of 10^6 columns would spend minutes on its header alone
MAX_LINE = 4_000_000  # characters; a line of commas costs eight bytes of memory for each
MAX_CLASSES = 1_000  # logits of every row are kept

Array = NDArray[Any]


@dataclass(frozen=True)
class Table:
    """x: (rows, ...), float64 or float32, finite. y: (rows,) int64, `UNKNOWN` where there is no label."""

    x: Array
    y: NDArray[np.int64]
    classes: list[str]


class Unreadable(Exception):
    """What is wrong with a file, as a sentence; the caller knows which field named it."""


def read_table(path: Path, label: str | None) -> Table:
    """An uploaded npz or csv. Raises Problem dataset_invalid, pointing to /dataset/file or /dataset/label."""
    try:
        if zipfile.is_zipfile(path):
            if label is not None:
                raise Problem("dataset_invalid", "Only a csv has a label column.", pointer="/dataset/label")
            return _table_of(read_npz(path))
        return _read_csv(path, label)
    except Unreadable as error:
        raise Problem("dataset_invalid", str(error), pointer="/dataset/file") from error


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of an npz archive, by name. Raises Unreadable."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > MAX_BYTES:
                raise Unreadable(f"The archive unpacks to {size} bytes; at most {MAX_BYTES} are allowed.")
            arrays = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                with archive.open(member) as stream:
                    arrays[name] = _read_npy(stream, member.file_size, f"Array {name[:100]!r}")
            return arrays
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Unreadable("The file is not a readable npz archive.") from error


def read_npy(path: Path) -> Array:
    """The array of an npy file. Raises Unreadable."""
    with path.open("rb") as stream:
        return _read_npy(stream, path.stat().st_size, "The file")


def _read_npy(stream: IO[bytes], size: int, what: str) -> Array:
    """One npy array of `size` bytes with its header; the header's claims are checked before memory is taken."""
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise Unreadable(f"{what} is of an npy version that is not read here; 1.0 and 2.0 are.")
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read_header(stream)
    except (ValueError, struct.error, EOFError) as error:
        raise Unreadable(f"{what} is not a readable npy array.") from error
    if dtype.hasobject or dtype.kind not in "biuf":
        raise Unreadable(f"{what} holds {dtype.name} values; only numbers are read.")
    count = math.prod(shape)
    if count > MAX_VALUES or len(shape) > 4 or count * dtype.itemsize != size - stream.tell():
        raise Unreadable(f"{what} declares shape {shape}, which does not fit its {size} bytes or the limits here.")
    values = np.frombuffer(stream.read(size), dtype=dtype)
    if len(values) != count:
        raise Unreadable(f"{what} is truncated.")
    return values.reshape(shape, order="F" if fortran else "C")


def _table_of(arrays: dict[str, Array]) -> Table:
    if set(arrays) != {"x", "y"}:
        raise Unreadable(f"The archive holds {sorted(arrays)[:10]}; it must hold the arrays x and y.")
    x, y = arrays["x"], arrays["y"]
    if x.ndim < 2 or y.shape != x.shape[:1]:
        raise Unreadable(f"x has shape {x.shape} and y {y.shape}; needed are (rows, features or image) and (rows,).")
    if x.size == 0 or len(x) > MAX_ROWS:
        raise Unreadable(f"x has shape {x.shape}; between 1 and {MAX_ROWS} rows with at least one feature are read.")
    wrong = np.flatnonzero(~np.isfinite(y) | (y != np.trunc(y)) | (y < UNKNOWN))
    if len(wrong):
        raise Unreadable(f"Label {y[wrong[0]]} of row {wrong[0]} is not a class: integers from 0, or -1 where unknown.")
    if x.ndim == 3:
        x = x[:, None]
    _refuse_infinite(x.reshape(len(x), -1), [f"feature {i}" for i in range(math.prod(x.shape[1:]))])
    values = np.unique(y[y != UNKNOWN])
    codes = np.where(y == UNKNOWN, UNKNOWN, np.searchsorted(values, y)).astype(np.int64)
    return _with_classes(x, codes, [str(int(value)) for value in values])


def _read_csv(path: Path, label: str | None) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(bounded_lines(stream), strict=True)
            header = next(lines, [])
            if not 2 <= len(header) <= MAX_COLUMNS:
                raise Unreadable(f"The header has {len(header)} columns; 2 to {MAX_COLUMNS} are read.")
            if label is not None and header.count(label) != 1:
                title = f"The header names {label!r} {header.count(label)} times: {', '.join(header[:10])}."
                raise Problem("dataset_invalid", title, pointer="/dataset/label")
            at = header.index(label) if label is not None else len(header) - 1
            columns = header[:at] + header[at + 1 :]
            rows, names = [], []
            for number, line in _filled(lines):
                if len(line) != len(header):
                    raise Unreadable(f"Row {number} has {len(line)} columns; the header has {len(header)}.")
                names.append(line.pop(at).strip())
                rows.append(_numbers(line, columns, number))
                if len(rows) > MAX_ROWS or len(rows) * len(columns) > MAX_VALUES:
                    raise Unreadable(f"The table has more than {MAX_ROWS} rows or {MAX_VALUES} values.")
    except UnicodeDecodeError as error:
        raise Unreadable("The file is neither an npz archive nor a UTF-8 csv.") from error
    except csv.Error as error:
        raise Unreadable(f"The csv cannot be read: {error}.") from error
    if not rows:
        raise Unreadable("The table has no rows.")
    x = np.stack(rows)
    _refuse_infinite(x, [f"column {name!r}" for name in columns])
    classes = sorted(set(names) - {""}, key=numbers_first)
    code = {name: i for i, name in enumerate(classes)} | {"": UNKNOWN}
    return _with_classes(x, np.array([code[name] for name in names], dtype=np.int64), classes)


def bounded_lines(stream: IO[str]) -> Iterator[str]:
    """The lines of a file. Raises Unreadable at one that is longer than MAX_LINE."""
    while line := stream.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise Unreadable(f"A line of the file is longer than {MAX_LINE} characters.")
        yield line


def _filled(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """(row, cells) of the lines that are not blank, rows counted from 0."""
    return enumerate(line for line in lines if line)


def _numbers(cells: list[str], columns: list[str], row: int) -> NDArray[np.float64]:
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError:
        for cell, column in zip(cells, columns, strict=True):
            try:
                float(cell)
            except ValueError as error:
                raise Unreadable(f"Row {row}, column {column!r}: {cell[:50]!r} is not a number.") from error
        raise


def numbers_first(name: str) -> tuple[bool, int, str]:
    """Sorts the class names "2" before "10", and numbers before words."""
    is_number = name.isascii() and name.isdigit()
    return (not is_number, int(name) if is_number else 0, name)


def _refuse_infinite(x: Array, names: list[str]) -> None:
    """x: (rows, features). float32 must hold every value, because that is what networks are given."""
    with np.errstate(over="ignore", invalid="ignore"):
        wrong = np.argwhere(~np.isfinite(x.astype(np.float32)))
    if len(wrong):
        row, column = wrong[0]
        raise Unreadable(f"Row {row}, {names[column]}: {x[row, column]} is not a finite number in single precision.")


def _with_classes(x: Array, y: NDArray[np.int64], classes: list[str]) -> Table:
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise Unreadable(f"The labels name {len(classes)} classes; 2 to {MAX_CLASSES} are read.")
    return Table(x, y, classes)
