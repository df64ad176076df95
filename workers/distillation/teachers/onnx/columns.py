"""An ONNX model with an input for each column of a table, as skl2onnx writes pipelines, and this house its students."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import onnxruntime as ort

from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.data.files.table import Array
from workers.distillation.rows import Rows
from workers.distillation.tables.encoding import truths
from workers.distillation.tables.frame import Cells, Frame, as_words, fed
from workers.distillation.teachers.onnx.feed import ROWS_AT_ONCE

TYPES = {
    "tensor(string)": "string",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}
OWN_NAME = " (input)"  # behind the name of a column that an output has


@dataclass(frozen=True)
class Taken:
    """What a model takes of a column. flat: (rows,) instead of (rows, 1)."""

    input: str
    column: str
    type: str
    flat: bool


@dataclass(frozen=True)
class ColumnFeed:
    """As `Feed`, by the names of columns. batch: rows of one run if the model fixes them."""

    rows_at_once: ClassVar[int] = ROWS_AT_ONCE
    taken: tuple[Taken, ...]
    frame: Frame
    batch: int | None
    said: tuple[str, ...]

    def given(self, rows: Rows) -> dict[str, Array]:
        """Raises Problem inputs_mismatch for gaps where whole numbers are wanted."""
        some = self.frame.some(rows.index.numpy())
        return {each.input: _fed(some.columns[each.column], each) for each in self.taken}


def columns_of(session: ort.InferenceSession) -> dict[str, str]:
    """The columns that a model takes by name, and their types; empty where it takes something else."""
    inputs = session.get_inputs()
    fitting = all(each.type in TYPES and _is_column(each.shape) for each in inputs)
    several = len(inputs) > 1 or inputs[0].type == "tensor(string)"
    return {each.name.removesuffix(OWN_NAME): TYPES[each.type] for each in inputs} if fitting and several else {}


def column_feed(session: ort.InferenceSession, data: Data) -> ColumnFeed | None:
    """None for a model that takes no columns. Raises Problem teacher_mismatch for columns that the data lacks."""
    wanted = columns_of(session)
    if not wanted:
        return None
    has: Mapping[str, Cells] = {} if data.columns is None else data.columns.frame.columns
    if lacking := [name for name in wanted if name not in has]:
        title = (
            f"The model takes columns by name, and this data has no {', '.join(map(repr, lacking[:5]))}; it has "
            f"{', '.join(list(has)[:10]) or 'no columns with names'}."
        )
        raise Problem("teacher_mismatch", title, pointer="/file")
    inputs = session.get_inputs()
    taken = tuple(
        Taken(each.name, name, kind, len(each.shape) == 1)
        for each, (name, kind) in zip(inputs, wanted.items(), strict=True)
    )
    batch = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None
    said = f"The teacher was given {len(taken)} columns by their names, as they stand in the table."
    assert data.columns is not None
    return ColumnFeed(taken, data.columns.frame, batch, (said,))


def _is_column(shape: list[int | str | None] | None) -> bool:
    return shape is not None and (len(shape) == 1 or (len(shape) == 2 and shape[1] in (1, "1")))


def _fed(cells: Cells, taken: Taken) -> Array:
    if taken.type == "bool":
        values = truths(as_words(cells))[:, None]
    else:
        values = fed(cells, "float64" if taken.type.startswith("int") else taken.type)
    if taken.type in ("bool", "int64", "int32"):
        if np.isnan(values).any():
            title = f"The model takes {taken.column!r} as {taken.type}, which has no way to say that nothing is known."
            raise Problem("inputs_mismatch", title, pointer="/file")
        values = values.astype(taken.type)
    return values[:, 0] if taken.flat else values
