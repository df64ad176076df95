"""Each rule of advice fires where it should, and a job without faults is left in peace."""

from collections.abc import Callable
from typing import Any

import pytest

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import Found
from tests.workers.distillation.untroubled import CAPACITY, MEMORY, TIME, Json
from workers.distillation.preflight import advice as rules
from workers.distillation.preflight import advice_common as common_rules
from workers.distillation.preflight import advice_teacher as teacher_rules
from workers.distillation.preflight.advice import RULES, advice_on

Rule = Callable[..., Any]

FILE = "file_1"
ONNX = {"source": "file", "file": FILE, "format": "onnx"}
TEACHER = {
    "pointer": "/teacher",
    "rows": 256,
    "accuracy": 0.95,
    "negative_log_likelihood": 0.2,
    "expected_calibration_error": 0.02,
    "chance": 0.4,
    "confidence": 0.9,
    "saturated": 0.1,
    "temperature": 2.0,
    "answers_are": "logits",
    "class_order": None,
    "accuracy_in_that_order": None,
    "label_smoothing": None,
}
JOB: Json = {
    "dataset": {"source": "file", "file": FILE, "labelled": 100},
    "teacher": ONNX,
    "student": {"architecture": {"kind": "mlp", "hidden": [8]}},
    "objective": {"kind": "kd", "temperature": 4.0, "alpha": 0.9},
    "training": {"epochs": 40, "batch_size": 64},
}
FOUND: Json = {
    "shapes": {
        "rows": {"train": 1000, "validation": 300, "test": 300},
        "inputs": [4],
        "classes": 3,
        "class_names": ["a", "b", "c"],
        "teacher_logits": [64, 3],
        "student_logits": [64, 3],
        "batch_sizes": {"student": 64},
        "steps_per_epoch": {"student": 16},
        "total_steps": 3840,
    },
    "teachers": [TEACHER],
    "capacity": CAPACITY,
    "time": TIME,
    "memory": MEMORY,
    "data": {
        "labels": {"a": 34, "b": 33, "c": 33},
        "labelled_rows": 100,
        "unlabelled_rows": 900,
        "empty_classes": [],
        "imbalance": 1.03,
        "constant_features": 0,
        "duplicates_in_test": 0,
        "truncated_texts": 0,
    },
}


def job_of(**changes: Json) -> DistillationJob:
    """A keyword replaces a part that it makes another kind of, and is merged into it otherwise."""
    body = dict(JOB)
    for part, change in changes.items():
        other = not {"source", "architecture", "kind"}.isdisjoint(change)
        body[part] = change if other else body.get(part, {}) | change
    return DistillationJob.model_validate(body)


def found_of(*, teacher: Json | None = None, **changes: Json) -> Found:
    found = FOUND | {part: FOUND.get(part, {}) | change for part, change in changes.items() if part != "regressors"}
    found |= {"regressors": changes.get("regressors", [])}
    if teacher is not None:
        found = found | {"teachers": [TEACHER | teacher]}
    return Found.model_validate(found)


def test_a_job_without_faults_is_left_in_peace() -> None:
    assert advice_on(job_of(), found_of(), finite=True) == []


TRAIN = {"source": "train", "architecture": {"kind": "mlp", "hidden": [64]}}
SOFT = {"source": "soft_labels", "file": FILE, "kind": "logits"}
TEXT = {"source": "text_file", "file": FILE, "task": "classification", "labelled": 100, "max_length": 16}
BAG = {"architecture": {"kind": "bag_of_embeddings"}}
DKD = {"kind": "dkd"}
FIRES: list[tuple[Rule, Json, Json, str, object]] = [
    (
        teacher_rules.objections,
        {},
        {"teacher": {"accuracy": 0.1, "chance": 0.05, "class_order": [1, 2, 0], "accuracy_in_that_order": 0.95}},
        "/teacher/classes",
        ["b", "c", "a"],
    ),
    (
        teacher_rules.objections,
        {"teacher": ONNX | {"classes": ["c", "a", "b"]}},
        {"teacher": {"accuracy": 0.1, "chance": 0.05, "class_order": [1, 2, 0], "accuracy_in_that_order": 0.95}},
        "/teacher/classes",
        ["a", "b", "c"],
    ),
    (
        teacher_rules.objections,
        {"teacher": {"source": "model", "model": "model_" + "0" * 32}},
        {"teacher": {"accuracy": 0.1, "chance": 0.05, "class_order": [1, 2, 0], "accuracy_in_that_order": 0.95}},
        "/teacher",
        None,
    ),
    (teacher_rules.objections, {}, {"teacher": {"accuracy": 0.4}}, "/teacher", None),
    (
        teacher_rules.objections,
        {},
        {"regressors": [{"pointer": "/teacher", "rows": 50, "r2": -0.1, "mean_squared_error": 1.1}]},
        "/teacher",
        None,
    ),
    (
        teacher_rules.answers_are_probabilities,
        {},
        {"teacher": {"answers_are": "probabilities"}},
        "/teacher/kind",
        "probabilities",
    ),
    (
        teacher_rules.log_probabilities_matched,
        {"objective": {"kind": "logit_mse"}},
        {"teacher": {"answers_are": "log_probabilities"}},
        "/objective/kind",
        "kd",
    ),
    (teacher_rules.label_smoothing, {}, {"teacher": {"label_smoothing": 0.1}}, "/teacher", None),
    (
        teacher_rules.label_smoothing,
        {"teacher": TRAIN | {"training": {"label_smoothing": 0.1}}},
        {},
        "/teacher/training/label_smoothing",
        0.0,
    ),
    (
        teacher_rules.label_smoothing,
        {"teacher": TRAIN, "training": {"label_smoothing": 0.1}},
        {},
        "/training/label_smoothing",
        0.0,
    ),
    (
        teacher_rules.drawn_at_another_temperature,
        {"signal": {"draws": 8}, "objective": {"temperature": 2.0}},
        {},
        "/objective/temperature",
        1.0,
    ),
    (
        teacher_rules.temperature,
        {"objective": {"temperature": 1.0}},
        {"teacher": {"saturated": 0.7, "temperature": 8.0}},
        "/objective/temperature",
        8.0,
    ),
    (teacher_rules.miscalibrated, {}, {"teacher": {"expected_calibration_error": 0.3}}, "/teacher", None),
    (
        teacher_rules.noisy_teacher_alone,
        {"objective": {"alpha": 1.0}},
        {"teacher": {"accuracy": 0.6}},
        "/objective/alpha",
        0.5,
    ),
    (rules.few_labels, {"objective": {"alpha": 0.2}}, {"data": {"labelled_rows": 9}}, "/objective/alpha", 0.9),
    (rules.pool_unused, {"dataset": {"unlabelled_pool": False}}, {}, "/dataset/unlabelled_pool", True),
    (
        rules.full_clean_data,
        {"dataset": {"labelled": None}},
        {"data": {"unlabelled_rows": 0}},
        "/dataset/labelled",
        None,
    ),
    (common_rules.one_seed, {"evaluation": {"seeds": 1}}, {}, "/evaluation/seeds", 3),
    (common_rules.no_baseline, {"evaluation": {"baseline": False}}, {}, "/evaluation/baseline", True),
    (
        rules.few_test_rows,
        {},
        {"shapes": {"rows": {"train": 90, "validation": 30, "test": 30}}},
        "/dataset/test",
        None,
    ),
    (common_rules.sizes, {}, {"capacity": {"ratio": 0.5}}, "/student/architecture", None),
    (common_rules.sizes, {}, {"capacity": {"ratio": 400.0}}, "/student/architecture", None),
    (
        rules.batch_larger_than_rows,
        {"training": {"batch_size": 2048}},
        {},
        "/training/batch_size",
        128,
    ),
    (rules.few_steps, {"training": {"epochs": 3}}, {}, "/training/epochs", 13),
    (
        rules.few_steps,
        {"teacher": TRAIN | {"training": {"epochs": 2}}},
        {"shapes": {"steps_per_epoch": {"student": 16, "teacher": 16}}},
        "/teacher/training/epochs",
        13,
    ),
    (rules.dkd_few_classes, {"objective": DKD}, {}, "/objective/kind", "kd"),
    (
        rules.dkd_never_warm,
        {"objective": DKD, "training": {"epochs": 16}},
        {"shapes": {"classes": 10, "steps_per_epoch": {"student": 100}}},
        "/objective/warm_up",
        4,
    ),
    (
        rules.ramp_never_ends,
        {"objective": {"kind": "kd", "temperature": {"from": 8, "to": 2, "epochs": 17}}, "training": {"epochs": 16}},
        {},
        "/objective/temperature/epochs",
        16,
    ),
    (rules.logit_std_calibration, {"objective": {"kind": "logit_std"}}, {}, "/objective/kind", None),
    (rules.storage, {"teacher": SOFT, "signal": {"precision": "float16"}}, {}, "/signal/precision", "float32"),
    (
        rules.storage,
        {"objective": {"kind": "logit_mse"}, "signal": {"precision": "float16"}},
        {},
        "/signal/precision",
        "float32",
    ),
    (
        rules.left_out,
        {"dataset": {"leave_out": ["c"]}},
        {"data": {"empty_classes": ["c"]}},
        "/training/bias_correction",
        True,
    ),
    (rules.imbalance, {}, {"data": {"imbalance": 12.0}}, "/training/class_weights", "balanced"),
    (rules.empty_classes, {}, {"data": {"empty_classes": ["c"]}}, "/dataset", None),
    (rules.constant_features, {}, {"data": {"constant_features": 2}}, "/dataset", None),
    (rules.leaked_rows, {}, {"data": {"duplicates_in_test": 2}}, "/dataset", None),
    (
        rules.leaked_rows,
        {"dataset": TEXT, "student": BAG, "teacher": {"source": "model", "model": "model_" + "0" * 32}},
        {"data": {"duplicates_in_test": 2}},
        "/dataset",
        None,
    ),
    (
        rules.truncated_texts,
        {"dataset": TEXT, "student": BAG, "teacher": {"source": "model", "model": "model_" + "0" * 32}},
        {"data": {"truncated_texts": 2}},
        "/dataset/max_length",
        None,
    ),
    (common_rules.too_large, {}, {"memory": {"peak": 20_000}}, "/training/batch_size", 32),
    (common_rules.too_large, {}, {"memory": {"peak": 9_000, "available": 100}}, None, None),
    (common_rules.too_large, {}, {"memory": {"cache": 20_000}}, "/signal/precision", "float16"),
    (common_rules.too_long, {}, {"time": {"limit": 1.0}}, "/training/epochs", None),
    (common_rules.too_long, {}, {"time": {"limit": 15.0}}, "/training/epochs", None),
]


@pytest.mark.parametrize(("rule", "job", "found", "pointer", "value"), FIRES)
def test_a_rule_fires_alone_and_says_what_to_change(
    rule: Rule, job: Json, found: Json, pointer: str | None, value: object
) -> None:
    changed, seen = job_of(**job), found_of(**found)
    (said,) = rule(changed, seen)
    assert advice_on(changed, seen, finite=True) == [said]
    assert (said.pointer, said.suggestion.value if said.suggestion else None) == (pointer, value)
    assert said.suggestion is None or said.suggestion.pointer == pointer


def test_every_rule_is_shown_to_fire() -> None:
    assert {rule for rule, *_ in FIRES} == set(RULES)


@pytest.mark.parametrize(
    ("job", "found"),
    [
        ({"signal": {"draws": 8}, "objective": {"temperature": 1.0}}, {}),
        ({"objective": {"temperature": 8.0}}, {"teacher": {"saturated": 0.9, "temperature": 8.0}}),
        ({"objective": {"temperature": {"from": 8, "to": 1, "epochs": 9}}}, {"teacher": {"saturated": 0.9}}),
        ({"objective": {"alpha": 1.0}}, {}),
        ({"objective": {"alpha": 0.2}}, {}),
        ({"dataset": {"labelled": None, "label_noise": 0.3}}, {"data": {"unlabelled_rows": 0}}),
        ({"dataset": {"labelled": None}}, {"data": {"unlabelled_rows": 5}}),
        ({"training": {"class_weights": "balanced"}}, {"data": {"imbalance": 50.0}}),
        ({"teacher": TRAIN | {"training": {"epochs": 2}}}, {"teacher": {}}),
    ],
)
def test_what_is_meant_so_is_left_in_peace(job: Json, found: Json) -> None:
    assert advice_on(job_of(**job), found_of(**found), finite=True) == []


def test_a_loss_that_is_no_number_comes_before_all_notes() -> None:
    said = advice_on(job_of(), found_of(data={"constant_features": 1}), finite=False)
    assert [advice.code for advice in said] == ["loss_not_finite", "constant_features"]


@pytest.mark.parametrize(("rule", "job", "found", "pointer", "value"), [case for case in FIRES if case[4] is not None])
def test_a_suggestion_that_is_followed_is_a_job_and_is_not_made_again(
    rule: Rule, job: Json, found: Json, pointer: str, value: object
) -> None:
    changed = job_of(**job)
    body = changed.model_dump(mode="json", exclude_none=True)
    *path, last = pointer.split("/")[1:]
    place = body
    for step in path:
        place = place.setdefault(step, {})
    place[last] = value
    if last == "kind" and path == ["objective"]:
        body["objective"] = {"kind": value, "temperature": 4.0, "alpha": 0.9}
    followed = DistillationJob.model_validate(body)
    measured = (
        teacher_rules.objections,
        teacher_rules.answers_are_probabilities,
        common_rules.too_large,
    )  # what was found is of the old job
    assert rule in measured or list(rule(followed, found_of(**found))) == []


def test_rows_of_text_that_come_twice_may_be_different_texts() -> None:
    teacher = {"source": "model", "model": "model_" + "0" * 32}
    found = found_of(data={"duplicates_in_test": 2})
    (of_rows,) = rules.leaked_rows(job_of(), found)
    (of_texts,) = rules.leaked_rows(job_of(dataset=TEXT, student=BAG, teacher=teacher), found)
    assert "once they are tokens" in of_texts.detail
    assert "once they are tokens" not in of_rows.detail
