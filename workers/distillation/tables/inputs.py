"""What networks are given of a table: its numbers, or its columns as encoders make numbers of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import MAX_COLUMNS
from qstill.contract.tables.columns import Column
from workers.distillation.data.files.table import MAX_VALUES, ReadingNote, Table
from workers.distillation.inputs.inputs import Shape
from workers.distillation.inputs.values import Values
from workers.distillation.rows import Standardisation
from workers.distillation.stored.rows import StoredRows, scaled
from workers.distillation.stored.shelf import IN_MEMORY, Shelf
from workers.distillation.tables.encoding import Encoding, fitted
from workers.distillation.tables.frame import Frame

MAX_SHOWN = 1_000  # columns of a table of numbers that are described


@dataclass(frozen=True)
class Columns(Values):
    """The columns of a table with a header. frame: all cells, by the numbers that rows had before the split.

    encoding: how they become inputs; None: all are numbers, and inputs as they are. said: of each, for people.
    """

    frame: Frame
    encoding: Encoding | None
    said: tuple[Column, ...]

    @property
    def digest(self) -> str:
        return "" if self.encoding is None else self.encoding.model_dump_json()

    def file_card(self, row: Shape) -> dict[str, Any]:
        columns = {} if self.encoding is None else {"columns": self.encoding.model_dump(mode="json")}
        return super().file_card(row) | columns


@dataclass(frozen=True)
class EncodedRows:
    """raw: (rows, ...), float32. notes: what encoding them showed."""

    raw: Tensor
    columns: Columns | None = None
    notes: tuple[ReadingNote, ...] = ()


def encoded_rows(table: Table, train: Tensor, shelf: Shelf = IN_MEMORY) -> EncodedRows:
    """train: numbers of the training rows, on which alone encoders are fitted. Raises Problem dataset_invalid."""
    if table.frame is None or table.plan is None:
        stored = StoredRows(table.x, np.arange(len(table.x)), (scaled,) if table.pixels else ())
        raw = stored.whole() if shelf.holds(table.x.size) else stored
        if table.frame is None:
            return EncodedRows(raw)
        return EncodedRows(raw, Columns(table.frame, None, tuple(_numeric(table.frame))))
    plan, training = table.plan, table.frame.some(train.numpy())
    others = [column.name for column in plan.columns if column.name not in plan.kinds]
    encoding = fitted(training, plan.kinds, others, plan.missing)
    _refuse_wide(encoding, len(table.y))
    raw = torch.from_numpy(encoding.encode(table.frame))
    fits = {encoder.name: encoder for encoder in encoding.encoders}
    said = tuple(
        column.model_copy(update={"inputs": fits[column.name].inputs(), "fills": fits[column.name].fills()})
        if column.name in fits
        else column
        for column in plan.columns
    )
    held_out = np.setdiff1d(np.arange(len(table.y)), train.numpy())
    unseen = encoding.unseen(table.frame.some(held_out), but=training)
    return EncodedRows(raw, Columns(table.frame, encoding, said), tuple(_unseen_notes(unseen, len(held_out))))


def only_measured(standardisation: Standardisation, columns: Columns | None) -> Standardisation:
    """The same, with inputs that say yes or no left as they are: a rare word would count for tens of others."""
    if columns is None or columns.encoding is None or standardisation.mean.numel() == 1:
        return standardisation
    measured = torch.from_numpy(columns.encoding.measured())
    mean, std = standardisation.mean, standardisation.std
    return Standardisation(
        torch.where(measured, mean, torch.zeros_like(mean)), torch.where(measured, std, torch.ones_like(std))
    )


def _numeric(frame: Frame) -> Iterator[Column]:
    for name, cells in list(frame.columns.items())[:MAX_SHOWN]:
        values, counts = np.unique(getattr(cells, "values"), return_counts=True)  # noqa: B009
        often = values[np.argsort(-counts, kind="stable")[:5]]
        examples = [f"{value:.6g}" for value in often]
        yield Column(
            name=name, kind="numeric", gaps=0, distinct=len(values), examples=examples, said=None, inputs=[name]
        )


def _refuse_wide(encoding: Encoding, rows: int) -> None:
    """Raise Problem dataset_invalid for more inputs than there may be."""
    inputs = len(encoding.inputs())
    if inputs <= MAX_COLUMNS and inputs * rows <= MAX_VALUES:
        return
    widest = max(encoding.encoders, key=lambda each: len(each.inputs()))
    title = (
        f"The columns become {inputs:,} inputs, with {rows:,} rows {inputs * rows:,} numbers; at most {MAX_COLUMNS:,} "
        f"and {MAX_VALUES:,} are held. {widest.name!r} alone becomes {len(widest.inputs())}."
    )
    raise Problem("dataset_invalid", title, pointer="/dataset/file", ways_out=[{"ignore": [widest.name]}])


def _unseen_notes(unseen: list[tuple[str, int, list[str]]], rows: int) -> Iterator[ReadingNote]:
    for name, count, words in unseen:
        shown = ", ".join(repr(word[:30]) for word in words)
        said = (
            f"{count:,} of {rows:,} validation and test rows have in {name!r} what no training row has: {shown}. They "
            "were kept, and count as rare words do."
        )
        yield ReadingNote("words_unseen", said)
