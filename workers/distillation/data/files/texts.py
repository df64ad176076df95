"""Reading uploaded texts: JSON lines, CSV or parquet, bounded, and exact about what is wrong where."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from qstill.contract.distillations.datasets import TextFile, has_several_labels
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import MAX_BYTES, MAX_COLUMNS, Unreadable
from qstill.contract.tables.cells import names_of, numbers_first
from qstill.contract.tables.lines import MAX_LINE, MAX_TEXT, bounded_lines, csv_rows, start_of, text_of
from workers.distillation.data.files.several_labels import Truths, of_words
from workers.distillation.data.files.table import (
    MAX_CLASSES,
    MAX_NAME,
    MAX_ROWS,
    ReadingNote,
    alike,
    refuse_unusable,
    said_of_missing,
)

MAX_CHARACTERS = 50_000_000  # of all texts together; their tokens are kept as eight bytes each
MAX_JSON_LINE = 12 * MAX_TEXT + MAX_LINE  # JSON may write each character as two escapes of six

Row = tuple[object, object]  # text and label as the file has them


@dataclass(frozen=True)
class Texts:
    """labels: of each text, "" where unknown; empty strings for language modelling. classes: in ascending order.

    so: (texts, classes) which labels each text has, where it may have several.
    """

    texts: list[str]
    labels: list[str]
    classes: list[str]
    notes: tuple[ReadingNote, ...] = ()
    so: Truths | None = None


def read_texts(path: Path, spec: TextFile) -> Texts:
    """Raises Problem dataset_invalid, pointing to /dataset/file, /dataset/text or /dataset/label."""
    labelled, several = "modelling" not in spec.task, has_several_labels(spec)
    try:
        start = start_of(path)
        if start[:4] == b"PAR1":
            rows: Iterable[Row] = _parquet(path, spec, labelled)
        elif start.lstrip()[:1] in (b"{", b"["):
            rows = _json_lines(path, spec, labelled)
        else:
            rows = _csv(path, spec, labelled)
        found = _checked(rows, labelled and not several)
        return _with_labels(found, spec.labels_separator) if several else found
    except Unreadable as error:
        raise _invalid(str(error)) from error


def _checked(rows: Iterable[Row], labelled: bool) -> Texts:
    texts, labels, total = [], [], 0
    for number, (text, label) in enumerate(rows):
        if not isinstance(text, str) or not text.strip():
            what = "the text is empty" if text is None or isinstance(text, str) else "the text is not a string"
            raise Unreadable(f"Row {number}: {what}.")
        if len(text) > MAX_TEXT:
            raise Unreadable(f"Row {number}: the text has {len(text):,} characters; at most {MAX_TEXT:,} are read.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise Unreadable(f"Row {number}: the text holds half of a surrogate pair, which UTF-8 lacks.") from error
        total += len(text)
        if number >= MAX_ROWS or total > MAX_CHARACTERS:
            raise Unreadable(f"There are more than {MAX_ROWS:,} texts, or {MAX_CHARACTERS:,} characters in all.")
        texts.append(text)
        labels.append(_label(label, number))
    if not texts:
        raise Unreadable("The file holds no text.")
    names, missing = names_of(labels)
    classes = sorted(set(names) - {""}, key=numbers_first)
    if labelled and not 2 <= len(classes) <= MAX_CLASSES:
        raise Unreadable(f"The labels name {len(classes)} classes; 2 to {MAX_CLASSES} are read.")
    refuse_unusable(classes)
    notes = [said_of_missing(missing.total(), len(names), sorted(missing))] if labelled and missing else []
    return Texts(texts, names, classes, (*notes, *alike(classes)))


def _with_labels(found: Texts, separator: str) -> Texts:
    """Classes are the names of the labels, of which a text has several."""
    so, names = of_words(found.labels, separator)
    return replace(found, classes=names, so=so, notes=())


def _label(label: object, row: int) -> str:
    if label is None:
        return ""
    if isinstance(label, bool) or not isinstance(label, str | int | float):
        raise Unreadable(f"Row {row}: the label is neither a string nor a number.")
    name = str(label).strip()
    if len(name) > MAX_NAME:
        raise Unreadable(f"Row {row}: the label has {len(name)} characters; at most {MAX_NAME} are read.")
    return name


def _json_lines(path: Path, spec: TextFile, labelled: bool) -> Iterator[Row]:
    with text_of(path) as stream:
        number = 0
        for line in bounded_lines(stream, MAX_JSON_LINE):
            if not line.strip():
                continue
            try:
                row: Any = json.loads(line, object_pairs_hook=_members)
            except (ValueError, RecursionError) as error:
                if number == 0 and line.lstrip().startswith("["):
                    raise _no_lines() from error
                raise Unreadable(f"Row {number} is no JSON.") from error
            except _Twice as twice:
                raise Unreadable(f"Row {number} has the member {str(twice)[:50]!r} twice.") from twice
            if number == 0 and isinstance(row, list):
                raise _no_lines()
            if not isinstance(row, dict):
                raise Unreadable(f"Row {number} is no JSON object.")
            if spec.text not in row:
                raise _missing("text", spec.text, list(row), f"Row {number}")
            if labelled and number == 0 and spec.label not in row:
                raise _missing("label", spec.label, list(row), f"Row {number}")
            yield row[spec.text], row.get(spec.label) if labelled else None
            number += 1


class _Twice(Exception):
    """The name of a member that an object has twice."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises _Twice: which of two values counts, nobody could know."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice(next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1))
    return found


def _no_lines() -> Unreadable:
    return Unreadable("The file is a JSON array. Write each of its objects on a line of its own, without commas.")


def _csv(path: Path, spec: TextFile, labelled: bool) -> Iterator[Row]:
    with text_of(path) as stream:
        lines = csv_rows(stream)
        header = next(lines, [])
        if len(header) > MAX_COLUMNS:
            raise Unreadable(f"The header has {len(header)} columns; at most {MAX_COLUMNS} are read.")
        for field, name in (("text", spec.text), ("label", spec.label))[: 2 if labelled else 1]:
            if header.count(name) != 1:
                raise _missing(field, name, header, "The header")
        text, label = header.index(spec.text), header.index(spec.label) if labelled else None
        for number, line in enumerate(lines):
            if len(line) != len(header):
                raise Unreadable(f"Row {number} has {len(line)} columns; the header has {len(header)}.")
            yield line[text], None if label is None else line[label]


def _parquet(path: Path, spec: TextFile, labelled: bool) -> Iterator[Row]:
    wanted = [spec.text, spec.label] if labelled else [spec.text]
    try:
        described, schema = pq.read_metadata(path), pq.read_schema(path)
        size = sum(described.row_group(i).total_byte_size for i in range(described.num_row_groups))
        if size > MAX_BYTES or described.num_rows > MAX_ROWS or described.num_columns > MAX_COLUMNS:
            raise Unreadable(f"The table is larger than {MAX_BYTES} bytes, {MAX_ROWS} rows or {MAX_COLUMNS} columns.")
        for field, name in zip(("text", "label"), wanted, strict=False):
            if schema.names.count(name) != 1:
                raise _missing(field, name, schema.names, "The table")
        strings = [name for name in wanted if _is_string(schema.field(name).type)]
        if spec.text not in strings:
            raise Unreadable(f"The column {spec.text!r} holds something else than strings.")
        # Kept as a dictionary, because one long string a million times is a few bytes there, and a gigabyte as a list.
        table = pq.ParquetFile(path, read_dictionary=strings).read(columns=wanted, use_threads=False)
        if sum(_characters(table.column(name)) for name in strings) > MAX_CHARACTERS:
            raise Unreadable(f"The texts have more than {MAX_CHARACTERS:,} characters in all.")
        columns = [table.column(name) for name in wanted]
        values = [column.to_pylist() for column in columns]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable("The file is not a readable parquet table.") from error
    yield from zip(values[0], values[1] if labelled else [None] * len(values[0]), strict=True)


def _is_string(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _characters(column: pa.ChunkedArray) -> int:
    """Of all texts of a dictionary column."""
    total = 0
    for chunk in column.chunks:
        lengths = pc.utf8_length(chunk.dictionary).take(chunk.indices)
        total += pc.sum(lengths).as_py() or 0
    return total


def _missing(field: str, name: str, names: list[str], where: str) -> Problem:
    listed = ", ".join(repr(str(each)[:40]) for each in names[:10])
    title = f"{where} names {name!r} {names.count(name)} times; it has {listed or 'nothing'}."
    return Problem("dataset_invalid", title, pointer=f"/dataset/{field}")


def _invalid(title: str) -> Problem:
    return Problem("dataset_invalid", title, pointer="/dataset/file")
