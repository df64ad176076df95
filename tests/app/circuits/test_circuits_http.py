"""/v1/circuits over HTTP: submitting, waiting, and reading what came out. The worker computes nothing."""

import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.broker import CIRCUITS
from tests.app.http.in_process import BELL, DIGITS, Json, Service, Worker, refused, running, sha256, until

COUNTS = {"00": 507, "01": 3, "11": 490}


def submit(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post("/v1/circuits", json=BELL, headers=headers)


def finished(client: httpx.Client, worker: Worker, counts: dict[str, int] = COUNTS) -> Json:
    job: Json = submit(client).json()
    worker.run_circuit(counts)
    return job


def test_a_submission_is_accepted_and_says_where_its_job_is(client: httpx.Client) -> None:
    body = BELL | {"name": "bell", "labels": {"course": "qc101"}, "priority": 3}
    answer = client.post("/v1/circuits", json=body)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    read = client.get(answer.headers["location"])
    assert (read.json(), read.headers["etag"]) == (job, answer.headers["etag"])
    shown = {name: job[name] for name in ("object", "kind", "status", "name", "labels", "priority", "attempts")}
    assert shown == {
        "object": "job",
        "kind": "circuit",
        "status": "queued",
        "name": "bell",
        "labels": {"course": "qc101"},
        "priority": 3,
        "attempts": 0,
    }
    assert job["created_at"].endswith("Z")
    assert [job[name] for name in ("started_at", "finished_at", "progress", "result", "error")] == [None] * 5
    assert set(job["links"]) == {"self", "events", "request", "results", "histogram", "histogram_svg", "diagram"}


def test_the_request_is_kept_with_its_defaults_and_the_seed_that_was_drawn(client: httpx.Client) -> None:
    job = client.post("/v1/circuits", json={"circuit": BELL["circuit"]}).json()
    kept = client.get(job["links"]["request"]).json()
    assert kept["shots"] == 1000
    assert 0 <= kept["seed"] < 2**48
    again = client.post("/v1/circuits", json=kept).json()
    assert client.get(again["links"]["request"]).json() == kept


@pytest.mark.parametrize("prefer", ["wait=30", "respond-async, wait=30", "wait=30; x=y"])
def test_a_wait_that_suffices_answers_with_the_finished_job(
    client: httpx.Client, worker: Worker, service: Service, prefer: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(submit, client, Prefer=prefer)
        until(lambda: len(client.get("/v1/jobs").json()["data"]) == 1)
        worker.run_circuit(COUNTS)
        answer = waiting.result()
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.headers["preference-applied"] == "wait"
    assert answer.json() == client.get(answer.headers["location"]).json()


def test_a_wait_that_does_not_suffice_answers_with_the_queued_job(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("short"), max_wait_seconds=0.05) as service:
        answer = submit(service.client, Prefer="wait=999999")
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
        assert "preference-applied" not in answer.headers
        assert service.client.get(answer.headers["location"], headers={"Prefer": "wait=1"}).status_code == 200


@pytest.mark.parametrize("prefer", ["wait=0", "wait=-1", "wait=x", "wait=1e9", "await=5", ""])
def test_what_is_no_wish_to_wait_is_ignored(client: httpx.Client, prefer: str) -> None:
    assert submit(client, Prefer=prefer).status_code == 202


def test_too_many_who_wait_are_answered_at_once_and_lose_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("full"), max_streams=0) as service:
        answer = submit(service.client, Prefer="wait=30")
        assert answer.status_code == 202
        assert service.client.get(answer.headers["location"], headers={"Prefer": "wait=30"}).status_code == 200


def test_a_job_deleted_while_somebody_waits_for_it_is_not_found(
    client: httpx.Client, worker: Worker, service: Service
) -> None:
    job = submit(client).json()
    with ThreadPoolExecutor(1) as pool:
        client.post(f"{job['links']['self']}/pause")
        waiting = pool.submit(client.get, job["links"]["self"], headers={"Prefer": "wait=30"})
        until(lambda: service.front.tailer._count == 1)
        service.front.database.write(lambda connection: connection.exec_driver_sql("DELETE FROM jobs"))
        refused(waiting.result(), 404, "job_not_found")


def test_the_same_idempotency_key_is_the_same_job(client: httpx.Client, worker: Worker) -> None:
    first = submit(client, **{"Idempotency-Key": "bell-1"})
    again = submit(client, **{"Idempotency-Key": "bell-1"})
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    worker.run_circuit(COUNTS)
    finished = submit(client, **{"Idempotency-Key": "bell-1"})
    assert (finished.status_code, finished.json()["status"]) == (200, "succeeded")
    assert submit(client, **{"Idempotency-Key": "bell-2"}).json()["id"] != first.json()["id"]


def test_an_idempotency_key_belongs_to_one_request(client: httpx.Client) -> None:
    first = submit(client, **{"Idempotency-Key": "k"}).json()
    other = client.post("/v1/circuits", json=BELL | {"shots": 5}, headers={"Idempotency-Key": "k"})
    assert refused(other, 422, "idempotency_key_reused")["try"] == [{"job": first["id"]}]
    assert len(client.get("/v1/jobs").json()["data"]) == 1


@pytest.mark.parametrize("key", ["", "a b", "a" * 256, "ä".encode("latin-1")])
def test_an_idempotency_key_is_short_and_printable(client: httpx.Client, key: str) -> None:
    answer = client.post("/v1/circuits", json=BELL, headers={"Idempotency-Key": key})
    assert refused(answer, 422, "validation_failed")["errors"][0]["parameter"] == "idempotency-key"


def test_an_owner_with_too_many_unfinished_jobs_waits(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("backlog"), max_queued_per_owner=0) as service:
        answer = submit(service.client)
        refused(answer, 429, "too_many_jobs")
        assert int(answer.headers["retry-after"]) > 0
        assert service.client.get("/v1/jobs").json()["data"] == []


def test_a_replay_is_answered_however_many_jobs_there_are(
    service: Service, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = submit(client, **{"Idempotency-Key": "k"}).json()
    monkeypatch.setattr(service.front.backlog, "_limit", 0)
    assert submit(client, **{"Idempotency-Key": "k"}).json()["id"] == first["id"]
    refused(submit(client), 429, "too_many_jobs")


def test_a_histogram_has_counts_probabilities_and_intervals(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker)
    answer = client.get(job["links"]["histogram"])
    histogram = answer.json()
    assert (histogram["shots"], histogram["clbits"], histogram["bit_order"]) == (1000, 2, "little")
    assert histogram["counts"] == COUNTS
    assert histogram["probabilities"] == {"00": 0.507, "01": 0.003, "11": 0.49}
    assert [outcome["key"] for outcome in histogram["outcomes"]] == ["00", "11", "01"]
    assert all(outcome["low"] < outcome["probability"] < outcome["high"] for outcome in histogram["outcomes"])
    assert histogram["other"] is None
    assert answer.headers["etag"].startswith('"')


def test_a_histogram_reads_from_either_end_and_sums_up_the_rest(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker, {"001": 600, "011": 300, "111": 100})
    histogram = client.get(job["links"]["histogram"], params={"bit_order": "big", "top": 1}).json()
    assert (histogram["bit_order"], histogram["counts"]) == ("big", {"100": 600})
    other = histogram["other"]
    assert (other["outcomes"], other["count"], other["probability"]) == (2, 400, 0.4)


def test_pictures_stand_alone(client: httpx.Client, worker: Worker) -> None:
    body = BELL | {"name": "<b>&\"'"}
    job = client.post("/v1/circuits", json=body).json()
    worker.run_circuit(COUNTS)
    for link in ("histogram_svg", "diagram"):
        answer = client.get(job["links"][link])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        root = ElementTree.fromstring(answer.text)  # noqa: S314  # our own answer
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "<b>" not in answer.text
    little, big = (
        client.get(job["links"]["histogram_svg"], params={"bit_order": order}) for order in ("little", "big")
    )
    assert "rightmost" in little.text
    assert "leftmost" in big.text


def test_a_diagram_that_the_client_has_is_not_sent_again(client: httpx.Client, worker: Worker) -> None:
    job = finished(client, worker)
    first = client.get(job["links"]["diagram"])
    assert first.headers["etag"] == f'"{sha256(first.content)}"'
    again = client.get(job["links"]["diagram"], headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("link", ["histogram", "histogram_svg", "diagram"])
def test_a_job_without_a_result_says_so(client: httpx.Client, worker: Worker, link: str) -> None:
    job = submit(client).json()
    problem = refused(client.get(job["links"][link]), 409, "no_result_yet")
    assert problem["try"][0]["path"] == job["links"]["self"]
    client.post(f"{job['links']['self']}/cancel")
    refused(client.get(job["links"][link]), 409, "no_result")


@pytest.mark.parametrize("link", ["histogram", "histogram_svg", "diagram"])
def test_a_job_that_published_nothing_has_nothing_to_show(client: httpx.Client, worker: Worker, link: str) -> None:
    job = submit(client).json()
    worker.finish(worker.claim(CIRCUITS), {})
    refused(client.get(job["links"][link]), 404, "not_found")


@pytest.mark.parametrize(
    ("link", "query", "parameter"),
    [
        ("histogram", "bit_order=middle", "bit_order"),
        ("histogram", "top=0", "top"),
        ("histogram", "top=1000001", "top"),
        ("histogram", "top=many", "top"),
        ("histogram_svg", "top=65", "top"),
        ("histogram_svg", "bit_order=", "bit_order"),
    ],
)
def test_a_wrong_question_names_its_parameter(
    client: httpx.Client, worker: Worker, link: str, query: str, parameter: str
) -> None:
    job = finished(client, worker)
    problem = refused(client.get(f"{job['links'][link]}?{query}"), 422, "validation_failed")
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    assert "pointer" not in problem


def test_a_distillation_is_no_circuit(client: httpx.Client) -> None:
    job = client.post("/v1/distillations", json=DIGITS).json()
    for part in ("histogram", "histogram.svg", "diagram.svg"):
        refused(client.get(f"/v1/circuits/{job['id']}/{part}"), 404, "job_not_found")
