"""Teachers of texts that come with a tokenizer: what they say is what their own library says."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from qstill.contract.distillations.teachers import ModelFormat, UploadedTeacher
from qstill.contract.errors import Problem
from qstill.contract.models.questions import AskRows, AskTexts, Question
from tests.testing import folders
from tests.workers.distillation.conftest import FakeRun
from tests.workers.distillation.text.folder_jobs import ACCEPTED, CLASSES, MODEL, by_its_library, house, job_of, named
from workers.distillation import teachers
from workers.distillation.data.dataset import Data
from workers.distillation.distil import load_data
from workers.distillation.jobs import distil_job
from workers.distillation.networks.pretrained.library import transformers
from workers.distillation.predict.rows import predict

pytestmark = pytest.mark.training


def taught(run: FakeRun, **teacher: Any) -> tuple[Data, teachers.Teacher]:
    """The data, and the teacher of a folder as it is read."""
    job = job_of()
    assert isinstance(job.teacher, UploadedTeacher)
    data = load_data(job, named(run))
    return data, teachers.loaded(job.teacher.model_copy(update=teacher), data, run)


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet"])
def test_a_head_says_of_raw_texts_what_its_library_says(kind: str, tmp_path: Path) -> None:
    run = house(tmp_path, folders.classifier(kind, CLASSES[::-1]))  # in an order of its own
    data, teacher = taught(run)
    assert data.text is not None
    expected = by_its_library(run.files["file_m"], tmp_path / "own", data.text.of(data.test))
    assert_close(teacher.logits(data.test), expected.flip(1), atol=1e-5, rtol=0)
    assert "of its own" in teacher.notes[0]


def test_weights_in_several_files_teach_the_same(tmp_path: Path) -> None:
    whole, parts = (
        taught(house(tmp_path / name, content))
        for name, content in (
            ("whole", folders.classifier()),
            ("parts", folders.sharded(folders.classifier(), 3)),
        )
    )
    assert torch.equal(whole[1].logits(whole[0].train), parts[1].logits(parts[0].train))


def test_classes_that_are_called_otherwise_are_mapped_or_named(tmp_path: Path) -> None:
    run = house(tmp_path, folders.classifier(classes=("LABEL_0", "LABEL_1", "LABEL_2")))
    with pytest.raises(Problem) as refused:
        taught(run)
    assert refused.value.code == "class_mismatch"
    assert "LABEL_2" in refused.value.title
    assert "moves" in json.dumps(refused.value.document())
    data, mapped = taught(run, class_map={"LABEL_0": "rests", "LABEL_1": "moves", "LABEL_2": "moves"})
    assert data.text is not None
    own = by_its_library(run.files["file_m"], tmp_path / "own", data.text.of(data.test)).softmax(1)
    expected = torch.stack([own[:, 1] + own[:, 2], own[:, 0]], 1)
    assert_close(mapped.logits(data.test).softmax(1), expected, atol=1e-6, rtol=0)
    two = house(tmp_path / "two", folders.classifier(classes=("LABEL_0", "LABEL_1")))
    data, as_named = taught(two, classes=["rests", "moves"])
    assert data.text is not None
    expected = by_its_library(two.files["file_m"], tmp_path / "two", data.text.of(data.test)).flip(1)
    assert_close(as_named.logits(data.test), expected, atol=1e-5, rtol=0)


def test_a_job_learns_from_a_folder_and_the_report_says_what_it_was(tmp_path: Path) -> None:
    run = named(house(tmp_path, folders.classifier()))
    distil_job(job_of(), run)
    report = json.loads(run.published["report.json"])
    assert any("tokenizer of its own" in note for note in report["notes"])
    cost = report["teacher"]["cost"]
    assert cost["timed"] == "one row by transformers"
    assert cost["size"]["parameters"] > 10_000
    assert cost["size"]["multiply_adds"] > 100_000


def test_a_folder_with_a_head_is_tried_with_raw_texts(tmp_path: Path) -> None:
    run = house(tmp_path, folders.classifier())
    texts = ["the cat of a red house sings", "a river falls"]
    said = predict(Question(model=MODEL, rows=AskTexts(texts=texts)), run)
    assert said["classes"] == ["moves", "rests"]
    expected = by_its_library(run.files["file_m"], tmp_path / "own", texts)
    assert_close(torch.tensor(said["logits"]), expected, atol=1e-5, rtol=0)
    with pytest.raises(Problem, match="texts"):
        predict(Question(model=MODEL, rows=AskRows(inputs=[[1.0]])), run)


class Exported(torch.nn.Module):
    """As optimum exports it: three inputs, logits."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        return self.model(  # type: ignore[no-any-return]
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).logits


def as_onnx(content: Mapping[str, bytes], scratch: Path) -> bytes:
    for name, each in content.items():
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_bytes(each)
    model = transformers().AutoModelForSequenceClassification.from_pretrained(scratch).eval()
    names = ["input_ids", "attention_mask", "token_type_ids"]
    free = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence", max=64)}
    example = torch.ones(2, 5, dtype=torch.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Exported(model),
            (example * 7, example, example * 0),
            dynamo=True,
            dynamic_shapes=(free,) * 3,
            input_names=names,
            output_names=["logits"],
            verbose=False,
        )
    assert program is not None
    return bytes(program.model_proto.SerializeToString())


def test_an_onnx_beside_its_tokenizer_says_what_its_weights_say(tmp_path: Path) -> None:
    content = {**folders.classifier()}
    graph = as_onnx(content, tmp_path / "source")
    del content["model.safetensors"]
    run = house(tmp_path, content | {"model.onnx": graph})
    data, teacher = taught(run)
    weights = house(tmp_path / "weights", folders.classifier())
    _, expected = taught(weights)
    assert_close(teacher.logits(data.test), expected.logits(data.test), atol=1e-5, rtol=0)
    bare = house(tmp_path / "bare", {"tokenizer.json": content["tokenizer.json"], "mine.onnx": graph})
    _, teacher = taught(bare, classes=["moves", "rests"])
    assert_close(teacher.logits(data.test), expected.logits(data.test), atol=1e-5, rtol=0)
    (tmp_path / "a.onnx").write_bytes(graph)
    (tmp_path / "a.json").write_bytes(content["tokenizer.json"])
    run.files = {**run.files, "file_o": tmp_path / "a.onnx", "file_j": tmp_path / "a.json"}
    _, teacher = taught(run, format="onnx", file="file_o", tokenizer="file_j", classes=["moves", "rests"])
    assert_close(teacher.logits(data.test), expected.logits(data.test), atol=1e-5, rtol=0)
    said = predict(Question(model=MODEL, rows=AskTexts(texts=["a river falls"])), run)
    assert said["classes"] == ["moves", "rests"]
    other = json.loads(content["tokenizer.json"])
    other["model"]["vocab"]["unheard"] = len(folders.WORDS)
    more = content | {"model.onnx": graph, "tokenizer.json": json.dumps(other).encode()}
    with pytest.raises(Problem) as refused:
        taught(house(tmp_path / "more", more))
    assert refused.value.code == "tokenizer_mismatch"


def test_a_format_is_told_from_the_bytes_of_a_checkpoint(tmp_path: Path) -> None:
    run = named(house(tmp_path, folders.classifier()))
    checkpoint = f"ckpt_{5:032x}"
    run.files = {**run.files, checkpoint: run.files["file_m"]}
    job = job_of(teacher={"source": "model", "model": checkpoint, "accept": ACCEPTED})
    data = load_data(job, run)
    assert not isinstance(job.teacher, ModelFormat)
    assert len(teachers.loaded(job.teacher, data, run).logits(data.test)) == len(data.test.y)  # type: ignore[arg-type]
