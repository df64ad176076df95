"""Texts are read from three formats alike, and what is wrong is named with its row."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qstill.contract.distillations.datasets import TextFile
from qstill.contract.errors import Problem
from qstill.contract.tables.lines import MAX_TEXT
from tests.testing.refusals import problem_of
from workers.distillation.data.files import texts as read
from workers.distillation.data.files.texts import read_texts
from workers.distillation.data.topics import PARTS, paragraphs_of_parts, passages

TEXTS = ["one, two", 'three "four"\nfive', "sechs für ß", "seven"]
LABELS = ["b", "a", "", "b"]


def spec(**changes: Any) -> TextFile:
    return TextFile.model_validate({"source": "text_file", "file": "file_1", "task": "classification"} | changes)


def jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def refused(path: Path, **changes: Any) -> Problem:
    error = problem_of(read_texts, path, spec(**changes))
    assert error.code == "dataset_invalid"
    return error


def test_three_formats_say_the_same(tmp_path: Path) -> None:
    rows = [{"text": text, "label": label or None} for text, label in zip(TEXTS, LABELS, strict=True)]
    table = pa.table({"text": TEXTS, "label": [label or None for label in LABELS], "more": [1, 2, 3, 4]})
    pq.write_table(table, tmp_path / "t.parquet")
    quoted = [text.replace('"', '""') for text in TEXTS]
    lines = ["label,text", *(f'{label},"{text}"' for text, label in zip(quoted, LABELS, strict=True))]
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    for path in (jsonl(tmp_path / "t.jsonl", rows), tmp_path / "t.csv", tmp_path / "t.parquet"):
        found = read_texts(path, spec())
        assert (found.texts, found.labels, found.classes) == (TEXTS, LABELS, ["a", "b"])


def test_a_language_model_needs_no_labels(tmp_path: Path) -> None:
    found = read_texts(
        jsonl(tmp_path / "t", [{"body": text} for text in TEXTS]), spec(task="language_modelling", text="body")
    )
    assert (found.texts, found.classes) == (TEXTS, [])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"text": "a", "label": "x"}, {"text": " \n", "label": "y"}], "Row 1: the text is empty"),
        ([{"text": "a", "label": "x"}, {"text": None, "label": "y"}], "Row 1: the text is empty"),
        ([{"text": 7, "label": "x"}], "Row 0: the text is not a string"),
        ([{"text": "a", "label": [1]}], "Row 0: the label is neither"),
        ([{"text": "a", "label": "x"}, {"text": "b", "label": "x"}], "name 1 classes"),
        ([{"text": "a\ud800", "label": "x"}], "half of a surrogate"),
        ([{"text": "a", "label": "x"}, ["b"]], "Row 1 is no JSON object"),
        ([{"text": "a" * 1_000_001, "label": "x"}], "1,000,001 characters"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(tmp_path: Path, rows: list[Any], said: str) -> None:
    problem = refused(jsonl(tmp_path / "t", rows))
    assert said in problem.title
    assert problem.pointer == "/dataset/file"


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "t", [{"body": "a", "label": "x"}])
    assert refused(path).pointer == "/dataset/text"
    path = jsonl(tmp_path / "t", [{"text": "a", "class": "x"}])
    assert refused(path).pointer == "/dataset/label"
    (tmp_path / "c").write_text("text,class\na,x\n")
    problem = refused(tmp_path / "c")
    assert problem.pointer == "/dataset/label"
    assert "'class'" in problem.title
    pq.write_table(pa.table({"words": ["a"]}), tmp_path / "p")
    assert refused(tmp_path / "p").pointer == "/dataset/text"
    pq.write_table(pa.table({"text": [["a"], ["b"]], "label": [1, 2]}), tmp_path / "p")
    assert "something else than strings" in refused(tmp_path / "p").title
    pq.write_table(pa.table({"text": ["a", "b"], "label": [10, 9]}), tmp_path / "p")
    assert read_texts(tmp_path / "p", spec()).classes == ["9", "10"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"text,label\n\xff\xfe,x\n", "not UTF-8"),
        (b'{"text": "a", "label": "x"}\n{"text": ', "Row 1 is no JSON"),
        (b"text,label\na,x,y\n", "Row 0 has 3 columns"),
        (b"PAR1 and nothing more", "not a readable parquet"),
        (b"text,label\n", "no text"),
        (b"[" * 100_000, "is a JSON array"),
        (b'[{"text": "a", "label": "x"}]', "on a line of its own"),
        (b'[\n{"text": "a", "label": "x"}\n]', "on a line of its own"),
        (b'{"text": "a", "label": "x"}\n["a"]', "Row 1 is no JSON object"),
        (b'{"text": "a", "label": "x"}\n{"text": "b", "label": "y", "text": "c"}', "Row 1 has the member 'text' twice"),
        (b'{"text": "a", "label": "x"}\n{"text": "b", "label": true}', "neither a string nor a number"),
    ],
)
def test_files_that_are_none_are_told_so(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "t").write_bytes(content)
    assert said in refused(tmp_path / "t").title


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("letter", ["a", "ä", '"', "\U0001f600"])
def test_one_limit_of_a_text_holds_in_every_format(tmp_path: Path, over: int, letter: str) -> None:
    texts = ["short", letter * (MAX_TEXT + over)]
    rows = [{"text": text, "label": label} for text, label in zip(texts, "xy", strict=True)]
    pq.write_table(pa.table({"text": texts, "label": ["x", "y"]}), tmp_path / "t.parquet")
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["text", "label"], *zip(texts, "xy", strict=True)])
    for path in (jsonl(tmp_path / "t.jsonl", rows), tmp_path / "t.csv", tmp_path / "t.parquet"):
        if over:
            said = f"Row 1: the text has {MAX_TEXT + 1:,} characters; at most {MAX_TEXT:,} are read."
            assert refused(path).title == said
        else:
            assert [len(text) for text in read_texts(path, spec()).texts] == [5, MAX_TEXT]


def test_a_cell_of_many_lines_is_bounded_too(tmp_path: Path) -> None:
    (tmp_path / "t").write_text('text,label\na,x\n"' + ("b" * 999 + "\n") * 5000 + '",y\n')
    assert "has more than 1,000,000 characters" in refused(tmp_path / "t").title


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('text,label\na,x\n"b,y\n', "a quotation mark is opened and never closed"),
        ('text,label\na,x\n"b"c,y\n', "in line 3 something stands behind a closing quotation mark"),
    ],
)
def test_what_is_wrong_with_a_csv_is_said_in_words(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "t").write_text(content)
    assert said in refused(tmp_path / "t").title


def test_one_long_text_a_million_times_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "MAX_CHARACTERS", 10_000_000)
    table = pa.table({"text": pa.DictionaryArray.from_arrays(pa.array([0] * 100_000), ["x" * 10_000])})
    pq.write_table(table, tmp_path / "t")
    assert (tmp_path / "t").stat().st_size < 20_000
    assert "10,000,000 characters" in refused(tmp_path / "t", task="language_modelling").title


def test_no_paragraph_of_the_documentation_comes_twice() -> None:
    found = paragraphs_of_parts()
    assert set(found.labels) == set(PARTS) == set(found.classes)
    assert len({" ".join(text.split()) for text in found.texts}) == len(found.texts) > 1000
    paragraphs = [part for passage in passages().texts for part in passage.split("\n\n")]
    assert len({" ".join(text.split()) for text in paragraphs}) == len(paragraphs) > 1500
