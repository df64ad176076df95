"""Texts with several labels: read, learned, exported and predicted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from qstill.contract.distillations.datasets import TextFile
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.document import read_report
from qstill.contract.models.answers import NamedLabels
from qstill.contract.models.questions import AskTexts, Question
from workers.distillation.data.texts import load_text
from workers.distillation.jobs import distil_job
from workers.distillation.predict.rows import predict

Make = Callable[..., Any]
MODEL = "model_" + "0" * 32
WORDS = {"animal": "cat", "colour": "red", "food": "bread"}
DATA = {
    "source": "text_file",
    "file": "file_1",
    "task": "multi_label",
    "labels_separator": "|",
    "tokenizer": {"kind": "word", "vocabulary": 40},
    "max_length": 8,
}
STUDENT = {"kind": "bag_of_embeddings", "width": 8}


def so_of(number: int) -> list[str]:
    return [name for at, name in enumerate(WORDS) if number >> at & 1]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "t.jsonl"
    lines = []
    for number in range(160):
        words = ["it", *(WORDS[name] for name in so_of(number)), f"n{number % 11}"]
        lines.append(json.dumps({"text": " ".join(words), "label": "|".join(so_of(number))}))
    path.write_text("\n".join(lines))
    return path


def job(**changes: Any) -> DistillationJob:
    body: dict[str, Any] = {
        "dataset": DATA,
        "teacher": {"source": "train", "architecture": {"kind": "text_cnn", "width": 8, "filters": 4, "sizes": [1]}},
        "student": {"architecture": STUDENT},
        "training": {"epochs": 8, "batch_size": 16, "learning_rate": 0.03},
        "evaluation": {"seeds": 1},
    }
    return DistillationJob.model_validate(body | changes)


def test_labels_of_texts_are_read(texts: Path) -> None:
    data = load_text(TextFile.model_validate(DATA), {"file_1": texts})
    assert data.classes == sorted(WORDS)
    for rows in (data.train, data.validation, data.test):
        for at, y in zip(rows.index.tolist(), rows.y.tolist(), strict=True):
            assert [name for name, so in zip(data.classes, y, strict=True) if so] == so_of(at)


@pytest.mark.training
def test_a_job_on_texts_with_several_labels(texts: Path, house: Make) -> None:
    run = house(files={"file_1": texts})
    distil_job(job(export=["onnx"]), run)
    report = read_report(json.loads(run.published["report.json"]))
    assert report.student.summary["f1_macro"].mean > 0.8
    assert report.models[0].max_difference < 1e-4
    asked = house(models={MODEL: {}})
    path = asked.scratch / "model"
    path.write_bytes(run.published["teacher.safetensors"])
    asked.files = {MODEL: path}
    said = predict(Question(model=MODEL, rows=AskTexts(texts=["it red cat n1", "it n2"])), asked)
    answer = NamedLabels.model_validate(said)
    assert answer.labels == sorted(WORDS)
    assert [len(row) for row in answer.probabilities] == [3, 3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objective": {"kind": "dkd"}}, "choose kd"),
        ({"dataset": {"source": "builtin_text", "name": "python_topics", "task": "multi_label"}}, "one class"),
        ({"dataset": DATA | {"label": "text"}}, "columns of their own"),
        ({"training": {"balanced_batches": True}}, "several labels"),
    ],
)
def test_what_texts_with_several_labels_do_not_have(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        job(**change)
