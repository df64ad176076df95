"""Uploaded interactions and lists: csv or parquet, bounded, and exact about what is wrong where."""

from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.csv as pcsv  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from qstill.contract.distillations.recommenders.data import MAX_INTERACTIONS
from qstill.contract.tables.bounds import MAX_BYTES, MAX_COLUMNS, Unreadable
from qstill.contract.tables.cells import NUMBER, is_number
from qstill.contract.tables.lines import csv_rows, encoding_of, text_of, unpacked

MAX_NAME = 200  # characters of a user's or an item's name
MAX_LINE = 1 << 20  # bytes; a line must fit the reader's block

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]


def read_columns(path: Path, columns: list[str]) -> pa.Table:
    """These columns of a csv or a parquet file, names and numbers as they come. Raises Unreadable."""
    with path.open("rb") as stream:
        is_parquet = stream.read(4) == b"PAR1"
    try:
        table = _read_parquet(path, columns) if is_parquet else _read_csv(path, columns)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable(f"The file is no readable csv or parquet: {str(error)[:200]}") from error
    if not table.num_rows:
        raise Unreadable("The table has no rows.")
    for name in columns:
        column = table.column(name)
        if column.null_count:
            row = pc.index(pc.is_null(column), True).as_py()
            raise Unreadable(f"Row {row}: {name} is empty.")
    return table


def _read_parquet(path: Path, columns: list[str]) -> pa.Table:
    file = pq.ParquetFile(path)
    described = file.metadata
    groups = [described.row_group(i) for i in range(described.num_row_groups)]
    size = sum(group.total_byte_size for group in groups)
    if size > MAX_BYTES or described.num_columns > MAX_COLUMNS:
        raise Unreadable(f"The table is larger than {MAX_BYTES} bytes or {MAX_COLUMNS} columns.")
    _refuse_many(described.num_rows)
    _refuse_absent(columns, file.schema_arrow.names)
    return file.read(columns=columns, use_threads=False)


def _read_csv(path: Path, columns: list[str]) -> pa.Table:
    """Names stay text, so that `007` is not 7; what looks like a number in the column of times becomes one later."""
    with text_of(path) as text:
        _refuse_absent(columns, next(csv_rows(text), []))
    options = pcsv.ConvertOptions(
        include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True,
        null_values=[""], quoted_strings_can_be_null=True,
    )  # fmt: skip
    with unpacked(path) as stream:
        encoding = encoding_of(stream.read(4))
        stream.seek(0)
        reader = pcsv.open_csv(
            stream,
            read_options=pcsv.ReadOptions(
                use_threads=False, block_size=MAX_LINE, encoding=encoding.removesuffix("-sig")
            ),
            convert_options=options,
        )
        batches, rows = [], 0
        for batch in reader:
            rows += batch.num_rows
            _refuse_many(rows)
            batches.append(batch)
        return pa.Table.from_batches(batches, schema=reader.schema)


def _refuse_many(rows: int) -> None:
    if rows > MAX_INTERACTIONS:
        raise Unreadable(f"The table has more than {MAX_INTERACTIONS} rows.")


class NoSuchColumn(Unreadable):
    """A column that a field of the job names is not there, or there twice."""

    def __init__(self, column: str, said: str) -> None:
        super().__init__(said)
        self.column = column


def _refuse_absent(wanted: list[str], there: list[str]) -> None:
    if len(there) > MAX_COLUMNS:
        raise Unreadable(f"The table has {len(there)} columns; at most {MAX_COLUMNS} are read.")
    for name in wanted:
        if there.count(name) != 1:
            found = ", ".join(str(each)[:50] for each in there[:20])
            raise NoSuchColumn(name, f"There must be one column {name!r}; the table has {found}.")


def names_of(table: pa.Table, column: str) -> tuple[Codes, list[str]]:
    """(codes, names): the n-th name, ascending, has code n. Names, or whole numbers from 0. Raises Unreadable."""
    values = table.column(column)
    kind = values.type
    if pa.types.is_dictionary(kind):
        values, kind = values.cast(kind.value_type), kind.value_type
    if pa.types.is_floating(kind):
        raise Unreadable(f"{column} holds numbers with a fraction; write whole numbers or names.")
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise Unreadable(f"{column} holds {kind}; users and items are names or whole numbers.")
    encoded = values.combine_chunks().dictionary_encode()
    found = [str(each) for each in encoded.dictionary.to_pylist()]
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    for code, name in enumerate(found):
        if not 1 <= len(name) <= MAX_NAME:
            raise Unreadable(f"Row {_first(codes, code)}: {column} must be of 1 to {MAX_NAME} characters.")
        if name.startswith("-") and is_number(name):
            said = f"{column} is {name}; negative numbers name nobody (is it a missing value?)."
            raise Unreadable(f"Row {_first(codes, code)}: {said}")
    order = sorted(range(len(found)), key=found.__getitem__)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[codes], [found[code] for code in order]


def _first(codes: Codes, code: int) -> int:
    return int((codes == code).argmax())


def numbers_of(table: pa.Table, column: str) -> Numbers:
    """Finite numbers; timestamps as seconds. Raises Unreadable."""
    values = table.column(column)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        values = _parsed(values, column)
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(values.type):
        unit = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[values.type.unit]
        return np.asarray(values.cast(pa.int64()).to_numpy(), dtype=np.float64) / unit
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise Unreadable(f"{column} holds {values.type}, not numbers.")
    numbers = np.asarray(values.to_numpy(), dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise Unreadable(f"Row {wrong[0]}: {column} is not a finite number.")
    return numbers


def _parsed(texts: pa.ChunkedArray, column: str) -> pa.ChunkedArray:
    """Texts of a csv as numbers, or as timestamps."""
    numbers = pc.match_substring_regex(texts, f"^[ \t\r\n]*{NUMBER.pattern}[ \t\r\n]*$")
    if pc.all(numbers).as_py():
        return pa.chunked_array([pa.array(map(float, texts.to_pylist()), pa.float64())])
    for kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            return texts.cast(kind)
        except pa.ArrowInvalid:
            continue
    if pc.any(numbers).as_py():
        row = pc.index(numbers, value=False).as_py()
        raise Unreadable(f"Row {row}: {column} is {texts[row].as_py()[:50]!r}, where other rows have numbers.")
    for row, text in enumerate(texts):
        if not _is_timestamp(text):
            raise Unreadable(f"Row {row}: {column} is {text.as_py()[:50]!r}, no number and no ISO 8601 timestamp.")
    raise Unreadable(f"{column} mixes timestamps with and without a time zone.")


def _is_timestamp(text: pa.Scalar) -> bool:
    for kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            text.cast(kind)
        except pa.ArrowInvalid:
            continue
        return True
    return False
