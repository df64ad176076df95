"""A teacher that was measured: how often each row was read as each class, by any machine, and how sure that is.

A row's frequencies are its soft labels. Rows are drawn into batches by their shots: what a student minimises is then,
on average, the likelihood of all shots (Σ counts·log q at T=1), in which a row of 4,096 says 256 times as much as one
of 16.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from qstill.contract.circuits.results.statistics import expected_total_variation
from qstill.contract.distillations.teachers import SoftLabels
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import MAX_BYTES
from workers.distillation.data.dataset import Data
from workers.distillation.data.files.table import Array
from workers.distillation.teachers.base import SMALLEST_PROBABILITY, Teacher, arranged

Integers = NDArray[np.int64]

MAX_SHOTS = 1 << 40  # of a row: their sum over all rows stays a number that doubles hold exactly
FORM = [{"00": 12, "11": 4}, {"01": 16}]

_ROWS: TypeAdapter[list[dict[str, int]]] = TypeAdapter(list[dict[str, int]])


def from_counts(spec: SoftLabels, counts: Integers, data: Data, notes: tuple[str, ...] = ()) -> Teacher:
    """counts: (rows, classes) in the order of `spec.classes`, or of the data's. Raises Problem."""
    wanted = (data.total, len(data.classes))
    if counts.shape != wanted:
        title = f"The counts have shape {counts.shape}; the data needs {wanted}, rows by classes."
        raise Problem("soft_labels_mismatch", title, pointer="/file")
    shots = counts.sum(1)
    if (counts < 0).any() or (shots > MAX_SHOTS).any():
        raise _invalid(f"A count is negative, or a row has more than {MAX_SHOTS:,} shots.")
    if len(silent := np.flatnonzero(shots == 0)):
        raise _invalid(f"Row {silent[0]} has no shots that say a class.")
    frequencies = torch.from_numpy(counts / shots[:, None]).float().clamp(min=SMALLEST_PROBABILITY)
    weights = torch.from_numpy(shots.astype(np.float64))
    teacher = Teacher(
        lambda rows: frequencies.log().index_select(0, rows.index),
        hashlib.sha256(b"counts" + counts.tobytes()).hexdigest(),
        weights=lambda rows: weights.index_select(0, rows.index),
        lasting=False,
        notes=(*notes, _said(shots, counts.shape[1])),
    )
    return arranged(teacher, spec.classes, data.classes)


def whole(array: Array) -> Integers:
    """An array of counts. Raises Problem where they are not whole."""
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all() or (numbers != np.round(numbers)).any() or (np.abs(numbers) > MAX_SHOTS).any():
        raise _invalid("Counts are whole numbers; frequencies are of kind `probabilities`.")
    return numbers.astype(np.int64)


def read_keys(path: Path, outcomes: Mapping[str, str] | None, classes: list[str]) -> tuple[Integers, tuple[str, ...]]:
    """(counts (rows, classes), notes) of a .json: a list of counts by key, or a circuit job's results, a row a circuit.

    outcomes: the class of each key, `x` for either bit; the first that fits counts. Raises Problem.
    """
    if outcomes is None:
        title = "The file has counts by key: which class does a key say?"
        raise Problem("outcomes_missing", title, pointer="/outcomes", ways_out=[{"outcomes": {"0x": classes[0]}}])
    for pattern, name in outcomes.items():
        if name not in classes:
            title = f"{name[:100]!r} is no class of this data."
            ways_out = [{"outcomes": {pattern: each}} for each in classes[:10]]
            raise Problem("class_mismatch", title, pointer=f"/outcomes/{pattern}", ways_out=ways_out)
    rows = _rows(path)
    known: dict[str, int | None] = {}
    found, other = np.zeros((len(rows), len(classes)), dtype=np.int64), 0
    for number, row in enumerate(rows):
        for key, count in row.items():
            bare = key.replace(" ", "")
            if not 0 <= count <= MAX_SHOTS:
                raise _invalid(f"{key[:64]!r} of row {number} is counted {count} times.")
            if bare not in known:
                known[bare] = _class_of(bare, outcomes, classes, number)
            if (place := known[bare]) is None:
                other += count
            else:
                found[number, place] += count
    total = int(found.sum()) + other
    note = f"{other:,} of {total:,} shots read keys that `outcomes` gives no class; they were left out."
    return found, (note,) if other else ()


def _class_of(key: str, outcomes: Mapping[str, str], classes: list[str], row: int) -> int | None:
    length = len(next(iter(outcomes)))
    if len(key) != length or key.strip("01"):
        title = f"{key[:64]!r} of row {row} is no key of {length} bits, as those of `outcomes` are."
        raise Problem("keys_differ", title, pointer="/outcomes", ways_out=[{"outcomes": {"x" * len(key): classes[0]}}])
    for pattern, name in outcomes.items():
        if all(wanted in ("x", bit) for wanted, bit in zip(pattern, key, strict=True)):
            return classes.index(name)
    return None


def _rows(path: Path) -> list[dict[str, int]]:
    if path.stat().st_size > MAX_BYTES:
        raise _invalid(f"The file is larger than {MAX_BYTES} bytes.")
    try:
        document: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise _invalid("The file is not JSON.") from None
    if isinstance(document, dict) and isinstance(document.get("circuits"), list):
        document = [each.get("counts") if isinstance(each, dict) else None for each in document["circuits"]]
    try:
        return _ROWS.validate_python(document, strict=True)
    except ValidationError as error:
        place = "/".join(map(str, error.errors()[0]["loc"])) or "the beginning"
        raise _invalid(f"What stands at {place} is no count: the file lists counts by key, a row each.") from None


def _said(shots: Integers, classes: int) -> str:
    """The shots, and how far they put frequencies from what they were drawn from."""
    least, middle, most = int(shots.min()), float(np.median(shots)), int(shots.max())
    floors = ", ".join(f"{expected_total_variation(classes, count):.3f}" for count in (least, middle, most))
    equal = float(shots.sum()) ** 2 / float((shots.astype(np.float64) ** 2).sum())
    return (
        f"The soft labels are frequencies of {least:,} to {most:,} shots a row, {middle:,.0f} in the middle. Of the "
        f"fewest, the middle and the most, chance alone puts up to about {floors} of total variation between them and "
        "what they were drawn from. Rows were drawn into the student's batches by their shots: they say as much as "
        f"{equal:,.0f} rows of equal shots."
    )


def _invalid(title: str) -> Problem:
    return Problem("soft_labels_invalid", title, pointer="/file", ways_out=[{"content": FORM}])
