"""/v1/distillations and /v1/checkpoints over HTTP. The worker computes nothing."""

import base64
import hashlib
from typing import Any

import httpx
import pytest

from qstill.contract.kinds import Queue
from tests.testing.in_process import BELL, DIGITS, Json, Service, Worker, refused, sha256

CONTENT = bytes(range(256)) * 1000
NOBODY = "0" * 32


def submit(client: httpx.Client) -> Json:
    answer = client.post("/v1/distillations", json=DIGITS)
    assert answer.status_code == 202, answer.text
    job: Json = answer.json()
    return job


def checkpoint(client: httpx.Client, worker: Worker) -> Json:
    """A checkpoint of a finished job, as its owner sees it."""
    submit(client)
    [found] = worker.run_distillation(CONTENT)
    view: Json = client.get(f"/v1/checkpoints/{found}").json()
    return view


def test_a_submission_is_accepted_and_says_where_its_job_is(client: httpx.Client) -> None:
    answer = client.post("/v1/distillations", json=DIGITS, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 202
    job = answer.json()
    assert (job["kind"], job["status"]) == ("distillation", "queued")
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert set(job["links"]) == {
        "self",
        "events",
        "request",
        "checkpoints",
        "exports",
        "report",
        "card",
        "plots",
        "split",
    }
    again = client.post("/v1/distillations", json=DIGITS, headers={"Idempotency-Key": "k"})
    assert (again.json(), again.headers["idempotency-replayed"]) == (job, "true")
    refused(client.post("/v1/circuits", json=BELL, headers={"Idempotency-Key": "k"}), 422, "idempotency_key_reused")


def test_the_request_is_kept_with_its_defaults(client: httpx.Client) -> None:
    kept = client.get(submit(client)["links"]["request"]).json()
    assert kept["training"]["epochs"] == 40
    assert kept["objective"] == {"kind": "kd", "temperature": 4.0, "alpha": 0.9}
    again = client.post("/v1/distillations", json=kept).json()
    assert client.get(again["links"]["request"]).json() == kept


def test_checkpoints_are_listed_while_they_are_made(client: httpx.Client, worker: Worker) -> None:
    job = submit(client)
    assert client.get(job["links"]["checkpoints"]).json()["data"] == []
    held = worker.claim(Queue.DISTILLATION)
    ids = [worker.publish(held, "checkpoint", name, name.encode(), role=name) for name in ("teacher", "student")]
    worker.publish(held, "state", "state", b"not for clients")
    page = client.get(job["links"]["checkpoints"]).json()
    assert [each["id"] for each in page["data"]] == ids
    assert (page["first_id"], page["last_id"], page["has_more"]) == (*ids, False)
    first = page["data"][0]
    assert client.get(first["links"]["self"]).json() == first
    assert (first["job"], first["name"], first["meta"]) == (job["id"], "teacher", {"role": "teacher"})
    assert (first["bytes"], first["sha256"]) == (7, sha256(b"teacher"))


def test_only_checkpoints_are_checkpoints(client: httpx.Client, worker: Worker) -> None:
    submit(client)
    held = worker.claim(Queue.DISTILLATION)
    state = worker.publish(held, "state", "state", b"not for clients")
    refused(client.get(f"/v1/checkpoints/{state.replace('art_', 'ckpt_')}"), 404, "checkpoint_not_found")
    refused(client.get(f"/v1/checkpoints/{state}"), 422, "validation_failed")


def test_a_report_is_there_once_the_job_succeeded(client: httpx.Client, worker: Worker) -> None:
    job = submit(client)
    refused(client.get(job["links"]["report"]), 409, "no_result_yet")
    worker.run_distillation()
    answer = client.get(job["links"]["report"])
    assert answer.json() == {"verdict": "BEATS"}
    assert answer.headers["etag"] == f'"{sha256(b"""{"verdict": "BEATS"}""")}"'


def test_a_job_that_published_no_report_has_none(client: httpx.Client, worker: Worker) -> None:
    job = submit(client)
    worker.finish(worker.claim(Queue.DISTILLATION), {})
    refused(client.get(job["links"]["report"]), 404, "not_found")


def test_a_circuit_is_no_distillation(client: httpx.Client) -> None:
    job = client.post("/v1/circuits", json=BELL).json()
    for part in ("checkpoints", "report"):
        refused(client.get(f"/v1/distillations/{job['id']}/{part}"), 404, "job_not_found")


def test_the_content_comes_whole_with_what_to_check_it_by(client: httpx.Client, worker: Worker) -> None:
    found = checkpoint(client, worker)
    answer = client.get(found["links"]["content"])
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["etag"] == f'"{found["sha256"]}"' == client.get(found["links"]["self"]).headers["etag"]
    digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == f'attachment; filename="{found["id"]}.safetensors"'


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=255000-", 255_000, 256_000),
        ("bytes=-5", 255_995, 256_000),
        ("bytes=255999-999999999", 255_999, 256_000),
        ("BYTES=1-2", 1, 3),
    ],
)
def test_a_range_is_that_part(client: httpx.Client, worker: Worker, wanted: str, start: int, stop: int) -> None:
    found = checkpoint(client, worker)
    answer = client.get(found["links"]["content"], headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (206, CONTENT[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"
    assert answer.headers["etag"] == f'"{found["sha256"]}"'
    assert "repr-digest" in answer.headers


@pytest.mark.parametrize("wanted", ["bytes=256000-", "bytes=999999-1000000", f"bytes={'9' * 4000}-"])
def test_a_range_beyond_the_end_is_refused_with_the_size(client: httpx.Client, worker: Worker, wanted: str) -> None:
    found = checkpoint(client, worker)
    answer = client.get(found["links"]["content"], headers={"Range": wanted})
    refused(answer, 416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("wanted", ["bytes", "bytes=", "bytes=x-y", "bytes=5-1", f"bytes={'9' * 5000}-"])
def test_a_range_that_is_none_is_refused(client: httpx.Client, worker: Worker, wanted: str) -> None:
    found = checkpoint(client, worker)
    refused(client.get(found["links"]["content"], headers={"Range": wanted}), 400, "bad_request")


def test_a_download_goes_on_only_if_the_content_is_the_same(client: httpx.Client, worker: Worker) -> None:
    found = checkpoint(client, worker)
    for tag, status in ((f'"{found["sha256"]}"', 206), ('"other"', 200), (f'W/"{found["sha256"]}"', 200)):
        answer = client.get(found["links"]["content"], headers={"Range": "bytes=1-", "If-Range": tag})
        assert answer.status_code == status


@pytest.mark.parametrize("have", ['"{tag}"', 'W/"{tag}"', '"x", "{tag}"', "*"])
def test_content_that_the_client_has_is_not_sent_again(client: httpx.Client, worker: Worker, have: str) -> None:
    found = checkpoint(client, worker)
    answer = client.get(found["links"]["content"], headers={"If-None-Match": have.format(tag=found["sha256"])})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == f'"{found["sha256"]}"'


def test_content_whose_bytes_are_gone_says_so(client: httpx.Client, worker: Worker, service: Service) -> None:
    found = checkpoint(client, worker)
    service.front.store.delete(f"jobs/{found['job']}")
    refused(client.get(found["links"]["content"]), 410, "content_gone")


@pytest.mark.parametrize("path", ["/v1/checkpoints/{}", "/v1/checkpoints/{}/content"])
def test_an_id_that_names_nothing_is_not_found_and_no_id_at_all_is_refused(client: httpx.Client, path: str) -> None:
    refused(client.get(path.format(f"ckpt_{NOBODY}")), 404, "checkpoint_not_found")
    for wrong in ("x", f"job_{NOBODY}", f"ckpt_{NOBODY}0", f"ckpt_{'G' * 32}", f"ckpt_{NOBODY}%00"):
        problem = refused(client.get(path.format(wrong)), 422, "validation_failed")
        assert problem["errors"][0]["parameter"] == "checkpoint_id"


@pytest.mark.parametrize(
    ("part", "purpose"), [("dataset", "dataset"), ("teacher", "teacher"), ("soft labels", "soft_labels")]
)
def test_a_job_that_needs_a_file_names_the_file_that_is_not_there(
    client: httpx.Client, part: str, purpose: str
) -> None:
    file = f"file_{NOBODY}"
    parts = {
        "dataset": {"dataset": {"source": "file", "file": file}},
        "teacher": {"teacher": {"source": "file", "file": file, "architecture": {"kind": "mlp", "hidden": []}}},
        "soft labels": {"teacher": {"source": "soft_labels", "file": file, "kind": "logits"}},
    }
    problem = refused(client.post("/v1/distillations", json=DIGITS | parts[part]), 422, "file_not_found")
    assert problem["pointer"] == ("/dataset/file" if part == "dataset" else "/teacher/file")
    assert f"purpose={purpose}" in problem["try"][0]["path"]


@pytest.mark.parametrize("ensemble", [False, True])
def test_weights_without_their_architecture_are_told_which_field_lacks(client: httpx.Client, ensemble: bool) -> None:
    weights = {"source": "file", "format": "torch", "file": f"file_{NOBODY}"}
    members = [{"source": "train", "architecture": {"kind": "mlp", "hidden": []}}, weights]
    teacher = {"source": "ensemble", "members": members} if ensemble else weights
    problem = refused(client.post("/v1/distillations", json=DIGITS | {"teacher": teacher}), 422, "validation_failed")
    place = "/teacher/members/1" if ensemble else "/teacher"
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        (f"{place}/architecture", "architecture_needed")
    ]


@pytest.mark.parametrize("path", ["/v1/distillations", "/v1/distillations/preflight", "/v1/sweeps"])
def test_a_circuit_that_teaches_is_read_at_the_door(client: httpx.Client, path: str) -> None:
    base = {
        "dataset": {"source": "uniform", "ranges": [[0.0, 1.0]]},
        "teacher": {
            "source": "circuit",
            "circuit": {"format": "json", "qubits": 1, "operations": [{"gate": "ry", "target": 0, "rotation": "t"}]},
            "inputs": ["x0"],
            "observables": ["Z"],
        },
        "student": {"architecture": {"kind": "fourier"}},
        "objective": {"kind": "logit_mse"},
    }
    swept = path == "/v1/sweeps"
    body = {"base": base, "space": {"/student/architecture/frequencies": [1, 2]}} if swept else base
    problem = refused(client.post(path, json=body), 422, "unused_input")
    assert problem["pointer"] == f"{'/base' * swept}/teacher/inputs/0"
    assert problem["try"] == [{"inputs": ["t"]}]


def test_a_budget_stands_in_place_of_an_architecture(client: httpx.Client) -> None:
    job = client.post("/v1/distillations", json=DIGITS | {"student": {"budget": {"times_smaller": 10}}})
    assert job.status_code == 202
    assert job.json()["kind"] == "distillation"


@pytest.mark.parametrize(
    ("student", "place", "code"),
    [
        ({"budget": {}}, "/student/budget", "nothing_limited"),
        ({"budget": {"bytes": 900, "kilobytes": 1}}, "/student/budget/kilobytes", "extra_forbidden"),
        ({"budget": {"bytes": 900}, "architecture": {"kind": "mlp"}}, "/student/budget", "architecture_chosen"),
    ],
)
def test_a_budget_that_cannot_work_is_refused_where_it_stands(
    client: httpx.Client, student: dict[str, Any], place: str, code: str
) -> None:
    problem = refused(client.post("/v1/distillations", json=DIGITS | {"student": student}), 422, "validation_failed")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(place, code)]


def test_a_file_of_another_purpose_is_refused(client: httpx.Client) -> None:
    file = client.post("/v1/files", params={"purpose": "soft_labels", "name": "a.npy"}, content=b"\x93NUMPY").json()
    body = DIGITS | {"dataset": {"source": "file", "file": file["id"]}}
    assert refused(client.post("/v1/distillations", json=body), 422, "wrong_purpose")["pointer"] == "/dataset/file"
