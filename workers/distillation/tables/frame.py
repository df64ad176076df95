"""The cells of a table as its owner has them, column by column: numbers, or words by their place among all words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qstill.contract.tables.cells import is_number
from qstill.contract.tables.columns import Column
from qstill.contract.tables.dates import DateForm

Array = NDArray[Any]

GAP = ""  # how a word says nothing, whatever the file has in its place


@dataclass(frozen=True)
class Numbers:
    """values: (rows,), NaN in gaps."""

    values: NDArray[np.float64]


@dataclass(frozen=True)
class Words:
    """codes: (rows,) the place of each row's word in `cells`; a gap is `GAP`."""

    codes: NDArray[np.int32]
    cells: tuple[str, ...]


Cells = Numbers | Words


@dataclass(frozen=True)
class Frame:
    """columns: by name, all of equally many rows; those that are not read are there for a teacher that reads them."""

    columns: Mapping[str, Cells]

    def some(self, rows: Array | slice) -> "Frame":
        """Rows by their numbers."""
        return Frame({name: _some(cells, rows) for name, cells in self.columns.items()})

    def digest(self) -> str:
        """Names all cells."""
        digest = sha256()
        for name, cells in self.columns.items():
            digest.update(repr((name, cells.cells if isinstance(cells, Words) else None)).encode())
            digest.update((cells.codes if isinstance(cells, Words) else cells.values).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Plan:
    """What columns were taken for. columns: all of the file, for people. kinds: of the inputs, with the form of dates.

    missing: how gaps are spelled, besides as ever.
    """

    columns: tuple[Column, ...]
    kinds: dict[str, tuple[str, DateForm | None]]
    missing: tuple[str, ...]


def as_numbers(cells: Cells) -> NDArray[np.float64]:
    """(rows,), NaN where there is no number."""
    if isinstance(cells, Numbers):
        return cells.values
    values = [float(cell) if is_number(cell) else np.nan for cell in cells.cells]
    return np.array(values, dtype=np.float64)[cells.codes]


def as_words(cells: Cells) -> Words:
    """Whole numbers without a fraction."""
    if isinstance(cells, Words):
        return cells
    values, codes = np.unique(cells.values, return_inverse=True)
    return Words(codes.astype(np.int32), tuple(map(spelled, values.tolist())))


def spelled(value: float) -> str:
    """A number as a table writes it; nothing for NaN."""
    if np.isnan(value):
        return GAP
    return str(int(value)) if float(value).is_integer() else repr(value)


def words_of(cells: Sequence[str]) -> Words:
    """Of a column, row by row."""
    places: dict[str, int] = {}
    codes = [places.setdefault(cell, len(places)) for cell in cells]
    return Words(np.array(codes, dtype=np.int32), tuple(places))


def fed(cells: Cells, kind: str) -> Array:
    """(rows, 1) as an ONNX model takes it. kind: `string` or the name of a type of numbers."""
    if kind == "string":
        words = as_words(cells)
        return np.array(words.cells, dtype=object)[words.codes][:, None]
    return as_numbers(cells).astype(kind)[:, None]


def _some(cells: Cells, rows: Array | slice) -> Cells:
    if isinstance(cells, Numbers):
        return Numbers(cells.values[rows])
    return Words(cells.codes[rows], cells.cells)
