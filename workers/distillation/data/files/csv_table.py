"""A csv of numbers with a column to learn: bounded, and exact about what is wrong where."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qstill.contract.distillations.datasets import UploadedData, is_regression
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import MAX_COLUMNS, Unreadable
from qstill.contract.tables.cells import is_missing, is_number, names_of, numbers_first, numbers_of
from qstill.contract.tables.lines import csv_rows, text_of
from workers.distillation.data.files.table import (
    MAX_ROWS,
    MAX_VALUES,
    ReadingNote,
    Table,
    refuse_infinite,
    said_of_missing,
    with_classes,
)
from workers.distillation.objectives.terms import UNKNOWN

OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
NAMELESS = re.compile(r"(Unnamed: [0-9]+)?")  # pandas writes an index without a name, and reads it as the second
LEAST_COUNTED = 20  # rows; of fewer, whole numbers in a row may well be measured

Numbers = NDArray[np.float64]


def read_csv(path: Path, spec: UploadedData) -> Table:
    """Raises Unreadable, and Problem dataset_invalid for a column that is not there."""
    with text_of(path) as stream:
        lines = csv_rows(stream)
        header = next(lines, [])
        if not 2 <= len(header) <= MAX_COLUMNS:
            raise Unreadable(f"The header has {len(header)} columns; 2 to {MAX_COLUMNS} are read.{_other(header)}")
        at = _places(header, spec)
        inputs = [column for column in range(len(header)) if column not in set(at)]
        _refuse_wrong_header(header, inputs)
        if not inputs:
            raise Unreadable("All columns are to be predicted, and none is left to predict them from.")
        x, labels = _read(lines, header, inputs, at)
    x, columns, notes = _without_index(x, [header[column] for column in inputs])
    refuse_infinite(x, [f"column {name!r}" for name in columns])
    notes += [*counting(x, [f"Column {name!r}" for name in columns])]
    if is_regression(spec):
        return _to_predict(x, labels, [header[column] for column in at], notes)
    names, missing = names_of(name for (name,) in labels)
    if missing:
        notes.append(said_of_missing(missing.total(), len(names), sorted(missing)))
    classes = sorted(set(names) - {""}, key=numbers_first)
    code = {name: i for i, name in enumerate(classes)} | {"": UNKNOWN}
    return with_classes(x, np.array([code[name] for name in names], dtype=np.int64), classes, tuple(notes))


def _read(
    lines: Iterator[list[str]], header: list[str], inputs: list[int], at: list[int]
) -> tuple[Numbers, list[list[str]]]:
    """The inputs as numbers (rows, columns), and the cells to learn of each row."""
    columns = [header[column] for column in inputs]
    rows, labels = [], []
    for number, line in enumerate(lines):
        if len(line) != len(header):
            raise Unreadable(f"Row {number} has {len(line)} columns; the header has {len(header)}.")
        labels.append([line[column] for column in at])
        rows.append(_numbers([line[column] for column in inputs], columns, number))
        if len(rows) > MAX_ROWS or len(rows) * len(columns) > MAX_VALUES:
            raise Unreadable(f"The table has more than {MAX_ROWS} rows or {MAX_VALUES} values.")
    if not rows:
        raise Unreadable("The table has no rows.")
    return np.stack(rows), labels


def _to_predict(x: Numbers, labels: list[list[str]], names: list[str], notes: list[ReadingNote]) -> Table:
    known = [["nan" if is_missing(cell) else cell for cell in cells] for cells in labels]
    written = sorted({cell.strip() for cells in labels for cell in cells if is_missing(cell)})
    if written:
        incomplete = sum("nan" in cells for cells in known)
        notes = [*notes, said_of_missing(incomplete, len(known), written)]
    y = np.stack([_numbers(cells, names, row, missing="nan") for row, cells in enumerate(known)])
    return with_targets(x, y, names, tuple(notes))


def with_targets(x: Numbers, y: Numbers, names: list[str], notes: tuple[ReadingNote, ...] = ()) -> Table:
    """The table of a regression. y: (rows, targets), NaN where unknown. Raises Unreadable for infinite ones."""
    refuse_infinite(np.where(np.isnan(y), 0, y), [f"target {name!r}" for name in names])
    return Table(x, y, names, notes)


def _without_index(x: Numbers, columns: list[str]) -> tuple[Numbers, list[str], list[ReadingNote]]:
    """Without the column in which pandas and R write the numbers of the rows: it says how the file was sorted."""
    found = [at for at, name in enumerate(columns) if NAMELESS.fullmatch(name.strip()) and _is_index(x[:, at])]
    if not found:
        return x, columns, []
    if len(found) == len(columns):
        raise Unreadable("The only column beside the label has no name and counts the rows: there is no input.")
    kept = [at for at in range(len(columns)) if at not in found]
    said = f"Column {found[0]} of the inputs has no name and numbers the rows: it was not read. Name it if it is one."
    return x[:, kept], [columns[at] for at in kept], [ReadingNote("index_column", said)]


def _is_index(values: Numbers) -> bool:
    """Whether they are whole numbers from 0 on, none twice; rows may have been shuffled, and some left out."""
    whole = bool(np.isfinite(values).all()) and bool(((values == np.trunc(values)) & (values >= 0)).all())
    return whole and len(np.unique(values)) == len(values)


def counting(x: Numbers, names: list[str]) -> Iterator[ReadingNote]:
    """A doubt about each input that numbers the rows. names: for people, of each feature of x (rows, features)."""
    if len(x) < LEAST_COUNTED:
        return
    low, high = x.min(0), x.max(0)
    for at in np.flatnonzero((high - low == len(x) - 1) & (low == np.trunc(low))):
        if len(np.unique(x[:, at])) == len(x) and (x[:, at] == np.trunc(x[:, at])).all():
            said = (
                f"{names[at]} numbers the rows, each number once: if it is their index, networks learn how the file "
                "was sorted. Leave it out."
            )
            yield ReadingNote("counting_column", said, doubt=True)


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
    if not counted and all(is_number(header[column]) for column in inputs):
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


def _numbers(cells: list[str], columns: list[str], row: int, missing: str | None = None) -> Numbers:
    """missing: how a cell says that there is no number, which is NaN then. Raises Unreadable."""
    found = numbers_of([cell if cell != missing else "0" for cell in cells])
    if found is None:
        at = next(at for at, cell in enumerate(cells) if cell != missing and not is_number(cell))
        raise Unreadable(f"Row {row}, column {columns[at]!r}: {_no_number(cells[at].strip())}")
    values = np.array(found)
    if missing is not None:
        values[[cell == missing for cell in cells]] = np.nan
    return values


def _no_number(cell: str) -> str:
    """What is wrong with a cell, and what to do about it."""
    if is_missing(cell):
        said = f"{cell[:50]!r} is not a number" if cell else "the cell is empty"
        return f"{said}. Fill in what is missing (with the column's median, say), or leave the row out."
    return (
        f"{cell[:50]!r} is not a number. Write words as columns of 0 and 1, one for each word, dates as days; classes "
        "go into the label column of `task` classification."
    )
