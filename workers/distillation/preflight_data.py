"""What may be wrong with data that can be read."""

import torch
from torch import Tensor

from app.distillations.preflight import DataCheck
from workers.distillation.data import Data
from workers.distillation.objectives.terms import is_known


def check_data(data: Data) -> DataCheck:
    """Looks at every row once."""
    known = is_known(data.seen).flatten(1).any(1) if data.seen.ndim > 1 else is_known(data.seen)
    learned = torch.zeros(len(known), dtype=torch.bool).index_fill_(0, data.learned, True)
    counts = [] if data.language or data.targets else data.seen[known].bincount(minlength=len(data.classes)).tolist()
    present = [count for count in counts if count]
    return DataCheck(
        labels=dict(zip(data.classes, counts, strict=True)) if counts else {},
        labelled_rows=int(known.sum()),
        unlabelled_rows=int((learned & ~known).sum()),
        empty_classes=[name for name, count in zip(data.classes, counts, strict=False) if not count],
        imbalance=max(present) / min(present) if present else None,
        constant_features=0 if data.text is not None else _constant(data.train.raw),
        duplicates_in_test=_duplicates(data),
        truncated_texts=0 if data.text is None else data.text.truncated,
    )


def _constant(rows: Tensor) -> int:
    """How many inputs are the same in all rows."""
    return int((rows == rows[:1]).all(0).sum())


def _duplicates(data: Data) -> int:
    seen = set(_rows_of(data.train.raw))
    return sum(row in seen for row in _rows_of(data.test.raw))


def _rows_of(rows: Tensor) -> list[bytes]:
    return [row.tobytes() for row in rows.flatten(1).numpy()]
