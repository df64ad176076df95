"""Whole jobs: what a teacher from elsewhere does to the report, and what is said before anything is trained."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_iris

from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of
from workers.distillation import distil
from workers.distillation.data.dataset import Data
from workers.distillation.inspection import inspect
from workers.distillation.jobs import distil_job
from workers.distillation.training.hearing import SILENT

pytestmark = pytest.mark.training

Make = Callable[..., Any]
ONNX = {"source": "file", "file": "file_1", "format": "onnx"}


def linear(path: Path, weights: Any) -> Path:
    """An ONNX model of x·W for iris."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(np.asarray(weights, np.float32), "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    path.write_bytes(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString())
    return path


def least_squares(data: Data) -> Any:
    """Weights that know iris well."""
    y = np.eye(3)[data.train.y.numpy()]
    return 5 * np.linalg.lstsq(data.train.raw.numpy(), y, rcond=None)[0]


def report_of(told: Any) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(told.published["report.json"])
    return report


def test_a_model_from_elsewhere_teaches_a_student_that_is_larger(
    job: Make, house: Make, iris: Data, tmp_path: Path
) -> None:
    told = house(files={"file_1": linear(tmp_path / "t.onnx", least_squares(iris))})
    distil_job(job(teacher=ONNX), told)
    report = report_of(told)
    assert report["teacher"]["summary"]["accuracy"]["mean"] > 0.7
    assert report["teacher"]["cost"]["size"]["multiply_adds"] == 4 * 3
    assert report["teacher"]["cost"]["latency"]["p50_ms"] > 0
    assert any("larger than the teacher" in note for note in report["warnings"])
    assert any("uploaded" in note for note in report["notes"])
    assert not [kind for kind, _ in told.events if kind == "warning"]
    assert "teacher.safetensors" not in told.published


def test_a_teacher_worse_than_chance_is_warned_of_before_and_after(job: Make, house: Make, tmp_path: Path) -> None:
    told = house(files={"file_1": linear(tmp_path / "t.onnx", np.eye(4, 3) * 0)})
    distil_job(job(teacher=ONNX), told)
    kinds = [kind for kind, _ in told.events]
    assert kinds.index("warning") < kinds.index("epoch")
    (warning,) = [data for kind, data in told.events if kind == "warning"]
    assert warning["code"] == "teacher_no_better_than_chance"
    assert any(said.startswith("The teacher is no better") for said in report_of(told)["warnings"])


@pytest.mark.parametrize(
    ("teacher", "code"),
    [
        (ONNX, "teacher_invalid"),
        (ONNX | {"format": "safetensors"}, "teacher_invalid"),
        (ONNX | {"format": "torch", "architecture": {"kind": "mlp", "hidden": []}}, "teacher_invalid"),
        ({"source": "soft_labels", "file": "file_1", "kind": "logits"}, "soft_labels_invalid"),
        ({"source": "model", "model": f"model_{'0' * 32}"}, "file_gone"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_trained(
    job: Make, house: Make, tmp_path: Path, teacher: dict[str, Any], code: str
) -> None:
    (tmp_path / "noise").write_bytes(b"noise")
    told = house(files={"file_1": tmp_path / "noise"})
    refused = problem_of(distil_job, job(teacher=teacher), told)
    assert refused.code == code
    assert str(refused.pointer).startswith("/teacher/")
    assert told.events == []


def test_answers_that_are_no_numbers_end_the_job_before_a_student_is_trained(
    job: Make, house: Make, tmp_path: Path
) -> None:
    told = house(files={"file_1": linear(tmp_path / "t.onnx", np.full((4, 3), np.nan))})
    with pytest.raises(Problem, match="is not finite") as refused:
        distil_job(job(teacher=ONNX), told)
    assert refused.value.code == "teacher_invalid"
    assert told.events == []


def test_an_ensemble_of_three_origins_teaches(job: Make, house: Make, iris: Data, tmp_path: Path) -> None:
    np.save(tmp_path / "soft.npy", np.random.default_rng(0).dirichlet([1, 1, 1], size=150))
    files = {"file_1": linear(tmp_path / "t.onnx", least_squares(iris)), "file_2": tmp_path / "soft.npy"}
    trained = {"source": "train", "architecture": {"kind": "mlp", "hidden": [8]}}
    soft = {"source": "soft_labels", "file": "file_2", "kind": "probabilities", "accept": ["teacher_worse_than_chance"]}
    told = house(files=files)
    distil_job(job(teacher={"source": "ensemble", "members": [trained, ONNX, soft], "weights": [2.0, 2.0, 1.0]}), told)
    report = report_of(told)
    assert report["teacher"]["summary"]["accuracy"]["mean"] > 0.5
    assert sum("teacher" in note for note in report["notes"]) >= 3


@pytest.mark.parametrize(("wrong", "warned"), [(0, True), (150, False)])
def test_a_teacher_that_is_never_wrong_may_have_seen_the_test_rows(
    job: Make, house: Make, tmp_path: Path, wrong: int, warned: bool
) -> None:
    logits = 5 * np.eye(3, dtype=np.float32)[load_iris().target]
    logits[:wrong:7] = logits[:wrong:7, ::-1]
    np.save(tmp_path / "soft.npy", logits)
    told = house(files={"file_1": tmp_path / "soft.npy"})
    soft = {"source": "soft_labels", "file": "file_1", "kind": "logits"}
    distil_job(job(teacher=soft, training={"epochs": 1}, evaluation={"seeds": 1, "baseline": False}), told)
    report = report_of(told)
    assert any("trained on them" in said for said in report["warnings"]) == warned
    assert (report["signal"]["computed_rows"], report["signal"]["reused_rows"]) == (0, 0)
    assert any("read from the file" in said for said in report["notes"])
    assert report["verdict"] is None


@pytest.mark.parametrize(
    ("again", "warned"),
    [({}, False), ({"label_noise": 0.1, "labelled": 20}, False), ({"split_seed": 1}, True), ({"test": 0.3}, True)],
)
def test_a_teacher_of_another_split_has_seen_test_rows(
    job: Make, house: Make, tmp_path: Path, again: dict[str, Any], warned: bool
) -> None:
    short = {"training": {"epochs": 1}, "evaluation": {"seeds": 1, "baseline": False}}
    first = house()
    distil_job(job(**short), first)
    (tmp_path / "t").write_bytes(first.published["teacher.safetensors"])
    told = house(files={"file_1": tmp_path / "t"})
    uploaded = {"source": "file", "file": "file_1"}
    distil_job(job(teacher=uploaded, dataset=again, **short), told)
    assert any("another split of the same data" in said for said in report_of(told)["warnings"]) == warned
    kinds = [(kind, data.get("code")) for kind, data in told.events]
    assert (("warning", "teacher_of_another_split") in kinds) == warned
    question = PreflightQuestion(job=job(teacher=uploaded, dataset=again, **short), seconds_limit=60.0)
    advice = inspect(question, house(files=told.files))["advice"]
    assert ("teacher_of_another_split" in {each["code"] for each in advice}) == warned
    member = {"source": "ensemble", "members": [uploaded, uploaded]}
    together = house(files=told.files)
    distil_job(job(teacher=member, dataset=again, **short), together)
    assert sum("another split" in said for said in report_of(together)["warnings"]) == warned


def test_a_teacher_that_nobody_hears_is_named_before_a_student_is_trained(
    job: Make, house: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distil, "gradient_of_teacher", lambda *_: 0.0)
    told = house()
    distil_job(job(training={"epochs": 1}), told)
    said = [data.get("code") or (data.get("stage"), data.get("state")) for _, data in told.events]
    assert said.index("teacher_silent") < said.index(("student-seed-0", "began"))
    assert SILENT in json.loads(told.published["report.json"])["warnings"]
