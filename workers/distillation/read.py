"""Reading uploaded arrays and tables: bounded, never unpickling, and exact about what is wrong where."""

import csv
import math
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from app.distillations.datasets import MAX_TARGETS, UploadedData, is_regression
from app.errors import Problem
from app.schemas import PRINTABLE
from workers.distillation.objectives.terms import UNKNOWN

MAX_BYTES = 1 << 30  # declared by an archive's members together: a bomb is refused before it is unpacked
MAX_VALUES = 50_000_000  # of a data set; 200 MB in single precision
MAX_ROWS = 1_000_000
MAX_COLUMNS = 10_000  # a csv of 10^6 columns would spend minutes on its header alone
MAX_LINE = 4_000_000  # characters; a line of commas costs eight bytes of memory for each
MISSING = frozenset({"", "na", "n/a", "#n/a", "null", "none", "missing", "?", "-"})  # as tables write it
MANY_NUMBERS = 100  # whole numbers that labels name; beyond, they are rather counted or measured than classes
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
FEW_CHANNELS = (1, 3, 4)  # of images: grey, RGB, RGB with transparency
MAX_CLASSES = 1_000  # logits of every row are kept

Array = NDArray[Any]


@dataclass(frozen=True)
class Table:
    """x: (rows, ...), float64 or float32, finite. y: (rows,) int64, `UNKNOWN` where there is no label.

    Regression: y is (rows, targets) float64, NaN where unknown, and `classes` are the names of the targets.
    pixels: whether x are bytes of images divided by 255.
    """

    x: Array
    y: Array
    classes: list[str]
    pixels: bool = False


class Unreadable(Exception):
    """What is wrong with a file, as a sentence; the caller knows which field named it."""


def read_table(path: Path, spec: UploadedData) -> Table:
    """An uploaded npz or csv. Raises Unreadable, and Problem dataset_invalid for a column that is not there."""
    if not zipfile.is_zipfile(path):
        _refuse_texts(path)
        return _read_csv(path, spec)
    arrays = read_npz(path)
    return _numbers_to_predict(arrays) if is_regression(spec) else _table_of(arrays)


def is_npz(path: Path) -> bool:
    """Whether the members of a zip are arrays; if its directory cannot be read, that is for `read_npz` to tell."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return True
    return not names or any(name.endswith(".npy") and "/" not in name for name in names)


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
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
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


def _inputs_of(arrays: dict[str, Array], *, columns: bool) -> Array:
    """x, if it fits y. columns: whether y may have several."""
    if set(arrays) != {"x", "y"}:
        raise Unreadable(f"The archive holds {sorted(arrays)[:10]}; it must hold the arrays x and y.")
    x, y = arrays["x"], arrays["y"]
    if x.ndim < 2 or y.shape[:1] != x.shape[:1] or y.ndim > 1 + columns:
        needed = "(rows,) or (rows, targets)" if columns else "(rows,)"
        raise Unreadable(f"x has shape {x.shape} and y {y.shape}; needed are (rows, features or image) and {needed}.")
    if x.size == 0 or len(x) > MAX_ROWS:
        raise Unreadable(f"x has shape {x.shape}; between 1 and {MAX_ROWS} rows with at least one feature are read.")
    if x.ndim == 3:
        x = x[:, None]
    if x.ndim == 4:
        _refuse_channels_last(x.shape)
    _refuse_infinite(x.reshape(len(x), -1), [f"feature {i}" for i in range(math.prod(x.shape[1:]))])
    return x


def _refuse_channels_last(shape: tuple[int, ...]) -> None:
    """Raises Unreadable for images as most libraries but PyTorch keep them: read the other way round they are noise."""
    _, first, second, last = shape
    if last in FEW_CHANNELS and min(first, second) > max(FEW_CHANNELS):
        raise Unreadable(
            f"x has shape {shape}, whose last axis looks like channels: give (rows, channels, height, width), as by "
            f"x.transpose(0, 3, 1, 2). If these are {first} channels of {second} x {last} pixels, swap their sides."
        )


def _table_of(arrays: dict[str, Array]) -> Table:
    x = _inputs_of(arrays, columns=False)
    y = arrays["y"]
    wrong = np.flatnonzero(~np.isfinite(y) | (y != np.trunc(y)) | (y < UNKNOWN))
    if len(wrong):
        raise Unreadable(
            f"Label {y[wrong[0]]} of row {wrong[0]} is not a class: integers from 0, or -1 where unknown. Real numbers "
            "are predicted with `task` regression."
        )
    values = np.unique(y[y != UNKNOWN])
    codes = np.where(y == UNKNOWN, UNKNOWN, np.searchsorted(values, y)).astype(np.int64)
    return with_classes(x, codes, [str(int(value)) for value in values])


def _numbers_to_predict(arrays: dict[str, Array]) -> Table:
    x, y = _inputs_of(arrays, columns=True), arrays["y"].astype(np.float64)
    y = y.reshape(len(y), -1)
    if not 1 <= y.shape[1] <= MAX_TARGETS:
        raise Unreadable(f"y has {y.shape[1]} columns; 1 to {MAX_TARGETS} targets are read.")
    names = ["y"] if y.shape[1] == 1 else [f"y{column}" for column in range(y.shape[1])]
    return _with_targets(x, y, names)


def _with_targets(x: Array, y: NDArray[np.float64], names: list[str]) -> Table:
    _refuse_infinite(np.where(np.isnan(y), 0, y), [f"target {name!r}" for name in names])
    return Table(x, y, names)


def _refuse_texts(path: Path) -> None:
    """Raises Problem for the formats in which texts come, and numbers do not; Unreadable for half an archive."""
    with path.open("rb") as file:
        start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:4] == b"PK\x03\x04":
        raise Unreadable("The file begins as an archive, npz or zip, and its end is missing: upload it again.")
    if start[:1] in (b"{", b"[") or start[:4] == b"PAR1":
        found = "a parquet table" if start[:4] == b"PAR1" else "JSON"
        title = f"The file is {found}, from which texts are read (`text_file`); numbers come as csv or npz."
        ways_out: list[dict[str, Any]] = [{"source": "text_file"}]
        raise Problem("dataset_invalid", title, pointer="/dataset/source", ways_out=ways_out)


def _read_csv(path: Path, spec: UploadedData) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(bounded_lines(stream), strict=True)
            header = next(lines, [])
            if not 2 <= len(header) <= MAX_COLUMNS:
                raise Unreadable(f"The header has {len(header)} columns; 2 to {MAX_COLUMNS} are read.{_other(header)}")
            at = _places(header, spec)
            inputs = [column for column in range(len(header)) if column not in set(at)]
            columns = [header[column] for column in inputs]
            _refuse_wrong_header(header, inputs)
            if not inputs:
                raise Unreadable("All columns are to be predicted, and none is left to predict them from.")
            rows, labels = [], []
            for number, line in _filled(lines):
                if len(line) != len(header):
                    raise Unreadable(f"Row {number} has {len(line)} columns; the header has {len(header)}.")
                labels.append([line[column].strip() for column in at])
                rows.append(_numbers([line[column] for column in inputs], columns, number))
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
    if is_regression(spec):
        names = [header[column] for column in at]
        known = [[cell or "nan" for cell in cells] for cells in labels]
        return _with_targets(x, np.stack([_numbers(cells, names, row) for row, cells in enumerate(known)]), names)
    classes = sorted({name for (name,) in labels} - {""}, key=numbers_first)
    code = {name: i for i, name in enumerate(classes)} | {"": UNKNOWN}
    return with_classes(x, np.array([code[name] for (name,) in labels], dtype=np.int64), classes)


def _places(header: list[str], spec: UploadedData) -> list[int]:
    """Of the columns to learn. Raises Problem dataset_invalid for one that the header does not name once."""
    if spec.targets is None and spec.label is None:
        return [len(header) - 1]
    named = [("label", spec.label)] if spec.label else []
    named += [(f"targets/{number}", name) for number, name in enumerate(spec.targets or [])]
    for pointer, name in named:
        if header.count(str(name)) != 1:
            title = f"The header names {name!r} {header.count(str(name))} times: {', '.join(header[:10])}."
            raise Problem("dataset_invalid", title, pointer=f"/dataset/{pointer}")
    return [header.index(str(name)) for _, name in named]


def _refuse_wrong_header(header: list[str], inputs: list[int]) -> None:
    """Raises Unreadable where the first line is a row already, or gives several columns one name.

    inputs: the columns that are not to be learned.
    """
    counted = any(all(header[column].strip() == str(column + first) for column in inputs) for first in (0, 1))
    if not counted and all(_is_number(header[column]) for column in inputs):
        shown = ", ".join(name[:50] for name in header[:5])
        raise Unreadable(
            f"The first line names the columns, and this is a row of numbers: {shown}. Put names above it."
        )
    times = Counter(name.strip() for name in header)
    name, count = times.most_common(1)[0]
    if count > 1:
        raise Unreadable(f"The header names {name[:100]!r} {count} times; every column needs a name of its own.")


def _other(header: list[str]) -> str:
    """What to do about a header of one column that another sign divides."""
    sign = next((sign for sign in OTHER_SEPARATORS if len(header) == 1 and sign in header[0]), None)
    if sign is None:
        return ""
    return f" Columns are divided by commas, not by {OTHER_SEPARATORS[sign]}, and decimals written with a point."


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def bounded_lines(stream: IO[str]) -> Iterator[str]:
    """The lines of a file. Raises Unreadable at one that is longer than MAX_LINE, or that no text has."""
    while line := stream.readline(MAX_LINE):
        if "\0" in line:
            raise Unreadable("The file holds a NUL character, so it is no text; a table is UTF-8.")
        if len(line) == MAX_LINE:
            columns = f"; a table has at most {MAX_COLUMNS} columns" if "," in line else ""
            raise Unreadable(f"A line of the file is longer than {MAX_LINE} characters{columns}.")
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
                raise Unreadable(f"Row {row}, column {column!r}: {_no_number(cell.strip())}") from error
        raise


def _no_number(cell: str) -> str:
    """What is wrong with a cell, and what to do about it."""
    if cell.lower() in MISSING:
        said = f"{cell[:50]!r} is not a number" if cell else "the cell is empty"
        return f"{said}. Fill in what is missing (with the column's median, say), or leave the row out."
    return (
        f"{cell[:50]!r} is not a number. Write words as columns of 0 and 1, one for each word, dates as days; classes "
        "go into the label column of `task` classification."
    )


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


def with_classes(x: Array, y: NDArray[np.int64], classes: list[str]) -> Table:
    """The table of a classification. Raises Unreadable for too few classes, or too many."""
    if not 2 <= len(classes) <= MAX_CLASSES:
        hint = " Real numbers are predicted with `task` regression." if quantities(classes) else ""
        raise Unreadable(f"The labels name {len(classes)} classes; 2 to {MAX_CLASSES} are read.{hint}")
    refuse_unprintable(classes)
    return Table(x, y, classes)


def quantities(classes: list[str]) -> bool:
    """Whether the labels look like numbers that measure something, rather than like names of classes."""
    if not all(_is_number(name) for name in classes):
        return False
    return len(classes) > MANY_NUMBERS or any(not float(name).is_integer() for name in classes)


def refuse_unprintable(classes: list[str]) -> None:
    """Raise Unreadable for a class whose name a report's pictures cannot hold."""
    for name in classes:
        if not re.fullmatch(PRINTABLE, name):
            raise Unreadable(f"The name of class {name[:50]!r} has a control character.")
