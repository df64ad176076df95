"""Teachers and objectives that do not fit are refused at the door; those that fit hear each other."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.testing.refusals import errors_of
from workers.distillation.jobs import distil_job

Make = Callable[..., Any]
TRAIN = {"source": "train", "architecture": {"kind": "mlp", "hidden": [8]}}
FEATURES = {"kind": "pkt"}
HTTP = {"source": "http", "url": "https://teacher.example/"}
SOFT = {"source": "soft_labels", "file": "file_1", "kind": "logits"}


@pytest.mark.parametrize(
    "teacher",
    [
        SOFT,
        HTTP,
        {"source": "file", "file": "file_1", "format": "onnx"},
        {"source": "ensemble", "members": [TRAIN, TRAIN]},
    ],
)
def test_a_teacher_that_gives_answers_only_has_no_features(job: Make, teacher: dict[str, Any]) -> None:
    (error,) = errors_of(job, teacher=teacher, objective=FEATURES)
    assert (error["type"], error["loc"]) == ("features_unavailable", ("objective", "kind"))


def test_a_member_of_an_ensemble_that_knows_no_images_cannot_follow_views(job: Make) -> None:
    digits = {"source": "builtin", "name": "digits", "standardise": "channel"}
    (error,) = errors_of(
        job,
        dataset=digits,
        teacher={"source": "ensemble", "members": [TRAIN, SOFT]},
        training={"augmentation": {"noise": 0.1}},
    )
    assert error["type"] == "views_unavailable"


@pytest.mark.parametrize("missing", ["ghost", "uniform", "renormalise"])
def test_a_sum_of_objectives_hears_sparse_answers(job: Make, house: Make, missing: str) -> None:
    terms = [{"weight": 1.0, "objective": {"kind": "kd"}}, {"weight": 0.5, "objective": FEATURES}]
    told = house()
    objective = {"kind": "sum", "terms": terms}
    distil_job(job(objective=objective, signal={"top_k": 2, "missing": missing}, training={"epochs": 2}), told)
    report = json.loads(told.published["report.json"])
    assert report["signal"]["top_k"] == 2
    assert report["soft_gradient_norm"] > 0
