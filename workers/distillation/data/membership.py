"""Which rows of the data set are in which split, so that others can be measured on the same test rows."""

from typing import Any

import torch

from workers.distillation.data.dataset import Data
from workers.distillation.objectives.terms import labelled_rows


def membership(data: Data) -> dict[str, Any]:
    """JSON: the rows of each split, numbered from 0 in the order of the data set.

    labelled: those whose labels student and baseline see; learned: those that the student learns from.
    Language modelling: a row is a text there; student and baseline see parts of texts, so both are null.
    """
    told: dict[str, Any] = {"object": "split", "digest": data.digest}
    if data.task.members is not None:
        train, validation, test = data.task.members
        parts = {"train": train, "validation": validation, "test": test, "labelled": None, "learned": None}
        return told | {"unit": "texts", "rows": sum(map(len, data.task.members))} | parts
    return told | {
        "unit": "rows",
        "rows": data.total,
        "train": data.train.index.tolist(),
        "validation": data.validation.index.tolist(),
        "test": data.test.index.tolist(),
        "labelled": data.train.index[torch.nonzero(labelled_rows(data.seen)).flatten()].tolist(),
        "learned": data.train.index[data.learned].tolist(),
    }
