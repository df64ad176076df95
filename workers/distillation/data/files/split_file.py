"""A file that says in which split each row is: by a word a row, by an id, or by the numbers of the rows."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.cells import is_number
from qstill.contract.tables.lines import csv_rows, separator_of, start_of, text_of
from qstill.contract.tables.splits import SplitFile
from workers.distillation.data.files.table import MAX_ROWS, SPLITS, TEST, TRAIN, VALIDATION
from workers.distillation.tables.frame import Words
from workers.distillation.tables.sheet import ARROW, PARQUET, sheet_of_arrow

NPY = b"\x93NUMPY"
MAX_BYTES = 256 << 20  # of one file: 10^6 words of an npy take 40 MB
NUMBERS = {"0": TRAIN, "1": VALIDATION, "2": TEST}
KNOWN = SPLITS | NUMBERS

Parts = NDArray[np.int8]
Strings = list[str]


def parts_by_file(path: Path, said: SplitFile, rows: int, ids: Words | None, pointer: str = "/dataset/split") -> Parts:
    """(rows,) TRAIN, VALIDATION or TEST. ids: of each row of the data, where the file speaks of ids.

    Raises Problem dataset_invalid that points to the field.
    """
    try:
        found = _read(path, said)
        if isinstance(found, Mapping):
            if ids is not None:
                raise Unreadable("It holds numbers of rows, and no ids: leave `id` out.")
            parts = _by_numbers(found, rows)
        else:
            words, keys = found
            parts = known_parts(words)
            parts = _in_order(parts, rows) if ids is None else _by_ids(parts, keys, ids, said)
    except Unreadable as error:
        raise invalid(f"The file of splits: {error}", f"{pointer}/file") from error
    if not (parts == TRAIN).any():
        raise invalid("The file of splits leaves no row to train on.", f"{pointer}/file")
    return parts


def refuse_torn(parts: Parts, groups: Words, name: str, pointer: str) -> None:
    """Raise Problem dataset_invalid for a group with rows in two splits. groups: (rows,)."""
    lowest, highest = np.full(len(groups.cells), TEST), np.full(len(groups.cells), TRAIN)
    np.minimum.at(lowest, groups.codes, parts)
    np.maximum.at(highest, groups.codes, parts)
    torn = np.flatnonzero(lowest < highest)
    if len(torn):
        title = (
            f"{groups.cells[torn[0]][:50]!r} of {name!r} has rows in several splits, as have {len(torn) - 1:,} others."
        )
        raise invalid(f"{title} Groups alone divide so that none is torn.", pointer, {"groups": name, "split": None})


def invalid(title: str, pointer: str, *ways_out: dict[str, Any]) -> Problem:
    return Problem("dataset_invalid", title, pointer=pointer, ways_out=ways_out)


def _read(path: Path, said: SplitFile) -> tuple[Strings, Strings] | Mapping[str, Any]:
    """(words, ids), without ids where the file has none; or the rows of each split. Raises Unreadable."""
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(f"It has more than {MAX_BYTES:,} bytes.")
    start = start_of(path)
    if start.startswith(NPY) or zipfile.is_zipfile(path):
        return _arrays(path, said)
    if said.id is None and start.lstrip()[:1] == b"{":
        return _json(path)
    if start.startswith((PARQUET, ARROW)):
        sheet = sheet_of_arrow(path, start)
        columns = [column.to_pylist() for column in sheet.columns]
        return _columns([*sheet.header], [list(row) for row in zip(*columns, strict=True)], said)
    with text_of(path) as stream:
        lines = csv_rows(stream, separator_of(path))
        header = next(lines, [])
        body = list(lines)
    if len(header) == 1 and said.column is None and header[0].strip().lower() in KNOWN:
        header, body = ["split"], [header, *body]
    return _columns(header, body, said)


def _columns(header: Strings, rows: list[Strings], said: SplitFile) -> tuple[Strings, Strings]:
    if not header:
        raise Unreadable("It is empty.")
    names = [name.strip() for name in header]
    others = [name for name in names if name != said.id]
    column = said.column or ("split" if "split" in others else others[0] if len(others) == 1 else None)
    for wanted in (column, said.id):
        if wanted is not None and names.count(wanted) != 1:
            raise Unreadable(f"It must have one column {wanted!r}; it has {', '.join(names[:10])[:200]}.")
    if column is None:
        raise Unreadable(f"Say which `column` has the splits: {', '.join(others[:10])[:200]}.")
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise Unreadable(f"Row {number} has {len(row)} columns; its header has {len(names)}.")
    at, key = names.index(column), None if said.id is None else names.index(said.id)
    return [row[at] for row in rows], [] if key is None else [row[key].strip() for row in rows]


def _arrays(path: Path, said: SplitFile) -> tuple[Strings, Strings] | Mapping[str, Any]:
    """Of an npy or npz, which are never unpickled."""
    if said.id is not None or said.column is not None:
        raise Unreadable("Arrays have no columns with names: leave `id` and `column` out, or upload a table.")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                    raise Unreadable(f"It unpacks to more than {MAX_BYTES:,} bytes.")
            with np.load(path, allow_pickle=False) as members:
                arrays = {name: members[name] for name in members.files}
        else:
            arrays = {"split": np.load(path, mmap_mode="r", allow_pickle=False)}
    except Unreadable:
        raise
    except Exception as error:  # a header is Python's own notation, and its parser raises what it likes
        raise Unreadable("It is no readable npy or npz of words or numbers.") from error
    if set(arrays) != {"split"}:
        return arrays
    (array,) = arrays.values()
    if array.ndim != 1 or array.dtype.kind not in "iufUSb" or len(array) > MAX_ROWS:
        raise Unreadable(f"It holds {array.dtype} of shape {array.shape}; a word or number a row is read.")
    return np.asarray(array).astype(np.str_).tolist(), []


def _json(path: Path) -> Mapping[str, Any]:
    try:
        with text_of(path) as stream:
            found: Mapping[str, Any] = json.load(stream)
    except (ValueError, RecursionError) as error:
        raise Unreadable("It is no JSON.") from error
    return {name: rows for name, rows in found.items() if name.lower() in SPLITS}


def known_parts(words: Strings) -> Parts:
    """The splits that words name. Raises Unreadable for a word that names none."""
    codes = dict[str, int]()
    for word in dict.fromkeys(words):
        name = word.strip().lower()
        name = name.removesuffix(".0") if is_number(name) else name
        if name not in KNOWN:
            row = words.index(word)
            known = "train, validation (or val, valid, dev) and test, or 0, 1 and 2, are known"
            raise Unreadable(f"{word[:50]!r} in row {row} names no split: {known}.")
        codes[word] = KNOWN[name]
    return np.array([codes[word] for word in words], dtype=np.int8)


def _in_order(parts: Parts, rows: int) -> Parts:
    if len(parts) != rows:
        raise Unreadable(
            f"It has {len(parts):,} rows, and the data {rows:,}: a word for each row, or an `id`, is needed."
        )
    return parts


def _by_ids(parts: Parts, keys: Strings, ids: Words, said: SplitFile) -> Parts:
    known = dict[str, int]()
    for key, part in zip(keys, parts.tolist(), strict=True):
        if known.setdefault(key, part) != part:
            raise Unreadable(f"It names {key[:50]!r} of {said.id!r} twice, in several splits.")
    codes = np.unique(ids.codes)
    missing = [ids.cells[code] for code in codes if ids.cells[code] not in known]
    if missing:
        row = int(np.flatnonzero(ids.codes == ids.cells.index(missing[0]))[0])
        raise Unreadable(
            f"It does not name {missing[0][:50]!r} of {said.id!r} (row {row}), and {len(missing) - 1:,} more."
        )
    return np.array([known.get(cell, TRAIN) for cell in ids.cells], dtype=np.int8)[ids.codes]


def _by_numbers(found: Mapping[str, Any], rows: int) -> Parts:
    parts = np.full(rows, -1, dtype=np.int8)
    if not found or any(name.lower() not in SPLITS for name in found):
        raise Unreadable(f"It holds {sorted(found)[:10]}; `split`, or `train`, `validation` and `test`, are read.")
    for name, numbers in found.items():
        try:
            at = np.asarray(numbers)
            fits = at.ndim == 1 and (at.dtype.kind in "iu" or not at.size)
        except ValueError:  # lists of several lengths
            fits = False
        if not fits:
            raise Unreadable(f"{name!r} must be a list of whole numbers, of rows from 0.")
        at = at.astype(np.int64)
        wrong = at[(at < 0) | (at >= rows)]
        if len(wrong):
            raise Unreadable(f"{name!r} names row {wrong[0]}; the data has the rows 0 to {rows - 1:,}.")
        if len(np.unique(at)) < len(at) or (parts[at] != -1).any():
            raise Unreadable(f"{name!r} names a row that was named before: a row is in one split.")
        parts[at] = SPLITS[name.lower()]
    left = np.flatnonzero(parts == -1)
    if len(left):
        raise Unreadable(f"Row {left[0]} is in no split, as are {len(left) - 1:,} more of {rows:,}.")
    return parts
