"""Who chose what: read, numbered, and held out. The same body gives the same splits."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray
from torch import Tensor

from qstill.contract.distillations.recommenders.data import OwnSplit, SyntheticInteractions, UploadedInteractions
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.splits import SplitFile
from workers.distillation.data.files.split_file import Parts, known_parts, parts_by_file
from workers.distillation.data.files.table import TEST, TRAIN, VALIDATION
from workers.distillation.recommenders.data.read import NoSuchColumn, names_of, numbers_of, read_columns
from workers.distillation.recommenders.data.sampling import Unseen
from workers.distillation.recommenders.data.synthetic import draw

MAX_USERS = 500_000
MAX_ITEMS = 100_000  # a ranking scores all of them

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Log:
    """users, items: (rows,), numbered in the order of their names. order: (rows,) by which a user's choices follow
    one another; equal values are one moment. rows: (rows,) of the file, of which there are `total`.
    parts: (rows,) TRAIN, VALIDATION or TEST, where the client says it.
    """

    users: Indices
    items: Indices
    order: NDArray[np.float64]
    user_names: list[str]
    item_names: list[str]
    rows: Indices
    total: int
    parts: Parts | None = None


@dataclass(frozen=True)
class Pairs:
    """(rows,) users and items that belong together, int64, ordered by user."""

    users: Tensor
    items: Tensor

    def __len__(self) -> int:
        return len(self.users)


@dataclass(frozen=True)
class Data:
    """The splits. Validation and test hold users and items of the training split only: of others nothing is known.

    unseen: what users have not chosen in training. untested: what they have chosen neither in training nor in
    validation. cold: held-out rows that were dropped because their user or item is not in the training split.
    rows: of the file, in each split; it has `total`.
    """

    train: Pairs
    validation: Pairs
    test: Pairs
    unseen: Unseen
    untested: Unseen
    user_names: list[str]
    item_names: list[str]
    cold: int
    digest: str
    rows: tuple[list[int], list[int], list[int]]
    total: int

    @property
    def users(self) -> int:
        return len(self.user_names)

    @property
    def items(self) -> int:
        return len(self.item_names)


def load(spec: SyntheticInteractions | UploadedInteractions, files: Mapping[str, Path]) -> Data:
    """Read and hold out. Raises Problem: dataset_invalid, too_few_interactions."""
    log = _synthetic(spec) if isinstance(spec, SyntheticInteractions) else _uploaded(spec, files)
    for what, count, most in (("users", len(log.user_names), MAX_USERS), ("items", len(log.item_names), MAX_ITEMS)):
        if not 2 <= count <= most:
            raise _invalid(f"The table names {count} {what}; 2 to {most} are read.")
    train, *held_out = (np.flatnonzero(part) for part in _divided(log, spec))
    if not len(train):
        raise _too_few("No interaction is left to train on.")
    known_users = np.isin(np.arange(len(log.user_names)), log.users[train])
    known_items = np.isin(np.arange(len(log.item_names)), log.items[train])
    warm = [rows[known_users[log.users[rows]] & known_items[log.items[rows]]] for rows in held_out]
    for name, rows in zip(("validation", "test"), warm, strict=True):
        if not len(rows):
            raise _too_few(f"The {name} split has no interaction of a user and an item that training has, too.")
    training, validation, test = (_pairs(log, rows) for rows in (train, *warm))
    users, items = len(log.user_names), len(log.item_names)
    both = np.concatenate([train, warm[0]])
    return Data(
        training,
        validation,
        test,
        unseen=Unseen(training.users, training.items, user_count=users, item_count=items),
        untested=Unseen(
            torch.from_numpy(log.users[both]), torch.from_numpy(log.items[both]), user_count=users, item_count=items
        ),
        user_names=log.user_names,
        item_names=log.item_names,
        cold=sum(map(len, held_out)) - sum(map(len, warm)),
        digest=_digest(log),
        rows=(log.rows[train].tolist(), log.rows[warm[0]].tolist(), log.rows[warm[1]].tolist()),
        total=log.total,
    )


def _divided(log: Log, spec: SyntheticInteractions | UploadedInteractions) -> tuple[NDArray[np.bool_], ...]:
    """(training, validation, test)."""
    if log.parts is not None:
        return log.parts == TRAIN, log.parts == VALIDATION, log.parts == TEST
    return _by_user(log) if spec.split == "leave_one_out" else _by_time(log, spec.validation, spec.test)


def _synthetic(spec: SyntheticInteractions) -> Log:
    users, items, times = draw(spec)
    names = [str(n) for n in range(spec.users)], [str(n) for n in range(spec.items)]
    return Log(users, items, times, *names, np.arange(len(users)), len(users))


def _uploaded(spec: UploadedInteractions, files: Mapping[str, Path]) -> Log:
    fields = {"user": spec.user, "item": spec.item, "time": spec.time, "split/column": spec.split_column}
    try:
        table = read_columns(files[spec.file], [name for name in fields.values() if name is not None])
        users, user_names = names_of(table, spec.user)
        items, item_names = names_of(table, spec.item)
        times = numbers_of(table, spec.time) if spec.time else None
    except NoSuchColumn as error:
        field = next(field for field, name in fields.items() if name == error.column)
        raise Problem("dataset_invalid", str(error), pointer=f"/dataset/{field}") from error
    except Unreadable as error:
        raise _invalid(str(error)) from error
    parts = _own_parts(spec, table, files)
    kept = _without_repetitions(spec, users * len(item_names) + items, times)
    if spec.duplicates == "refuse" and len(kept) < len(users):
        row = int(np.setdiff1d(np.arange(len(users)), kept)[0])
        who, what = user_names[users[row]], item_names[items[row]]
        title = f"Row {row}: user {who!r} has item {what!r} again; {len(users) - len(kept)} rows repeat."
        raise Problem("dataset_invalid", title, pointer="/dataset/file", ways_out=[{"duplicates": "first"}])
    if times is None:
        times = np.random.default_rng([spec.split_seed, 0]).permutation(len(users)).astype(np.float64)
    kept_parts = None if parts is None else parts[kept]
    return Log(users[kept], items[kept], times[kept], user_names, item_names, kept, len(users), kept_parts)


def _own_parts(spec: UploadedInteractions, table: pa.Table, files: Mapping[str, Path]) -> Parts | None:
    """(rows,) the split of each, as a column or a file says it. Raises Problem dataset_invalid."""
    if not isinstance(spec.split, OwnSplit):
        return None
    if spec.split.file is not None:
        said = SplitFile(file=spec.split.file, column=spec.split.column)
        return parts_by_file(files[spec.split.file], said, table.num_rows, None)
    try:
        return known_parts([str(word) for word in table.column(spec.split_column).to_pylist()])
    except Unreadable as error:
        title = f"The column of splits: {error}"
        raise Problem("dataset_invalid", title, pointer="/dataset/split/column") from error


def _without_repetitions(spec: UploadedInteractions, pairs: Indices, times: NDArray[np.float64] | None) -> Indices:
    """The rows to keep, ascending. pairs: (rows,) one number for each user and item."""
    order = np.arange(len(pairs)) if times is None else np.argsort(times, kind="stable")
    if spec.duplicates == "last":
        order = order[::-1]
    return np.sort(order[np.unique(pairs[order], return_index=True)[1]])


def _by_user(log: Log) -> tuple[NDArray[np.bool_], ...]:
    """(training, validation, test): each user's last row is tested, the one before validates."""
    order = np.lexsort((np.arange(len(log.users)), log.order, log.users))
    counts = np.bincount(log.users, minlength=len(log.user_names))
    place = np.empty(len(order), dtype=np.int64)  # of a row, from the end of its user's
    ends = np.cumsum(counts)
    place[order] = ends[log.users[order]] - 1 - np.arange(len(order))
    enough = counts[log.users] >= 3
    test, validation = enough & (place == 0), enough & (place == 1)
    if not test.any():
        raise _too_few("No user has three interactions: one each to train on, to choose the epoch by, and to test.")
    return ~(test | validation), validation, test


def _by_time(log: Log, validation: float, test: float) -> tuple[NDArray[np.bool_], ...]:
    """(training, validation, test): divided at two moments, each of which belongs to what follows it."""
    moments = np.sort(log.order)
    first, second = (
        moments[min(round(len(moments) * (1 - share)), len(moments) - 1)] for share in (test + validation, test)
    )
    return log.order < first, (log.order >= first) & (log.order < second), log.order >= second


def _pairs(log: Log, rows: Indices) -> Pairs:
    ordered = rows[np.lexsort((log.items[rows], log.users[rows]))]
    return Pairs(torch.from_numpy(log.users[ordered]), torch.from_numpy(log.items[ordered]))


def _digest(log: Log) -> str:
    digest = hashlib.sha256()
    for part in (log.users, log.items, log.order):
        digest.update(json.dumps([part.dtype.str, *part.shape]).encode())
        digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(json.dumps([log.user_names, log.item_names]).encode())
    return digest.hexdigest()


def _invalid(title: str) -> Problem:
    return Problem("dataset_invalid", title, pointer="/dataset/file")


def _too_few(title: str) -> Problem:
    return Problem("too_few_interactions", title, pointer="/dataset")
