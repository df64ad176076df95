"""A number is what a number's grammar says, classes are in order, and nothing is nothing, in every reader."""

import csv
import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from qstill.contract.distillations.datasets import Images, TextFile, UploadedData
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.cells import is_number, names_of, numbers_first, numbers_of
from tests.testing.examples import examples
from workers.distillation.data.dataset import load
from workers.distillation.data.files.images import read_images
from workers.distillation.data.files.texts import read_texts
from workers.distillation.recommenders.data.read import numbers_of as times_of

FILE = "file_1"

decimals = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(-1000, 1000, allow_nan=False, places=2).map(str),
    st.floats(-1e6, 1e6).map(lambda value: f"{value:.3e}"),
    st.integers(0, 99).map("+{}".format),
    st.integers(0, 99).map(".{}".format),
    st.integers(0, 99).map("{}.0".format),
)
looks_like_one = st.one_of(
    st.text(max_size=8),
    st.text("0123456789_+-.eE ", max_size=8),
    st.text("０１２３٣४²½Ⅷ", min_size=1, max_size=4),
    st.sampled_from(["1_000", "nan", "inf", "-Infinity", "0x10", "1e5_0", "1,5", "1 000", "1e", "--1", "1\u00a0", "Ⅷ"]),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as made:
        yield Path(made)


def grammar(text: str) -> bool:
    """Of decimal numbers, written another way than in the code."""
    sign, digits = r"[-+]?", "[0-9]"
    whole, fraction = rf"{digits}+(\.{digits}*)?", rf"\.{digits}+"
    return (
        re.fullmatch(rf"[ \t\r\n]*{sign}({whole}|{fraction})([eE]{sign}{digits}{{1,4}})?[ \t\r\n]*", text) is not None
    )


def table(folder: Path, rows: list[list[str]]) -> Path:
    path = folder / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


def reads_as_number(path: Path) -> bool:
    """Whether all inputs are numbers as they are; words and gaps would be encoded."""
    try:
        return load(UploadedData(source="file", file=FILE), {FILE: path}).encoding is None
    except Problem as refused:
        return "is not a finite number" in str(refused)


def as_time(text: str) -> bool:
    try:
        times_of(pa.table({"when": pa.array([text, "7"])}), "when")
    except Unreadable:
        return False
    return True


@given(st.one_of(decimals, looks_like_one))
@settings(max_examples=examples(150), deadline=None)
def test_what_the_grammar_does_not_know_is_no_number_in_any_reader(text: str) -> None:
    expected = grammar(text)
    assert is_number(text) == expected
    assert (numbers_of(["1", text]) is not None) == expected
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        return
    with TemporaryDirectory() as made:
        rows = [["a", "b", "y"], *([str(i), text, "xz"[i % 2]] for i in range(8))]
        assert reads_as_number(table(Path(made), rows)) == expected
    assert as_time(text) == (expected and abs(Decimal(text.strip())) < Decimal("1e308"))


@given(
    st.sets(decimals, min_size=2, max_size=8), st.sets(st.text("ab_", min_size=1, max_size=3), max_size=3), st.randoms()
)
@settings(max_examples=examples(60), deadline=None)
def test_classes_named_by_numbers_are_in_ascending_order_whatever_order_they_come_in(
    numbers: set[str], words: set[str], shuffle: random.Random
) -> None:
    names = [*numbers, *words]
    shuffle.shuffle(names)
    found = sorted(names, key=numbers_first)
    values = [Decimal(name) for name in found[: len(numbers)]]
    assert values == sorted(values)
    assert found[len(numbers) :] == sorted(words)


NAMES = ["-1", "-0.5", "0.0", "1.0", "2.0", "9.0", "10.0", "11.0", "+12", "1e2", "low"]


def in_a_table(folder: Path, labels: list[str]) -> list[str]:
    path = table(folder, [["a", "b", "kind"], *([f"{i % 7}", "1.5", label] for i, label in enumerate(labels))])
    return load(UploadedData(source="file", file=FILE), {FILE: path}).classes


def in_texts(folder: Path, labels: list[str]) -> list[str]:
    found = set()
    spec = TextFile.model_validate({"source": "text_file", "file": FILE, "task": "classification"})
    path = table(folder, [["text", "label"], *(["some words", label] for label in labels)])
    found.add(tuple(read_texts(path, spec).classes))
    path.write_text("\n".join(json.dumps({"text": "some words", "label": label}) for label in labels))
    found.add(tuple(read_texts(path, spec).classes))
    pq.write_table(pa.table({"text": ["some words"] * len(labels), "label": labels}), path)
    found.add(tuple(read_texts(path, spec).classes))
    (classes,) = found
    return list(classes)


def in_folders(folder: Path, labels: list[str]) -> list[str]:
    content = io.BytesIO()
    Image.new("RGB", (2, 2)).save(content, "PNG")
    with zipfile.ZipFile(folder / "i.zip", "w") as archive:
        for number, label in enumerate(labels):
            archive.writestr(f"{label}/{number}.png", content.getvalue())
    return read_images(folder / "i.zip", Images()).classes


@pytest.mark.parametrize("read", [in_a_table, in_texts, in_folders])
@pytest.mark.parametrize("seed", range(3))
def test_tables_texts_and_folders_have_numeric_order(
    read: Callable[[Path, list[str]], list[str]], seed: int, folder: Path
) -> None:
    labels = NAMES * 4
    random.Random(seed).shuffle(labels)
    assert read(folder, labels) == NAMES


@pytest.mark.parametrize("nothing", ["", "NA", "n/a", "NaN", "null", "None", "?", "<NA>", " ", "-"])
@pytest.mark.parametrize("read", [in_a_table, in_texts])
def test_a_missing_label_is_unknown_and_no_class(read: Callable[..., list[str]], nothing: str, folder: Path) -> None:
    assert read(folder, ["cat", "dog", nothing] * 5) == ["cat", "dog"]


def test_labels_that_pandas_made_floats_for_want_of_some_are_known_or_unknown(folder: Path) -> None:
    labels = [0.0, 10.0, np.nan, 9.0, -1.0] * 6
    spec = TextFile.model_validate({"source": "text_file", "file": FILE, "task": "classification"})
    pq.write_table(pa.table({"text": ["some words"] * 30, "label": labels}), folder / "p")
    (folder / "j").write_text("\n".join(json.dumps({"text": "some words", "label": label}) for label in labels))
    for name in ("p", "j"):
        found = read_texts(folder / name, spec)
        assert found.classes == ["-1.0", "0.0", "9.0", "10.0"]
        assert found.labels[:4] == ["0.0", "10.0", "", "9.0"]
    np.savez(folder / "t.npz", x=np.random.default_rng(0).normal(size=(30, 2)), y=np.array(labels))
    data = load(UploadedData(source="file", file=FILE), {FILE: folder / "t.npz"})
    assert data.classes == ["0", "9", "10"]
    assert int((data.train.y == -1).sum()) == 12
    assert data.reading_notes[0].said.startswith("12 of 30 rows have no label: in its place stands '-1', 'NaN'.")


@pytest.mark.parametrize(
    ("labels", "doubted"), [(["1", "1.0", "2"], "'1' and '1.0'"), (["1", "2.0", "a"], None), (["a", "A", "b"], None)]
)
def test_one_number_written_in_two_ways_is_doubted(labels: list[str], doubted: str | None, folder: Path) -> None:
    rows = [["a", "b", "kind"], *([f"{i % 7}", "1.5", label] for i, label in enumerate(labels * 6))]
    notes = list(load(UploadedData(source="file", file=FILE), {FILE: table(folder, rows)}).reading_notes)
    spec = TextFile.model_validate({"source": "text_file", "file": FILE, "task": "classification"})
    notes += read_texts(table(folder, [["text", "label"], *(["some words", label] for label in labels)]), spec).notes
    assert [(note.code, note.doubt) for note in notes] == [("classes_alike", True)] * (0 if doubted is None else 2)
    assert all(doubted in note.said for note in notes if doubted)


def test_plus_and_minus_are_two_classes() -> None:
    assert names_of(["+", "-", " - ", "NA"]) == (["+", "-", "-", ""], {"NA": 1})


def test_missing_labels_are_counted_and_said(folder: Path) -> None:
    rows = [["a", "kind"], *([f"{i * i % 31}.5", ["x", "y", "NA", ""][i % 4]] for i in range(40))]
    data = load(UploadedData(source="file", file=FILE, label="kind"), {FILE: table(folder, rows)})
    assert int((data.train.y == -1).sum()) == 20
    (note,) = data.reading_notes
    assert note.code == "labels_missing"
    assert note.said.startswith("20 of 40 rows have no label: in its place stands nothing, 'NA'.")
    numbers = [["a", "b", "y"], *(["1", f"{i}.5", "NA" if i < 3 else f"{i / 7}"] for i in range(40))]
    data = load(UploadedData(source="file", file=FILE, task="regression"), {FILE: table(folder, numbers)})
    assert int(data.train.y.isnan().sum()) == 3
    assert data.reading_notes[0].said.startswith("3 of 40 rows have no label")


def test_a_nameless_column_that_numbers_the_rows_is_no_input_and_said(folder: Path) -> None:
    draw = np.random.default_rng(0)
    numbers = draw.permutation(60)[:40]  # shuffled, and some left out, as after a split
    for name in ("", "Unnamed: 0"):
        rows = [[name, "a", "kind"], *([str(n), f"{draw.normal():.3f}", "xy"[i % 2]] for i, n in enumerate(numbers))]
        data = load(UploadedData(source="file", file=FILE), {FILE: table(folder, rows)})
        assert data.input_shape == (1,)
        assert [(note.code, note.doubt) for note in data.reading_notes] == [("index_column", False)]


def test_a_nameless_column_of_something_else_is_an_input(folder: Path) -> None:
    rows = [["", "kind"], *([f"{i * i % 5}", "xy"[i % 2]] for i in range(40))]
    data = load(UploadedData(source="file", file=FILE), {FILE: table(folder, rows)})
    assert (data.input_shape, data.reading_notes) == ((1,), ())


@pytest.mark.parametrize(("first", "step"), [(0, 1), (1, 1), (1000, 1), (40, -1)])
def test_a_column_with_a_name_that_numbers_the_rows_is_doubted(folder: Path, first: int, step: int) -> None:
    rows = [["n", "a", "kind"], *([str(first + step * i), f"{i * i % 17}", "xy"[i % 2]] for i in range(40))]
    data = load(UploadedData(source="file", file=FILE), {FILE: table(folder, rows)})
    assert data.input_shape == (2,)
    assert [(note.code, note.doubt) for note in data.reading_notes] == [("counting_column", True)]
    np.savez(folder / "t.npz", x=np.array([[first + step * i, i % 3] for i in range(40)]), y=np.arange(40) % 2)
    (note,) = load(UploadedData(source="file", file=FILE), {FILE: folder / "t.npz"}).reading_notes
    assert note.said.startswith("Feature 0 numbers the rows")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-mark", "utf-16-be-mark"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_with_a_mark_and_gzip_are_the_same_data(folder: Path, encoding: str, packed: bool) -> None:
    text = "größe,kind\n" + "".join(f"{i * i % 13},{'äß'[i % 2]}\n" for i in range(20))
    content = text.encode(encoding.removesuffix("-mark"))
    content = {"utf-16-le-mark": b"\xff\xfe", "utf-16-be-mark": b"\xfe\xff"}.get(encoding, b"") + content
    (folder / "plain").write_text(text, encoding="utf-8")
    (folder / "other").write_bytes(gzip.compress(content, mtime=0) if packed else content)
    spec = UploadedData(source="file", file=FILE, label="kind")
    plain, other = (load(spec, {FILE: folder / name}) for name in ("plain", "other"))
    assert other.digest == plain.digest
    assert other.classes == ["ß", "ä"]
    words = TextFile.model_validate(
        {"source": "text_file", "file": FILE, "task": "classification", "text": "größe", "label": "kind"}
    )
    assert read_texts(folder / "other", words) == read_texts(folder / "plain", words)
