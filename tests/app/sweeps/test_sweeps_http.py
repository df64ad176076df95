"""/v1/sweeps over HTTP. The worker computes nothing."""

import json
import re
from typing import Any

import httpx
import pytest

from qstill.contract.kinds import Queue
from tests.testing.in_process import DIGITS, Json, Worker, refused

SPACE: Json = {"/objective/temperature": [1.0, 4.0], "/training/learning_rate": [0.003, 0.01]}
SWEEP: Json = {"base": DIGITS, "space": SPACE}


def trial(number: int, **changes: Any) -> Json:
    return {
        "object": "trial",
        "number": number,
        "setting": {"/objective/temperature": 4.0},
        "status": "complete",
        "reason": None,
        "accuracy": 0.9 + number / 100,
        "worth": 0.9 + number / 100,
        "negative_log_likelihood": 0.2,
        "accuracies": [0.9 + number / 100],
        "epochs": [3],
        "parameters": 1210,
        "bytes": 5000 + 100 * number,
        "latency_ms": 0.03,
        "stacked": True,
    } | changes


def submit(client: httpx.Client) -> Json:
    answer = client.post("/v1/sweeps", json=SWEEP)
    assert answer.status_code == 202, answer.text
    job: Json = answer.json()
    return job


def test_a_sweep_is_a_job(client: httpx.Client) -> None:
    job = submit(client)
    assert (job["kind"], job["status"]) == ("sweep", "queued")
    assert set(job["links"]) == {"self", "events", "request", "trials", "checkpoints", "pareto", "pareto_svg"}
    assert [each["id"] for each in client.get("/v1/jobs", params={"kind": "sweep"}).json()["data"]] == [job["id"]]
    kept = client.get(job["links"]["request"]).json()
    again = client.post("/v1/sweeps", json=kept)
    assert again.status_code == 202, again.text
    assert client.get(again.json()["links"]["request"]).json() == kept
    cancelled = client.post(f"{job['links']['self']}/cancel").json()
    assert cancelled["status"] == "cancelled"


def test_trials_are_paged_while_it_runs_and_the_front_is_there_at_the_end(client: httpx.Client, worker: Worker) -> None:
    job = submit(client)
    links = job["links"]
    assert client.get(links["trials"]).json()["data"] == []
    held = worker.claim(Queue.DISTILLATION)
    rows = [trial(0), trial(1), trial(2, status="failed", reason="it diverged", accuracy=None, bytes=None)]
    worker.publish(held, "report", "trials.json", json.dumps(rows).encode())
    page = client.get(links["trials"], params={"limit": 2}).json()
    assert ([each["number"] for each in page["data"]], page["has_more"]) == ([0, 1], True)
    rest = client.get(links["trials"], params={"after": page["last_id"]}).json()
    assert ([each["number"] for each in rest["data"]], rest["has_more"]) == ([2], False)
    refused(client.get(links["pareto"]), 409, "no_result_yet")
    refused(client.get(links["pareto_svg"]), 409, "no_result_yet")
    worker.publish(held, "report", "pareto.json", json.dumps([trial(1, test_accuracy=0.88)]).encode())
    student = worker.publish(held, "checkpoint", "trial-1-student-seed-0.safetensors", b"weights", role="student")
    worker.finish(held, {"verdict": "BEATS"})
    published = client.get(links["checkpoints"]).json()
    assert ([each["id"] for each in published["data"]], published["has_more"]) == ([student], False)
    assert client.get(published["data"][0]["links"]["content"]).content == b"weights"
    refused(client.get(f"/v1/distillations/{job['id']}/checkpoints"), 404, "job_not_found")
    members = client.get(links["pareto"]).json()["data"]
    assert [(each["number"], each["test_accuracy"]) for each in members] == [(1, 0.88)]
    picture = client.get(links["pareto_svg"])
    assert picture.headers["content-type"] == "image/svg+xml"
    titles = re.findall("<title[^>]*>(.*?)</title>", picture.text)
    assert len(titles) == 1 + 2
    assert titles[0] == "Pareto front: 1 of 2 complete trials"


def test_other_kinds_have_no_trials(client: httpx.Client) -> None:
    job = client.post("/v1/distillations", json=DIGITS).json()
    for part in ("trials", "checkpoints", "pareto", "pareto.svg"):
        refused(client.get(f"/v1/sweeps/{job['id']}/{part}"), 404, "job_not_found")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"space": {"/dataset/name": ["iris"]}}, "/space/~1dataset~1name"),
        ({"space": {"/training/seed": [1, 2]}}, "/space/~1training~1seed"),
        ({"space": {"/training/speed": [1, 2]}}, "/space/~1training~1speed/0"),
        (
            {"space": {"/training/epochs": {"low": 5, "high": 9}}, "search": "random", "trials": 2},
            "/space/~1training~1epochs/integer",
        ),
        ({"space": {"/objective/temperature": [1.0, 4.0, -1.0]}}, "/space/~1objective~1temperature/2"),
        ({"space": {"/objective/alpha": ["much"]}}, "/space/~1objective~1alpha/0"),
        ({"space": {"/objective/alpha": []}}, "/space/~1objective~1alpha"),
        ({"space": {"/objective/alpha": {"low": 0.1, "high": 0.9}}}, "/space/~1objective~1alpha"),
        ({"space": {"/objective/alpha": {"values": [0.1, 0.9]}}}, "/space/~1objective~1alpha"),
        ({"space": {"/objective/alpha": 0.1}}, "/space/~1objective~1alpha"),
        ({"space": {"/objective/alpha": {"low": 0.1, "high": 1.9}}, "search": "random", "trials": 3},
         "/space/~1objective~1alpha/high"),
        ({"space": {"/objective/alpha": {"low": 0.9, "high": 0.1}}, "search": "random", "trials": 3},
         "/space/~1objective~1alpha/high"),
        ({"space": {"/training/learning_rate": {"low": 0, "high": 0.1, "log": True}}, "search": "random", "trials": 3},
         "/space/~1training~1learning_rate/low"),
        ({"space": {"/objective": [{"kind": "kd"}], "/objective/alpha": [0.5]}}, "/space/~1objective~1alpha"),
        ({"space": {"/training/warm_up": [0, 30], "/training/epochs": [20, 40]}}, "/space"),
        ({"search": "random"}, "/search"),
        ({"trials": 3}, "/trials"),
        ({"space": {}}, "/space"),
        ({"space": {"/objective/alpha": [0.5] * 40, "/training/weight_decay": [0.0] * 40}}, "/space"),
        ({"base": DIGITS | {"student": {"architecture": {"kind": "mlp", "hidden": [0]}}}},
         "/base/student/architecture/hidden/0"),
        ({"base": DIGITS | {"teacher": {"source": "model", "model": "model_" + "0" * 32}}}, "/base/teacher/model"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused_with_its_place(client: httpx.Client, change: Json, pointer: str) -> None:
    answer = client.post("/v1/sweeps", json=SWEEP | change)
    assert answer.status_code in (404, 422), answer.text
    document = answer.json()
    places = [document.get("pointer"), *(fault.get("pointer") for fault in document.get("errors", []))]
    assert pointer in places, document
