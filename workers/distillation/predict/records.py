"""Rows of a table as objects of JSON, for a model that takes columns by their names."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from pydantic import ValidationError

from qstill.contract.errors import Problem
from qstill.contract.models.questions import AskTable, Cell
from qstill.contract.tables.cells import is_missing, is_number
from workers.distillation.artifacts import checkpoints
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.rows import Rows
from workers.distillation.tables.encoding import CategoryEncoder, Encoding, NumberEncoder
from workers.distillation.tables.frame import GAP, Cells, Frame, Numbers, spelled, words_of
from workers.distillation.tables.inputs import Columns
from workers.distillation.teachers.onnx.check import read_onnx
from workers.distillation.teachers.onnx.columns import columns_of

SHOWN = 10  # names in a refusal


@dataclass(frozen=True)
class Reader:
    """What a model takes of a row. numbers: by the name of each column, whether it takes numbers of it.

    encoding: how it makes inputs of them, where that is known; a foreign file does not say.
    """

    numbers: Mapping[str, bool]
    encoding: Encoding | None = None


def reader_of_card(card: checkpoints.Card) -> Reader | None:
    """None for a model of rows of numbers."""
    return None if card.columns is None else _reader(card.columns)


def reader_of_onnx(path: Path, threads: int) -> Reader | None:
    """None for a model that takes one tensor of numbers. Raises Problem teacher_invalid."""
    content = path.read_bytes()
    read_onnx(content)  # onnxruntime would read the files that it names
    session = open_session(content, threads)
    wanted = columns_of(session)
    if not wanted:
        return None
    return _own(session) or Reader({name: kind not in ("string", "bool") for name, kind in wanted.items()})


def table_of(asked: AskTable, reader: Reader) -> tuple[Rows, Columns, list[str]]:
    """The rows, their cells, and what to know of them. Raises Problem: no_such_column, not_a_number."""
    known, notes = reader.encoding, list[str]()
    names = set(reader.numbers) | set([] if known is None else known.others)
    for number, row in enumerate(asked.rows):
        if strange := [name for name in row if name not in names]:
            listed = ", ".join(list(reader.numbers)[:SHOWN])
            title = f"The model knows no column {strange[0][:50]!r}; it reads {listed}."
            raise Problem("no_such_column", title, pointer=_pointer(number, strange[0]))
    frame = Frame({name: _cells(asked, name, reader) for name in reader.numbers})
    for name in reader.numbers:
        if lacking := sum(name not in row for row in asked.rows):
            notes.append(f"{lacking} of {len(asked.rows)} rows have no {name!r}: it counts as a gap.")
    if known is not None:
        notes += _of_unseen(known, frame, len(asked.rows))
    count = torch.arange(len(asked.rows))
    nothing = torch.zeros(len(count), 0)
    return Rows(nothing, nothing, torch.zeros_like(count), count), Columns(frame, None, ()), notes


def _reader(encoding: Encoding) -> Reader:
    numbers = {each.name: isinstance(each, NumberEncoder) and each.kind == "numeric" for each in encoding.encoders}
    return Reader(numbers, encoding)


def _own(session: ort.InferenceSession) -> Reader | None:
    """Of a file that was exported here, whose card says how columns are encoded."""
    try:
        card = json.loads(session.get_modelmeta().custom_metadata_map.get(checkpoints.CARD, "{}"))
        return _reader(Encoding.model_validate(card["columns"]))
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError):
        return None


def _cells(asked: AskTable, name: str, reader: Reader) -> Cells:
    missing = frozenset([] if reader.encoding is None else reader.encoding.missing)
    values = [row.get(name) for row in asked.rows]
    if reader.numbers[name]:
        return Numbers(np.array([_number(value, missing, number, name) for number, value in enumerate(values)]))
    categories = next(
        (each.categories for each in (reader.encoding.encoders if reader.encoding else [])
         if each.name == name and isinstance(each, CategoryEncoder)), [],
    )  # fmt: skip
    return words_of([_word(value, missing, categories) for value in values])


def _number(value: Cell, missing: frozenset[str], row: int, name: str) -> float:
    if value is None:
        return np.nan
    if isinstance(value, str):
        cell = value.strip()
        if is_missing(cell) or cell in missing:
            return np.nan
        if not is_number(cell):
            title = (
                f"{cell[:50]!r} is not a number, which the model takes of {name[:50]!r}; null says that there is none."
            )
            raise Problem("not_a_number", title, pointer=_pointer(row, name))
        value = float(cell)
    if not np.isfinite(np.float32(value)):
        title = "Some of the inputs are beyond the range of single precision."
        raise Problem("inputs_mismatch", title, pointer=_pointer(row, name))
    return float(value)


def _word(value: Cell, missing: frozenset[str], categories: Sequence[str]) -> str:
    """As the table spells it; of a number that the table has as a word, as it stands there."""
    if value is None:
        return GAP
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float | int):
        known = [form for form in (spelled(value), repr(value), f"{value:.1f}") if form in categories]
        return known[0] if known else spelled(value)
    cell = value.strip()
    return GAP if is_missing(cell) or cell in missing else cell


def _of_unseen(encoding: Encoding, frame: Frame, rows: int) -> Iterator[str]:
    for name, count, words in encoding.unseen(frame):
        shown = ", ".join(repr(word[:30]) for word in words)
        yield f"{count} of {rows} rows have in {name!r} what the model does not tell from other rare words: {shown}."


def _pointer(row: int, name: str) -> str:
    return f"/rows/{row}/{name.replace('~', '~0').replace('/', '~1')}"
