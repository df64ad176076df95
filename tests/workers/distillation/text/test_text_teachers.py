"""Teachers of texts that an earlier job made: of the same texts, of another split of them, of others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from tests.testing.refusals import problem_of
from tests.workers.distillation.text.test_text_jobs import CLASSIFY, FILL, SPEAK, job, texts
from workers.distillation.jobs import distil_job

pytestmark = pytest.mark.training

Make = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path) -> dict[str, Path]:
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in texts()))
    return {"file_1": path}


@pytest.fixture
def taught(house: Make, file: dict[str, Path]) -> Path:
    """A teacher's checkpoint of an earlier job."""
    done = house(files=file)
    distil_job(job(CLASSIFY, evaluation={"baseline": False}), done)
    path: Path = done.scratch / "teacher.safetensors"
    return path


UPLOADED = {"teacher": {"source": "file", "file": "file_2"}}


def test_a_checkpoint_of_an_earlier_job_teaches_the_same_texts(
    house: Make, file: dict[str, Path], taught: Path
) -> None:
    first, second = house(files=file), house(files=file | {"file_2": taught})
    before = distil_job(job(CLASSIFY), first)
    after = distil_job(job(CLASSIFY | UPLOADED), second)
    assert after["teacher"]["mean"] == before["teacher"]["mean"]
    assert after["student_sha256"] == before["student_sha256"]


def test_a_teacher_of_rows_of_another_length_says_which(house: Make, file: dict[str, Path]) -> None:
    first = house(files=file)
    distil_job(job(SPEAK, evaluation={"baseline": False, "seeds": 1}, training={"epochs": 1}), first)
    second = house(files=file | {"file_2": first.scratch / "teacher.safetensors"})
    error = problem_of(distil_job, job(SPEAK | UPLOADED, dataset={"max_length": 24}), second)
    assert (error.code, error.pointer) == ("teacher_mismatch", "/teacher/file")
    assert error.ways_out == [{"dataset": {"max_length": 16}}]


@pytest.mark.parametrize("body", [CLASSIFY, SPEAK])
def test_a_teacher_of_another_split_of_these_texts_knows_some_test_rows(
    house: Make, file: dict[str, Path], body: dict[str, Any]
) -> None:
    first = house(files=file)
    distil_job(job(body, evaluation={"baseline": False, "seeds": 1}, training={"epochs": 1}), first)
    for split, knows in ((0, False), (1, True)):
        second = house(files=file | {"file_2": first.scratch / "teacher.safetensors"})
        distil_job(job(body | UPLOADED, dataset={"tokenizer": {"kind": "teacher"}, "split_seed": split}), second)
        warnings = json.loads(second.published["report.json"])["warnings"]
        assert any("another split" in said for said in warnings) == knows


@pytest.mark.parametrize("changes", [{"split_seed": 1}, {"tokenizer": {"kind": "word", "vocabulary": 9}}])
def test_a_teacher_with_another_tokenizer_is_refused_before_anything_is_trained(
    house: Make, file: dict[str, Path], taught: Path, changes: dict[str, Any], tmp_path: Path
) -> None:
    rows = (
        texts()
        if "tokenizer" in changes
        else [{"text": f"w{i} {row['text']}", "label": row["label"]} for i, row in enumerate(texts())]
    )
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join(json.dumps(row) for row in rows))
    done = house(files={"file_1": other, "file_2": taught})
    error = problem_of(distil_job, job(CLASSIFY | UPLOADED, dataset=changes), done)
    assert (error.code, error.pointer) == ("tokenizer_mismatch", "/teacher/file")
    assert not done.published
    (way_out,) = error.ways_out
    distil_job(job(CLASSIFY | UPLOADED, dataset=changes | way_out["dataset"]), done)
    assert done.published["student-seed-0.safetensors"]
    notes = json.loads(done.published["report.json"])["notes"]
    assert any("is the teacher's, and was trained on its texts" in note for note in notes)


def test_a_language_model_teaches_other_texts_with_its_own_tokenizer(
    house: Make, file: dict[str, Path], tmp_path: Path
) -> None:
    first = house(files=file)
    distil_job(job(SPEAK, evaluation={"baseline": False, "seeds": 1}, training={"epochs": 1}), first)
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join(json.dumps({"text": row["text"].upper() + "é"}) for row in texts()))
    taught = house(files={"file_1": other, "file_2": first.scratch / "teacher.safetensors"})
    changes = {"tokenizer": {"kind": "teacher"}}
    knowing = {"teacher": UPLOADED["teacher"] | {"accept": ["teacher_worse_than_chance"]}}  # most letters are unknown
    distil_job(job(SPEAK | knowing, dataset=changes), taught)
    assert not any(
        "on some of these test rows" in said for said in json.loads(taught.published["report.json"])["warnings"]
    )
    assert json.loads(taught.published["report.json"])["text"]["unknown_share"] > 0
    masked = problem_of(
        distil_job, job(FILL | UPLOADED, dataset=changes, student={"initialise_from_teacher": None}), taught
    )
    assert (masked.code, masked.pointer) == ("tokenizer_mismatch", "/dataset/task")


def test_a_batch_too_large_for_the_teachers_vocabulary_is_refused_once_that_is_known(
    house: Make, file: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = house(files=file)
    distil_job(job(SPEAK, evaluation={"baseline": False, "seeds": 1}, training={"epochs": 1}), first)
    monkeypatch.setattr("qstill.contract.distillations.rules.text.MAX_LOGITS", 1 << 10)
    second = house(files=file | {"file_2": first.scratch / "teacher.safetensors"})
    error = problem_of(distil_job, job(SPEAK | UPLOADED, dataset={"tokenizer": {"kind": "teacher"}}), second)
    assert (error.code, error.pointer) == ("batch_too_large", "/training/batch_size")


def test_a_file_without_a_tokenizer_has_none_to_give(house: Make, file: dict[str, Path], tmp_path: Path) -> None:
    bare = tmp_path / "bare.safetensors"
    bare.write_bytes(save({"weight": torch.zeros(1)}))
    error = problem_of(
        distil_job,
        job(CLASSIFY | UPLOADED, dataset={"tokenizer": {"kind": "teacher"}}),
        house(files=file | {"file_2": bare}),
    )
    assert (error.code, error.pointer) == ("tokenizer_unavailable", "/teacher/file")
