"""Rows for a circuit to answer: of a data set, whose labels play no part, or drawn from a box."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from qstill.contract.distillations.datasets import BuiltinData, DrawnData, UploadedData
from qstill.contract.distillations.report.surrogate import JudgedBy
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data, standardisation_by, table_of
from workers.distillation.data.files.table import Table
from workers.distillation.data.splits import split
from workers.distillation.rows import Rows
from workers.distillation.tables.inputs import encoded_rows, only_measured
from workers.distillation.tasks.expectations import Expectations
from workers.distillation.tasks.targets import LEAST_SPREAD, Targets

Answer = Callable[[Tensor], Tensor]  # rows (B, inputs), double precision, to values (B, observables)


def load_unlabelled(
    spec: BuiltinData | UploadedData | DrawnData,
    files: Mapping[str, Path],
    names: list[str],
    *,
    said: Answer,
    exact: Answer,
    judged_by: JudgedBy,
) -> Data:
    """Read or drawn, split and standardised. names: of the observables. said: by the teacher, of the validation rows.

    exact: of the test rows. Raises Problem: dataset_invalid, constant_observable.
    """
    table = _drawn(spec) if isinstance(spec, DrawnData) else table_of(spec, files)
    indices = split(np.zeros(len(table.y), dtype=np.int64), ["of rows"], spec, table.parts)
    given = encoded_rows(table, indices[0])
    raw = given.raw
    standardise = only_measured(standardisation_by(raw[indices[0]], spec.standardise), given.columns)
    heard = said(inputs_of(raw[indices[1]]))
    targets = _targets(heard, names)
    nothing = torch.full((len(indices[0]), len(names)), torch.nan)
    known = targets.standardised(heard), targets.standardised(exact(inputs_of(raw[indices[2]])))
    train, validation, test = (
        Rows(raw[i], standardise(raw[i]), y, i) for i, y in zip(indices, (nothing, *known), strict=True)
    )
    digest = sha256(json.dumps([list(raw.shape), names]).encode() + raw.numpy().tobytes()).hexdigest()
    task = Expectations(targets, judged_by=judged_by)
    every = torch.arange(len(nothing))
    whole = Data(train, validation, test, nothing, every, standardise, len(raw), digest, task)
    notes = (*table.notes, *given.notes)
    return replace(whole, reading_notes=notes, pixels=table.pixels, columns=given.columns)


def inputs_of(raw: Tensor) -> Tensor:
    """What a circuit is given of raw rows (rows, ...): (rows, inputs), double precision."""
    return raw.flatten(1).double()


def _drawn(spec: DrawnData) -> Table:
    low, high = np.array(spec.ranges).T
    draw = np.random.default_rng([spec.split_seed, 1])  # 0 draws the split
    return Table(draw.uniform(low, high, (spec.rows, len(low))), np.zeros(spec.rows, dtype=np.int64), [])


def _targets(heard: Tensor, names: list[str]) -> Targets:
    mean, std = heard.mean(0), heard.std(0, correction=0)
    for place, spread in enumerate(std.tolist()):
        if spread <= LEAST_SPREAD * max(1.0, float(mean[place].abs())):
            title = f"{names[place][:100]} has the same value for all rows: there is nothing to learn."
            raise Problem("constant_observable", title, pointer=f"/teacher/observables/{place}")
    return Targets(names, mean, std)
