"""/v1/circuits over HTTP: submitting and waiting. The worker computes nothing."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.testing.in_process import BELL, Service, Worker, refused, running, until

COUNTS = {"00": 507, "01": 3, "11": 490}


def submit(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post("/v1/circuits", json=BELL, headers=headers)


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
    assert set(job["links"]) == {
        "self",
        "events",
        "request",
        "histogram",
        "histogram_svg",
        "histogram_png",
        "results",
        "diagram",
    }


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
