"""Rows are divided as a table says: by names of splits, by groups that stay whole, or by time."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from qstill.contract.distillations.datasets import UploadedData
from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import Data, load

FILE, ROWS = "file_1", 60


def table(**changes: Any) -> pd.DataFrame:
    number = np.arange(ROWS)
    columns = {
        "size": number % 7,
        "part": np.array(["train", "train", "Test", "dev"])[number % 4],
        "customer": number // 4,
        "day": (pd.Timestamp("2024-01-01") + pd.to_timedelta(number * 37 % 60 // 2, "D")).strftime("%d.%m.%Y"),
        "y": number * number % 3 % 2,
    }
    return pd.DataFrame(columns | changes)


def loaded(folder: Path, frame: pd.DataFrame, **given: Any) -> Data:
    frame.to_csv(folder / "t.csv", index=False)
    spec = {"source": "file", "file": FILE, "label": "y", **given}
    return load(UploadedData.model_validate(spec), {FILE: folder / "t.csv"})


def numbers(data: Data) -> list[list[int]]:
    return [rows.index.tolist() for rows in (data.train, data.validation, data.test)]


def test_a_column_names_the_splits(tmp_path: Path) -> None:
    data = loaded(tmp_path, table(), split="part", ignore=["customer", "day"])
    train, validation, test = numbers(data)
    assert {number % 4 for number in train} == {0, 1}
    assert {number % 4 for number in test} == {2}
    assert {number % 4 for number in validation} == {3}
    assert data.encoding is not None
    assert data.encoding.inputs() == ["size"]
    assert "30 for training, 15 for validation, 15 for the test" in data.reading_notes[-1].said


def test_what_a_column_names_no_rows_for_is_drawn(tmp_path: Path) -> None:
    frame = table(part=np.array(["train", "train", "test"])[np.arange(ROWS) % 3])
    train, validation, test = numbers(loaded(tmp_path, frame, split="part"))
    assert {number % 3 for number in test} == {2}
    assert len(test) == 20
    assert validation
    assert {number % 3 for number in (*train, *validation)} == {0, 1}


@given(seed=st.integers(0, 1000), customers=st.integers(3, 20))
def test_no_group_is_torn(tmp_path_factory: Any, seed: int, customers: int) -> None:
    draw = np.random.default_rng(seed)
    frame = table(customer=[f"c{each}" for each in (*range(customers), *draw.integers(0, customers, ROWS - customers))])
    frame["y"] = frame["size"]
    folder = tmp_path_factory.mktemp("t")
    data = loaded(folder, frame, groups="customer", task="regression", split_seed=seed)
    groups = [set(frame["customer"].iloc[part]) for part in numbers(data)]
    assert all(groups)
    assert sum(map(len, groups)) == len(set.union(*groups)) == customers


def test_the_latest_rows_are_the_test(tmp_path: Path) -> None:
    frame = table()
    data = loaded(tmp_path, frame, time="day")
    days = pd.to_datetime(frame["day"], format="%d.%m.%Y")
    train, validation, test = (days.iloc[part] for part in numbers(data))
    assert train.max() < validation.min()
    assert validation.max() < test.min()
    assert abs(len(test) - 12) <= 1
    assert abs(len(validation) - 12) <= 1


@pytest.mark.parametrize(
    ("changes", "given", "said"),
    [
        ({"part": ["train", "later"] * 30}, {"split": "part"}, "'later' in the column of splits is none"),
        ({"part": ["train", ""] * 30}, {"split": "part"}, "Row 1 says nothing"),
        ({"customer": ["a", "b"] * 30}, {"groups": "customer"}, "has 2 different values"),
        ({"day": ["spring", "summer"] * 30}, {"time": "day"}, "by dates of one form, or by numbers"),
        ({"y": ["a", "b", ""] * 20}, {"time": "day"}, "rows that are held out have no label"),
        ({}, {"groups": "shoe"}, "does not name 'shoe'"),
    ],
)
def test_what_divides_nothing_is_refused(tmp_path: Path, changes: Any, given: Any, said: str) -> None:
    problem = problem_of(loaded, tmp_path, table(**changes), **given)
    assert (problem.code, problem.pointer) == ("dataset_invalid", f"/dataset/{next(iter(given))}")
    assert said in problem.title


@pytest.mark.parametrize("given", [{"split": "a", "time": "b"}, {"split": "a", "ignore": ["a"]}, {"groups": "y"}])
def test_one_column_divides_the_rows_and_does_nothing_else(given: Any) -> None:
    with pytest.raises(ValidationError):
        UploadedData.model_validate({"source": "file", "file": FILE, "label": "y", **given})
