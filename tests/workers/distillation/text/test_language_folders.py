"""Language models out of folders: each token is answered as `transformers` answers it, under this house's numbers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from qstill.contract.distillations.job import DistillationJob
from tests.testing.folders import changed, sharded, zipped
from tests.testing.language_folders import CAUSAL, MASKED, TEXTS, language_files
from tests.testing.refusals import errors_of, problem_of
from workers.distillation import teachers
from workers.distillation.data.adopted import adopted
from workers.distillation.distil import load_data
from workers.distillation.jobs import distil_job
from workers.distillation.networks.pretrained.library import transformers
from workers.distillation.networks.texts.tokens import PAD
from workers.distillation.teachers.base import Teacher

Make = Callable[..., Any]
FILE, TEACHER = f"file_{1:032x}", f"file_{2:032x}"


def language_job(kind: str, **changes: dict[str, Any]) -> DistillationJob:
    masked = kind in MASKED
    body: dict[str, Any] = {
        "dataset": {
            "source": "text_file",
            "file": FILE,
            "task": "masked_language_modelling" if masked else "language_modelling",
            "tokenizer": {"kind": "teacher"},
            "max_length": 16,
        },
        "teacher": {"source": "file", "file": TEACHER, "format": "folder", "accept": ["teacher_worse_than_chance"]},
        "student": {"architecture": {"kind": "encoder" if masked else "decoder", "width": 8, "depth": 1, "heads": 2}},
        "objective": {"kind": "kd", "temperature": 1.0, "alpha": 0.9},
        "training": {"epochs": 1, "batch_size": 16},
        "evaluation": {"seeds": 1},
    }
    merged = {part: given | changes.get(part, {}) for part, given in body.items()}
    merged["objective"] = changes.get("objective", body["objective"])
    return DistillationJob.model_validate(merged | {"signal": changes.get("signal", {})})


@pytest.fixture
def at_home(house: Make, tmp_path: Path) -> Make:
    """A house with texts and the zip of a folder."""

    def make(content: dict[str, bytes], **given: Any) -> Any:
        (tmp_path / "texts.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
        (tmp_path / "model.zip").write_bytes(zipped(content))
        return house(files={FILE: tmp_path / "texts.jsonl", TEACHER: tmp_path / "model.zip"}, **given)

    return make


def expected(kind: str, rows: torch.Tensor, answered: torch.Tensor | None, folder: Path) -> torch.Tensor:
    """By the library alone, row by row, in this house's order of tokens."""
    for name, content in language_files(kind).items():
        (folder / name).write_bytes(content)
    auto = transformers().AutoModelForMaskedLM if kind in MASKED else transformers().AutoModelForCausalLM
    model = auto.from_pretrained(folder).eval()
    known = adopted((folder / "tokenizer.json").read_bytes(), None, masks=kind in MASKED)
    theirs, (before, after) = torch.tensor(known.theirs), known.marks
    found = []
    for number, row in enumerate(rows):
        real = theirs[row[row != PAD]].tolist()
        given = torch.tensor([[*before, *real, *(after if kind in MASKED else [])]])
        with torch.no_grad():
            logits = model(input_ids=given).logits[0, len(before) : len(before) + len(real)]
        named = logits[:, theirs.clamp(min=0)].masked_fill(theirs < 0, -1e4)
        found.append(named if answered is None else named[answered[number][: len(real)]])
    return torch.cat(found)


@pytest.mark.parametrize("kind", [*CAUSAL, *MASKED])
@pytest.mark.parametrize("shards", [1, 2])
def test_it_answers_as_the_library_does(at_home: Make, tmp_path: Path, kind: str, shards: int) -> None:
    content = dict(language_files(kind))
    run, job = at_home(content if shards == 1 else sharded(content)), language_job(kind)
    data = load_data(job, run)
    teacher: Teacher = teachers.loaded(job.teacher, data, run)  # type: ignore[arg-type]
    rows = data.test
    got = teacher.logits(rows)
    if rows.answered is None:
        got = got[(rows.x != PAD).flatten()]
    assert_close(got, expected(kind, rows.x, rows.answered, tmp_path), atol=1e-4, rtol=1e-4)
    assert teacher.parameters > 0
    assert teacher.multiply_adds > 16 * (teacher.parameters - 330 * 16 * 2)


@pytest.mark.training
@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("gpt2", {}),
        ("llama", {"signal": {"top_k": 5}}),
        ("gpt2", {"objective": {"kind": "sequence", "prompt": 4}}),
        ("bert", {"signal": {"top_k": 5}}),
    ],
)
def test_a_job_learns_from_it(at_home: Make, kind: str, changes: Any) -> None:
    run = at_home(dict(language_files(kind)))
    distil_job(language_job(kind, **changes), run)
    report = json.loads(run.published["report.json"])
    assert any(kind in note for note in report["notes"])
    assert report["teacher"]["cost"]["size"]["parameters"] > 0


def bad(kind: str, **fields: Any) -> dict[str, bytes]:
    return changed(language_files(kind), **fields)


LONGER = json.dumps(
    {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"</s>": 900, "a": 0}, "unk_token": "a"}}
)


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("gpt2", bad("gpt2", auto_map={"AutoModel": "x.Y"}), "remote_code"),
        ("gpt2", bad("gpt2", n_embd=100_000, n_layer=200, n_head=2), "needs_more_memory"),
        ("gpt2", bad("gpt2", model_type="mamba"), "encoder_unknown"),
        ("gpt2", bad("gpt2", quantization_config={"bits": 4}), "teacher_invalid"),
        ("gpt2", bad("gpt2", n_layer=3), "teacher_invalid"),
        ("gpt2", bad("gpt2", n_positions=8), "teacher_mismatch"),
        ("llama", bad("llama", sliding_window=8), "teacher_mismatch"),
        ("gpt2", dict(language_files("bert")), "teacher_mismatch"),
        ("bert", dict(language_files("gpt2")), "teacher_mismatch"),
        ("gpt2", {**language_files("gpt2"), "tokenizer.json": LONGER.encode()}, "tokenizer_mismatch"),
        ("gpt2", {**language_files("gpt2"), "tokenizer.json": b"{}"}, "tokenizer_invalid"),
        ("gpt2", {**language_files("gpt2"), "pytorch_model.bin": b"\x80"}, None),
    ],
)
def test_what_cannot_teach_is_refused_before_anything_is_trained(
    at_home: Make, kind: str, content: dict[str, bytes], code: str | None
) -> None:
    run, job = at_home(content), language_job(kind)

    def read() -> None:
        data = load_data(job, run)
        teachers.loaded(job.teacher, data, run)  # type: ignore[arg-type]

    if code is None:  # the pickle beside is not read, and said
        read()
        return
    problem = problem_of(read)
    assert (problem.code, problem.pointer) == (code, "/teacher/file")


def test_a_student_with_another_tokenizer_is_refused_at_the_door() -> None:
    errors = errors_of(lambda: language_job("gpt2", dataset={"tokenizer": {"kind": "bpe"}}))
    assert [error["type"] for error in errors] == ["tokenizer_mismatch"]


def test_a_classifier_in_a_folder_lends_no_tokenizer() -> None:
    classifies = {"task": "classification"}
    student = {"architecture": {"kind": "bag_of_embeddings", "width": 4}}
    errors = errors_of(lambda: language_job("gpt2", dataset=classifies, student=student))
    assert [error["type"] for error in errors] == ["tokenizer_unavailable"]
