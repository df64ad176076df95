"""A job on small sentences, and a house to run it in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qstill.contract.distillations.embeddings.job import EmbeddingJob
from tests.testing import folders
from tests.workers.distillation.conftest import FakeRun

Houses = Callable[..., FakeRun]


def job_of(architecture: dict[str, Any], **fields: Any) -> EmbeddingJob:
    """Some steps on the sentences of `folders`."""
    return EmbeddingJob.model_validate(
        {
            "dataset": {"source": "sentence_file", "file": "file_s", "max_length": 16},
            "teacher": {"source": "file", "file": "file_m"},
            "student": {"architecture": architecture},
            "training": {"epochs": 4, "batch_size": 16, "learning_rate": 0.005},
            **fields,
        }
    )


@pytest.fixture
def house(tmp_path: Path) -> Houses:
    """run(name, kind of the teacher): a FakeRun whose files are there."""

    def made(name: str = "run", kind: str = "bert", **fields: Any) -> FakeRun:
        model, texts = tmp_path / f"{kind}.zip", tmp_path / "sentences.jsonl"
        model.write_bytes(folders.zipped(folders.files(kind)))
        lines = [json.dumps({"text": each}) for each in folders.sentences(90)]
        texts.write_text("\n".join(lines))
        return FakeRun(tmp_path / name, files={"file_m": model, "file_s": texts}, **fields)

    return made
