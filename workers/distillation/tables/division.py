"""A table that says itself how its rows are divided: by a column of splits, of groups, or of times."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qstill.contract.distillations.datasets import UploadedData
from qstill.contract.errors import Problem
from qstill.contract.tables.columns import Reading
from qstill.contract.tables.splits import SplitFile
from workers.distillation.data.files.split_file import parts_by_file, refuse_torn
from workers.distillation.data.files.table import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    Array,
    ReadingNote,
    Table,
    own_split,
)
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.tables.dates import dates
from workers.distillation.tables.frame import GAP, Cells, as_numbers, as_words

SAID = {"split": "which split a row is in", "groups": "which rows belong together", "time": "when a row is of"}
Parts = NDArray[np.int8]


def divided(field: str, cells: Cells, reading: Reading, y: Array, spec: UploadedData) -> tuple[Parts, ReadingNote]:
    """The split of each row, by the column that the field names. y: labels. Raises Problem dataset_invalid."""
    _refuse_gaps(cells, field)
    match field:
        case "split":
            parts = _named(cells)
        case "groups":
            codes = np.unique(as_words(cells).codes, return_inverse=True)[1]
            draw = np.random.default_rng([spec.split_seed, 0])
            parts = _held_out(codes, draw.permutation(int(codes.max()) + 1).tolist(), spec, field)
        case _:
            codes = _ranks(cells, reading)
            parts = _held_out(codes, list(range(int(codes.max()), -1, -1)), spec, field)
    if field != "split":
        _refuse_torn(parts, y, field)
    how = {"split": "as column {0} says", "groups": "so that no group of {0} is torn", "time": "the latest by {0} last"}
    return parts, own_split(parts, how[field].format(repr(getattr(spec, field))))


def divided_by_file(table: Table, spec: UploadedData, path: Path) -> Table:
    """The table with the split of each row, as a file says it. Raises Problem dataset_invalid."""
    assert isinstance(spec.split, SplitFile)
    columns = {} if table.frame is None else table.frame.columns
    ids = None if spec.split.id is None else as_words(columns[spec.split.id])
    parts = parts_by_file(path, spec.split, len(table.y), ids)
    if spec.groups is not None:
        refuse_torn(parts, as_words(columns[spec.groups]), spec.groups, "/dataset/groups")
    return replace(table, parts=parts, notes=(*table.notes, own_split(parts, "as the file of splits says")))


def _named(cells: Cells) -> Parts:
    words = as_words(cells)
    for code in np.unique(words.codes):
        if words.cells[code].lower() not in SPLITS:
            known = "train, validation (or val, valid, dev) and test are known"
            title = f"{words.cells[code][:50]!r} in the column of splits is none: {known}."
            raise Problem("dataset_invalid", title, pointer="/dataset/split")
    return np.array([SPLITS.get(cell.lower(), TRAIN) for cell in words.cells], dtype=np.int8)[words.codes]


def _ranks(cells: Cells, reading: Reading) -> NDArray[np.int64]:
    """(rows,) the place of each row's time among all times, ascending."""
    if reading.form is not None:
        words = as_words(cells)
        times = dates(words.cells, reading.form)[words.codes, 0]
    else:
        times = as_numbers(cells)
    if reading.column.kind not in ("date", "numeric") or np.isnan(times).any():
        title = "Rows are put in order by dates of one form, or by numbers, and every row needs one."
        raise Problem("dataset_invalid", title, pointer="/dataset/time")
    return np.unique(times, return_inverse=True)[1].astype(np.int64)


def _held_out(codes: NDArray[np.int64], order: Sequence[int], spec: UploadedData, field: str) -> Parts:
    """Whole groups in this order: the first ones for the test, the next ones for validation, by their shares of rows.

    codes: (rows,) the group of each row. A group is taken while that brings the number of rows nearer to the share.
    """
    sizes, waiting = np.bincount(codes), list(order)
    parts = np.full(len(sizes), TRAIN, dtype=np.int8)
    for part, share in ((TEST, spec.test), (VALIDATION, spec.validation)):
        rows = 0
        while len(waiting) > 1 and (not rows or rows + sizes[waiting[0]] / 2 < share * len(codes)):
            rows += int(sizes[waiting[0]])
            parts[waiting.pop(0)] = part
    if not all((parts == part).any() for part in (TRAIN, VALIDATION, TEST)):
        title = f"The column has {len(sizes)} different values, and each of the three splits needs one of its own."
        raise Problem("dataset_invalid", title, pointer=f"/dataset/{field}")
    return parts[codes]


def _refuse_torn(parts: Parts, y: Array, field: str) -> None:
    """Raise Problem dataset_invalid for rows without a label that are held out: they would be learned from."""
    unknown = np.isnan(y).any(1) if y.dtype.kind == "f" else y == UNKNOWN
    if count := int((unknown & (parts != TRAIN)).sum()):
        title = (
            f"{count:,} rows that are held out have no label, and what has none is learned from: leave them out of the "
            "table, or name the splits in a column of their own."
        )
        raise Problem("dataset_invalid", title, pointer=f"/dataset/{field}")


def _refuse_gaps(cells: Cells, field: str) -> None:
    """Raise Problem dataset_invalid for a row of which the column says nothing."""
    words = as_words(cells)
    missing = [code for code, cell in enumerate(words.cells) if cell == GAP]
    rows = np.flatnonzero(np.isin(words.codes, missing))
    if len(rows):
        title = f"Row {rows[0]} says nothing in the column that divides the rows."
        raise Problem("dataset_invalid", title, pointer=f"/dataset/{field}")
