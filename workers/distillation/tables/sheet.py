"""A file of rows as columns of text, whatever its format: csv, parquet or Arrow's own."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from qstill.contract.tables.bounds import MAX_BYTES, MAX_COLUMNS, Unreadable
from qstill.contract.tables.lines import csv_rows, text_of
from workers.distillation.data.files.table import MAX_ROWS

PARQUET, ARROW = b"PAR1", b"ARROW1"
MAX_CELLS = 20_000_000  # of a table with words: some bytes each, and a dictionary of the different ones
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Sheet:
    """columns: of strings, each a dictionary without blanks around its words. comma: whether decimals may have one."""

    header: list[str]
    columns: list[pa.DictionaryArray]
    comma: bool = False

    @property
    def rows(self) -> int:
        return len(self.columns[0])


def sheet_of_csv(path: Path, separator: str) -> Sheet:
    """Raises Unreadable."""
    with text_of(path) as stream:
        lines = csv_rows(stream, separator)
        header = next(lines, [])
        blocks = [
            [pa.array(cells, pa.string()) for cells in zip(*block, strict=True)] for block in _blocks(lines, header)
        ]
    if not blocks:
        raise Unreadable("The table has no rows.")
    columns = [_dictionary(pa.chunked_array([block[at] for block in blocks])) for at in range(len(header))]
    return Sheet(header, columns, comma=separator != ",")


def sheet_of_arrow(path: Path, start: bytes) -> Sheet:
    """A parquet or Arrow file, by its first bytes. Raises Unreadable."""
    try:
        table = _parquet(path) if start.startswith(PARQUET) else _arrow(path)
        refuse_names_twice(table.column_names)
        columns = [_dictionary(_text(table.column(name), name)) for name in table.column_names]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable("The file is not a readable parquet or Arrow table.") from error
    return Sheet(list(table.column_names), columns)


def refuse_names_twice(header: list[str]) -> None:
    """Raises Unreadable for a name that several columns have."""
    name, count = Counter(name.strip() for name in header).most_common(1)[0]
    if count > 1:
        raise Unreadable(f"The header names {name[:100]!r} {count} times; every column needs a name of its own.")


def _blocks(lines: Iterator[list[str]], header: list[str]) -> Iterator[list[list[str]]]:
    block = list[list[str]]()
    for number, line in enumerate(lines):
        if len(line) != len(header):
            raise Unreadable(f"Row {number} has {len(line)} columns; the header has {len(header)}.")
        block.append(line)
        _refuse_large(number + 1, len(header))
        if len(block) == ROWS_AT_ONCE:
            yield block
            block = []
    if block:
        yield block


def _refuse_large(rows: int, columns: int) -> None:
    if rows > MAX_ROWS or rows * columns > MAX_CELLS:
        raise Unreadable(f"The table has more than {MAX_ROWS:,} rows, or more than {MAX_CELLS:,} cells, with words.")


def _parquet(path: Path) -> pa.Table:
    described = pq.read_metadata(path)
    size = sum(described.row_group(i).total_byte_size for i in range(described.num_row_groups))
    _refuse_wide(size, described.num_columns)
    _refuse_large(described.num_rows, described.num_columns)
    return pq.ParquetFile(path).read(use_threads=False)


def _arrow(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        file = pa.ipc.open_file(source)
        _refuse_wide(path.stat().st_size, len(file.schema))
        table = file.read_all()
        _refuse_large(table.num_rows, table.num_columns)
        return table


def _refuse_wide(size: int, columns: int) -> None:
    if size > MAX_BYTES or not 2 <= columns <= MAX_COLUMNS:
        raise Unreadable(f"The table has {size:,} bytes and {columns} columns; 2 to {MAX_COLUMNS} columns are read.")


def _text(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise Unreadable(f"Column {name!r} holds {kind}: words, numbers, dates, and true or false are read.")
    if pa.types.is_timestamp(kind):
        column = _whole_seconds(column)
    return pc.fill_null(column.cast(pa.string()), "")


def _whole_seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates where no row has a time of day."""
    days = column.cast(pa.timestamp("us"), safe=False).cast(pa.date32(), safe=False)
    seconds = column.cast(pa.timestamp("s", tz=column.type.tz), safe=False)
    same = pc.all(pc.equal(days.cast(pa.timestamp("s")), seconds.cast(pa.timestamp("s")))).as_py()
    return days if same else seconds


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    encoded = pc.dictionary_encode(pc.utf8_trim_whitespace(column))
    whole = encoded.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
