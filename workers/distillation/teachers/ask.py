"""Asking a teacher once about every row, and keeping what it said."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softmax

from qstill.contract.distillations.teachers.storage import Storage
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data, preprocessing_digest
from workers.distillation.networks.answers import joined, rows_at_once
from workers.distillation.rows import Rows
from workers.distillation.signals.answers_on_disk import Block, Cache, Compute, Entry, Layout, in_memory
from workers.distillation.signals.signals import PLAIN, Signal, signal_digest
from workers.distillation.signals.sparse import SparseSignal, drawn, thinned
from workers.distillation.teachers.base import Teacher
from workers.run import Run, Stopped

LEAST_HALF = -65504.0  # the smallest number that half precision holds


@dataclass(frozen=True)
class Use:
    """What a signal cost. bytes: of what is kept of it. rounding: the largest change of a probability by float16.

    again: whether an attempt that went on found nothing kept, and asked once more.
    """

    digest: str
    computed_rows: int
    reused_rows: int
    bytes: int
    dtype: str
    top_k: int | None
    draws: int | None
    rounding: float
    again: bool = False

    def of_attempts(self, computed: int) -> "Use":
        """The same of a whole job. computed: rows that its earlier attempts computed."""
        if computed == 0:
            return self
        return replace(self, computed_rows=computed, reused_rows=0, again=self.computed_rows > 0)


def signal_of(teacher: Teacher, data: Data, storage: Storage | None = None, run: Run | None = None) -> Signal:
    """What the teacher says about every training row."""
    return signal_and_use(teacher, data, storage or Storage(), run)[0]


def signal_and_use(
    teacher: Teacher, data: Data, storage: Storage, run: Run | None, view: str = PLAIN
) -> tuple[Signal, Use]:
    """The signal over the training rows, computed or found, and what it cost.

    view: names what was done to the rows, with its seed, if anything was. Raises Problem teacher_invalid,
    too_many_classes, and Stopped.
    """
    classes = len(data.classes)
    if storage.top_k is not None and storage.top_k > classes:
        title = f"The data has {classes} classes; {storage.top_k} are to be kept."
        raise Problem("too_many_classes", title, pointer="/signal/top_k", ways_out=[{"top_k": classes}])
    digest = signal_digest(
        data=data.digest,
        preprocessing=preprocessing_digest(data),
        teacher=teacher.digest,
        view=view,
        storage=storage.model_dump_json(),
    )
    if not teacher.lasting:
        logits = _all_answers(teacher, data.train, classes, run)
        unspoken = None if teacher.unspoken is None else teacher.unspoken(data.train)
        size = logits.numel() * logits.element_size()
        weights = None if teacher.weights is None else teacher.weights(data.train)
        use = Use(digest, 0, 0, size, "float32", None, None, 0.0)
        return Signal(logits, digest, unspoken=unspoken, weights=weights), use
    layout = Layout(len(data.train.labels), classes, storage.precision, storage.kept(classes))
    entry = _entry(teacher, data.train, layout, digest, run, storage.draws)
    rows = layout.rows
    use = Use(
        digest,
        0 if entry.reused else rows,
        rows if entry.reused else 0,
        layout.bytes,
        layout.precision,
        storage.top_k,
        storage.draws,
        entry.error,
    )
    if layout.kept is None:
        return Signal(torch.from_numpy(entry.records), digest), use
    values, indices = (torch.from_numpy(entry.records[name]) for name in ("values", "indices"))
    missing = storage.missing if storage.draws is None else "renormalise"  # shares of draws leave nothing over
    return SparseSignal(values, digest, indices=indices, classes=classes, missing=missing), use


def answers_of(teacher: Teacher, data: Data, rows: Rows, run: Run | None) -> Tensor:
    """The teacher's logits (rows, classes) in single precision, whatever the storage: it is measured by them."""
    classes = len(data.classes)
    if not teacher.lasting:
        return _all_answers(teacher, rows, classes, run)
    digest = signal_digest(
        data=data.digest, preprocessing=preprocessing_digest(data), teacher=teacher.digest, rows=_digest(rows)
    )
    return torch.from_numpy(_entry(teacher, rows, Layout(len(rows.labels), classes), digest, run).records)


def _entry(
    teacher: Teacher, rows: Rows, layout: Layout, digest: str, run: Run | None, draws: int | None = None
) -> Entry:
    def compute(done: int) -> Iterator[Block]:
        source = torch.Generator().manual_seed(int(digest[:15], 16))
        for logits in _answers(teacher, rows, layout.classes, run, done):
            if layout.kept is None:
                yield _encode(logits, None, layout)
            else:
                yield _encode(*(drawn(logits, draws, source) if draws else thinned(logits, layout.kept)), layout)

    key = hashlib.sha256(f"{digest}/{teacher.scope}".encode()).hexdigest()
    return kept(key, layout, compute, run, goes_on=draws is None)


def kept(key: str, layout: Layout, compute: Compute, run: Run | None, *, goes_on: bool = True) -> Entry:
    """What was computed once, in the cache of the machine where there is one. key: hexadecimal digits."""
    if run is None or run.cache is None:
        return in_memory(layout, compute)
    try:
        cache = Cache(run.cache, run.cache_bytes)
    except OSError:  # a disk that is full or may not be written
        return in_memory(layout, compute)
    return cache.entry(key, layout, compute, lambda: _stop_if_asked(run), goes_on=goes_on)


def _all_answers(teacher: Teacher, rows: Rows, classes: int, run: Run | None) -> Tensor:
    """Logits (answers, classes)."""
    if rows.answered is not None:
        return torch.cat(list(_answers(teacher, rows, classes, run)))
    return joined(_answers(teacher, rows, classes, run), -(-len(rows.y) // _at_once(teacher, rows)))


def _at_once(teacher: Teacher, rows: Rows) -> int:
    return teacher.rows_at_once or rows_at_once(rows.x)


def _answers(teacher: Teacher, rows: Rows, classes: int, run: Run | None, done: int = 0) -> Iterator[Tensor]:
    """Logits (some rows, classes), one block after the other, each of them finite. done: blocks that are there."""
    total = len(rows.y)
    at_once = _at_once(teacher, rows)
    for first in range(done * at_once, total, at_once):
        if run is not None:
            _stop_if_asked(run)
            if first:  # one block is done before anybody could read of it
                run.progress(phase="teacher's answers", done=first, total=total, unit="rows")
        block = slice(first, first + at_once)
        part = rows.some(block)
        logits = teacher.logits(part)
        if logits.shape != (len(part.labels), classes):
            title = f"The teacher answered {tuple(logits.shape)} values; {(len(part.labels), classes)} are needed."
            raise Problem("class_mismatch", title, pointer="/teacher")
        wrong = (~logits.isfinite().all(1)).nonzero()
        if len(wrong):
            row = int(part.index[_row_of(part, int(wrong[0]))])
            raise Problem("teacher_invalid", f"The teacher's answer to row {row} is not finite.", pointer="/teacher")
        yield logits


def _row_of(rows: Rows, answer: int) -> int:
    """The position of the row that an answer is of."""
    if rows.answered is not None:
        return int(rows.answered.nonzero()[answer, 0])
    return answer * len(rows.y) // len(rows.labels)


def _encode(values: Tensor, indices: Tensor | None, layout: Layout) -> Block:
    """values: logits of all classes, or of those in `indices`."""
    error = 0.0
    if layout.precision == "float16":
        shifted = values - values.amax(1, keepdim=True) if indices is None else values  # precise where it matters
        half = shifted.clamp(min=LEAST_HALF).half()
        before, after = (softmax(part.double(), dim=1) for part in (values, half))
        values, error = half, float((before - after).abs().max())
    if indices is None:
        return Block(values.numpy(), error)
    records = np.zeros(len(values), dtype=layout.record)
    records["values"], records["indices"] = values.numpy(), indices.numpy()
    return Block(records, error)


def _digest(rows: Rows) -> str:
    return hashlib.sha256(rows.index.numpy().tobytes()).hexdigest()


def _stop_if_asked(run: Run) -> None:
    if run.stop_requested():
        raise Stopped
