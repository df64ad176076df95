"""A file of splits divides the rows of any data: by words in their order, by ids, or by the numbers of rows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from qstill.contract.distillations.datasets import UploadedData
from tests.testing.refusals import problem_of
from tests.workers.distillation.tables.test_division import FILE, ROWS, numbers, table
from workers.distillation.data.dataset import Data, load
from workers.distillation.data.membership import membership

SPLIT = "file_2"
WORDS = np.array(["train", "train", "test", "validation"])[np.arange(ROWS) % 4]
EXPECTED = [[row for row in range(ROWS) if WORDS[row] == part] for part in ("train", "validation", "test")]
ROW_NUMBERS = dict(zip(("train", "validation", "test"), EXPECTED, strict=True))


def loaded(folder: Path, splits: Path, frame: pd.DataFrame | None = None, *, split: Any = None, **given: Any) -> Data:
    """Of a table; split: what is said besides the file."""
    data = folder / "data.csv"
    (table() if frame is None else frame).to_csv(data, index=False)
    spec = {"source": "file", "file": FILE, "label": "y", "split": {"file": SPLIT, **(split or {})}, **given}
    return load(UploadedData.model_validate(spec), {FILE: data, SPLIT: splits})


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content)


def arrays(**members: Any) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **members)

    return write


def array(content: Any) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, content)

    return write


def parquet(path: Path) -> None:
    pd.DataFrame({"row": np.arange(ROWS), "split": WORDS}).to_parquet(path)


CODES = np.array([0, 0, 2, 1])[np.arange(ROWS) % 4]
FORMS = [
    pytest.param(text("\n".join(WORDS)), id="txt"),
    pytest.param(text("\n".join(map(str, CODES)) + "\n"), id="txt of numbers"),
    pytest.param(text("split\n" + "\n".join(WORDS).upper().replace("VALIDATION", " Dev ")), id="csv"),
    pytest.param(text("a;split\n" + "\n".join(f"x;{word}" for word in WORDS)), id="csv of several columns"),
    pytest.param(array(WORDS), id="npy of words"),
    pytest.param(array(CODES.astype(np.int8)), id="npy of numbers"),
    pytest.param(array(CODES.astype(np.float64)), id="npy of floats"),
    pytest.param(arrays(split=WORDS), id="npz of words"),
    pytest.param(arrays(train=EXPECTED[0], val=EXPECTED[1], test=EXPECTED[2]), id="npz of rows"),
    pytest.param(text(json.dumps(ROW_NUMBERS | {"object": "split", "labelled": [1]})), id="json"),
    pytest.param(parquet, id="parquet"),
]


@pytest.mark.parametrize("write", FORMS)
def test_all_forms_divide_alike(tmp_path: Path, write: Callable[[Path], object]) -> None:
    write(tmp_path / "splits")
    data = loaded(tmp_path, tmp_path / "splits")
    assert numbers(data) == EXPECTED
    (said,) = (note.said for note in data.reading_notes if note.code == "own_split")
    assert said.endswith("as the file of splits says: 30 for training, 15 for validation, 15 for the test.")


def test_what_another_job_divided_divides_again(tmp_path: Path) -> None:
    first = load(UploadedData(source="file", file=FILE, label="y", split_seed=3), {FILE: _numeric(tmp_path)})
    (tmp_path / "split.json").write_text(json.dumps(membership(first)))
    spec = {"source": "file", "file": FILE, "label": "y", "split_seed": 4, "split": {"file": SPLIT}}
    again = load(UploadedData.model_validate(spec), {FILE: _numeric(tmp_path), SPLIT: tmp_path / "split.json"})
    assert numbers(again) == numbers(first)


def _numeric(folder: Path) -> Path:
    table()[["size", "customer", "y"]].to_csv(folder / "numeric.csv", index=False)
    return folder / "numeric.csv"


def test_arrays_are_divided_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(ROWS * 2.0).reshape(ROWS, 2), y=np.arange(ROWS) % 3 % 2)
    (tmp_path / "s.txt").write_text("\n".join(WORDS))
    spec = UploadedData.model_validate({"source": "file", "file": FILE, "split": {"file": SPLIT}})
    data = load(spec, {FILE: tmp_path / "a.npz", SPLIT: tmp_path / "s.txt"})
    assert numbers(data) == EXPECTED


@settings(max_examples=20)
@given(seed=st.integers(0, 999))
def test_rows_find_their_split_by_an_id_in_any_order(tmp_path_factory: Any, seed: int) -> None:
    folder, draw = tmp_path_factory.mktemp("t"), np.random.default_rng(seed)
    parts = {f"{each:03}": ("train", "test", "val", "train")[each % 4] for each in range(15)}
    frame = table(customer=[f"{each:03}" for each in (*range(15), *draw.integers(0, 15, ROWS - 15))])
    ids = draw.permutation([*parts, "not in the data"])
    named = pd.DataFrame({"part": [parts.get(key, "test") for key in ids], "customer": ids})
    named.to_csv(folder / "s.csv", index=False)
    frame["y"] = frame["size"]
    data = loaded(folder, folder / "s.csv", frame, split={"id": "customer"}, task="regression", ignore=["part"])
    for name, rows in zip(("train", "val", "test"), numbers(data), strict=True):
        assert {parts[key] for key in frame["customer"].iloc[rows]} <= {name}
    assert data.encoding is not None
    assert "customer" not in data.encoding.inputs()


def test_groups_beside_a_file_are_only_looked_at(tmp_path: Path) -> None:
    words = np.array(["train", "train", "test", "val", "train"])[np.arange(ROWS) // 4 % 5]
    (tmp_path / "s").write_text("\n".join(words))
    assert len(loaded(tmp_path, tmp_path / "s", groups="customer").test.y) == 12
    words[1] = "test"
    (tmp_path / "s").write_text("\n".join(words))
    problem = problem_of(loaded, tmp_path, tmp_path / "s", groups="customer")
    assert (problem.code, problem.pointer) == ("dataset_invalid", "/dataset/groups")
    assert problem.title.startswith("'0' of 'customer' has rows in several splits")
    assert problem.ways_out == [{"groups": "customer", "split": None}]


@pytest.mark.parametrize(
    ("write", "said", "title"),
    [
        (text("train\ntest\n"), {}, "It has 2 rows, and the data 60: a word for each row"),
        (text("train\n" * 59 + "later"), {}, "'later' in row 59 names no split"),
        (text("test\n" * 60), {}, "leaves no row to train on"),
        (text(""), {}, "It is empty"),
        (text("a,b\n" + "train,test\n" * 60), {}, "Say which `column` has the splits: a, b"),
        (text("a,b\n" + "train,test\n" * 60), {"column": "c"}, "one column 'c'; it has a, b"),
        (text("split\n" + "train\n" * 60), {"id": "customer"}, "one column 'customer'"),
        (text("customer,split\n1,train\n"), {"id": "customer"}, "does not name '0' of 'customer' (row 0), and 13 more"),
        (text("customer,split\n1,train\n1,test\n"), {"id": "customer"}, "names '1' of 'customer' twice"),
        (text("a,split\n1\n"), {}, "Row 0 has 1 columns"),
        (array(np.ones((60, 2))), {}, "holds float64 of shape (60, 2)"),
        (array(np.full(60, 7)), {}, "'7' in row 0 names no split"),
        (array(np.full(60, np.nan)), {}, "'nan' in row 0 names no split"),
        (array(np.array([None] * 60)), {}, "no readable npy or npz"),
        (array(WORDS), {"column": "a"}, "Arrays have no columns"),
        (arrays(train=[0, 1], test=[1]), {}, "'test' names a row that was named before"),
        (arrays(train=[0, 1], test=[60]), {}, "'test' names row 60; the data has the rows 0 to 59"),
        (arrays(train=[0.5], test=[1]), {}, "'train' must be a list of whole numbers"),
        (arrays(x=[0, 1]), {}, "It holds ['x']"),
        (arrays(train=np.arange(10), test=np.arange(20, 30)), {}, "Row 10 is in no split, as are 39 more of 60"),
        (text('{"train": [[1], [1, 2]]}'), {}, "'train' must be a list"),
        (text('{"train": ["a"]}'), {}, "'train' must be a list"),
        (text("{"), {}, "It is no JSON"),
        (text("{}"), {}, "It holds []"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_place(
    tmp_path: Path, write: Callable[[Path], object], said: dict[str, str], title: str
) -> None:
    write(tmp_path / "s")
    problem = problem_of(loaded, tmp_path, tmp_path / "s", split=said)
    assert (problem.code, problem.pointer) == ("dataset_invalid", "/dataset/split/file")
    assert title in problem.title


@pytest.mark.parametrize("given", [{"time": "b"}, {"label": "c"}, {"ignore": ["c"]}, {"groups": "y", "label": "y"}])
def test_a_file_divides_alone(given: Any) -> None:
    split = {"file": SPLIT, "id": "c"}
    with pytest.raises(ValidationError):
        UploadedData.model_validate({"source": "file", "file": FILE, "split": split, **given})


def test_arrays_have_no_ids(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((ROWS, 2)), y=np.arange(ROWS) % 2)
    spec = UploadedData.model_validate({"source": "file", "file": FILE, "split": {"file": SPLIT, "id": "c"}})
    assert problem_of(load, spec, {FILE: tmp_path / "a.npz", SPLIT: tmp_path / "s"}).pointer == "/dataset/split"
