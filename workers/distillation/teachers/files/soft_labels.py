"""A teacher that is only known by its answers: arrays or a table, dense, or a few classes of each row."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import torch
from torch import Tensor

from qstill.contract.distillations.teachers import SoftLabels
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import MAX_BYTES, MAX_COLUMNS, Unreadable
from workers.distillation.data.dataset import Data
from workers.distillation.data.files.arrays import read_npz
from workers.distillation.data.files.npy import read_npy
from workers.distillation.data.files.table import MAX_ROWS, MAX_VALUES, Array
from workers.distillation.signals.sparse import dense
from workers.distillation.tasks.judge import ROUNDED, SUM_TOLERANCE
from workers.distillation.teachers.base import SMALLEST_PROBABILITY, Teacher, arranged, logarithms, refuse_probabilities
from workers.distillation.teachers.files.counts import from_counts, read_keys, whole
from workers.distillation.teachers.kinds import as_logits, as_logits_of_labels

INDICES, VALUES = "indices", "values"

Notes = tuple[str, ...]


def from_soft_labels(spec: SoftLabels, path: Path, data: Data) -> Teacher:
    """Raises Problem: soft_labels_mismatch, soft_labels_invalid, class_mismatch, kind_mismatch."""
    if spec.kind == "counts":
        return _counted(spec, path, data)
    arrays = _read(path, spec.classes or data.classes)
    if set(arrays) == {INDICES, VALUES} and data.task.answers == "logits" and not data.task.yes_no:
        logits, unspoken, notes = _sparse(spec, arrays, data)
    elif len(arrays) == 1:
        (logits, notes), unspoken = _dense(spec, next(iter(arrays.values())), data), None
    else:
        raise _invalid(f"The file holds {sorted(arrays)[:10]}; one array, or `indices` and `values`, are needed.")
    digest = hashlib.sha256(spec.kind.encode() + logits.numpy().tobytes())
    if unspoken is not None:
        digest.update(unspoken.numpy().tobytes())
    teacher = Teacher(
        lambda rows: logits.index_select(0, rows.index),
        digest.hexdigest(),
        unspoken=None if unspoken is None else lambda rows: unspoken.index_select(0, rows.index),
        lasting=False,
        notes=notes,
    )
    return arranged(teacher, spec.classes, data.classes)


def _counted(spec: SoftLabels, path: Path, data: Data) -> Teacher:
    names = spec.classes or data.classes
    with path.open("rb") as stream:
        text = not stream.read(4).startswith((b"PAR1", b"PK", b"\x93NUM"))
    if text:
        counts, notes = read_keys(path, spec.outcomes, names)
        return from_counts(spec, counts, data, notes)
    arrays = _read(path, names)
    if len(arrays) != 1:
        raise _invalid("Counts are one array, a column for each class, or a .json of counts by key.")
    return from_counts(spec, whole(next(iter(arrays.values()))), data)


def _dense(spec: SoftLabels, array: Array, data: Data) -> tuple[Tensor, Notes]:
    wanted = (data.total, len(data.classes))
    if array.ndim == 1 and (wanted[1] == 1 or (wanted[1] == 2 and data.task.answers == "logits")):
        array = array[:, None]
    of_second = wanted[1] == 2 and data.task.answers == "logits" and not data.task.yes_no
    if of_second and array.shape == (data.total, 1):
        return _of_second(spec, array), ("The one column of the soft labels was read as that of the second class.",)
    if array.shape != wanted:
        columns = "targets" if data.task.answers == "values" else "labels" if data.task.yes_no else "classes"
        title = f"The soft labels have shape {array.shape}; the data needs {wanted}, rows by {columns}."
        raise Problem("soft_labels_mismatch", title, pointer="/file")
    if data.task.answers == "values":
        values = torch.from_numpy(array.astype(np.float64))
        _refuse_infinite(values)
        return values, ()
    answers = torch.from_numpy(array.astype(np.float64)).float()
    if data.task.yes_no:
        return as_logits_of_labels(_finite(spec, answers), spec.kind, _invalid), ()  # type: ignore[arg-type]
    if spec.kind == "log_probabilities":
        answers = answers.exp()  # log 0 is no number, 0 is one
    _refuse_infinite(answers)
    if spec.kind != "logits":
        answers, notes = _whole(answers, least=1 - ROUNDED)
        return logarithms(answers, _invalid), notes
    refuse_probabilities(answers)
    return answers, ()


def _finite(spec: SoftLabels, answers: Tensor) -> Tensor:
    _refuse_infinite(answers.exp() if spec.kind == "log_probabilities" else answers)
    return answers


def _of_second(spec: SoftLabels, array: Array) -> Tensor:
    """Logits (rows, 2) of what says how likely the second of two classes is."""
    answers = _finite(spec, torch.from_numpy(array.astype(np.float64)).float())
    return as_logits(answers, spec.kind, 2, _invalid)  # type: ignore[arg-type]


def _whole(probabilities: Tensor, *, least: float) -> tuple[Tensor, Notes]:
    """Rows (rows, classes) that rounding has brought near 1 divided by their sums, and a note of it.

    least: the smallest sum that is rounding's; a row with less, or with more than rounding adds, stays as it is.
    """
    sums = probabilities.sum(1)
    off = (sums - 1).abs() > SUM_TOLERANCE
    off &= (sums >= least) & (sums <= 1 + ROUNDED) & (probabilities >= 0).all(1)
    if not bool(off.any()):
        return probabilities, ()
    low, high = float(sums[off].min()), float(sums[off].max())
    note = (
        f"{int(off.sum())} rows of the soft labels summed to between {low:.4g} and {high:.4g}, as rounded "
        "probabilities do: each was divided by its sum."
    )
    return torch.where(off[:, None], probabilities / sums[:, None], probabilities), (note,)


def _sparse(spec: SoftLabels, arrays: dict[str, Array], data: Data) -> tuple[Tensor, Tensor | None, Notes]:
    indices, values = arrays[INDICES], arrays[VALUES]
    classes = len(data.classes)
    if indices.ndim != 2 or indices.shape != values.shape or len(indices) != data.total or indices.shape[1] == 0:
        title = f"`indices` has shape {indices.shape} and `values` {values.shape}; both must be ({data.total}, k)."
        raise Problem("soft_labels_mismatch", title, pointer="/file")
    if indices.dtype.kind not in "iu" or ((indices < 0) | (indices >= classes)).any():
        raise _invalid(f"`indices` must be whole numbers from 0 to {classes - 1}, one for each class.")
    ordered = np.sort(indices, axis=1)
    twice = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(1))
    if len(twice):
        raise _invalid(f"Row {twice[0]} names a class twice.")
    answers = torch.from_numpy(values.astype(np.float64))
    if spec.kind == "logits":
        if spec.missing != "renormalise":
            title = "Logits of some classes do not tell what probability the others have."
            ways_out = [{"missing": "renormalise"}, {"kind": "log_probabilities"}]
            raise Problem("kind_mismatch", title, pointer="/missing", ways_out=ways_out)
        _refuse_infinite(answers)
        logs, notes = answers, Notes()
    else:
        probabilities = answers.exp() if spec.kind == "log_probabilities" else answers
        _refuse_infinite(probabilities)
        probabilities, notes = _whole(probabilities, least=1)  # with less, it leaves something to other classes
        sums = probabilities.sum(1)
        wrong = ((probabilities < 0).any(1) | (sums > 1 + SUM_TOLERANCE) | (sums <= 0)).nonzero()
        if len(wrong):
            row = int(wrong[0])
            raise _invalid(f"The probabilities of row {row} sum to {float(sums[row]):.6g} or are negative.")
        logs = probabilities.clamp(min=SMALLEST_PROBABILITY).log()
    return *dense(logs, torch.from_numpy(indices.astype(np.int64)), classes, spec.missing), notes


def _read(path: Path, classes: list[str]) -> dict[str, Array]:
    with path.open("rb") as stream:
        start = stream.read(4)
    try:
        if start == b"PAR1":
            return read_parquet(path, classes)
        if start.startswith(b"PK"):
            return read_npz(path)
        if start != b"\x93NUM":
            raise Unreadable(
                "Soft labels are .npy, .npz or .parquet, counts also .json; a .csv is for the lists of a recommender."
            )
        return {"": read_npy(path)}
    except Unreadable as error:
        raise _invalid(str(error)) from error


def read_parquet(path: Path, classes: list[str]) -> dict[str, Array]:
    """Columns of lists as arrays (rows, length), by name; or one array of a numeric column for each class.

    Columns that bear the names of the classes are taken in the classes' order. Raises Unreadable.
    """
    try:
        file = pq.ParquetFile(path)
        described = file.metadata
        groups = [described.row_group(i) for i in range(described.num_row_groups)]
        size = sum(group.total_byte_size for group in groups)
        if size > MAX_BYTES or described.num_rows > MAX_ROWS or described.num_columns > MAX_COLUMNS:
            raise Unreadable(f"The table is larger than {MAX_BYTES} bytes, {MAX_ROWS} rows or {MAX_COLUMNS} columns.")
        # Run lengths make a billion equal values a few bytes, before any compression.
        if sum(group.column(j).num_values for group in groups for j in range(group.num_columns)) > MAX_VALUES:
            raise Unreadable(f"The table has more than {MAX_VALUES} values.")
        table = file.read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable("The file is not a readable parquet table.") from error
    names = table.column_names
    if all(_is_list(column.type) for column in table.columns):
        return {name: _lists(name, table.column(name)) for name in names}
    if set(names) == set(classes):
        names = classes
    if len(set(names)) != len(names):
        raise Unreadable("Two columns have the same name.")
    return {"": np.stack([_numbers(name, table.column(name)) for name in names], axis=1)}


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _lists(name: str, column: pa.ChunkedArray) -> Array:
    lengths = column.combine_chunks()
    whole = lengths if not isinstance(lengths, pa.ChunkedArray) else pa.concat_arrays(lengths.chunks)
    counts = np.asarray(whole.value_lengths().to_numpy(zero_copy_only=False), dtype=np.float64)
    if whole.null_count or len(counts) == 0 or (counts != counts[0]).any():
        raise Unreadable(f"The lists of column {name!r} do not have all the same length.")
    values = _numbers(name, whole.flatten())
    if len(values) > MAX_VALUES:
        raise Unreadable(f"Column {name!r} has more than {MAX_VALUES} values.")
    return values.reshape(len(counts), -1)


def _numbers(name: str, column: pa.Array | pa.ChunkedArray) -> Array:
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)) or column.null_count:
        raise Unreadable(f"Column {name!r} holds something else than numbers, or nothing.")
    if isinstance(column, pa.ChunkedArray):
        return np.asarray(column.to_numpy())
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _refuse_infinite(answers: Tensor) -> None:
    wrong = (~answers.float().isfinite().all(1)).nonzero()
    if len(wrong):
        raise _invalid(f"Row {int(wrong[0])} holds a value that is not finite in single precision.")


def _invalid(title: str) -> Problem:
    return Problem("soft_labels_invalid", title, pointer="/file")
