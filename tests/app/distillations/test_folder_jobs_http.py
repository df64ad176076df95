"""Networks that are begun from folders at the door: what they need must be there, and what cannot work is refused."""

from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from qstill.contract.distillations.domains import AnyJob, Job, needs_of
from tests.testing.folders import plain, plain_head, zipped
from tests.testing.in_process import DIGITS, refused
from tests.testing.refusals import errors_of

JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)
FILE, MODEL, CHECKPOINT = f"file_{1:032x}", f"model_{2:032x}", f"ckpt_{3:032x}"
PRETRAINED: dict[str, Any] = {"kind": "pretrained", "file": FILE}
TOPICS: dict[str, Any] = {
    "source": "builtin_text",
    "name": "python_topics",
    "task": "classification",
    "tokenizer": {"kind": "student"},
}
BODY: dict[str, Any] = {
    "dataset": TOPICS,
    "teacher": {"source": "train", "architecture": {"kind": "bag_of_embeddings"}},
    "student": {"architecture": PRETRAINED},
}
WORDS = {"dataset": TOPICS | {"tokenizer": {"kind": "word"}}}
FOLDER = {"source": "file", "file": FILE, "format": "folder"}
ONNX = {"source": "file", "file": FILE, "format": "onnx", "tokenizer": FILE}
BAG = {"student": {"architecture": {"kind": "bag_of_embeddings"}}}


def student(**fields: Any) -> dict[str, Any]:
    return {"student": {"architecture": PRETRAINED | fields}}


@pytest.mark.parametrize(
    ("body", "place", "code"),
    [
        (BODY | WORDS, ("dataset", "tokenizer", "kind"), "tokenizer_mismatch"),
        (BODY | BAG, ("dataset", "tokenizer", "kind"), "tokenizer_unavailable"),
        (BODY | student(model=MODEL), ("student", "architecture", "pretrained", "file"), "one_origin"),
        (BODY | student(file=None), ("student", "architecture", "pretrained", "file"), "one_origin"),
        (BODY | student(own={}, layers=1), ("student", "architecture", "pretrained", "layers"), "own_measures"),
        (BODY | student(own={}, train="head"), ("student", "architecture", "pretrained", "train"), "own_measures"),
        (BODY | student(own={"width": 10, "heads": 4}),
         ("student", "architecture", "pretrained", "own", "heads"), "heads_do_not_divide_width"),
        (BODY | {"compression": {}}, ("student", "architecture", "kind"), "compression_unavailable"),
        (BODY | {"training": {"precision": "bfloat16"}}, ("training", "precision"), "not_for_this_network"),
        (BODY | {"dataset": TOPICS | {"task": "language_modelling"}}, ("teacher", "architecture", "kind"),
         "architecture_mismatch"),
        (DIGITS | student(), ("student", "architecture", "kind"), "architecture_mismatch"),
        (DIGITS | {"teacher": FOLDER}, ("teacher", "format"), "teaches_texts"),
        (DIGITS | {"teacher": ONNX}, ("teacher", "format"), "teaches_texts"),
        (DIGITS | {"teacher": FOLDER | {"tokenizer": FILE}}, ("teacher", "file", "tokenizer"), "only_for_onnx"),
        (BODY | BAG | {"teacher": FOLDER | {"architecture": {"kind": "lstm"}}},
         ("teacher", "file", "architecture"), "folder_knows"),
        (BODY | {"teacher": {"source": "file", "file": FILE, "architecture": PRETRAINED}},
         ("teacher", "file", "architecture"), "architecture_not_needed"),
        (BODY | {"student": {"architecture": {"kind": "decoder"}}, "teacher": FOLDER,
                 "dataset": TOPICS | {"task": "language_modelling", "tokenizer": {"kind": "bpe"}}},
         ("dataset", "tokenizer", "kind"), "tokenizer_mismatch"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_where_it_stands(body: Any, place: tuple[str | int, ...], code: str) -> None:
    [error] = errors_of(JOBS.validate_python, body)
    assert (tuple(part for part in error["loc"] if part != "of rows"), error["type"]) == (place, code)


def test_what_networks_are_begun_from_is_needed_until_the_job_is_done() -> None:
    teacher = {"source": "train", "architecture": {"kind": "pretrained", "model": CHECKPOINT}}
    needs = needs_of(JOBS.validate_python(BODY | {"teacher": teacher}))
    assert needs.files == [("/student/architecture/file", FILE, "teacher")]
    assert needs.formats == [("/student/architecture/file", FILE, "folder")]
    assert needs.models == [("/teacher/architecture/model", CHECKPOINT)]


def test_a_student_from_a_folder_that_is_not_there_is_named(client: httpx.Client) -> None:
    problem = refused(client.post("/v1/distillations", json=BODY), 422, "file_not_found")
    assert problem["pointer"] == "/student/architecture/file"
    answer = client.post("/v1/files?purpose=teacher&name=my-model.zip", content=zipped(plain()))
    body = BODY | student(file=answer.json()["id"])
    answer = client.post("/v1/distillations", json=body)
    assert answer.status_code == 202, answer.text
    kept = client.get(answer.json()["links"]["request"]).json()
    assert client.post("/v1/distillations", json=kept).status_code == 202


def test_an_onnx_of_text_and_its_tokenizer_are_two_files(client: httpx.Client) -> None:
    files = {"onnx": b"\x08\x08model", "json": plain()["tokenizer.json"]}
    ids = {
        ending: client.post(f"/v1/files?purpose=teacher&name=a.{ending}", content=content).json()["id"]
        for ending, content in files.items()
    }
    both = ONNX | {"file": ids["onnx"], "tokenizer": ids["json"], "classes": ["a", "b"]}
    body = BODY | BAG | WORDS | {"teacher": both}
    assert client.post("/v1/distillations", json=body).status_code == 202
    body |= {"teacher": both | {"tokenizer": ids["onnx"]}}
    assert refused(client.post("/v1/distillations", json=body), 422, "wrong_format")["pointer"] == "/teacher/tokenizer"


def test_a_folder_with_a_head_may_say_its_classes(client: httpx.Client) -> None:
    answer = client.post("/v1/files?purpose=teacher&name=my-model.zip", content=zipped(plain_head("a", "b")))
    new = {"name": "mine", "file": answer.json()["id"], "format": "folder", "classes": ["good", "bad"]}
    model = client.post("/v1/models", json=new).json()
    assert (model["format"], model["answers"]) == ("folder", "texts")
    body = BODY | BAG | WORDS | {"teacher": {"source": "model", "model": model["id"]}}
    assert client.post("/v1/distillations", json=body).status_code == 202
