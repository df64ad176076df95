"""Folders that cannot teach classes: refused before their weights are read, in words, with a way out."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from qstill.contract.distillations.datasets import BuiltinData, TextFile
from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.errors import Problem
from tests.testing.folders import changed, plain, plain_head, zipped
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.data.dataset import Data, load
from workers.distillation.data.texts import load_text
from workers.distillation.teachers.folders.classifier import from_folder

FOLDER = ModelFormat(format="folder")


def texts(scratch: Path) -> Data:
    path = scratch / "texts.jsonl"
    path.write_text("\n".join(json.dumps({"text": f"the cat {n}", "label": "ab"[n % 2]}) for n in range(20)))
    spec = TextFile.model_validate({"source": "text_file", "file": f"file_{1:032x}", "task": "classification"})
    return load_text(spec, {spec.file: path})


def refusal(content: dict[str, bytes], data: Data, scratch: Path, **limits: int) -> Problem:
    path = scratch / "model.zip"
    path.write_bytes(zipped(content))
    run = FakeRun(scratch / "run")
    run.memory = limits.get("memory", run.memory)
    loaded = {name for name in sys.modules if name.startswith("transformers")}
    with pytest.raises(Problem) as refused:
        from_folder(FOLDER, path, data, run)
    assert {name for name in sys.modules if name.startswith("transformers")} == loaded
    assert refused.value.pointer == "/file"
    return refused.value


def answering(*, id2label: Any = None, **fields: Any) -> dict[str, bytes]:
    named = {} if id2label is None else {"id2label": id2label}
    return changed(plain_head("a", "b"), **named, **fields)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (plain(), "no_head", "fine-tuned"),
        (answering(problem_type="multi_label_classification"), "teacher_invalid", "one of several"),
        (answering(id2label={"0": "much"}), "teacher_invalid", "one number"),
        (answering(id2label={"0": "a", "2": "b"}), "teacher_invalid", "from 0"),
        (answering(id2label={"0": "a", "1": "a"}), "teacher_invalid", "the same"),
        (answering(id2label=["a", "b"]), "teacher_invalid", "id2label"),
        (answering(id2label={str(n): str(n) for n in range(1_001)}), "teacher_invalid", "1,000"),
        (answering(auto_map={"AutoModelForSequenceClassification": "mine.Mine"}), "remote_code", "auto_map"),
        (answering() | {"head.py": b"import os"}, "remote_code", "head.py"),
        (answering(model_type="my_own"), "encoder_unknown", "my_own"),
        (answering(hidden_size=8192, num_hidden_layers=200), "needs_more_memory", "as config.json"),
        (answering(vocab_size=10), "tokenizer_mismatch", "another model"),
        (answering() | {"model.safetensors": b"no tensors"}, "teacher_invalid", "no whole safetensors"),
    ],
)
def test_a_folder_that_cannot_teach_classes_is_named_with_its_reason(
    content: dict[str, bytes], code: str, said: str, tmp_path: Path
) -> None:
    problem = refusal(content, texts(tmp_path), tmp_path)
    assert (problem.code, said.lower() in problem.title.lower()) == (code, True), problem.title


def test_numbers_are_nothing_that_a_model_of_texts_reads(tmp_path: Path) -> None:
    data = load(BuiltinData(source="builtin", name="iris"), {})
    assert refusal(plain_head("a", "b"), data, tmp_path).code == "teacher_mismatch"


def test_an_onnx_that_takes_something_else_than_tokens_is_named(tmp_path: Path) -> None:
    content = {"tokenizer.json": plain()["tokenizer.json"], "model.onnx": b"\x08\x08"}
    assert refusal(content, texts(tmp_path), tmp_path).code == "teacher_invalid"
