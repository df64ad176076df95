"""Several labels a row as files have them: columns of yes and no, or one column of words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qstill.contract.distillations.datasets import MAX_TARGETS
from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.cells import is_missing, numbers_first
from workers.distillation.data.files.table import Array, refuse_unusable
from workers.distillation.objectives.terms import UNKNOWN

YES = frozenset({"1", "1.0", "true", "yes", "t", "y"})
NO = frozenset({"0", "0.0", "false", "no", "f", "n"})

LEAST = 3  # rows, one for each split

Truths = NDArray[np.float64]  # (rows, labels): 1, 0, and NaN where unknown


def of_columns(cells: Sequence[Sequence[str]], names: list[str]) -> Truths:
    """cells: of each row, one for each label. Raises Unreadable."""
    found = np.full((len(cells), len(names)), np.nan)
    for row, line in enumerate(cells):
        for at, cell in enumerate(line):
            word = cell.strip().lower()
            if word in YES or word in NO:
                found[row, at] = float(word in YES)
            elif not is_missing(cell):
                raise Unreadable(
                    f"Row {row}, column {names[at]!r}: {cell.strip()[:50]!r} is neither 1 nor 0, yes nor no, true nor "
                    "false. A column of words is read with `labels_separator`."
                )
    return checked(found, names)


def of_words(cells: Sequence[str], separator: str) -> tuple[Truths, list[str]]:
    """(what is so, the labels' names in ascending order). cells: of each row, the names of its labels."""
    rows = [{word.strip() for word in cell.split(separator)} - {""} for cell in cells]
    names = sorted(set().union(*rows), key=numbers_first)
    refuse_unusable(names)
    place = {name: at for at, name in enumerate(names)}
    found = np.zeros((len(rows), len(names)))
    for row, words in enumerate(rows):
        found[row, [place[word] for word in words]] = 1.0
    return checked(found, names), names


def of_array(y: Array) -> Truths:
    """Of an archive. Raises Unreadable."""
    values = y.astype(np.float64)
    values[values == UNKNOWN] = np.nan
    wrong = np.argwhere(~np.isnan(values) & (values != 0) & (values != 1))
    if len(wrong):
        row, column = wrong[0]
        raise Unreadable(f"y[{row}, {column}] is {y[row, column]}; a label is 1 or 0, and -1 or NaN where unknown.")
    return values


def checked(found: Truths, names: Sequence[str]) -> Truths:
    """What was read. Raises Unreadable where there are too many labels, or one that says nothing."""
    if not 1 <= len(names) <= MAX_TARGETS:
        raise Unreadable(f"There are {len(names)} labels; 1 to {MAX_TARGETS} are read.")
    for at, name in enumerate(names):
        for value, what in ((1.0, "have"), (0.0, "are without")):
            count = int((found[:, at] == value).sum())
            if count < LEAST:
                title = f"{count} rows {what} label {name[:100]!r}; one is needed in each of the three splits."
                raise Unreadable(title)
    return found


def kinds_of_rows(found: Truths) -> tuple[NDArray[np.int64], list[str]]:
    """(of each row a number, what the numbers stand for), by which rows are divided alike into the splits.

    A row stands for the rarest of its labels, so that a label that is rare is in all of them; `UNKNOWN` where one is
    not known, because validation and test need them all. Of what stands for too few rows is made one.
    """
    known, none = ~np.isnan(found).any(1), found.shape[1]
    order = np.argsort(np.nansum(found, axis=0), kind="stable")
    has = found[:, order] == 1
    kinds = np.where(has.any(1), order[has.argmax(1)], none)
    counts = np.bincount(kinds[known], minlength=none + 1)
    kinds[np.isin(kinds, np.flatnonzero(counts < LEAST))] = none
    counts = np.bincount(kinds[known], minlength=none + 1)
    if counts[none] < LEAST:
        kinds[kinds == none] = counts.argmax()
    present, codes = np.unique(kinds[known], return_inverse=True)
    said = np.full(len(found), UNKNOWN, dtype=np.int64)
    said[known] = codes
    return said, [f"of labels {kind}" for kind in present]
