"""The columns that are learned, whatever the others hold: which they are, and their cells as classes or numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qstill.contract.distillations.datasets import UploadedData, has_several_labels, is_regression
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.cells import is_missing, is_number, names_of, numbers_first, numbers_of
from workers.distillation.data.files.several_labels import of_columns, of_words
from workers.distillation.data.files.table import (
    Array,
    ReadingNote,
    Table,
    refuse_infinite,
    said_of_missing,
    with_classes,
)
from workers.distillation.objectives.terms import UNKNOWN

Numbers = NDArray[np.float64]


def places(header: list[str], spec: UploadedData) -> list[int]:
    """Of the columns to learn. Raises Problem dataset_invalid for one that the header does not name once."""
    named = [(field, str(name)) for field in ("label", "target") if (name := getattr(spec, field)) is not None]
    named += [(f"targets/{number}", name) for number, name in enumerate(spec.targets or [])]
    for pointer, name in named:
        if header.count(name) != 1:
            title = f"The header names {name!r} {header.count(name)} times: {', '.join(header[:10])}."
            raise Problem("dataset_invalid", title, pointer=f"/dataset/{pointer}")
    return [header.index(name) for _, name in named] or [len(header) - 1]


def labelled_table(
    x: Array, labels: list[list[str]], names: list[str], spec: UploadedData, notes: Sequence[ReadingNote]
) -> Table:
    """labels: the cells to learn of each row. names: of their columns. Raises Unreadable."""
    if is_regression(spec):
        return _to_predict(x, labels, names, list(notes))
    if has_several_labels(spec):
        return _with_labels(x, labels, names, spec, list(notes))
    found, missing = names_of(name for (name,) in labels)
    said = [said_of_missing(missing.total(), len(found), sorted(missing))] if missing else []
    classes = sorted(set(found) - {""}, key=numbers_first)
    code = {name: i for i, name in enumerate(classes)} | {"": UNKNOWN}
    return with_classes(x, np.array([code[name] for name in found], dtype=np.int64), classes, (*notes, *said))


def _with_labels(
    x: Array, cells: list[list[str]], names: list[str], spec: UploadedData, notes: list[ReadingNote]
) -> Table:
    if spec.labels_separator is not None:
        y, names = of_words([cell for (cell,) in cells], spec.labels_separator)
        return Table(x, y, names, tuple(notes))
    if spec.targets is None:
        title = "Several labels of a table are columns, `targets`, or one column of words and its `labels_separator`."
        ways_out: list[dict[str, object]] = [{"targets": names}, {"labels_separator": ","}]
        raise Problem("dataset_invalid", title, pointer="/dataset/targets", ways_out=ways_out)
    y = of_columns(cells, names)
    if unknown := int(np.isnan(y).any(1).sum()):
        written = sorted({cell.strip() for line in cells for cell in line if is_missing(cell)})
        notes = [*notes, said_of_missing(unknown, len(y), written)]
    return Table(x, y, names, tuple(notes))


def with_targets(x: Array, y: Numbers, names: list[str], notes: tuple[ReadingNote, ...] = ()) -> Table:
    """The table of a regression. y: (rows, targets), NaN where unknown. Raises Unreadable for infinite ones."""
    refuse_infinite(np.where(np.isnan(y), 0, y), [f"target {name!r}" for name in names])
    return Table(x, y, names, notes)


def numbers_in(cells: list[str], columns: list[str], row: int, missing: str | None = None) -> Numbers:
    """missing: how a cell says that there is no number, which is NaN then. Raises Unreadable."""
    found = numbers_of([cell if cell != missing else "0" for cell in cells])
    if found is None:
        at = next(at for at, cell in enumerate(cells) if cell != missing and not is_number(cell))
        raise Unreadable(
            f"Row {row}, column {columns[at]!r}: {cells[at].strip()[:50]!r} is not a number. Classes are learned with "
            "`task` classification."
        )
    values = np.array(found)
    if missing is not None:
        values[[cell == missing for cell in cells]] = np.nan
    return values


def _to_predict(x: Array, labels: list[list[str]], names: list[str], notes: list[ReadingNote]) -> Table:
    known = [["nan" if is_missing(cell) else cell for cell in cells] for cells in labels]
    written = sorted({cell.strip() for cells in labels for cell in cells if is_missing(cell)})
    if written:
        incomplete = sum("nan" in cells for cells in known)
        notes = [*notes, said_of_missing(incomplete, len(known), written)]
    y = np.stack([numbers_in(cells, names, row, missing="nan") for row, cells in enumerate(known)])
    return with_targets(x, y, names, tuple(notes))
