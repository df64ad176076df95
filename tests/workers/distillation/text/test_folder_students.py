"""Encoders from folders that learn classes: fine-tuned, written as a folder that their library opens, and teaching."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tokenizers
import torch
from safetensors.torch import load
from torch.testing import assert_close

from app.distillations.card import card
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.distillations.reports import read_any
from qstill.contract.errors import Problem
from qstill.contract.models.questions import AskTexts, Question
from tests.testing import folders
from tests.workers.distillation.conftest import FakeRun
from tests.workers.distillation.text.folder_jobs import MODEL, by_its_library, house, job_of, named
from workers.distillation.jobs import distil_job
from workers.distillation.networks.pretrained.archive import CARD
from workers.distillation.predict.rows import predict
from workers.distillation.preflight.look import preflight

pytestmark = pytest.mark.training

FILE = f"file_{1:032x}"
TEXTS = ["the cat of a red house sings", "a river falls", "of"]
LABELS_ALONE = {"kind": "kd", "alpha": 0.0}
STUDENT = {"kind": "pretrained", "file": FILE}


def student_job(architecture: dict[str, Any], **fields: Any) -> DistillationJob:
    """A student from a folder beside a small teacher on its tokens."""
    dataset = {**job_of().dataset.model_dump(mode="json", exclude_none=True), "tokenizer": {"kind": "student"}}
    return job_of(
        **{
            "dataset": dataset,
            "teacher": {"source": "train", "architecture": {"kind": "bag_of_embeddings", "width": 4}},
            "student": {"architecture": architecture},
            "training": {"epochs": 2, "batch_size": 16, "learning_rate": 0.001},
            **fields,
        }
    )


def report_of(run: FakeRun) -> DistillationReport:
    found = read_any(json.loads(run.published["report.json"]))
    assert isinstance(found, DistillationReport)
    return found


def promoted(run: FakeRun, name: str, scratch: Path) -> FakeRun:
    """A house in which a checkpoint is a model."""
    scratch.mkdir(parents=True)
    path = scratch / "model.zip"
    path.write_bytes(run.published[name])
    return FakeRun(scratch / "run", files={MODEL: path}, models={MODEL: {"format": "folder"}})


def weights_of(content: bytes) -> dict[str, torch.Tensor]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return load(archive.read("model.safetensors"))


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
def test_a_student_is_a_folder_that_its_library_opens_with_the_same_answers(kind: str, tmp_path: Path) -> None:
    run = named(house(tmp_path, folders.files(kind)))
    result = distil_job(student_job({**STUDENT, "layers": 1}, export=["onnx"]), run)
    assert result["checkpoints"] == 3
    asked = promoted(run, "student-seed-0.zip", tmp_path / "asked")
    said = torch.tensor(predict(Question(model=MODEL, rows=AskTexts(texts=TEXTS)), asked)["logits"])
    assert_close(said, by_its_library(asked.files[MODEL], tmp_path / "own", TEXTS), atol=1e-5, rtol=0)
    tokenizer = tokenizers.Tokenizer.from_str(run.published["tokenizer.json"].decode())
    tokenizer.enable_padding(pad_id=0)
    tokens = np.array([each.ids for each in tokenizer.encode_batch(TEXTS)])
    session = onnxruntime.InferenceSession(run.published["student-seed-0.onnx"])
    assert_close(torch.from_numpy(session.run(["logits"], {"tokens": tokens})[0]), said, atol=1e-5, rtol=0)
    report = report_of(run)
    assert report.student.cost is not None
    assert report.student.cost.size is not None
    assert report.student.cost.size.multiply_adds is not None
    assert report.models[0].max_difference < 1e-5
    assert "AutoModelForSequenceClassification" in card(report)
    assert any("folder that the student is begun from" in note for note in report.notes)


def test_equal_jobs_give_equal_folders_and_other_seeds_other_heads(tmp_path: Path) -> None:
    runs = [named(house(tmp_path / str(number), folders.files())) for number in range(2)]
    for run in runs:
        distil_job(student_job(STUDENT, evaluation={"seeds": 2, "baseline": False}), run)
    first, second = (run.published["student-seed-0.zip"] for run in runs)
    assert first == second
    assert first != runs[0].published["student-seed-1.zip"]


def test_with_the_head_alone_the_layers_stay_as_they_were(tmp_path: Path) -> None:
    run = named(house(tmp_path, folders.files()))
    distil_job(student_job({**STUDENT, "train": "head"}), run)
    theirs = load(folders.files()["model.safetensors"])
    mine = weights_of(run.published["student-seed-0.zip"])
    kept = {name.removeprefix("bert.") for name in mine if "pooler" not in name and name.startswith("bert.")}
    assert kept <= theirs.keys()
    assert all(torch.equal(mine[f"bert.{name}"], theirs[name]) for name in kept)
    assert not torch.equal(mine["bert.pooler.dense.weight"], theirs["pooler.dense.weight"])


def test_a_bert_of_ones_own_measures_has_them(tmp_path: Path) -> None:
    run = named(house(tmp_path, folders.files("roberta")))
    own = {"layers": 1, "width": 8, "heads": 2, "inner": 16}
    distil_job(student_job({**STUDENT, "own": own}), run)
    mine = weights_of(run.published["student-seed-0.zip"])
    assert mine["bert.embeddings.word_embeddings.weight"].shape == (len(folders.WORDS), 8)
    assert mine["bert.encoder.layer.0.intermediate.dense.weight"].shape == (16, 8)
    assert not any("layer.1." in name for name in mine)


def test_an_encoder_is_fine_tuned_and_then_teaches_a_student_on_other_tokens(tmp_path: Path) -> None:
    run = named(house(tmp_path, folders.sharded(folders.files())))
    teacher = {
        "source": "train",
        "architecture": {**STUDENT, "layers": 1},
        "training": {"epochs": 12, "batch_size": 8, "learning_rate": 0.005},
    }
    distil_job(job_of(teacher=teacher), run)
    report = report_of(run)
    assert report.teacher.summary["accuracy"].mean > 0.8
    assert report.job["dataset"]["tokenizer"]["kind"] == "word"
    checkpoint = f"ckpt_{5:032x}"
    again = named(house(tmp_path / "again", folders.files()))
    path = tmp_path / "teacher.zip"
    path.write_bytes(run.published["teacher.zip"])
    again.files = {**again.files, checkpoint: path}
    distil_job(job_of(teacher={"source": "model", "model": checkpoint}), again)
    second = report_of(again)
    assert second.teacher.runs[0].accuracy == report.teacher.runs[0].accuracy
    assert not any("another split" in said for said in second.warnings)
    other = job_of().dataset.model_dump(mode="json", exclude_none=True) | {"split_seed": 5}
    distil_job(job_of(teacher={"source": "model", "model": checkpoint}, dataset=other), again)
    assert any("another split" in said for said in report_of(again).warnings)
    with zipfile.ZipFile(path) as archive:
        assert {"architecture", "data", "rows"} == json.loads(archive.read(CARD)).keys()


def test_a_preflight_sees_what_a_job_will_do(tmp_path: Path) -> None:
    run = named(house(tmp_path, folders.files()))
    teacher = {"source": "train", "architecture": STUDENT}
    for job in (student_job(STUDENT), job_of(teacher=teacher)):
        found = preflight(job, PreflightQuestion.model_validate({"seconds_limit": 60.0, "job": job}), run)
        assert found["shapes"]["classes"] == 2
        assert found["capacity"]["student_parameters"] > 0


@pytest.mark.parametrize(
    ("architecture", "code", "pointer"),
    [
        ({"layers": 3}, "no_such_layer", "/student/architecture/layers"),
        ({"own": {"width": 4096, "heads": 4, "layers": 48}}, "needs_more_memory", "/student/architecture/own"),
    ],
)
def test_what_a_folder_cannot_become_is_refused_before_anything_is_made(
    architecture: dict[str, Any], code: str, pointer: str, tmp_path: Path
) -> None:
    run = named(house(tmp_path, folders.plain()))
    with pytest.raises(Problem) as refused:
        distil_job(student_job({**STUDENT, **architecture}), run)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_networks_of_this_house_do_not_read_tokens_that_are_filled_up_otherwise(tmp_path: Path) -> None:
    run = named(house(tmp_path, folders.changed(folders.files(), pad_token_id=4)))
    with pytest.raises(Problem) as refused:
        distil_job(student_job(STUDENT), run)
    assert refused.value.code == "tokenizer_mismatch"
