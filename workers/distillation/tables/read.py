"""A table with words, gaps or dates: each column is understood, and kept as its cells until the rows are split."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from qstill.contract.distillations.datasets import UploadedData
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.cells import is_number
from qstill.contract.tables.columns import Column, Reading, Seen, understand, with_points
from qstill.contract.tables.dates import DateForm
from qstill.contract.tables.splits import SplitFile
from workers.distillation.data.files.labels import labelled_table, places
from workers.distillation.data.files.table import ReadingNote, Table
from workers.distillation.tables.division import SAID, divided
from workers.distillation.tables.frame import GAP, Cells, Frame, Numbers, Plan, Words
from workers.distillation.tables.sheet import Sheet

READ = ("numeric", "categorical", "boolean", "date")


def frame_table(sheet: Sheet, spec: UploadedData) -> Table:
    """Raises Unreadable, and Problem dataset_invalid for a column that is not there or not what it is said to be."""
    at = places(sheet.header, spec)
    _refuse_unknown_names(sheet.header, [sheet.header[place] for place in at], spec)
    missing = frozenset(spec.missing)
    columns, dividing = list[Column](), list[tuple[str, Cells, Reading]]()
    kinds, cells = dict[str, tuple[str, DateForm | None]](), dict[str, Cells]()
    for place, name in enumerate(sheet.header):
        words = _words(sheet, place)
        seen = Seen(name, _counts(words), missing)
        if place in at:
            columns.append(_other(seen, "label", "what is learned"))
            continue
        reading = _understood(seen, spec)
        if (field := spec.divides_by(name)) is not None:
            columns.append(_other(seen, "ignored", SAID[field]))
            if not isinstance(spec.split, SplitFile):
                dividing.append((field, _cells(words, seen, reading.column), reading))
        elif name in spec.ignore:
            columns.append(_other(seen, "ignored", "as the job says"))
        else:
            columns.append(reading.column)
        if columns[-1].kind in READ:
            _refuse_doubt(columns[-1], spec)
            kinds[name] = columns[-1].kind, reading.form
        if reading.column.kind != "index" or field is not None:
            _refuse_nameless(name, place)
            of_words = field in ("split", "groups")  # 007 is not 7
            cells[name] = _cells(words, seen, columns[-1] if of_words else reading.column)
    if not kinds:
        shown = "; ".join(f"{each.name[:50]}: {each.said}" for each in columns if each.kind != "label")
        raise Unreadable(f"No column is left to predict from. {shown[:500]}.")
    labels = [_gaps_left_out(_words(sheet, place), missing) for place in at]
    rows = [list(row) for row in zip(*labels, strict=True)]
    notes = [*_notes(columns)]
    table = labelled_table(
        np.zeros((len(rows), 0), np.float32), rows, [sheet.header[place] for place in at], spec, notes
    )
    for field, divides, reading in dividing:
        parts, note = divided(field, divides, reading, table.y, spec)
        table = replace(table, parts=parts, notes=(*table.notes, note))
    return replace(table, frame=Frame(cells), plan=Plan(tuple(columns), kinds, tuple(spec.missing)))


def _understood(seen: Seen, spec: UploadedData) -> Reading:
    said = "categorical" if seen.name in spec.categorical else spec.columns.get(seen.name)
    return understand(seen, said)


def _other(seen: Seen, kind: str, said: str) -> Column:
    column = understand(seen, "categorical").column
    return Column.model_validate({**column.model_dump(), "kind": kind, "said": said})


def _words(sheet: Sheet, place: int) -> Words:
    column = sheet.columns[place]
    cells = column.dictionary.to_pylist()
    codes = column.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return Words(codes, tuple(with_points(cells) if sheet.comma else cells))


def _counts(words: Words) -> dict[str, int]:
    counts = dict[str, int]()
    for cell, count in zip(words.cells, np.bincount(words.codes, minlength=len(words.cells)).tolist(), strict=True):
        counts[cell] = counts.get(cell, 0) + count
    return counts


def _cells(words: Words, seen: Seen, column: Column) -> Cells:
    """Numbers as numbers; of others a gap is `GAP`, however it is spelled. Raises Unreadable for infinite ones."""
    if column.kind == "numeric":
        numbers = [float(cell) if is_number(cell) else np.nan for cell in words.cells]
        values = np.array(numbers, dtype=np.float64)
        with np.errstate(over="ignore"):
            wrong = np.flatnonzero(np.isinf(values.astype(np.float32)))
        if len(wrong):
            row = int(np.flatnonzero(words.codes == wrong[0])[0])
            said = f"{words.cells[wrong[0]]} is not a finite number in single precision."
            raise Unreadable(f"Row {row}, column {seen.name!r}: {said}")
        if seen.missing:
            values[[seen.says_nothing(cell) for cell in words.cells]] = np.nan
        return Numbers(values[words.codes])
    return Words(words.codes, tuple(GAP if seen.says_nothing(cell) else cell for cell in words.cells))


def _gaps_left_out(words: Words, missing: frozenset[str]) -> list[str]:
    cells = [GAP if cell in missing else cell for cell in words.cells]
    return [cells[code] for code in words.codes]


def _refuse_unknown_names(header: list[str], learned: list[str], spec: UploadedData) -> None:
    """Raises Problem dataset_invalid for a name that the header does not have, or that is to be learned."""
    named = [(f"ignore/{number}", name) for number, name in enumerate(spec.ignore)]
    named += [(f"categorical/{number}", name) for number, name in enumerate(spec.categorical)]
    named += spec.dividing.items()
    named += [("columns/" + name.replace("~", "~0").replace("/", "~1"), name) for name in spec.columns]
    for pointer, name in named:
        if name not in header:
            title = f"The header does not name {name!r}; it has {', '.join(header[:10])}."
            raise Problem("dataset_invalid", title, pointer=f"/dataset/{pointer}")
        if name in learned:
            title = f"{name!r} is what is learned, and no input."
            raise Problem("dataset_invalid", title, pointer=f"/dataset/{pointer}")


def _refuse_doubt(column: Column, spec: UploadedData) -> None:
    """Raises Problem dataset_invalid for a column that is nearly, but not wholly, what it is taken for."""
    if column.doubt is None:
        return
    pointer = "/dataset/columns" if column.name in spec.columns else "/dataset/file"
    ways_out: list[dict[str, object]] = [{"categorical": [column.name]}, {"ignore": [column.name]}]
    title = f"Column {column.name!r} was taken for {column.kind}. {column.doubt}"
    raise Problem("dataset_invalid", title, pointer=pointer, ways_out=ways_out)


def _refuse_nameless(name: str, place: int) -> None:
    if not name.strip():
        raise Unreadable(f"Column {place} has no name, and does not number the rows: give it a name.")


def _notes(columns: list[Column]) -> Iterator[ReadingNote]:
    """Which columns are not read."""
    for column in columns:
        if column.kind == "index":
            said = "A column has no name and numbers the rows: it was not read. Name it if it is an input."
            yield ReadingNote("index_column", said)
        elif column.kind not in (*READ, "label", "ignored"):
            yield ReadingNote("column_not_read", f"Column {column.name!r} was not read: {column.said}.")
