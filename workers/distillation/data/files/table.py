"""What was read of an uploaded file, and the bounds that all formats share."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qstill.contract.schemas import PRINTABLE
from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.cells import is_number, same_numbers
from workers.distillation.stored.pages import row_blocks
from workers.distillation.tables.frame import Frame, Plan

MAX_VALUES = 60_000_000  # of a table whose cells are words, held in memory: 240 MB in single precision
MAX_ROWS = 1_000_000
MAX_CLASSES = 1_000  # logits of every row are kept
MAX_NAME = 200  # characters of a class; a request can name no longer one
MANY_NUMBERS = 100  # whole numbers that labels name; beyond, they are rather counted or measured than classes
TRAIN, VALIDATION, TEST = range(3)
SPLITS = {"train": TRAIN, "training": TRAIN, "test": TEST, "testing": TEST, "validation": VALIDATION}
SPLITS |= {"val": VALIDATION, "valid": VALIDATION, "dev": VALIDATION}  # as folders and cells name them

Array = NDArray[Any]


@dataclass(frozen=True)
class ReadingNote:
    """What a reader must know of how a file was read. code: as a preflight's advice. doubt: it may spoil the result."""

    code: str
    said: str
    doubt: bool = False


@dataclass(frozen=True)
class Table:
    """x: (rows, ...), finite numbers, in memory or mapped. y: (rows,) int64, `UNKNOWN` where there is no label.

    Regression: y is (rows, targets) float64, NaN where unknown, and `classes` are the names of the targets.
    parts: (rows,) TRAIN, VALIDATION or TEST, where the file divides its rows itself.
    pixels: whether x are bytes of images, which inputs are after division by 255.
    frame: the cells of the inputs, where they have names. plan: what columns are taken for, where not all of them are
    numbers and inputs; x is empty then, since encoders are fitted on the training rows alone.
    """

    x: Array
    y: Array
    classes: list[str]
    notes: tuple[ReadingNote, ...] = ()
    parts: NDArray[np.int8] | None = None
    pixels: bool = False
    frame: Frame | None = None
    plan: Plan | None = None


def with_classes(
    x: Array, y: NDArray[np.int64], classes: list[str], notes: tuple[ReadingNote, ...] = (), *, hint: str = ""
) -> Table:
    """The table of a classification. hint: what may be wrong where there are too few. Raises Unreadable."""
    if not 2 <= len(classes) <= MAX_CLASSES:
        said = " Real numbers are predicted with `task` regression." if quantities(classes) else hint
        raise Unreadable(f"The labels name {len(classes)} classes; 2 to {MAX_CLASSES} are read.{said}")
    refuse_unusable(classes)
    return Table(x, y, classes, (*notes, *alike(classes)))


def alike(classes: list[str]) -> list[ReadingNote]:
    """A doubt where classes are one number written in several ways, as in files that were put together."""
    found = same_numbers(classes)
    if not found:
        return []
    shown = "; ".join(" and ".join(repr(name[:20]) for name in several[:3]) for several in found[:3])
    said = f"Classes that are one number written in several ways: {shown}. If they are one class, write it one way."
    return [ReadingNote("classes_alike", said, doubt=True)]


def quantities(classes: list[str]) -> bool:
    """Whether the labels look like numbers that measure something, rather than like names of classes."""
    if not all(is_number(name) for name in classes):
        return False
    return len(classes) > MANY_NUMBERS or any(not float(name).is_integer() for name in classes)


def refuse_unusable(classes: list[str]) -> None:
    """Raise Unreadable for a class whose name a request, or a report's pictures, cannot hold."""
    for name in classes:
        if len(name) > MAX_NAME:
            raise Unreadable(f"The label {name[:50]!r}… has {len(name)} characters; at most {MAX_NAME} are read.")
        if not re.fullmatch(PRINTABLE, name):
            raise Unreadable(f"The name of class {name[:50]!r} has a control character.")


def refuse_infinite(x: Array, names: list[str]) -> None:
    """x: (rows, ...). names: of the numbers of a row. float32 must hold them, because networks are given that."""
    if x.dtype.kind in "biu":
        return
    for first, block in row_blocks(x):
        values = block.reshape(len(block), -1)
        with np.errstate(over="ignore", invalid="ignore"):
            wrong = np.argwhere(~np.isfinite(values.astype(np.float32)))
        if len(wrong):
            row, column = wrong[0]
            said = f"{values[row, column]} is not a finite number in single precision."
            raise Unreadable(f"Row {first + row}, {names[column]}: {said}")


def own_split(parts: NDArray[np.int8], how: str) -> ReadingNote:
    """Of rows that were not drawn. how: they were divided."""
    named = ((TRAIN, "training"), (VALIDATION, "validation"), (TEST, "the test"))
    counts = ", ".join(f"{int((parts == part).sum()):,} for {name}" for part, name in named)
    return ReadingNote("own_split", f"The rows were divided {how}: {counts}.")


def said_of_missing(count: int, rows: int, written: list[str]) -> ReadingNote:
    """Of labels that are not there. written: what stands in their place."""
    how = ", ".join("nothing" if not each else repr(each[:20]) for each in written[:5])
    said = f"{count} of {rows} rows have no label: in its place stands {how}."
    if any(written):
        said += " If that names a class, give it another name."
    return ReadingNote("labels_missing", said)
