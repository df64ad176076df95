"""What the columns of an uploaded table are taken for, by its first rows, and before a job reads them all."""

from collections import Counter
from itertools import islice
from pathlib import Path

from qstill.contract.answers.files import Purpose
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import MAX_COLUMNS, LineTooLong, Unreadable
from qstill.contract.tables.columns import Column, Seen, understand, with_points
from qstill.contract.tables.lines import csv_rows, separator_of, text_of

TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")  # other formats need libraries that only workers have
ROWS = 1_000  # looked at; an upload waits for it
CELLS = 200_000  # of them: half a second


def columns_of(place: Path, name: str, purpose: Purpose) -> list[Column] | None:
    """None for what is no table of a dataset, or none that can be read: a preflight says why."""
    if purpose != Purpose.DATASET or not name.lower().endswith(TABLES):
        return None
    try:
        separator = separator_of(place)
        with text_of(place) as stream:
            lines = csv_rows(stream, separator)
            header = next(lines, [])
            rows = [*islice(lines, max(1, min(ROWS, CELLS // max(1, len(header)))))]
    except Unreadable:
        return None
    if not rows or any(len(row) != len(header) for row in rows):
        return None
    columns = []
    for column, *cells in zip(header, *rows, strict=True):
        stripped = [cell.strip() for cell in cells]
        counts = Counter(stripped if separator == "," else with_points(stripped))
        columns.append(understand(Seen(column, counts)).column)
    return columns


def refuse_too_wide(place: Path) -> None:
    """Raises Problem (422) for a table with more columns than any job reads, by its first line."""
    try:
        with text_of(place) as stream:
            header = next(csv_rows(stream, separator_of(place)), [])
    except LineTooLong as error:
        raise _too_wide(
            f"The first line of the table is too long: at most {MAX_COLUMNS:,} columns are read."
        ) from error
    except Unreadable:
        return  # a job says what is wrong
    if len(header) > MAX_COLUMNS:
        raise _too_wide(f"The table has {len(header):,} columns; at most {MAX_COLUMNS:,} are read.")


def _too_wide(title: str) -> Problem:
    return Problem("too_many_columns", f"{title} Many numbers of a row belong into an .npz, as its array x.")
