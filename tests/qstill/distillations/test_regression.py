"""What only classes have is refused for real numbers, at the field that asks for it."""

from typing import Any

import pytest

from qstill.contract.distillations.datasets import UploadedData
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.sweeps.sweep import Sweep
from tests.testing.refusals import errors_of

NETWORK = {"kind": "mlp", "hidden": [4]}


def job(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "dataset": {"source": "builtin", "name": "diabetes", "task": "regression"},
        "teacher": {"source": "train", "architecture": NETWORK},
        "student": {"architecture": NETWORK},
        "objective": {"kind": "logit_mse"},
    }
    for part, change in changes.items():
        body[part] = body.get(part, {}) | change if "kind" not in change and "source" not in change else change
    return body


def refusal(body: dict[str, Any], model: Any = DistillationJob) -> tuple[str, str, str]:
    """(code, pointer, reason)."""
    (error,) = errors_of(model.model_validate, body)
    return error["type"], "".join(f"/{part}" for part in error["loc"]), error["msg"]


@pytest.mark.parametrize("kind", ["logit_mse", "fitnet", "rkd", "sp", "pkt", "crd"])
def test_losses_without_classes_are_taken(kind: str) -> None:
    DistillationJob.model_validate(job(objective={"kind": kind}))
    terms = [{"objective": {"kind": kind}}, {"objective": {"kind": "logit_mse", "alpha": 1.0}}]
    DistillationJob.model_validate(job(objective={"kind": "sum", "terms": terms}))


@pytest.mark.parametrize("kind", ["kd", "hard_label", "dkd", "dist", "logit_std", "reverse_kl", "jsd", "tf_kd"])
def test_losses_on_classes_are_refused_with_what_would_do(kind: str) -> None:
    code, pointer, reason = refusal(job(objective={"kind": kind}))
    assert (code, pointer) == ("objective_mismatch", "/objective/kind")
    assert "choose logit_mse" in reason
    terms = [{"objective": {"kind": "logit_mse"}}, {"objective": {"kind": kind}}]
    assert refusal(job(objective={"kind": "sum", "terms": terms}))[1] == "/objective/terms/1/objective/kind"


def test_without_an_objective_the_default_is_refused_too() -> None:
    body = job()
    del body["objective"]
    assert refusal(body)[:2] == ("objective_mismatch", "/objective/kind")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"dataset": {"label_noise": 0.1}}, "/dataset/label_noise"),
        ({"dataset": {"leave_out": ["3"]}}, "/dataset/leave_out"),
        ({"signal": {"top_k": 1}}, "/signal/top_k"),
        ({"signal": {"draws": 1}}, "/signal/draws"),
        ({"signal": {"precision": "float16"}}, "/signal/precision"),
        ({"training": {"bias_correction": True}}, "/training/bias_correction"),
        ({"training": {"label_smoothing": 0.1}}, "/training/label_smoothing"),
        ({"training": {"class_weights": "balanced"}}, "/training/class_weights"),
        ({"training": {"balanced_batches": True}}, "/training/balanced_batches"),
        ({"teacher": {"training": {"label_smoothing": 0.1}}}, "/teacher/training/label_smoothing"),
    ],
)
def test_options_of_classes_are_refused(changes: dict[str, Any], pointer: str) -> None:
    assert refusal(job(**changes))[:2] == ("only_for_classification", pointer)


def test_teachers_of_classes_are_refused() -> None:
    soft = {"source": "soft_labels", "file": "file_1", "kind": "values"}
    DistillationJob.model_validate(job(teacher=soft))
    assert refusal(job(teacher=soft | {"kind": "probabilities"}))[1] == "/teacher/kind"
    onnx = {"source": "file", "file": "file_1", "format": "onnx"}
    DistillationJob.model_validate(job(teacher=onnx))
    assert refusal(job(teacher=onnx | {"kind": "probabilities"}))[1] == "/teacher/kind"
    both = {"source": "ensemble", "members": [soft, onnx]}
    DistillationJob.model_validate(job(teacher=both))
    assert refusal(job(teacher=both | {"average": "geometric"}))[1] == "/teacher/average"
    assert refusal(job(teacher=both | {"members": [onnx, soft | {"kind": "logits"}]}))[1] == "/teacher/members/1/kind"


def test_values_are_no_answers_of_a_classifier() -> None:
    soft = {"source": "soft_labels", "file": "file_1", "kind": "values"}
    body = job(dataset={"source": "builtin", "name": "iris"}, teacher=soft, objective={"kind": "kd"})
    assert refusal(body)[:2] == ("only_for_regression", "/teacher/kind")


@pytest.mark.parametrize(("name", "task"), [("diabetes", "classification"), ("iris", "regression")])
def test_a_builtin_data_set_has_one_task(name: str, task: str) -> None:
    body = job(dataset={"source": "builtin", "name": name, "task": task})
    code, pointer, _ = refusal(body)
    assert (code, pointer.removesuffix("/task")) == ("task_mismatch", "/dataset/builtin")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"targets": ["a"]}, "targets"),
        ({"task": "regression", "targets": ["a"], "label": "b"}, "targets"),
        ({"task": "regression", "targets": ["a", "a"]}, "targets"),
        ({"task": "regression", "targets": []}, "targets"),
        ({"task": "regression", "image": {}}, "image"),
        ({"image": {"size": [8]}}, "image/size"),
        ({"image": {"size": [8, 2000]}}, "image/size/1"),
        ({"image": {"mode": "CMYK"}}, "image/mode"),
    ],
)
def test_columns_and_images_are_named_one_way(given: dict[str, Any], field: str) -> None:
    assert refusal({"source": "file", "file": "file_1", **given}, UploadedData)[1] == f"/{field}"


def test_a_sweep_of_regression_has_losses_of_numbers_only() -> None:
    space: dict[str, Any] = {"/objective/alpha": [0.5, 1.0], "/training/learning_rate": [0.01, 0.1]}
    assert Sweep.model_validate({"base": job(), "space": space}).count == 4
    body = {"base": job(), "space": {"/objective": [{"kind": "logit_mse"}, {"kind": "kd"}]}}
    assert refusal(body, Sweep)[:2] == ("value_refused", "/space//objective/1")
