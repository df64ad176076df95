"""Archives as Keras has them: their rows stay in the splits that they are in, and the report says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qstill.contract.distillations.datasets import UploadedData
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import Data, load
from workers.distillation.data.files.table import MAX_VALUES, TEST, TRAIN, VALIDATION
from workers.distillation.data.splits import split

FILE = "file_1"
SPEC = UploadedData(source="file", file=FILE)


def keras(path: Path, *, shape: tuple[int, ...] = (3,), columns: bool = False, **counts: int) -> Path:
    """counts: rows of each part. Values tell where a row stands."""
    arrays: dict[str, Any] = {}
    for number, (name, count) in enumerate(counts.items()):
        arrays[f"x_{name}"] = np.random.default_rng(number).integers(0, 256, (count, *shape), dtype=np.uint8)
        arrays[f"y_{name}"] = np.arange(count)[:, None] % 2 if columns else np.arange(count) % 2
    np.savez(path, **arrays)
    return path


def loaded(path: Path, **given: Any) -> Data:
    return load(UploadedData(source="file", file=FILE, **given), {FILE: path})


@pytest.mark.parametrize("columns", [False, True])
def test_the_test_rows_are_the_files_own(tmp_path: Path, columns: bool) -> None:
    data = loaded(keras(tmp_path / "a.npz", train=40, test=10, columns=columns))
    assert data.test.index.tolist() == list(range(40, 50))
    assert len(data.validation.y) == 8
    assert data.classes == ["0", "1"]
    assert [note.code for note in data.reading_notes] == ["own_split"]
    assert "40 in x_train, 10 in x_test" in data.reading_notes[0].said


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_validation_rows_are_too_where_there_are_some(tmp_path: Path, name: str) -> None:
    data = loaded(keras(tmp_path / "a.npz", train=20, test=10, **{name: 6}))
    splits = [rows.index.tolist() for rows in (data.train, data.validation, data.test)]
    assert splits == [list(range(20)), list(range(20, 26)), list(range(26, 36))]


def test_regression_has_its_own_test_too(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    parts = {
        f"{letter}_{name}": draw.normal(size=(n, 1 + (letter == "x")))
        for name, n in (("train", 30), ("test", 9))
        for letter in "xy"
    }
    np.savez(tmp_path / "a.npz", **parts)
    data = loaded(tmp_path / "a.npz", task="regression")
    assert data.test.index.tolist() == list(range(30, 39))


def test_images_of_bytes_and_channels_last_are_read(tmp_path: Path) -> None:
    grey = loaded(keras(tmp_path / "a.npz", shape=(9, 8), train=20, test=6))
    assert grey.input_shape == (1, 9, 8)
    path = keras(tmp_path / "b.npz", shape=(9, 8, 3), train=20, test=6)
    colour = loaded(path)
    assert colour.input_shape == (3, 9, 8)
    assert [note.code for note in colour.reading_notes] == ["own_split", "channels_last"]
    first = torch.from_numpy(np.load(path)["x_test"]).permute(0, 3, 1, 2).float()
    assert torch.equal(colour.test.raw, first)


def test_mnist_fits() -> None:
    assert MAX_VALUES >= 70_000 * 28 * 28


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x_train": (20, 3), "y_train": (20,), "x_test": (6, 4), "y_test": (6,)}, "shapes (6, 4) and (6,)"),
        ({"x_train": (20, 3), "y_train": (19,), "x_test": (6, 3), "y_test": (6,)}, "not as many rows"),
        ({"x_train": (20, 3), "y_train": (20,), "x_test": (6, 3)}, "it must hold the arrays x and y, or x_train"),
        ({"x_test": (20, 3), "y_test": (20,)}, "it must hold the arrays x and y, or x_train"),
        ({"x_train": (20, 3), "y_train": (20, 3), "x_test": (6, 3), "y_test": (6, 3)}, "give y.argmax(1)"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, tuple[int, ...]], said: str) -> None:
    np.savez(tmp_path / "a.npz", **{name: np.zeros(shape) for name, shape in arrays.items()})
    refused = problem_of(loaded, tmp_path / "a.npz")
    assert refused.code == "dataset_invalid"
    assert said in refused.title


def test_a_class_of_minus_one_is_explained(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((20, 2)), y=np.where(np.arange(20) % 2, 1, -1))
    with pytest.raises(Problem, match="-1 stands for an unknown label: number the classes from 0"):
        loaded(tmp_path / "a.npz")


@given(
    labels=st.lists(st.integers(-1, 2), min_size=60, max_size=90),
    own=st.lists(st.sampled_from([TRAIN, VALIDATION, TEST]), min_size=90, max_size=90),
    seed=st.integers(0, 1000),
)
@settings(max_examples=examples(60), deadline=None)
def test_no_row_leaves_its_own_part_and_all_have_one(labels: list[int], own: list[int], seed: int) -> None:
    y, parts = np.array(labels), np.array(own[: len(labels)], dtype=np.int8)
    spec = SPEC.model_copy(update={"split_seed": seed})
    assume(min(np.bincount(y[(y >= 0) & (parts == TRAIN)], minlength=3)) >= 3)
    train, validation, test = split(y, ["a", "b", "c"], spec, parts)
    assert sorted([*train.tolist(), *validation.tolist(), *test.tolist()]) == list(range(len(y)))
    assert all(y[test] >= 0)
    assert all(y[validation] >= 0)
    for rows, part in ((validation, VALIDATION), (test, TEST)):
        if ((parts == part) & (y >= 0)).any():
            assert (parts[rows] == part).all()
            assert len(rows) == ((parts == part) & (y >= 0)).sum()
        else:
            assert (parts[rows] == TRAIN).all()
