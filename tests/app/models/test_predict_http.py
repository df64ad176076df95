"""/v1/models/{id}/predict over HTTP, with a worker that answers what the test says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qstill.contract.errors import Problem
from qstill.contract.kinds import DISTILLATION_QUESTION
from tests.testing.in_process import Json, Service, refused, running
from tests.testing.questions import answered, count

NOBODY = "model_" + "0" * 32
ROWS = {"inputs": [[1.0, 2.0], [3.0, 4.0]]}


def predict(model: str) -> str:
    return f"/v1/models/{model}/predict"


def model(service: Service) -> str:
    content = (2).to_bytes(8, "little") + b"{}"
    file = service.client.post("/v1/files", params={"purpose": "teacher", "name": "t.safetensors"}, content=content)
    body = {"name": "m", "file": file.json()["id"], "architecture": {"kind": "mlp", "hidden": []}}
    return str(service.client.post("/v1/models", json=body).json()["id"])


def test_a_worker_is_asked_and_nothing_is_left_of_it(service: Service) -> None:
    wanted = model(service)
    said = {
        "object": "prediction",
        "model": wanted,
        "classes": ["a", "b"],
        "logits": [[1.0, 0.0], [0.0, 1.0]],
        "probabilities": [[0.7, 0.3], [0.3, 0.7]],
        "predicted": ["a", "b"],
        "notes": [],
    }
    held, files, answer = answered(service, predict(wanted), ROWS, said)
    assert answer.json() == said  # type: ignore[attr-defined]
    assert (held.kind, held.spec["rows"]["inputs"], files) == (DISTILLATION_QUESTION, ROWS["inputs"], {wanted})
    assert count(service) == 0


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (
            {"prompts": ["a"], "temperature": 0, "max_tokens": 2},
            {
                "object": "continuations",
                "continuations": [
                    {
                        "text": "b",
                        "tokens": [
                            {"token": "b", "log_probability": -1.5},
                            {"token": "<end>", "log_probability": -0.5},
                        ],
                        "ended": "end_of_text",
                    }
                ],
            },
        ),
        (
            {"masked": ["a <mask>"], "top_k": 1},
            {"object": "fillings", "fillings": [{"text": "a b", "masks": [[{"token": "b", "probability": 0.5}]]}]},
        ),
        (
            {"users": ["1", "2"], "k": 1, "exclude": [["3"], []]},
            {"object": "recommendations", "recommendations": [[{"item": "3", "score": 0.5}], []]},
        ),
    ],
)
def test_language_models_and_recommenders_are_asked_in_their_own_words(
    service: Service, question: Json, said: Json
) -> None:
    wanted = model(service)
    said = {"model": wanted, "notes": ["a note"]} | said
    held, _, answer = answered(service, predict(wanted), question, said)
    assert answer.json() == said  # type: ignore[attr-defined]
    assert held.spec["rows"].items() >= question.items()


def test_what_is_wrong_with_the_rows_is_the_answer(service: Service) -> None:
    problem = Problem("inputs_mismatch", "A row of this model has 4 numbers.", pointer="/inputs")
    _, _, answer = answered(service, predict(model(service)), ROWS, problem)
    assert refused(answer, 422, "inputs_mismatch")["pointer"] == "/inputs"  # type: ignore[arg-type]
    assert count(service) == 0


def test_a_model_that_is_not_there_is_not_asked(service: Service) -> None:
    refused(service.client.post(f"/v1/models/{NOBODY}/predict", json=ROWS), 404, "model_not_found")
    assert count(service) == 0


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "impatient", max_wait_seconds=0.05) as made:
        yield made


def test_without_a_worker_the_answer_is_503_and_the_question_is_withdrawn(impatient: Service) -> None:
    answer = impatient.client.post(f"/v1/models/{model(impatient)}/predict", json=ROWS)
    refused(answer, 503, "no_worker_answered")
    assert "retry-after" in answer.headers
    assert impatient.client.get("/v1/jobs").json()["data"] == []


def test_models_of_others_are_not_there(service: Service) -> None:
    wanted = model(service)
    eve = service.connect(service.make_key("eve")[1])
    refused(eve.post(f"/v1/models/{wanted}/predict", json=ROWS), 404, "model_not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"inputs": [[1.0], [1.0, 2.0]]}, "/inputs/1"),
        ({"inputs": [["1"]]}, "/inputs/0/0"),
        ({"inputs": []}, "/inputs"),
        ({"inputs": [[1.0]], "more": 1}, "/more"),
        ({}, ""),
        ({"input": [[1.0]]}, ""),
        ([], ""),
        ({"inputs": [[1.0]], "texts": ["a"]}, "/texts"),
        ({"texts": ["a", " "]}, "/texts/1"),
        ({"texts": ["a"], "k": 3}, "/k"),
        ({"texts": ["a" * 150_000] * 2}, "/texts"),
        ({"prompts": ["a"] * 16, "max_tokens": 500}, "/max_tokens"),
        ({"prompts": ["a"], "temperature": -1}, "/temperature"),
        ({"masked": ["a <mask>", "b"]}, "/masked/1"),
        ({"masked": ["<mask>" * 513]}, "/masked"),
        ({"masked": ["<mask>"], "top_k": 101}, "/top_k"),
        ({"users": ["1"], "exclude": []}, "/exclude"),
        ({"users": ["1"], "exclude": [["1"] * 10_001]}, "/exclude"),
        ({"users": [1]}, "/users/0"),
    ],
)
def test_what_is_no_question_is_refused(service: Service, body: Json, pointer: str) -> None:
    problem = refused(service.client.post(f"/v1/models/{NOBODY}/predict", json=body), 422, "validation_failed")
    assert problem["errors"][0]["pointer"] == pointer
