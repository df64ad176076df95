"""Rows with several labels: what is so of handwritten digits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from qstill.contract.distillations.job import DistillationJob

NAMES = ["even", "prime", "closed"]
SO = [{0, 2, 4, 6, 8}, {2, 3, 5, 7}, {0, 6, 8, 9}]  # of each label, the digits of which it is so
MLP = {"kind": "mlp", "hidden": [16]}

Arrays = tuple[NDArray[np.float32], NDArray[np.int64]]


def some_digits(rows: int = 400) -> Arrays:
    """(images as numbers, what is so of them)."""
    x, y = load_digits(return_X_y=True)
    so = [[int(digit in of) for of in SO] for digit in y[:rows].tolist()]
    return x[:rows].astype(np.float32), np.array(so, dtype=np.int64)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "digits.npz"
    x, y = some_digits()
    np.savez(path, x=x, y=y)
    return path


@pytest.fixture
def labels_job() -> Callable[..., DistillationJob]:
    """A job on the archive. changes: of its parts."""

    def make(**changes: Any) -> DistillationJob:
        data = {"source": "file", "file": "file_1", "task": "multi_label", "targets": NAMES, "labelled": 60}
        body: dict[str, Any] = {
            "dataset": data | changes.pop("dataset", {}),
            "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [64]}},
            "student": {"architecture": MLP},
            "objective": {"kind": "kd", "temperature": 2.0, "alpha": 0.9},
            "training": {"epochs": 6, "batch_size": 32, "learning_rate": 0.01},
            "evaluation": {"seeds": 2},
        }
        for name, change in changes.items():
            body[name] = body[name] | change if isinstance(change, dict) and name == "evaluation" else change
        return DistillationJob.model_validate(body)

    return make
