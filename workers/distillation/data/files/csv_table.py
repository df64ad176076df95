"""A csv with a column to learn. One of numbers alone is read as it is, any other column by column."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from qstill.contract.distillations.datasets import UploadedData
from qstill.contract.tables.bounds import MAX_COLUMNS, Unreadable
from qstill.contract.tables.cells import is_number, numbers_of
from qstill.contract.tables.columns import names_rows
from qstill.contract.tables.lines import csv_rows, separator_of, text_of
from workers.distillation.data.files.labels import Numbers, labelled_table, places
from workers.distillation.data.files.table import (
    MAX_ROWS,
    MAX_VALUES,
    ReadingNote,
    Table,
    refuse_infinite,
)
from workers.distillation.tables.frame import Frame
from workers.distillation.tables.frame import Numbers as NumbersOfColumn
from workers.distillation.tables.read import frame_table
from workers.distillation.tables.sheet import refuse_names_twice, sheet_of_csv

NAMELESS = re.compile(r"(Unnamed: [0-9]+)?")  # pandas writes an index without a name, and reads it as the second
LEAST_COUNTED = 20  # rows; of fewer, whole numbers in a row may well be measured
MAX_FRAME = 10_000_000  # numbers that are kept a second time, by the names of their columns


class _OtherCells(Exception):
    """A cell that is no number, or a column that is none of the inputs."""


def read_csv(path: Path, spec: UploadedData) -> Table:
    """Raises Unreadable, and Problem dataset_invalid for a column that is not there."""
    separator = separator_of(path)
    with text_of(path) as stream:
        lines = csv_rows(stream, separator)
        header = next(lines, [])
        if not 2 <= len(header) <= MAX_COLUMNS:
            raise Unreadable(f"The header has {len(header)} columns; 2 to {MAX_COLUMNS} are read.")
        at = places(header, spec)
        inputs = [column for column in range(len(header)) if column not in set(at)]
        _refuse_wrong_header(header, inputs)
        if not inputs:
            raise Unreadable("All columns are to be predicted, and none is left to predict them from.")
        try:
            if spec.says_of_columns:
                raise _OtherCells
            x, labels = _read(lines, header, inputs, at)
            return _of_numbers(x, labels, header, inputs, at, spec)
        except _OtherCells:
            pass
    return frame_table(sheet_of_csv(path, separator), spec)


def _of_numbers(
    x: Numbers, labels: list[list[str]], header: list[str], inputs: list[int], at: list[int], spec: UploadedData
) -> Table:
    x, columns, notes = _without_index(x, [header[column] for column in inputs])
    if len(x) >= LEAST_COUNTED and any(names_rows(name, values) for name, values in zip(columns, x.T, strict=True)):
        raise _OtherCells
    refuse_infinite(x, [f"column {name!r}" for name in columns])
    notes += [*counting(x, [f"Column {name!r}" for name in columns])]
    frame = None
    if x.size <= MAX_FRAME:
        frame = Frame({name: NumbersOfColumn(values) for name, values in zip(columns, x.T, strict=True)})
    return replace(labelled_table(x, labels, [header[column] for column in at], spec, notes), frame=frame)


def _read(
    lines: Iterator[list[str]], header: list[str], inputs: list[int], at: list[int]
) -> tuple[Numbers, list[list[str]]]:
    """The inputs as numbers (rows, columns), and the cells to learn of each row. Raises _OtherCells."""
    rows, labels = [], []
    for number, line in enumerate(lines):
        if len(line) != len(header):
            raise Unreadable(f"Row {number} has {len(line)} columns; the header has {len(header)}.")
        labels.append([line[column] for column in at])
        found = numbers_of([line[column] for column in inputs])
        if found is None:
            raise _OtherCells
        rows.append(np.array(found))
        if len(rows) > MAX_ROWS or len(rows) * len(inputs) > MAX_VALUES:
            raise Unreadable(f"The table has more than {MAX_ROWS} rows or {MAX_VALUES} values.")
    if not rows:
        raise Unreadable("The table has no rows.")
    return np.stack(rows), labels


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
    refuse_names_twice(header)
