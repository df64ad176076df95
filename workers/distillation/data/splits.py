"""Which rows are for training, validation and test, and which labels the student is shown."""

from itertools import accumulate, pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qstill.contract.distillations.datasets import UploadedData
from qstill.contract.distillations.datasets.splitting import Splitting
from qstill.contract.errors import Problem
from workers.distillation.data.files.table import TEST, TRAIN, VALIDATION, quantities
from workers.distillation.objectives.terms import UNKNOWN, labelled_rows


def split(
    labels: NDArray[np.int64], classes: list[str], spec: Splitting, parts: NDArray[np.int8] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Row numbers of training, validation and test: stratified; rows without a label are training rows.

    parts: (rows,) the split of each row, where the data set has a test or validation split of its own.
    """
    draw = np.random.default_rng([spec.split_seed, 0])
    own = np.full(len(labels), TRAIN, dtype=np.int8) if parts is None else parts
    drawn = [part for part in (TEST, VALIDATION) if not ((own == part) & (labels != UNKNOWN)).any()]
    shares = [{TEST: spec.test, VALIDATION: spec.validation}[part] for part in drawn]
    where = np.full(len(labels), TRAIN, dtype=np.int8)
    for code, name in enumerate(classes):
        rows = draw.permutation(np.flatnonzero((labels == code) & (own == TRAIN)))
        if len(rows) <= len(shares):
            needed = "one is needed in each of the three splits" if parts is None else "one is needed for each split"
            title = f"Class {name!r} has {len(rows)} labelled rows; {needed}."
            ways_out = [{"task": "regression"}] if isinstance(spec, UploadedData) and quantities(classes) else []
            raise Problem("dataset_invalid", title, pointer="/dataset/file", ways_out=ways_out)
        for part, taken in zip(drawn, _first_parts(rows, shares), strict=True):
            where[taken] = part
    where = np.where((labels != UNKNOWN) & (own != TRAIN), own, where)
    first_part, second_part, third_part = (
        torch.from_numpy(np.flatnonzero(where == part)) for part in (TRAIN, VALIDATION, TEST)
    )
    return first_part, second_part, third_part


def _first_parts(rows: NDArray[np.int64], shares: list[float]) -> list[NDArray[np.int64]]:
    """The first rows by their shares, at least one for each share and one left over."""
    ends = list(accumulate(max(1, round(len(rows) * share)) for share in shares))
    ends = [min(end, len(rows) - len(ends) + place) for place, end in enumerate(ends)]
    return [rows[first:end] for first, end in pairwise([0, *ends])]


def codes_of(names: list[str], classes: list[str]) -> tuple[int, ...]:
    """Of classes by their names. Raises Problem no_such_class, too_few_classes."""
    for position, name in enumerate(names):
        if name not in classes:
            title = f"There is no class {name!r}; the data has {', '.join(classes[:20])}."
            raise Problem("no_such_class", title, pointer=f"/dataset/leave_out/{position}")
    if len(classes) - len(set(names)) < 2:
        raise Problem("too_few_classes", "Two classes must be left to learn from.", pointer="/dataset/leave_out")
    return tuple(sorted({classes.index(name) for name in names}))


def noisy(labels: Tensor, classes: int, spec: Splitting) -> Tensor:
    """The labels, a share of the known ones replaced by another class, all others equally likely."""
    draw = np.random.default_rng([spec.split_seed, 2])
    known = draw.permutation(np.flatnonzero(labels.numpy() != UNKNOWN))
    wrong = torch.from_numpy(known[: round(spec.label_noise * len(known))])
    moved = labels[wrong] + torch.from_numpy(draw.integers(1, classes, len(wrong)))
    return labels.index_copy(0, wrong, moved % classes)


def shown_labels(labels: NDArray[np.int64], classes: int, spec: Splitting) -> Tensor:
    """The labels (training rows,) with all but `labelled` of them hidden: an equal share of every class is kept."""
    if spec.labelled is None:
        return torch.from_numpy(labels.copy())
    counts = np.bincount(labels[labels != UNKNOWN], minlength=classes)
    if spec.labelled < classes:
        title = f"The data has {classes} classes, and each needs at least one of the {spec.labelled} labelled rows."
        raise Problem("too_few_labels", title, pointer="/dataset/labelled", ways_out=[{"labelled": classes}])
    if spec.labelled > counts.sum():
        title = f"The training split has {counts.sum()} labels; {spec.labelled} are asked for."
        raise Problem("too_many_labels", title, pointer="/dataset/labelled", ways_out=[{"labelled": None}])
    draw = np.random.default_rng([spec.split_seed, 1])
    seen = np.full_like(labels, UNKNOWN)
    for code, share in enumerate(_shares(counts, spec.labelled)):
        kept = draw.permutation(np.flatnonzero(labels == code))[:share]
        seen[kept] = code
    return torch.from_numpy(seen)


def shown_numbers(y: Tensor, spec: Splitting) -> Tensor:
    """The labels (training rows, targets) with all but `labelled` rows hidden."""
    codes = torch.where(labelled_rows(y), 0, UNKNOWN)
    return y.masked_fill((shown_labels(codes.numpy(), 1, spec) == UNKNOWN)[:, None], torch.nan)


def _shares(counts: NDArray[np.int64], total: int) -> list[int]:
    """How many of each class's `counts` rows make up `total`: in proportion, but at least one each."""
    exact = counts * (total / counts.sum())
    shares = np.clip(np.floor(exact).astype(np.int64), 1, counts)
    while (missing := total - shares.sum()) != 0:
        room = shares < counts if missing > 0 else shares > 1
        shortfall = np.where(room, (exact - shares) * np.sign(missing), -np.inf)
        shares[int(np.argmax(shortfall))] += np.sign(missing)
    return [int(share) for share in shares]
