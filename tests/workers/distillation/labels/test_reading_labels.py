"""Several labels as files have them: columns, words, arrays; and what is no such label."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.distillations.datasets import UploadedData
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.workers.distillation.labels.conftest import NAMES, some_digits
from workers.distillation.data.dataset import Data, load
from workers.distillation.data.files.several_labels import LEAST, kinds_of_rows
from workers.distillation.objectives.terms import UNKNOWN

Table = dict[str, Any]


def read(path: Path, **more: Any) -> Data:
    spec = UploadedData.model_validate({"source": "file", "file": "file_1", "task": "multi_label"} | more)
    return load(spec, {"file_1": path})


def table(rows: int = 60) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    return pd.DataFrame({"a": draw.normal(size=rows), "b": draw.normal(size=rows)})


def so_of(data: Data) -> torch.Tensor:
    """(rows, labels) in the order of the file."""
    found = torch.zeros(data.total, len(data.classes))
    for rows in (data.train, data.validation, data.test):
        found[rows.index] = rows.y
    return found


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_of_yes_and_no(tmp_path: Path, suffix: str) -> None:
    frame, at = table(), np.arange(60)
    frame["warm"], frame["wet"] = np.where(at % 2, "yes", "No"), at % 3 == 0
    path = tmp_path / f"t.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    found = read(path, targets=["warm", "wet"])
    assert found.classes == ["warm", "wet"]
    assert so_of(found).tolist() == [[float(i % 2), float(i % 3 == 0)] for i in range(60)]


def test_one_column_of_words(tmp_path: Path) -> None:
    frame, at = table(), range(60)
    frame["tags"] = ["|".join(name for name, of in (("wet", i % 3 == 0), (" warm", i % 2)) if of) for i in at]
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = read(tmp_path / "t.csv", label="tags", labels_separator="|")
    assert found.classes == ["warm", "wet"]
    assert so_of(found).tolist() == [[float(i % 2), float(i % 3 == 0)] for i in at]


def test_arrays_have_the_names_that_are_given(archive: Path) -> None:
    found = read(archive, targets=NAMES)
    assert found.classes == NAMES
    assert so_of(found).tolist() == some_digits()[1].tolist()
    assert read(archive).classes == ["0", "1", "2"]


def test_a_row_of_which_something_is_unknown_is_learned_and_not_tested(tmp_path: Path) -> None:
    x, y = some_digits()
    y = y.copy()
    y[::5, 1] = -1
    np.savez(tmp_path / "d.npz", x=x, y=y)
    found = read(tmp_path / "d.npz")
    for rows in (found.validation, found.test):
        assert bool(rows.y.isfinite().all())
        assert not bool((rows.index % 5 == 0).any())
    assert int(found.train.y.isnan().sum()) == len(y[::5])
    assert found.task.count(found.train.y) == len(found.train.y)


@given(st.integers(1, 6), st.integers(LEAST * 2, 80), st.floats(0.02, 0.98), st.floats(0, 0.3), st.integers(0, 2**32))
@settings(deadline=None, max_examples=examples(60))
def test_rows_are_divided_by_their_rarest_label(
    labels: int, rows: int, often: float, unknown: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    found = (draw.random((rows, labels)) < often).astype(float)
    found[draw.random(found.shape) < unknown] = np.nan
    known = ~np.isnan(found).any(1)
    if known.sum() < LEAST:
        return
    codes, names = kinds_of_rows(found)
    assert ((codes == UNKNOWN) == ~known).all()
    counts = np.bincount(codes[known], minlength=len(names))
    assert len(counts) == len(names)
    assert counts.min() >= LEAST


def rare(frame: pd.DataFrame) -> None:
    frame["c"], frame["d"] = [1, 1] + [0] * 58, np.arange(60) % 2


def words(frame: pd.DataFrame) -> None:
    frame["c"], frame["d"] = "perhaps", np.arange(60) % 2


@pytest.mark.parametrize(
    ("change", "more", "pointer", "said"),
    [
        (rare, {"targets": ["c", "d"]}, "/dataset/file", "2 rows have label 'c'"),
        (words, {"targets": ["c", "d"]}, "/dataset/file", "neither 1 nor 0"),
        (words, {"label": "c"}, "/dataset/targets", "labels_separator"),
        (words, {"targets": ["d", "e"]}, "/dataset/targets/1", "0 times"),
    ],
)
def test_what_is_no_label_is_refused(
    tmp_path: Path, change: Callable[[pd.DataFrame], None], more: Table, pointer: str, said: str
) -> None:
    frame = table()
    change(frame)
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(Problem) as refused:
        read(tmp_path / "t.csv", **more)
    assert refused.value.code == "dataset_invalid"
    assert refused.value.pointer == pointer
    assert said in str(refused.value)


def test_an_archive_with_other_numbers_or_names_is_refused(tmp_path: Path, archive: Path) -> None:
    x, y = some_digits()
    np.savez(tmp_path / "d.npz", x=x, y=y + 1)
    with pytest.raises(Problem, match="a label is 1 or 0"):
        read(tmp_path / "d.npz")
    with pytest.raises(Problem, match="3 columns, and 2 names"):
        read(archive, targets=["a", "b"])
    with pytest.raises(Problem) as refused:
        load(UploadedData.model_validate({"source": "file", "file": "file_1"}), {"file_1": archive})
    assert "multi_label" in str(refused.value)
