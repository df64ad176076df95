"""What may be wrong with data that can be read."""

from collections.abc import Iterator
from hashlib import blake2b

import torch
from torch import Tensor

from qstill.contract.distillations.preflight import DataCheck
from workers.distillation.data.dataset import Data
from workers.distillation.inputs.inputs import Inputs
from workers.distillation.networks.answers import rows_at_once
from workers.distillation.objectives.terms import labelled_rows
from workers.distillation.stored.rows import blocks_of


def check_data(data: Data) -> DataCheck:
    """Looks at every row once."""
    known = labelled_rows(data.seen)
    learned = torch.zeros(len(known), dtype=torch.bool).index_fill_(0, data.learned, True)
    names = data.task.class_names
    counts = data.seen[known].bincount(minlength=len(names)).tolist() if names else []
    present = [count for count in counts if count]
    return DataCheck(
        labels=dict(zip(names, counts, strict=True)),
        labelled_rows=int(known.sum()),
        unlabelled_rows=int((learned & ~known).sum()),
        empty_classes=[name for name, count in zip(names, counts, strict=True) if not count],
        imbalance=max(present) / min(present) if present else None,
        constant_features=data.inputs.constant(data.train.raw),
        duplicates_in_test=duplicates_in_test(data),
        truncated_texts=data.inputs.truncated,
    )


def duplicates_in_test(data: Data) -> int:
    """How many test rows are also training rows, number for number."""
    seen = set(_rows_of(data.train.raw))
    return sum(row in seen for row in _rows_of(data.test.raw))


def said_of_leaked(duplicates: int, rows: int, inputs: type[Inputs]) -> str:
    """Of test rows that were seen in training. rows: of the test."""
    return f"{duplicates} of {rows} test rows are also training rows{inputs.leaked}"


def _rows_of(rows: Tensor) -> Iterator[bytes]:
    """A digest of each row, so that a set of them is small."""
    blocks = ((block.flatten(1) + 0).numpy() for block in blocks_of(rows, rows_at_once(rows)))  # -0 is 0
    return (blake2b(row.tobytes(), digest_size=16).digest() for block in blocks for row in block)
