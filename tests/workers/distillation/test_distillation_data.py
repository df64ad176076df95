"""Rows are read within bounds, refused by name, and split the same way every time."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.distillations.datasets import BuiltinData, UploadedData
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import Data, load, preprocessing_digest
from workers.distillation.data.files import arrays
from workers.distillation.signals.signals import signal_digest

FILE = "file_1"


def builtin(name: str, **given: Any) -> BuiltinData:
    return BuiltinData.model_validate({"source": "builtin", "name": name, **given})


def uploaded(path: Path, **given: Any) -> Data:
    return load(UploadedData(source="file", file=FILE, **given), {FILE: path})


def npz(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def csv(folder: Path, text: str) -> Path:
    path = folder / "data.csv"
    path.write_text(text)
    return path


def refusal(path: Path, **given: Any) -> Problem:
    return problem_of(uploaded, path, **given)


def some_rows(rows: int = 30) -> tuple[Any, Any]:
    return np.random.default_rng(0).normal(size=(rows, 4)), np.arange(rows) % 3


@given(seed=st.integers(0, 2**53 - 1), labelled=st.integers(3, 60), held_out=st.sampled_from([0.05, 0.2, 0.3]))
@settings(deadline=None, max_examples=examples(25))
def test_splits_cover_all_rows_once_with_every_class_in_each(seed: int, labelled: int, held_out: float) -> None:
    spec = BuiltinData(
        source="builtin", name="iris", labelled=labelled, split_seed=seed, validation=held_out, test=held_out
    )
    data = load(spec, {})
    splits = (data.train, data.validation, data.test)
    assert sorted(torch.cat([rows.index for rows in splits]).tolist()) == list(range(150))
    assert all(rows.y.unique().tolist() == [0, 1, 2] for rows in splits)
    kept = data.seen >= 0
    assert int(kept.sum()) == labelled
    assert bool((data.seen[kept] == data.train.y[kept]).all())
    counts = data.seen[kept].bincount()
    assert counts.max() - counts.min() <= 1


def test_features_are_standardised_by_the_training_split_alone() -> None:
    data = load(BuiltinData(source="builtin", name="digits"), {})
    assert data.input_shape == (1, 8, 8)
    x = data.train.x.double()
    varying = data.train.raw.flatten(1).std(0) > 0
    assert x.mean(0).abs().max() < 1e-6
    assert torch.allclose(x.flatten(1).std(0, correction=0)[varying], torch.ones(1, dtype=torch.float64), atol=1e-5)
    assert bool(torch.isfinite(data.test.x).all())


def test_without_the_pool_the_student_learns_from_labelled_rows_only() -> None:
    data = load(BuiltinData(source="builtin", name="iris", labelled=9, unlabelled_pool=False), {})
    assert len(data.learned) == 9
    assert bool((data.seen[data.learned] >= 0).all())


def test_rows_without_a_label_are_training_rows(tmp_path: Path) -> None:
    x, y = some_rows()
    y[:5] = -1
    data = uploaded(npz(tmp_path, x=x, y=y))
    assert set(range(5)) <= set(data.train.index.tolist())
    assert bool((data.seen[data.train.index < 5] == -1).all())


def test_images_get_a_channel_and_may_be_standardised_by_it(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(3, 2, size=(30, 5, 4))
    data = uploaded(npz(tmp_path, x=x, y=np.arange(30) % 2), standardise="channel")
    assert data.input_shape == (1, 5, 4)
    assert data.standardisation.mean.shape == (1, 1, 1)
    assert abs(float(data.train.x.mean())) < 1e-6


def test_a_csv_names_its_classes_and_keeps_their_order(tmp_path: Path) -> None:
    lines = [f"{i},{i * 0.5},{10 if i % 2 else 9}" for i in range(12)]
    data = uploaded(csv(tmp_path, "a,b,kind\n" + "\n".join([*lines, "1,2,"])))
    assert data.classes == ["9", "10"]
    assert data.total == 13
    assert 12 in data.train.index.tolist()


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e39"])
def test_a_value_that_is_not_finite_is_named_by_row_and_column(tmp_path: Path, value: str) -> None:
    if value != "nan":  # a gap, which is filled
        problem = refusal(csv(tmp_path, f"a,b,kind\n1,2,x\n1,{value},y\n"))
        assert (problem.code, problem.pointer) == ("dataset_invalid", "/dataset/file")
        assert (
            "Row 1, column 'b'"
            if value == "1e39"
            else f"Column 'b' was taken for numeric. 1 of 2 values are no numbers: '{value}'"
        ) in problem.title
    x, y = some_rows()
    x[7, 2] = float(value)
    assert "Row 7, feature 2" in refusal(npz(tmp_path, x=x, y=y)).title


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,kind\n1,x\n1,2,y\n", "Row 1 has 3 columns; the header has 2"),
        ("a,kind\nred,x\nred,y\n", "No column is left to predict from. a: all rows have the same value"),
        (",kind\nred,x\nblue,y\n", "Column 0 has no name, and does not number the rows"),
        ("a\n1\n", "1 columns"),
        ("a,kind\n", "no rows"),
        ("", "0 columns"),
        ("a,kind\n1,x\n2,x\n", "1 classes"),
        ("a,kind\n1,x\n2,y\n", "Class 'x' has 1 labelled rows"),
        ('a,kind\n"1,x\n', "cannot be read"),
        ("5.1,3.5,0\n4.9,3.0,1\n", "this is a row of numbers: 5.1, 3.5, 0"),
        ("5.1,3.5,setosa\n4.9,3.0,other\n", "this is a row of numbers: 5.1, 3.5, setosa"),
        ("3,3,3\n4,4,1\n", "this is a row of numbers"),
        ("a,b,a\n1,2,x\n", "names 'a' 2 times"),
        ("a,b, b,kind\n1,2,3,x\n", "names 'b' 2 times"),
    ],
)
def test_a_broken_csv_is_refused(tmp_path: Path, text: str, said: str) -> None:
    problem = refusal(csv(tmp_path, text))
    assert problem.code == "dataset_invalid"
    assert said in problem.title


def test_labels_that_measure_something_lead_to_regression(tmp_path: Path) -> None:
    real = refusal(csv(tmp_path, "a,price\n" + "".join(f"{i},{i / 7}\n" for i in range(30))))
    assert (real.code, real.pointer, real.ways_out) == ("dataset_invalid", "/dataset/file", [{"task": "regression"}])
    whole = refusal(csv(tmp_path, "a,price\n" + "".join(f"{i},{i}\n" for i in range(2000))))
    assert "`task` regression" in whole.title
    words = refusal(csv(tmp_path, "a,kind\n1,x\n2,y\n"))
    few = refusal(csv(tmp_path, "a,kind\n1,0\n2,1\n"))
    assert not words.ways_out
    assert not few.ways_out


@pytest.mark.parametrize("header", ["0,1,2", "1,2,3", "0,1,kind"])
def test_columns_that_are_counted_have_names(tmp_path: Path, header: str) -> None:
    lines = [f"{i},{i * 0.5},{i % 2}" for i in range(12)]
    assert uploaded(csv(tmp_path, "\n".join([header, *lines]))).total == 12


@pytest.mark.parametrize("content", [b'{"text":"a","label":"b"}\n', b'\xef\xbb\xbf\n{"x": [1, 2]}'])
def test_files_of_texts_are_told_where_they_belong(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data").write_bytes(content)
    problem = refusal(tmp_path / "data")
    assert (problem.code, problem.pointer) == ("dataset_invalid", "/dataset/source")
    assert "text_file" in problem.title
    assert problem.document()["try"] == [{"source": "text_file"}]


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_with_their_channels_last_are_refused(tmp_path: Path, channels: int, task: str) -> None:
    x, y = np.random.default_rng(0).random((30, 8, 8, channels)), np.arange(30) % 3
    problem = refusal(npz(tmp_path, x=x, y=y), task=task)
    assert (problem.code, problem.pointer) == ("dataset_invalid", "/dataset/file")
    assert "x.transpose(0, 3, 1, 2)" in problem.title
    assert uploaded(npz(tmp_path, x=x.transpose(0, 3, 1, 2), y=y), task=task).input_shape == (channels, 8, 8)
    assert uploaded(npz(tmp_path, x=x.transpose(0, 1, 3, 2), y=y), task=task).input_shape == (8, channels, 8)


def test_a_csv_of_too_many_columns_or_without_the_label_is_refused(tmp_path: Path) -> None:
    assert "20000 columns" in refusal(csv(tmp_path, ",".join(["a"] * 20_000))).title
    assert "longer than" in refusal(csv(tmp_path, "," * 5_000_000)).title
    problem = refusal(csv(tmp_path, "a,kind\n1,x\n"), label="species")
    assert problem.pointer == "/dataset/label"


@pytest.mark.parametrize(
    "arrays",
    [
        {"x": np.zeros((4, 2))},
        {"x": np.zeros(4), "y": np.zeros(4)},
        {"x": np.zeros((4, 2)), "y": np.zeros(3)},
        {"x": np.zeros((4, 2)), "y": np.array([0, 1, 0.5, 1])},
        {"x": np.zeros((4, 2)), "y": np.array([0, 1, np.inf, 1])},
        {"x": np.zeros((4, 2)), "y": np.array([0, 1, -2, 1])},
        {"x": np.zeros((4, 2), dtype=complex), "y": np.zeros(4)},
        {"x": np.array([["a", "b"]]), "y": np.zeros(1)},
        {"x": np.zeros((0, 2)), "y": np.zeros(0)},
    ],
)
def test_a_wrong_archive_is_refused(tmp_path: Path, arrays: dict[str, Any]) -> None:
    problem = refusal(npz(tmp_path, **arrays))
    assert (problem.code, problem.pointer) == ("dataset_invalid", "/dataset/file")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x=np.array([[object()]], dtype=object), y=np.zeros(1), allow_pickle=True)
    assert "only numbers" in refusal(path).title


def test_an_archive_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = some_rows()
    path = npz(tmp_path, x=x, y=y)
    monkeypatch.setattr(arrays, "MAX_BYTES", 1000)
    assert "unpacks to" in refusal(path).title


def test_a_header_that_claims_more_than_there_is_takes_no_memory(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**11, 4)})
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(64))
        archive.writestr("y.npy", b"no array")
    assert "declares shape" in refusal(path).title


def test_truncated_and_foreign_files_are_refused(tmp_path: Path) -> None:
    x, y = some_rows()
    path = npz(tmp_path, x=x, y=y)
    path.write_bytes(path.read_bytes()[:200])
    assert refusal(path).code == "dataset_invalid"
    path.write_bytes(bytes(range(256)))
    assert refusal(path).code == "dataset_invalid"


def test_too_few_and_too_many_labels_are_refused_with_a_way_out(tmp_path: Path) -> None:
    x, y = some_rows()
    path = npz(tmp_path, x=x, y=y)
    few, many = refusal(path, labelled=2), refusal(path, labelled=29)
    assert (few.code, few.pointer, few.ways_out) == ("too_few_labels", "/dataset/labelled", [{"labelled": 3}])
    assert (many.code, many.pointer) == ("too_many_labels", "/dataset/labelled")


def test_the_cache_key_changes_with_data_preprocessing_and_teacher(tmp_path: Path) -> None:
    x, y = some_rows()
    first = uploaded(npz(tmp_path, x=x, y=y))
    again = uploaded(npz(tmp_path, x=x, y=y))
    scaled = uploaded(npz(tmp_path, x=x, y=y), standardise="none")
    other_rows = uploaded(npz(tmp_path, x=x, y=y), split_seed=1)
    x[0, 0] += 1e-9
    moved = uploaded(npz(tmp_path, x=x, y=y))
    keys = {
        signal_digest(data=data.digest, preprocessing=preprocessing_digest(data), teacher=teacher)
        for data in (first, again, scaled, other_rows, moved)
        for teacher in ("one", "another")
    }
    assert len(keys) == 8
    assert first.digest == again.digest
    assert preprocessing_digest(first) == preprocessing_digest(again)
    assert first.digest != moved.digest


def test_noise_replaces_a_share_of_the_training_labels_and_no_others() -> None:
    clean, noisy, again = (load(builtin("digits", label_noise=share), {}) for share in (0.0, 0.4, 0.4))
    known = len(clean.train.y)
    changed = clean.train.y != noisy.train.y
    assert int(changed.sum()) == round(0.4 * known)
    assert torch.equal(noisy.train.y, again.train.y)
    assert torch.equal(noisy.train.y, noisy.seen)
    for before, after in ((clean.validation.y, noisy.validation.y), (clean.test.y, noisy.test.y)):
        assert torch.equal(before, after)
    assert noisy.train.y[changed].bincount(minlength=10).min() > 30, "every class is drawn"
    assert torch.equal(clean.train.x, noisy.train.x)


def test_of_a_class_left_out_neither_rows_nor_labels_are_shown() -> None:
    data = load(builtin("digits", leave_out=["3", "7"], labelled=50), {})
    assert data.left_out == (3, 7)
    assert set(data.train.y[data.learned].tolist()) == set(range(10)) - {3, 7}
    assert set(data.seen.tolist()) == set(range(10)) - {3, 7} | {-1}
    assert int((data.seen >= 0).sum()) == 50
    assert set(data.test.y.tolist()) == set(data.validation.y.tolist()) == set(data.train.y.tolist()) == set(range(10))


@pytest.mark.parametrize(
    ("given", "code", "pointer"),
    [
        (["setosa", "magic"], "no_such_class", "/dataset/leave_out/1"),
        (["setosa", "virginica"], "too_few_classes", "/dataset/leave_out"),
    ],
)
def test_classes_that_cannot_be_left_out_are_refused(given: list[str], code: str, pointer: str) -> None:
    refused = problem_of(load, builtin("iris", leave_out=given), {})
    assert (refused.code, refused.pointer) == (code, pointer)
