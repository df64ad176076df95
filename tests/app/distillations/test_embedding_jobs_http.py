"""Encoders of texts at the door: a folder is uploaded, named and taught from; what cannot work is refused there."""

import json
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.distillations.embeddings.job import EmbeddingJob
from tests.testing.folders import plain, zipped
from tests.testing.in_process import DIGITS, Service, refused
from tests.testing.refusals import errors_of

JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)
LAYERS: dict[str, Any] = {"kind": "fewer_layers", "layers": 3}
BODY: dict[str, Any] = {
    "dataset": {"source": "builtin_sentences", "name": "python_reference"},
    "teacher": {"source": "file", "file": "file_1"},
    "student": {"architecture": LAYERS},
}


def uploaded(client: httpx.Client, name: str = "my-model.zip", **content: bytes) -> str:
    answer = client.post(f"/v1/files?purpose=teacher&name={name}", content=zipped(plain() | content))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def error_of(body: Any) -> tuple[tuple[str | int, ...], str]:
    [error] = errors_of(JOBS.validate_python, body)
    return tuple(part for part in error["loc"] if part not in {"of rows", "of sentences"}), error["type"]


def test_sentences_say_what_a_body_is() -> None:
    job = JOBS.validate_python(BODY)
    assert isinstance(job, EmbeddingJob)
    assert JOBS.validate_json(json.dumps(job.model_dump(mode="json", exclude_none=True))) == job


@pytest.mark.parametrize(
    ("body", "place", "code"),
    [
        (DIGITS | {"student": {"architecture": LAYERS}}, ("student", "architecture", "kind"), "wrong_domain"),
        (DIGITS | {"objective": {"kind": "contrastive"}}, ("objective", "kind"), "wrong_domain"),
        (BODY | {"objective": {"kind": "kd"}}, ("objective", "kind"), "wrong_domain"),
        (BODY | {"student": {"architecture": {"kind": "mlp", "hidden": [4]}}}, ("student", "architecture", "kind"),
         "wrong_domain"),
        (BODY | {"student": {"architecture": LAYERS | {"layers": [2, 1]}}},
         ("student", "architecture", "fewer_layers", "layers"), "not_ascending"),
        (BODY | {"student": {"architecture": {"kind": "bert", "width": 10, "heads": 4}}},
         ("student", "architecture", "bert", "heads"), "heads_do_not_divide_width"),
        (BODY | {"objective": {"kind": "sum", "terms": [{"weight": 0.0, "objective": {"kind": "vector_mse"}}]}},
         ("objective", "sum"), "nothing_to_minimise"),
        (BODY | {"dataset": {"source": "sentence_file", "file": "file_2", "text": "a", "pair": "a"}},
         ("dataset", "sentence_file", "pair"), "same_column"),
        (BODY | {"training": {"batch_size": 1}}, ("training", "batch_size"), "greater_than_equal"),
        (DIGITS | {"teacher": {"source": "file", "file": "file_1", "format": "folder"}},
         ("teacher", "format"), "teaches_texts"),
        (DIGITS | {"teacher": {"source": "file", "file": "file_1", "format": "folder", "inputs": "raw"}},
         ("teacher", "file", "inputs"), "folder_knows"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_where_it_stands(body: Any, place: tuple[str | int, ...], code: str) -> None:
    assert error_of(body) == (place, code)


def test_a_folder_teaches_as_it_was_uploaded(client: httpx.Client) -> None:
    body = BODY | {"teacher": {"source": "file", "file": uploaded(client)}}
    answer = client.post("/v1/distillations", json=body)
    assert answer.status_code == 202, answer.text
    kept = client.get(answer.json()["links"]["request"]).json()
    assert kept["objective"]["kind"] == "sum"
    assert client.post("/v1/distillations", json=kept).status_code == 202


def test_a_teacher_that_is_no_zip_is_named(client: httpx.Client) -> None:
    refused(client.post("/v1/files?purpose=teacher&name=a.zip", content=b"no zip"), 422, "broken_file")
    onnx = client.post("/v1/files?purpose=teacher&name=a.onnx", content=b"\x08\x08model").json()["id"]
    body = BODY | {"teacher": {"source": "file", "file": onnx}}
    problem = refused(client.post("/v1/distillations", json=body), 422, "wrong_format")
    assert problem["pointer"] == "/teacher/file"


def test_a_folder_becomes_a_model_that_answers_texts(client: httpx.Client) -> None:
    new = {"name": "mine", "file": uploaded(client), "format": "folder"}
    answer = client.post("/v1/models", json=new)
    assert answer.status_code == 201, answer.text
    model = answer.json()
    assert (model["format"], model["answers"], model["architecture"]) == ("folder", "texts", None)
    content = client.get(model["links"]["content"])
    assert content.content == zipped(plain())
    assert ".zip" in content.headers["content-disposition"]
    refused(client.get(model["links"]["card"]), 404, "no_card")
    body = BODY | {"teacher": {"source": "model", "model": model["id"]}}
    assert client.post("/v1/distillations", json=body).status_code == 202
    problem = refused(client.post("/v1/models", json=new | {"kind": "logits"}), 422, "validation_failed")
    assert problem["pointer"] == "/kind"


def test_a_student_is_a_zip_that_becomes_a_model(service: Service) -> None:
    client, worker = service.client, service.worker
    body = BODY | {"teacher": {"source": "file", "file": uploaded(client)}}
    client.post("/v1/distillations", json=body).raise_for_status()
    held = worker.claim("distillation")
    checkpoint = worker.publish(held, "checkpoint", "student-seed-0.zip", zipped(plain()), architecture=LAYERS)
    content = client.get(f"/v1/checkpoints/{checkpoint}/content")
    assert f"{checkpoint}.zip" in content.headers["content-disposition"]
    model = client.post("/v1/models", json={"name": "small", "checkpoint": checkpoint}).json()
    assert (model["format"], model["answers"], model["architecture"]) == ("folder", "texts", LAYERS)


def test_a_sweep_says_that_encoders_are_submitted_one_by_one(client: httpx.Client) -> None:
    space = {"/training/learning_rate": [0.1, 0.2]}
    problem = refused(client.post("/v1/sweeps", json={"base": BODY, "space": space}), 422, "validation_failed")
    assert "one by one" in json.dumps(problem)
