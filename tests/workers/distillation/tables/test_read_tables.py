"""Tables are read as their owners have them, in any format, and what is not sure is refused with a way out."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qstill.contract.distillations.datasets import UploadedData
from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import Data, load

FILE = "file_1"
ROWS = 60


def people() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "customer_id": 1000 + np.arange(ROWS),
            "age": draw.integers(18, 90, ROWS).astype(float),
            "job": draw.choice(["nurse", "baker", "Ärztin, leitend"], ROWS),
            "since": pd.to_datetime("2015-01-01") + pd.to_timedelta(draw.integers(0, 3000, ROWS), "D"),
            "member": draw.random(ROWS) < 0.5,
            "source": "web",
            "bought": np.array(["yes", "no"])[np.arange(ROWS) % 2],
        }
    )
    table.loc[3, "age"], table.loc[5, "job"], table.loc[7, "since"] = np.nan, None, pd.NaT
    return table


def loaded(path: Path, **given: Any) -> Data:
    return load(UploadedData.model_validate({"source": "file", "file": FILE, **given}), {FILE: path})


WAYS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "csv": lambda table, path: table.to_csv(path, index=False),
    "with an index": lambda table, path: table.to_csv(path),
    "utf-16": lambda table, path: table.to_csv(path, index=False, encoding="utf-16"),
    "tabs": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "semicolons": lambda table, path: table.to_csv(path, index=False, sep=";", decimal=","),
    "gz": lambda table, path: path.write_bytes(gzip.compress(table.to_csv(index=False).encode())),
    "parquet": lambda table, path: table.to_parquet(path),
    "feather": lambda table, path: table.to_feather(path),
    "categories": lambda table, path: table.astype({"job": "category"}).to_parquet(path),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_table_is_the_same_in_every_format(tmp_path: Path, way: str) -> None:
    WAYS["csv"](people(), tmp_path / "expected")
    WAYS[way](people(), tmp_path / "found")
    expected, found = loaded(tmp_path / "expected"), loaded(tmp_path / "found")
    assert expected.encoding is not None
    assert found.encoding is not None
    assert expected.encoding.encoders == found.encoding.encoders
    assert (expected.train.raw == found.train.raw).all()
    assert [each.kind for each in found.encoding.encoders] == ["numeric", "categorical", "date", "boolean"]
    assert found.encoding.others[-3:] == ["customer_id", "source", "bought"]


def test_encoders_see_training_rows_alone(tmp_path: Path) -> None:
    table = people()
    WAYS["csv"](table, tmp_path / "a")
    first = loaded(tmp_path / "a")
    held_out = [*first.test.index.tolist(), *first.validation.index.tolist()]
    table.loc[held_out, "age"] = 1e6
    table.loc[held_out, "job"] = "astronaut"
    WAYS["csv"](table, tmp_path / "b")
    second = loaded(tmp_path / "b")
    assert first.encoding == second.encoding
    assert (first.train.x == second.train.x).all()
    (note,) = [note for note in second.reading_notes if note.code == "words_unseen"]
    assert note.said.startswith("24 of 24 validation and test rows have in 'job' what no training row has: 'astronaut'")


def test_only_what_is_measured_is_standardised(tmp_path: Path) -> None:
    WAYS["csv"](people(), tmp_path / "a")
    data = loaded(tmp_path / "a")
    assert data.encoding is not None
    for place, measured in enumerate(data.encoding.measured()):
        if measured:
            assert abs(float(data.train.x[:, place].mean())) < 1e-5
        else:
            assert set(data.train.x[:, place].tolist()) <= {0.0, 1.0}


def test_a_job_may_say_what_columns_are(tmp_path: Path) -> None:
    WAYS["csv"](people(), tmp_path / "a")
    data = loaded(
        tmp_path / "a",
        target="member",
        columns={"customer_id": "numeric"},
        categorical=["age"],
        ignore=["since"],
        missing=["baker"],
    )
    assert data.classes == ["False", "True"]
    assert data.encoding is not None
    kinds = {each.name: each.kind for each in data.encoding.encoders}
    assert kinds == {"customer_id": "numeric", "age": "categorical", "job": "categorical", "bought": "boolean"}
    assert [each for each in data.encoding.inputs() if each.startswith("job")] == [
        "job=Ärztin, leitend",
        "job=nurse",
        "job is missing",
    ]
    assert data.columns is not None
    assert {each.name: each.kind for each in data.columns.said if each.inputs is None} == {
        "since": "ignored",
        "source": "constant",
        "member": "label",
    }


@pytest.mark.parametrize(
    ("given", "pointer", "said"),
    [
        ({"ignore": ["shoe"]}, "/dataset/ignore/0", "does not name 'shoe'"),
        ({"categorical": ["bought"]}, "/dataset/categorical/0", "is what is learned"),
        ({"columns": {"job": "numeric"}}, "/dataset/columns", "values are no numbers: 'Ärztin, leitend'"),
        ({"columns": {"job": "date"}}, "/dataset/columns", "are no dates as 2024-01-31"),
        ({"target": "shoe"}, "/dataset/target", "names 'shoe' 0 times"),
        ({"task": "regression"}, "/dataset/file", "Row 0, column 'bought': 'yes' is not a number"),
    ],
)
def test_what_a_job_says_is_held_to_the_table(tmp_path: Path, given: Any, pointer: str, said: str) -> None:
    WAYS["csv"](people(), tmp_path / "a")
    problem = problem_of(loaded, tmp_path / "a", **given)
    assert (problem.code, problem.pointer) == ("dataset_invalid", pointer)
    assert said in problem.title


def test_slips_among_numbers_are_refused_with_a_way_out(tmp_path: Path) -> None:
    table = people()
    table["age"] = table["age"].astype(str)
    table.loc[9, "age"] = "unbekannt"
    WAYS["csv"](table, tmp_path / "a")
    problem = problem_of(loaded, tmp_path / "a")
    assert "Column 'age' was taken for numeric. 1 of 59 values are no numbers: 'unbekannt'" in problem.title
    assert problem.document()["try"] == [{"categorical": ["age"]}, {"ignore": ["age"]}]
    assert loaded(tmp_path / "a", missing=["unbekannt"]).encoding is not None


def test_a_parquet_with_lists_is_refused_by_the_name_of_its_column(tmp_path: Path) -> None:
    pd.DataFrame({"a": [[1, 2]] * 4, "y": [0, 1] * 2}).to_parquet(tmp_path / "a")
    assert "Column 'a' holds list" in problem_of(loaded, tmp_path / "a").title
    (tmp_path / "a").write_bytes(b"PAR1\x15\x04")
    assert "not a readable parquet or Arrow table" in problem_of(loaded, tmp_path / "a").title


def test_archives_have_no_columns(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2)), y=np.arange(4) % 2)
    assert problem_of(loaded, tmp_path / "a.npz", ignore=["a"]).pointer == "/dataset/ignore"


def test_a_table_of_numbers_is_read_as_it_is(tmp_path: Path) -> None:
    rows = [f"{number % 7},{number / 3},{number % 2}" for number in range(30)]
    (tmp_path / "a").write_text("\n".join(["a,b,y", *rows]))
    data = loaded(tmp_path / "a")
    assert data.encoding is None
    assert data.columns is not None
    assert [(each.name, each.kind, each.inputs) for each in data.columns.said] == [
        ("a", "numeric", ["a"]),
        ("b", "numeric", ["b"]),
    ]
