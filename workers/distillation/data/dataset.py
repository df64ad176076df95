"""The rows of a job: read, split and standardised. The same body gives the same rows."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qstill.contract.distillations.datasets import (
    BUILTIN_REGRESSION,
    BuiltinData,
    Images,
    UploadedData,
    has_several_labels,
)
from qstill.contract.distillations.datasets.splitting import Splitting
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.splits import SplitFile
from workers.distillation.data.files.arrays import is_npz, read_table
from workers.distillation.data.files.images import read_images
from workers.distillation.data.files.several_labels import kinds_of_rows
from workers.distillation.data.files.table import ReadingNote, Table
from workers.distillation.data.splits import codes_of, noisy, shown_labels, shown_numbers, split
from workers.distillation.inputs.inputs import Inputs
from workers.distillation.inputs.text import Text
from workers.distillation.inputs.values import VALUES
from workers.distillation.objectives.terms import UNKNOWN, labelled_rows
from workers.distillation.rows import Rows, Standardisation
from workers.distillation.stored.moments import moments
from workers.distillation.stored.pages import Array, row_blocks
from workers.distillation.stored.rows import picked
from workers.distillation.stored.shelf import IN_MEMORY, Shelf
from workers.distillation.tables.division import divided_by_file
from workers.distillation.tables.encoding import Encoding
from workers.distillation.tables.inputs import Columns, encoded_rows, only_measured
from workers.distillation.tasks.classes import Classes
from workers.distillation.tasks.labels import Labels, refuse_constant
from workers.distillation.tasks.numbers import Numbers
from workers.distillation.tasks.targets import targets_of, whole_rows
from workers.distillation.tasks.task import Task

OF_TABLES = ("label", "target", "targets", "labels_separator", "columns", "ignore", "categorical", "missing")


@dataclass(frozen=True)
class Data:
    """The splits. seen: (training rows,) the labels that student and baseline are shown, -1 elsewhere.

    learned: positions among the training rows that the student learns from, with or without a label.
    task: what is learned.
    total: rows before splitting. digest: of the data set as it was read.
    left_out: classes of which neither student nor baseline sees a training row.
    pixels: whether raw inputs are bytes of images divided by 255.
    reading_notes: what a reader must know of how the data set was read.
    columns: of a table with a header.
    """

    train: Rows
    validation: Rows
    test: Rows
    seen: Tensor
    learned: Tensor
    standardisation: Standardisation
    total: int
    digest: str
    task: Task[Any]
    left_out: tuple[int, ...] = ()
    text: Text | None = None
    pixels: bool = False
    reading_notes: tuple[ReadingNote, ...] = ()
    columns: Columns | None = None

    @property
    def classes(self) -> list[str]:
        """A name for each number of an answer: of classes, tokens or targets."""
        return self.task.names

    @property
    def inputs(self) -> Inputs:
        """What rows are made of."""
        return self.text or self.columns or VALUES

    @property
    def encoding(self) -> Encoding | None:
        """How the columns of a table become inputs; None where there are none, or numbers alone."""
        return None if self.columns is None else self.columns.encoding

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one row: (features,) or (channels, height, width)."""
        return tuple(self.train.x.shape[1:])


def load(spec: BuiltinData | UploadedData, files: Mapping[str, Path], shelf: Shelf = IN_MEMORY) -> Data:
    """Read, split and standardise. shelf: what is held in memory, and where more is kept.

    Raises Problem: dataset_invalid, dataset_too_large, too_few_labels, too_many_labels.
    """
    table = table_of(spec, files, shelf)
    labels, regression = torch.from_numpy(table.y), table.y.dtype.kind == "f"
    several = has_several_labels(spec)
    codes, names = (whole_rows(table.y), ["of numbers"]) if regression else (table.y, table.classes)
    if several:
        codes, names = kinds_of_rows(table.y)
    indices = split(codes, names, spec, table.parts)
    inputs = encoded_rows(table, indices[0], shelf)
    raws, notes = [picked(inputs.raw, i) for i in indices], (*table.notes, *inputs.notes)
    standardise = only_measured(standardisation_by(raws[0], spec.standardise), inputs.columns)
    targets = targets_of(labels[indices[0]], table.classes) if regression and not several else None
    y = labels if targets is None else targets.standardised(labels)
    y = y.float() if several else y
    train, validation, test = (Rows(raw, standardise(raw), y[i], i) for raw, i in zip(raws, indices, strict=True))
    total, digest = len(table.y), _digest(table)
    parts = (train, validation, test)
    if targets is None:
        of = data_of_labels if several else labelled_data
        data = of(parts, table.classes, standardise, spec, total, digest)
        return replace(data, reading_notes=notes, pixels=table.pixels, columns=inputs.columns)
    seen, learned = _shown(train.y, spec)
    found = Data(train, validation, test, seen, learned, standardise, total, digest, Numbers(targets))
    return replace(found, reading_notes=notes, columns=inputs.columns)


def data_of_labels(
    splits: tuple[Rows, Rows, Rows],
    names: list[str],
    standardise: Standardisation,
    spec: Splitting,
    total: int,
    digest: str,
) -> Data:
    """The data of rows that have several labels. Raises Problem: dataset_invalid, too_few_labels, too_many_labels."""
    train, validation, test = splits
    refuse_constant(names, train.y, validation.y, test.y)
    seen, learned = _shown(train.y, spec)
    return Data(train, validation, test, seen, learned, standardise, total, digest, Labels(names))


def _shown(y: Tensor, spec: Splitting) -> tuple[Tensor, Tensor]:
    """(the labels that the student is shown, the training rows that it learns from), of labels that are no classes."""
    seen = shown_numbers(y, spec)
    return seen, torch.nonzero(torch.ones(len(seen)) if spec.unlabelled_pool else labelled_rows(seen)).flatten()


def table_of(spec: BuiltinData | UploadedData, files: Mapping[str, Path], shelf: Shelf = IN_MEMORY) -> Table:
    """All rows, as they are read. Raises Problem dataset_invalid."""
    if isinstance(spec, BuiltinData):
        return _builtin(spec.name)
    table = _uploaded(spec, files[spec.file], shelf)
    return divided_by_file(table, spec, files[spec.split.file]) if isinstance(spec.split, SplitFile) else table


def _uploaded(spec: UploadedData, path: Path, shelf: Shelf) -> Table:
    """Raises Problem dataset_invalid, pointing to the field that does not fit the file."""
    try:
        archive, several = zipfile.is_zipfile(path), has_several_labels(spec)
        images = archive and not is_npz(path)
        names_columns = several and not images  # of y in an npz
        of_tables = [each for each in OF_TABLES if each != "targets" or not names_columns]
        said = [*(field for field in of_tables if getattr(spec, field)), *spec.dividing]
        if archive and (named := next(iter(said), None)):
            title = "Only a table (csv, parquet or Arrow) has columns with names."
            raise Problem("dataset_invalid", title, pointer=f"/dataset/{named}")
        if spec.image is not None and not images:
            raise Problem("dataset_invalid", "Only a zip holds files of images.", pointer="/dataset/image")
        if images and spec.task != "classification":
            title = f"The folders of a zip name one class an image: for {spec.task} on images upload an npz."
            raise Problem("dataset_invalid", title, pointer="/dataset/task")
        return read_images(path, spec.image or Images(), shelf) if images else read_table(path, spec, shelf)
    except Unreadable as error:
        raise Problem("dataset_invalid", str(error), pointer="/dataset/file") from error


def labelled_data(
    splits: tuple[Rows, Rows, Rows],
    classes: list[str],
    standardise: Standardisation,
    spec: Splitting,
    total: int,
    digest: str,
) -> Data:
    """The data, with the labels that the student is shown. Raises Problem: too_few_labels, too_many_labels."""
    train, validation, test = splits
    left_out = codes_of(spec.leave_out, classes)
    kept = ~torch.isin(train.y, torch.tensor(left_out, dtype=torch.int64))
    train = replace(train, y=noisy(train.y, len(classes), spec))
    seen = shown_labels(torch.where(kept, train.y, UNKNOWN).numpy(), len(classes), spec)
    return Data(
        train=train,
        validation=validation,
        test=test,
        seen=seen,
        learned=torch.nonzero(kept if spec.unlabelled_pool else seen != UNKNOWN).flatten(),
        standardisation=standardise,
        total=total,
        digest=digest,
        task=Classes(classes),
        left_out=left_out,
    )


def preprocessing_digest(data: Data) -> str:
    """Names what happened to the data between reading and the network, and which rows were taken in which order."""
    digest = hashlib.sha256()
    for part in (data.standardisation.mean, data.standardisation.std, data.train.index):
        digest.update(json.dumps([str(part.dtype), *part.shape]).encode())
        digest.update(part.numpy().tobytes())
    digest.update(data.inputs.digest.encode())
    return digest.hexdigest()


def _builtin(name: str) -> Table:
    from sklearn import datasets  # half of the seconds that a child needs to start, which uploads are spared

    loaded = getattr(datasets, f"load_{name}")()
    x = loaded.images[:, None] if name == "digits" else loaded.data
    if name in BUILTIN_REGRESSION:
        return Table(x, loaded.target[:, None], ["progression"])
    return Table(x, loaded.target.astype(np.int64), [str(label) for label in loaded.target_names])


def standardisation_by(raw: Tensor, kind: str) -> Standardisation:
    """From the training inputs. What does not vary is only shifted."""
    if kind == "none":
        return Standardisation(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    if kind == "channel" and raw.ndim != 4:
        raise Problem("architecture_mismatch", "Only images have channels.", pointer="/dataset/standardise")
    mean, std = moments(raw, (0, 2, 3) if kind == "channel" else (0,))
    std = torch.where(std > 1e-12 * (1 + mean.abs()), std, torch.ones_like(std))
    shape = (-1, 1, 1) if kind == "channel" else raw.shape[1:]
    return Standardisation(mean.reshape(shape), std.reshape(shape))


def _digest(table: Table) -> str:
    digest = hashlib.sha256()
    parts: list[Array] = [table.x, table.y]
    if table.plan is not None and table.frame is not None:
        digest.update(table.frame.digest().encode())
    for part in parts:
        digest.update(json.dumps([part.dtype.str, *part.shape]).encode())
        for _, block in row_blocks(part):
            digest.update(np.ascontiguousarray(block).data)
    digest.update(json.dumps(table.classes).encode())
    return digest.hexdigest()
