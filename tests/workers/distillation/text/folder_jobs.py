"""Small jobs on texts of two classes, whose networks come from folders, and what the folders' own library says."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from qstill.contract.distillations.job import DistillationJob
from tests.testing import folders
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.networks.pretrained.library import transformers

MODEL = f"model_{7:032x}"
CLASSES = ("moves", "rests")
LABELS = {"runs": "moves", "falls": "moves", "grows": "moves", "sleeps": "rests", "sings": "rests", "shines": "rests"}


def rows(count: int = 90) -> list[dict[str, str]]:
    return [
        {"text": text, "label": next(label for verb, label in LABELS.items() if verb in text)}
        for text in folders.sentences(count)
    ]


def house(scratch: Path, content: Mapping[str, bytes], texts: list[dict[str, str]] | None = None) -> FakeRun:
    scratch.mkdir(parents=True, exist_ok=True)
    model, table = scratch / "model.zip", scratch / "texts.jsonl"
    model.write_bytes(folders.zipped(content))
    table.write_text("\n".join(map(json.dumps, texts or rows())))
    files = {"file_m": model, "file_t": table, MODEL: model}
    return FakeRun(scratch / "run", files=files, models={MODEL: {"format": "folder"}})


def job_of(**fields: Any) -> DistillationJob:
    return DistillationJob.model_validate(
        {
            "dataset": {
                "source": "text_file",
                "file": f"file_{2:032x}",
                "task": "classification",
                "tokenizer": {"kind": "word", "vocabulary": 40},
                "max_length": 12,
            },
            "teacher": {"source": "file", "file": f"file_{1:032x}", "format": "folder", "accept": ACCEPTED},
            "student": {"architecture": {"kind": "bag_of_embeddings", "width": 4}},
            "training": {"epochs": 2, "batch_size": 16},
            "evaluation": {"seeds": 1},
            **fields,
        }
    )


ACCEPTED = ["teacher_worse_than_chance", "class_order"]  # its weights are random


def named(run: FakeRun) -> FakeRun:
    run.files = {f"file_{1:032x}": run.files["file_m"], f"file_{2:032x}": run.files["file_t"], **run.files}
    return run


def by_its_library(path: Path, scratch: Path, texts: list[str]) -> Tensor:
    """Logits in the order of its own classes, one text after the other."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(scratch)
    folder = scratch / "my-model" if (scratch / "my-model").exists() else scratch
    model = transformers().AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers().AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        found = [model(**tokenizer(each, return_tensors="pt", return_token_type_ids=False)).logits[0] for each in texts]
    return torch.stack(found)
