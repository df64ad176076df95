"""What the IonQ door refuses, and from whom."""

import json
from pathlib import Path

import httpx
import pytest

from tests.app.ionq.answers import refused_as_by_ionq
from tests.app.ionq.asking import BELL, Json, get, submit
from tests.testing.in_process import Service, running


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "type"),
        ({**BELL, "type": "ionq.circuit.v9"}, "type"),
        ({**BELL, "backend": "qpu.nowhere"}, "backend"),
        ({**BELL, "shots": 0}, "shots"),
        ({**BELL, "input": {**BELL["input"], "qubits": 0}}, "input.qubits"),
        ({**BELL, "input": {**BELL["input"], "circuit": [{"gate": "x", "target": 9}]}}, "input.circuit.0.target"),
        ({**BELL, "noise": {"model": "loud"}}, "noise.model"),
    ],
)
def test_what_is_wrong_is_named_and_never_with_a_status_that_is_retried(
    ionq: httpx.Client, body: Json, key: str
) -> None:
    error = refused_as_by_ionq(ionq.post("jobs", json=body), 400)
    assert key in error["validation"]["keys"]


def test_the_door_has_one_form_for_all_errors(ionq: httpx.Client) -> None:
    unknown = f"job_{'0' * 32}"
    refused_as_by_ionq(ionq.get("nothing/here"), 404)
    refused_as_by_ionq(ionq.get("jobs/nonsense"), 404)
    refused_as_by_ionq(ionq.post("jobs", content="{", headers={"Content-Type": "application/json"}), 400)
    refused_as_by_ionq(ionq.patch("jobs"), 405)
    refused_as_by_ionq(ionq.post("jobs", content=b" " * (9 << 20)), 413)
    for path in (f"jobs/{unknown}", f"jobs/{unknown}/cost", f"jobs/{unknown}/results/shots", "backends/qpu.none"):
        refused_as_by_ionq(ionq.get(path), 404)


def test_a_body_need_not_say_that_it_is_json(ionq: httpx.Client) -> None:
    """PennyLane's does not."""
    assert ionq.post("jobs", content=json.dumps(BELL)).status_code == 201


@pytest.mark.parametrize(
    "origin",
    [
        *("https://elsewhere.example", "http://localhost", "http://localhost:3000", "https://localhost:8400"),
        *("http://127.0.0.1:8400", "http://localhost:8400.elsewhere.example", "null", "", "localhost:8400"),
    ],
)
def test_a_page_of_another_site_cannot_use_that(ionq: httpx.Client, origin: str) -> None:
    refused_as_by_ionq(ionq.post("jobs", content=json.dumps(BELL), headers={"Origin": origin}), 403)


def test_the_page_of_this_service_can(ionq: httpx.Client) -> None:
    """A browser names the page that posts; the documentation's may try what it documents."""
    assert ionq.post("jobs", json=BELL, headers={"Origin": "http://localhost:8400"}).status_code == 201
    elsewhere = {"Origin": "http://qstill.example:8400", "Host": "qstill.example:8400"}  # a name that was rebound
    refused_as_by_ionq(ionq.post("jobs", json=BELL, headers=elsewhere), 403)


def test_keys(service: Service, ionq: httpx.Client) -> None:
    job_id = submit(ionq)
    key_id, token = service.make_key("laptop")
    refused_as_by_ionq(ionq.get("jobs"), 401)
    assert "apiKey" in refused_as_by_ionq(ionq.get("jobs", headers={"Authorization": ""}), 401)["message"]
    assert ionq.get("backends/simulator", headers={"Authorization": ""}).status_code == 200  # asked without a key
    ionq.headers["Authorization"] = f"apiKey {token}"
    refused_as_by_ionq(ionq.get(f"jobs/{job_id}"), 404)  # another owner's
    assert ionq.get("jobs").json()["jobs"] == []
    who = ionq.get("whoami").json()
    assert (who["key_name"], who["key_id"].replace("-", "")) == ("laptop", key_id.removeprefix("key_"))
    own = submit(ionq)
    assert get(ionq, own)["submitter_id"] == who["key_id"]
    ours = service.connect(token)
    assert ours.get(f"/v1/jobs/{own}").json()["kind"] == "circuit"


def test_too_many_unfinished_jobs_are_refused_and_may_be_tried_again(tmp_path: Path) -> None:
    with running(tmp_path / "few", max_queued_per_owner=1, max_wait_seconds=0.01) as few:
        first = few.client.post("/v0.4/jobs", json=BELL).json()["id"]
        few.front.backlog._counts.clear()
        answer = few.client.post("/v0.4/jobs", json=BELL)
        assert answer.headers["Retry-After"]
        refused_as_by_ionq(answer, 429)
        for _ in range(50):
            assert few.client.get(f"/v0.4/jobs/{first}").status_code == 200  # PennyLane asks a hundred times a second
