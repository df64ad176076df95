"""What jobs with several labels a row may ask; what needs one class a row is refused by name, with the way out."""

from typing import Any

import pytest
from pydantic import ValidationError

from qstill.contract.distillations.job import DistillationJob

MLP = {"kind": "mlp", "hidden": [4]}
BODY: dict[str, Any] = {
    "dataset": {"source": "file", "file": "file_1", "task": "multi_label"},
    "teacher": {"source": "train", "architecture": MLP},
    "student": {"architecture": MLP},
}


def error_of(part: str, change: dict[str, Any]) -> tuple[tuple[str | int, ...], str]:
    with pytest.raises(ValidationError) as refused:
        DistillationJob.model_validate(BODY | {part: BODY.get(part, {}) | change})
    (error,) = refused.value.errors()
    return tuple(step for step in error["loc"] if step != "file"), error["msg"]


@pytest.mark.parametrize("kind", ["dkd", "dist", "logit_std", "tf_kd", "reverse_kl", "jsd", "hard_label"])
def test_losses_of_one_class_a_row_are_refused_by_name(kind: str) -> None:
    place, said = error_of("objective", {"kind": kind})
    assert place == ("objective", "kind")
    assert said.startswith(f"{kind} compares classes")
    assert "choose kd" in said


@pytest.mark.parametrize(
    ("part", "change", "place", "said"),
    [
        ("dataset", {"label_noise": 0.2}, ("dataset", "label_noise"), "several labels"),
        ("dataset", {"leave_out": ["a"]}, ("dataset", "leave_out"), "several labels"),
        ("dataset", {"image": {"size": [8, 8]}}, ("dataset", "image"), "npz"),
        ("dataset", {"labels_separator": ",", "targets": ["a"]}, ("dataset", "labels_separator"), "`label`"),
        ("dataset", {"task": "regression", "labels_separator": ","}, ("dataset", "labels_separator"), "multi_label"),
        ("training", {"class_weights": "balanced"}, ("training", "class_weights"), "several labels"),
        ("training", {"label_smoothing": 0.1}, ("training", "label_smoothing"), "several labels"),
        ("evaluation", {"verdict": "accuracy"}, ("evaluation", "verdict"), "choose f1_macro"),
        ("evaluation", {"measures": ["top_2"]}, ("evaluation", "measures", 0), "several labels a row"),
        ("compression", {"pruning": []}, ("compression",), "accuracy"),
        ("teacher", {"source": "soft_labels", "file": "file_2", "kind": "counts"}, ("teacher",), "probabilities"),
    ],
)
def test_options_of_one_class_a_row_are_refused(
    part: str, change: dict[str, Any], place: tuple[str | int, ...], said: str
) -> None:
    if part == "teacher":
        with pytest.raises(ValidationError) as refused:
            DistillationJob.model_validate(BODY | {"teacher": change})
        (error,) = refused.value.errors()
        found, message = error["loc"][:1], error["msg"]
    else:
        found, message = error_of(part, change)
    assert found == place
    assert said in message


def test_builtin_data_have_one_class_a_row() -> None:
    with pytest.raises(ValidationError, match="no built-in data set has several labels"):
        DistillationJob.model_validate(
            BODY | {"dataset": {"source": "builtin", "name": "digits", "task": "multi_label"}}
        )


def test_what_several_labels_may_ask() -> None:
    objective = {"kind": "sum", "terms": [{"objective": {"kind": "kd"}}, {"objective": {"kind": "rkd"}}]}
    evaluation = {"verdict": "average_precision", "measures": ["subset_accuracy", "hamming", "f1_micro", "auc"]}
    job = DistillationJob.model_validate(BODY | {"objective": objective, "evaluation": evaluation})
    assert job.evaluation.verdict == "average_precision"
