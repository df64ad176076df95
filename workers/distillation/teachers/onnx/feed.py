"""How rows become the input that an ONNX model takes: its shape, and its type of numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import onnxruntime as ort

from qstill.contract.errors import Problem
from workers.distillation.artifacts import checkpoints
from workers.distillation.data.dataset import Data
from workers.distillation.data.files.table import Array
from workers.distillation.rows import Rows

REAL = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
WHOLE = {
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint64)": np.uint64,
    "tensor(uint32)": np.uint32,
    "tensor(uint16)": np.uint16,
    "tensor(uint8)": np.uint8,
}  # pixels, numbers of tokens, or of anything that is counted
BYTE = 255.0  # what the pixels of an archive were divided by when they were read

ROWS_AT_ONCE = 256  # of one run: bounds the activations of a model that we know nothing about

Shape = tuple[int | None, ...]  # None: any size


@dataclass(frozen=True)
class Feed:
    """batch: rows of one run if the model fixes them. raw: whether rows are as they were uploaded. times: a factor.

    said: in words, what a reader of the report must know.
    """

    rows_at_once: ClassVar[int] = ROWS_AT_ONCE
    name: str
    number: type
    batch: int | None
    arrange: Callable[[Array], Array]
    raw: bool
    times: float
    said: tuple[str, ...]

    def given(self, rows: Rows) -> dict[str, Array]:
        """Rows by the name of the input. Raises Problem inputs_mismatch."""
        return {self.name: self.fed((rows.raw if self.raw else rows.x).numpy())}

    def fed(self, rows: Array) -> Array:
        """Rows (rows, ...) as the model takes them. Raises Problem inputs_mismatch for what its numbers cannot say."""
        values = rows if self.times == 1 else np.round(rows * np.float64(self.times), 3)  # x/255 is no exact number
        kind = np.dtype(self.number)
        whole = kind.kind in "iu"
        if whole and not (values == np.trunc(values)).all():
            raise self._unfit(f"The model takes whole numbers ({kind.name}), and some of the rows hold others.", whole)
        least, most = _range(kind)
        if len(values) and not least <= float(values.min()) <= float(values.max()) <= most:
            title = f"The model takes {kind.name}, {least:g} to {most:g}, and some of the rows go beyond."
            raise self._unfit(title, whole)
        return np.ascontiguousarray(self.arrange(values), dtype=kind)

    def _unfit(self, title: str, whole: bool) -> Problem:
        """The other inputs may fit: raw ones may be whole, standardised ones are small."""
        ways_out = [{"inputs": "raw" if whole else "standardised"}] if self.raw != whole else []
        return Problem("inputs_mismatch", title, pointer="/inputs", ways_out=ways_out)


def feed_of(session: ort.InferenceSession, data: Data, *, raw: bool) -> Feed:
    """Match the one input to the rows: as they are, flattened, with the channels last, or without them.

    raw: whether it is given rows as they were uploaded. Raises Problem teacher_mismatch, teacher_invalid.
    """
    inputs = session.get_inputs()
    taken = REAL | WHOLE
    if len(inputs) != 1 or inputs[0].type not in taken:
        told = ", ".join(f"{each.name}: {each.type}" for each in inputs[:10])
        title = f"The model takes {len(inputs)} inputs ({told[:300]}); one tensor of numbers is needed."
        raise Problem("teacher_mismatch", title, pointer="/file")
    only = inputs[0]
    declared: Shape = tuple(dim if isinstance(dim, int) and dim >= 0 else None for dim in only.shape or ())
    batch, wanted = (declared[0], declared[1:]) if declared else (None, None)
    if batch == 0:
        raise checkpoints.invalid("The model takes batches of no rows.")
    row = data.input_shape
    times = BYTE if raw and data.pixels and only.type in WHOLE else 1.0
    scaled = (f"The teacher takes whole numbers and was given pixels from 0 to {BYTE:.0f}.",) if times != 1 else ()
    for shape, arrange, said in _arrangements(row):
        if wanted is None or (len(shape) == len(wanted) and all(map(_fits, wanted, shape))):
            told_of_shape = (f"The teacher was given {said}.",) if said else ()
            return Feed(only.name, taken[only.type], batch, arrange, raw, times, (*told_of_shape, *scaled))
    shown = ", ".join("any" if dim is None else str(dim) for dim in wanted or ())
    title = f"The model takes inputs of shape ({shown}); one row of this data has {row}."
    raise Problem("teacher_mismatch", title, pointer="/file")


def _range(kind: np.dtype[Any]) -> tuple[float, float]:
    if kind.kind in "iu":
        whole = np.iinfo(kind)
        return float(whole.min), float(whole.max)
    real = np.finfo(kind)
    return float(real.min), float(real.max)


def _fits(wanted: int | None, size: int) -> bool:
    return wanted is None or wanted == size


def _arrangements(row: tuple[int, ...]) -> list[tuple[tuple[int, ...], Callable[[Array], Array], str | None]]:
    """(shape, how rows get it, in words), the nearest first."""
    ways: list[tuple[tuple[int, ...], Callable[[Array], Array], str | None]] = [(row, lambda x: x, None)]
    if len(row) == 3:
        channels, height, width = row
        last = (height, width, channels)
        ways.append((last, lambda x: x.transpose(0, 2, 3, 1), "images with their channels last"))
        if channels == 1:
            ways.append(((height, width), lambda x: x[:, 0], "images without a dimension for their one channel"))
    flat = int(np.prod(row))
    ways.append(((flat,), lambda x: x.reshape(len(x), flat), "flattened images" if len(row) == 3 else None))
    return ways
