"""/v1/models over HTTP: promoted from a checkpoint or a file, and alive when what they were made from is gone."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ledger.reaper import reap
from qstill.contract.kinds import Queue
from tests.testing.in_process import DIGITS, Json, Service, Worker, refused, running, sha256

ONNX = b"\x08\x0a" + bytes(30)
WEIGHTS = (2).to_bytes(8, "little") + b"{}"
MLP = {"kind": "mlp", "hidden": [4]}


def distil(client: httpx.Client, worker: Worker, *contents: bytes) -> tuple[str, list[str]]:
    """(job, checkpoints) of a finished distillation."""
    job = client.post("/v1/distillations", json=DIGITS)
    assert job.status_code == 202, job.text
    return job.json()["id"], worker.run_distillation(*contents)


def upload(client: httpx.Client, content: bytes, name: str, purpose: str = "teacher") -> str:
    answer = client.post("/v1/files", params={"purpose": purpose, "name": name}, content=content)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def promote(client: httpx.Client, **body: Any) -> Json:
    answer = client.post("/v1/models", json={"name": "small"} | body)
    assert answer.status_code == 201, answer.text
    model: Json = answer.json()
    assert answer.headers["location"] == model["links"]["self"]
    return model


def sweep(service: Service) -> None:
    reap(service.front.database, service.front.store, lambda queue: None)


def test_a_model_outlives_the_job_that_made_it(client: httpx.Client, worker: Worker, service: Service) -> None:
    job, (checkpoint,) = distil(client, worker, b"student")
    model = promote(client, checkpoint=checkpoint, labels={"stage": "production"})
    assert (model["bytes"], model["sha256"], model["format"]) == (7, sha256(b"student"), "safetensors")
    assert (model["labels"], model["origin"]) == ({"stage": "production"}, {"checkpoint": checkpoint, "job": job})
    assert client.delete(f"/v1/jobs/{job}").status_code == 204
    sweep(service)
    assert client.get(model["links"]["self"]).json() == model
    assert client.get(model["links"]["content"]).content == b"student"
    assert service.stored() == [f"models/{model['id']}"]
    assert client.delete(model["links"]["self"]).status_code == 204
    sweep(service)
    assert service.stored() == []
    for link in model["links"].values():
        refused(client.get(link), 404, "model_not_found")


def test_a_model_outlives_the_file_that_it_was_made_from(client: httpx.Client, service: Service) -> None:
    file = upload(client, ONNX, "t.onnx")
    model = promote(client, file=file, format="onnx", kind="probabilities")
    assert (model["format"], model["architecture"], model["origin"]) == ("onnx", None, {"file": file})
    assert client.delete(f"/v1/files/{file}").status_code == 204
    sweep(service)
    got = client.get(model["links"]["content"])
    assert got.content == ONNX
    assert f"{model['id']}.onnx" in got.headers["content-disposition"]


@pytest.mark.parametrize(
    ("architecture", "answers"),
    [
        (MLP, "inputs"),
        ({"kind": "text_cnn", "width": 4, "filters": 4}, "texts"),
        ({"kind": "decoder", "width": 4, "depth": 1, "heads": 1}, "prompts"),
        ({"kind": "encoder", "width": 4, "depth": 1, "heads": 1}, "masked"),
        ({"kind": "matrix_factorisation", "dimensions": 3}, "users"),
        (None, None),
    ],
)
def test_a_model_says_what_it_is_and_what_it_may_be_asked(
    client: httpx.Client, worker: Worker, architecture: Json | None, answers: str | None
) -> None:
    assert client.post("/v1/distillations", json=DIGITS).status_code == 202
    held = worker.claim(Queue.DISTILLATION)
    told = {} if architecture is None else {"architecture": architecture}
    checkpoint = worker.publish(held, "checkpoint", "student-seed-0.safetensors", b"student", role="student", **told)
    model = promote(client, checkpoint=checkpoint)
    assert model["answers"] == answers
    assert architecture is None or (model["architecture"] or {}).items() >= architecture.items()
    assert set(model["origin"]) == {"checkpoint", "job"}
    assert client.get(model["links"]["self"]).json() == model


def with_card(card: object) -> bytes:
    """A safetensors file without a tensor."""
    header = json.dumps({"__metadata__": {"qstill": json.dumps(card)}}).encode()
    return len(header).to_bytes(8, "little") + header


def test_the_card_of_a_checkpoint_and_of_its_model_is_read_without_the_weights(
    client: httpx.Client, worker: Worker, service: Service
) -> None:
    said = {"architecture": MLP, "classes": ["a", "b"]}
    _, (checkpoint,) = distil(client, worker, with_card(said))
    model = promote(client, checkpoint=checkpoint)
    view = client.get(f"/v1/checkpoints/{checkpoint}").json()
    assert client.get(view["links"]["card"]).json() == client.get(model["links"]["card"]).json() == said
    service.front.store.delete(f"models/{model['id']}")
    refused(client.get(model["links"]["card"]), 410, "content_gone")
    refused(client.get(f"/v1/checkpoints/ckpt_{'0' * 32}/card"), 404, "checkpoint_not_found")
    refused(client.get(f"/v1/models/model_{'0' * 32}/card"), 404, "model_not_found")


@pytest.mark.parametrize(
    "content",
    [
        WEIGHTS,
        b"",
        b"short",
        with_card("no object"),
        with_card({})[:-1],
        b"\xff" * 100,
        (10**6).to_bytes(8, "little") + b"[" * 10**6,
        (4).to_bytes(8, "little") + b"null",
    ],
)
def test_a_model_without_a_card_says_so(client: httpx.Client, worker: Worker, content: bytes) -> None:
    _, (checkpoint,) = distil(client, worker, content)
    refused(client.get(promote(client, checkpoint=checkpoint)["links"]["card"]), 404, "no_card")


def test_what_an_upload_may_be_asked_is_said_where_it_is_known(client: httpx.Client) -> None:
    assert promote(client, file=upload(client, ONNX, "t.onnx"), format="onnx")["answers"] == "inputs"
    weights = upload(client, WEIGHTS, "t.safetensors")
    assert promote(client, file=weights, architecture=MLP)["answers"] == "inputs"
    assert promote(client, file=weights)["answers"] is None
    decoder = {"kind": "decoder", "width": 4, "depth": 1, "heads": 1}
    assert promote(client, file=weights, architecture=decoder)["answers"] is None


def test_models_are_listed_newest_first_by_name_and_in_pages(client: httpx.Client) -> None:
    file = upload(client, WEIGHTS, "t.safetensors")
    made = [promote(client, file=file, architecture=MLP, name=name)["id"] for name in ("a", "b", "a")][::-1]
    pages = [client.get("/v1/models?limit=2")]
    pages.append(client.get(pages[0].links["next"]["url"]))
    assert [[model["id"] for model in page.json()["data"]] for page in pages] == [made[:2], made[2:]]
    assert [model["id"] for model in client.get("/v1/models?name=a").json()["data"]] == [made[0], made[2]]
    assert pages[0].json()["data"][0]["architecture"] == MLP | {"activation": "relu", "dropout": 0.0}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/checkpoint", "one_origin"),
        ({"checkpoint": f"ckpt_{'0' * 32}", "file": "file_0"}, "/checkpoint", "one_origin"),
        ({"checkpoint": f"ckpt_{'0' * 32}", "architecture": MLP}, "/architecture", "checkpoint_knows"),
        ({"checkpoint": "job_0"}, "/checkpoint", "string_pattern_mismatch"),
        ({"file": "file_0", "format": "torch"}, "/architecture", "architecture_needed"),
        ({"file": "file_0", "format": "onnx", "architecture": MLP}, "/architecture", "architecture_not_needed"),
        ({"file": "file_0", "architecture": MLP, "output": "z"}, "/output", "only_for_onnx"),
        ({"file": "file_0", "architecture": MLP, "kind": "probabilities"}, "/kind", "only_for_onnx"),
        ({"file": "file_0", "format": "pickle"}, "/format", "literal_error"),
        ({"file": "file_0", "classes": ["a"]}, "/classes", "too_short"),
    ],
)
def test_a_model_that_cannot_be_is_refused_by_field(client: httpx.Client, body: Json, pointer: str, code: str) -> None:
    problem = refused(client.post("/v1/models", json={"name": "x"} | body), 422, "validation_failed")
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (pointer, code)


def test_what_is_not_there_cannot_be_promoted(client: httpx.Client, service: Service) -> None:
    lost = {"name": "x", "checkpoint": f"ckpt_{'0' * 32}"}
    problem = refused(client.post("/v1/models", json=lost), 422, "model_not_found")
    assert client.get(problem["try"][0]["path"]).json()["data"] == []  # where checkpoints would be found
    assert "/v1/jobs" in problem["try"][0]["path"]
    assert problem["pointer"] == "/checkpoint"
    problem = refused(client.post("/v1/models", json={"name": "x", "file": "file_0"}), 422, "file_not_found")
    assert problem["pointer"] == "/file"
    file = upload(client, ONNX, "t.onnx")
    problem = refused(client.post("/v1/models", json={"name": "x", "file": file}), 422, "wrong_format")
    assert (problem["pointer"], problem["try"]) == ("/file", [{"format": "onnx"}])
    service.front.store.delete(f"files/{file}")
    refused(client.post("/v1/models", json={"name": "x", "file": file, "format": "onnx"}), 410, "content_gone")
    assert client.get("/v1/models").json()["data"] == []


def body(teacher: Json) -> Json:
    return DIGITS | {"teacher": teacher}


def test_what_an_unfinished_job_learns_from_stays(client: httpx.Client, worker: Worker) -> None:
    first, (checkpoint,) = distil(client, worker, b"student")
    model = promote(client, checkpoint=checkpoint)["id"]
    member = {"source": "model", "model": model}
    for teacher in (
        {"source": "model", "model": checkpoint},
        member,
        {"source": "ensemble", "members": [member, {"source": "model", "model": checkpoint}]},
    ):
        job = client.post("/v1/distillations", json=body(teacher))
        assert job.status_code == 202, job.text
        if checkpoint in str(teacher):
            problem = refused(client.delete(f"/v1/jobs/{first}"), 409, "checkpoint_in_use")
            assert problem["try"] == [{"method": "POST", "path": f"/v1/jobs/{job.json()['id']}/cancel"}]
        if model in str(teacher):
            refused(client.delete(f"/v1/models/{model}"), 409, "model_in_use")
        worker.finish(worker.claim(Queue.DISTILLATION), {})
    assert client.delete(f"/v1/jobs/{first}").status_code == 204
    assert client.delete(f"/v1/models/{model}").status_code == 204
    refused(client.post("/v1/distillations", json=body(member)), 422, "model_not_found")


@pytest.fixture
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, httpx.Client, httpx.Client]]:
    with running(tmp_path_factory.mktemp("models") / "data") as service:
        ada, eve = (service.connect(service.make_key(name)[1]) for name in ("ada", "eve"))
        yield service, ada, eve


def test_models_belong_to_their_key(two: tuple[Service, httpx.Client, httpx.Client]) -> None:
    service, ada, eve = two
    _, (checkpoint,) = distil(ada, service.worker, b"student")
    model = promote(ada, checkpoint=checkpoint)
    assert eve.get("/v1/models").json()["data"] == []
    for link in model["links"].values():
        refused(eve.get(link), 404, "model_not_found")
    refused(eve.delete(model["links"]["self"]), 404, "model_not_found")
    refused(eve.post("/v1/models", json={"name": "x", "checkpoint": checkpoint}), 422, "model_not_found")
    for wanted in (model["id"], checkpoint):
        teacher = {"source": "model", "model": wanted}
        problem = refused(eve.post("/v1/distillations", json=body(teacher)), 422, "model_not_found")
        assert problem["pointer"] == "/teacher/model"


@pytest.mark.parametrize(
    ("teacher", "pointer", "code"),
    [
        ({"source": "file", "file": "ONNX", "architecture": MLP}, "/teacher/file", "wrong_format"),
        ({"source": "file", "file": "WEIGHTS", "format": "onnx"}, "/teacher/file", "wrong_format"),
        ({"source": "file", "file": "SECRET", "format": "onnx"}, "/teacher/file", "wrong_purpose"),
        ({"source": "http", "url": "http://teacher.example/"}, "/teacher/url", "url_refused"),
        ({"source": "http", "url": "https://169.254.169.254/"}, "/teacher/url", "url_refused"),
        ({"source": "http", "url": "https://t.example/", "headers": "WEIGHTS"}, "/teacher/headers", "wrong_purpose"),
        (
            {"source": "ensemble", "members": [{"source": "http", "url": "https://t.example"}] * 2}
            | {
                "members": [{"source": "http", "url": "https://t.example"}, {"source": "http", "url": "https://[::1]/"}]
            },
            "/teacher/members/1/url",
            "url_refused",
        ),
    ],
)
def test_a_teacher_that_cannot_teach_is_refused_at_the_door(
    client: httpx.Client, teacher: Json, pointer: str, code: str
) -> None:
    ids = {
        "ONNX": upload(client, ONNX, "t.onnx"),
        "WEIGHTS": upload(client, WEIGHTS, "t.safetensors"),
        "SECRET": upload(client, b"{}", "s.json", "secret"),
    }
    given = {key: ids.get(value, value) if isinstance(value, str) else value for key, value in teacher.items()}
    assert refused(client.post("/v1/distillations", json=body(given)), 422, code)["pointer"] == pointer


def test_an_endpoint_on_the_public_internet_may_teach(client: httpx.Client) -> None:
    secret = upload(client, b'{"Authorization": "Bearer x"}', "s.json", "secret")
    teacher = {"source": "http", "url": "https://teacher.example/v1", "headers": secret}
    job = client.post("/v1/distillations", json=body(teacher))
    assert job.status_code == 202, job.text
    assert "Bearer" not in client.get(f"/v1/jobs/{job.json()['id']}/request").text
    refused(client.delete(f"/v1/files/{secret}"), 409, "file_in_use")


def test_a_secret_is_never_shown(client: httpx.Client) -> None:
    secret = upload(client, b'{"Authorization": "Bearer x"}', "s.json", "secret")
    refused(client.get(f"/v1/files/{secret}/content"), 403, "secret")
    assert "Bearer" not in client.get(f"/v1/files/{secret}").text
