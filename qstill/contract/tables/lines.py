"""Text that was uploaded, line by line and within bounds: UTF-8 or, where its first bytes say so, UTF-16; or a gzip."""

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, cast

from qstill.contract.tables.bounds import MAX_BYTES, MAX_COLUMNS, LineTooLong, Unreadable

MAX_LINE = 4_000_000  # characters; a line of commas costs eight bytes of memory for each
MAX_TEXT = 1_000_000  # characters of one text; a longer one is a book, to be cut by whoever knows where
GZIP = b"\x1f\x8b"
SEPARATORS = (",", ";", "\t", "|")  # of columns, the first where nothing tells them apart
csv.field_size_limit(MAX_LINE)  # Python's own, for the whole process, is 131,072
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, or those that a gzip holds. Raises Unreadable for a damaged one."""
    with path.open("rb") as file:
        if not is_gzip(path):
            yield file
            return
        try:
            with gzip.open(file) as stream:
                yield cast(IO[bytes], stream)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise Unreadable("The file begins as a gzip and is damaged: upload it again.") from error


def is_gzip(path: Path) -> bool:
    """By the bytes that it begins with."""
    with path.open("rb") as file:
        return file.read(2) == GZIP


def encoding_of(start: bytes) -> str:
    """By the mark that a file may begin with."""
    return next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")


@contextmanager
def text_of(path: Path) -> Iterator[IO[str]]:
    """The text of a file. Raises Unreadable where it is none, also while it is read."""
    with unpacked(path) as stream:
        encoding = encoding_of(stream.read(4))
        stream.seek(0)
        try:
            yield TextIOWrapper(stream, encoding, newline="")
        except UnicodeError as error:
            raise Unreadable(
                "The file is not UTF-8, nor UTF-16 that begins with its mark: save it as UTF-8."
            ) from error


def start_of(path: Path) -> bytes:
    """The first bytes of a file, or of what a gzip holds, as UTF-8 without a mark. Raises Unreadable."""
    with unpacked(path) as stream:
        start = stream.read(4096)
    encoding = encoding_of(start)
    if encoding == "utf-16":
        return start.decode(encoding, "ignore").encode("utf-8", "ignore")
    return start.removeprefix(codecs.BOM_UTF8)


def bounded_lines(stream: IO[str], most: int = MAX_LINE) -> Iterator[str]:
    """The lines of a file. Raises LineTooLong, and Unreadable for what is no text."""
    total = 0
    while line := stream.readline(most):
        total += len(line)
        if "\0" in line:
            raise Unreadable("The file holds a NUL character, so it is no text in UTF-8.")
        if len(line) == most:
            columns = f"; a table has at most {MAX_COLUMNS} columns" if "," in line else ""
            raise LineTooLong(f"A line of the file is longer than {most} characters{columns}.")
        if total > MAX_BYTES:
            raise Unreadable(f"The file holds more than {MAX_BYTES} characters.")
        yield line


def separator_of(path: Path) -> str:
    """What divides the columns: of `SEPARATORS` the one that makes the most of the first line. Raises Unreadable."""
    with text_of(path) as stream:
        return separator_in(next(bounded_lines(stream), ""))


def separator_in(line: str) -> str:
    """Of a header; a comma where none makes more columns."""
    return max(SEPARATORS, key=lambda each: _columns(line, each))


def _columns(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return 0


def csv_rows(stream: IO[str], separator: str = ",") -> Iterator[list[str]]:
    """The rows of a csv that are not blank, its header first. Raises Unreadable."""
    reader = csv.reader(bounded_lines(stream), strict=True, delimiter=separator)
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        raise Unreadable(f"The csv cannot be read: {_worded(error, reader.line_num)}.") from error


def _worded(error: csv.Error, line: int) -> str:
    said = str(error)
    if "field larger" in said:
        return f"a cell that ends in line {line} has more than {MAX_TEXT:,} characters"
    if "expected after" in said:
        return (
            f'in line {line} something stands behind a closing quotation mark; one inside a cell is doubled, as in ""'
        )
    if "end of data" in said:
        return "a quotation mark is opened and never closed"
    return f"line {line} is no line of a csv"
