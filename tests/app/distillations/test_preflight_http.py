"""/v1/distillations/preflight over HTTP, with a worker that answers what the test says."""

import pytest

from qstill.contract.errors import Problem
from qstill.contract.kinds import DISTILLATION_QUESTION
from tests.testing.in_process import DIGITS, Json, Service, refused
from tests.testing.questions import answered, count

PATH = "/v1/distillations/preflight"
SECONDS = {"expected": 2.0, "low": 1.0, "high": 4.0}
SAID: Json = {
    "object": "preflight",
    "shapes": {
        "rows": {"train": 1079, "validation": 359, "test": 359},
        "inputs": [1, 8, 8],
        "classes": 2,
        "class_names": ["a", "b"],
        "teacher_logits": [64, 2],
        "student_logits": [64, 2],
        "batch_sizes": {"student": 64},
        "steps_per_epoch": {"student": 17},
        "total_steps": 4080,
    },
    "teachers": [],
    "columns": [],
    "regressors": [],
    "candidates": [],
    "left_out": [],
    "of_labels": [],
    "capacity": {
        "student_parameters": 10,
        "teacher_parameters": None,
        "ratio": None,
        "student_multiply_adds": 9,
        "teacher_multiply_adds": None,
    },
    "time": {
        "steps_measured": 9,
        **dict.fromkeys(
            ["teacher_training", "teacher_answers", "search", "students", "baselines", "controls"], SECONDS
        ),
        **dict.fromkeys(["engine", "exports", "compression", "rest", "total"], SECONDS),
        "limit": 60.0,
    },
    "memory": dict.fromkeys(
        [
            *("process", "weights", "optimizer", "activations", "answers", "engine", "peak"),
            *("limit", "available", "cache", "cache_limit", "disk_free"),
        ],
        1,
    ),
    "data": {
        "labels": {"a": 25, "b": 25},
        "labelled_rows": 50,
        "unlabelled_rows": 1029,
        "empty_classes": [],
        "imbalance": 1.0,
        "constant_features": 0,
        "duplicates_in_test": 0,
        "truncated_texts": 0,
    },
    "advice": [
        {
            "code": "one_seed",
            "severity": "warning",
            "detail": "One seed gives no interval.",
            "pointer": "/evaluation/seeds",
            "suggestion": {"pointer": "/evaluation/seeds", "value": 3},
        }
    ],
}


def uploaded(service: Service, purpose: str, name: str, content: bytes) -> str:
    answer = service.client.post("/v1/files", params={"purpose": purpose, "name": name}, content=content)
    return str(answer.json()["id"])


def test_a_worker_looks_and_nothing_is_left_of_it(service: Service) -> None:
    held, files, answer = answered(service, PATH, DIGITS, SAID)
    assert answer.status_code == 200  # type: ignore[attr-defined]
    assert answer.json() == SAID  # type: ignore[attr-defined]
    assert (held.kind, held.spec["ask"], files) == (DISTILLATION_QUESTION, "preflight", set())
    assert held.spec["job"].items() >= {"dataset": {**DIGITS["dataset"], **held.spec["job"]["dataset"]}}.items()
    assert held.spec["seconds_limit"] == service.settings.distillation_seconds
    assert count(service) == 0


def test_the_worker_may_read_what_the_job_would(service: Service) -> None:
    data = uploaded(service, "dataset", "d.csv", b"a,kind\n1,x\n")
    teacher = uploaded(service, "teacher", "t.safetensors", (2).to_bytes(8, "little") + b"{}")
    body = DIGITS | {
        "dataset": {"source": "file", "file": data},
        "teacher": {"source": "file", "file": teacher},
    }
    assert answered(service, PATH, body, SAID)[1] == {data, teacher}


def test_what_the_job_would_fail_with_is_the_answer(service: Service) -> None:
    problem = Problem(
        "class_mismatch", "The teacher has 5 classes.", pointer="/teacher/file", ways_out=[{"classes": 3}]
    )
    _, _, answer = answered(service, PATH, DIGITS, problem)
    document = refused(answer, 422, "class_mismatch")  # type: ignore[arg-type]
    assert (document["pointer"], document["try"]) == ("/teacher/file", [{"classes": 3}])
    assert count(service) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dataset": {"source": "builtin", "name": "digits", "labelled": 3}}, "validation_failed"),
        ({"dataset": {"source": "file", "file": "file_nobody"}}, "file_not_found"),
        ({"teacher": {"source": "http", "url": "https://127.0.0.1/"}}, None),
        ({"more": 1}, "validation_failed"),
    ],
)
def test_what_is_refused_at_the_door_of_a_job_is_refused_here_alike(
    service: Service, changes: Json, code: str | None
) -> None:
    here = service.client.post(PATH, json=DIGITS | changes)
    there = service.client.post("/v1/distillations", json=DIGITS | changes)
    assert here.status_code == there.status_code == 422
    assert here.json() == there.json()
    assert code in (None, here.json()["code"])
    assert count(service) == 0


def test_a_recommender_is_looked_at_too(service: Service) -> None:
    body = {
        "dataset": {"source": "synthetic_interactions"},
        "teacher": {"source": "train", "architecture": {"kind": "matrix_factorisation", "dimensions": 16}},
        "student": {"architecture": {"kind": "matrix_factorisation", "dimensions": 2}},
    }
    said = SAID | {
        "shapes": {
            "rows": {"train": 27229, "validation": 1000, "test": 1000},
            "users": 1000,
            "items": 500,
            "total_steps": 7128,
            "batch_sizes": {"student": 1024},
            "steps_per_epoch": {"student": 27},
        },
        "data": {
            **dict.fromkeys(["density", "median_per_user", "popularity_ndcg", "popularity_hit"], 0.5),
            **dict.fromkeys(["fewest_per_user", "most_per_user", "cold_users", "cold_items", "left_out"], 1),
            **dict.fromkeys(["tested_users", "head_items", "fewest_left"], 1),
        },
    }
    for of_rows in ("regressors", "columns", "candidates", "left_out", "of_labels"):
        del said[of_rows]
    held, _, answer = answered(service, PATH, body, said)
    assert answer.status_code == 200  # type: ignore[attr-defined]
    assert answer.json() == said  # type: ignore[attr-defined]
    assert held.spec["job"]["dataset"]["source"] == "synthetic_interactions"
