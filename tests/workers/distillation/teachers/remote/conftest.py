"""A served model of random numbers, and texts that it is asked about."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from qstill.contract.distillations.job import DistillationJob
from tests.testing.openai_server import Served, Style, byte_pairs, running, table
from workers.distillation.teachers.remote import caller

TEXTS = [f"Der Bär {number} eats {number * 7 % 13} apples; then it sleeps — " * 3 for number in range(24)]


@pytest.fixture(scope="session")
def tokenizer() -> tokenizers.Tokenizer:
    return byte_pairs(TEXTS, 300)


@pytest.fixture
def serve(tokenizer: tokenizers.Tokenizer) -> Iterator[Callable[..., Served]]:
    """Starts a server of one style."""
    with ExitStack() as servers:

        def start(style: Style = "vllm", **given: Any) -> Served:
            made = Served(given.get("log_p") or table(tokenizer.get_vocab_size()), tokenizer, 0, style)
            return servers.enter_context(running(made))

        yield start


@pytest.fixture
def files(tmp_path: Path, tokenizer: tokenizers.Tokenizer) -> dict[str, Path]:
    (tmp_path / "texts.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    (tmp_path / "secret.json").write_text(json.dumps({"Authorization": "Bearer do-not-repeat-me"}))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    names = {"file_1": "texts.jsonl", "file_2": "tokenizer.json", "file_3": "secret.json"}
    return {FILES[name]: tmp_path / path for name, path in names.items()}


FILES = {name: f"file_{number:032x}" for number, name in enumerate(("file_1", "file_2", "file_3"))}


@pytest.fixture
def served_job(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DistillationJob]:
    """A small job of a served teacher; each keyword is merged into the part of that name."""
    monkeypatch.setattr(caller, "FIRST_PAUSE_SECONDS", 0.02)

    def make(served: Served, **changes: dict[str, Any]) -> DistillationJob:
        body: dict[str, Any] = {
            "dataset": {
                "source": "text_file",
                "file": FILES["file_1"],
                "task": "language_modelling",
                "tokenizer": {"kind": "teacher"},
                "max_length": 16,
            },
            "teacher": {
                "source": "served",
                "url": served.url,
                "model": "bears",
                "tokenizer": FILES["file_2"],
                "requests_per_second": 1000.0,
                "prompts_per_request": 8,
                "accept": ["teacher_worse_than_chance"],
            },
            "student": {"architecture": {"kind": "decoder", "width": 8, "depth": 1, "heads": 2}},
            "objective": {"kind": "kd", "temperature": 1.0, "alpha": 0.9},
            "signal": {"top_k": 5},
            "training": {"epochs": 1, "batch_size": 16},
            "evaluation": {"seeds": 1},
        }
        merged = {part: given | changes.get(part, {}) for part, given in body.items()}
        merged["objective"] = changes.get("objective", body["objective"])
        return DistillationJob.model_validate(merged)

    return make
