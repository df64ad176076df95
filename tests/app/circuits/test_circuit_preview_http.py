"""Estimates and conversions over HTTP, with a worker that answers what the test says."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from app.circuits.past_estimates import FEW
from ledger import attempts
from ledger.attempts import Claim
from ledger.reaper import reap
from ledger.tables import jobs
from qstill.contract.circuits.cost.estimates import CircuitEstimate, Findings
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT_QUESTION, Queue
from tests.testing.in_process import BELL, Json, Service, refused, running

PATIENCE = 0.05  # seconds, for a worker that never answers
FINDINGS = Findings(
    circuits=[
        CircuitEstimate(
            runs=1,
            qubits=2,
            active_qubits=2,
            clbits=2,
            operations=2,
            two_qubit_gates=1,
            depth=3,
            gate_counts={"h": 1, "cx": 1, "measure": 2},
            dynamic=False,
            noisy_locations=0,
            compiled=None,
            method="stabilizer",
            why="all gates Clifford",
            memory_bytes=4,
            predicted_seconds=0.01,
            methods=[],
        )
    ],
    predicted_seconds=0.01,
)


@contextlib.contextmanager
def answering(service: Service, outcome: Json | Problem, *, of: int = 1) -> Iterator[list[Claim]]:
    """A worker that ends the first of the queue's jobs so, once there are as many; yields what it was given."""
    held: list[Claim] = []

    def work() -> None:
        database = service.front.database
        deadline = time.monotonic() + 30
        while rows(service) < of and time.monotonic() < deadline:
            time.sleep(0.005)
        held.append(service.worker.claim(Queue.QUESTIONS))
        if isinstance(outcome, Problem):
            database.write(lambda connection: attempts.fail(connection, held[0], outcome))
        else:
            database.write(lambda connection: attempts.finish(connection, held[0], outcome))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield held
    finally:
        thread.join()


def rows(service: Service) -> int:
    counted = select(func.count()).select_from(jobs)
    return service.front.database.read(lambda connection: connection.scalar(counted)) or 0


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "impatient", max_wait_seconds=PATIENCE) as made:
        yield made


@pytest.mark.parametrize("path", ["/v1/circuits/estimate", "/v1/circuits?dry_run=true"])
def test_an_estimate_is_the_workers_with_an_interval_and_leaves_nothing(service: Service, path: str) -> None:
    with answering(service, FINDINGS.model_dump(mode="json")) as held:
        answer = service.client.post(path, json=BELL)
    assert answer.status_code == 200
    found = answer.json()
    assert found["circuits"] == FINDINGS.model_dump(mode="json")["circuits"]
    assert found["low_seconds"] == pytest.approx(0.01 / 3)
    assert found["high_seconds"] == pytest.approx(0.03)
    assert found["calibration"]["basis"] == "default"
    assert (held[0].kind, held[0].spec["conversion"], held[0].spec["job"]["shots"]) == (CIRCUIT_QUESTION, None, 1000)
    assert rows(service) == 0


def test_past_jobs_calibrate_the_interval(service: Service) -> None:
    for _ in range(FEW):
        service.client.post("/v1/circuits", json=BELL)
        held = service.worker.claim(Queue.CIRCUITS)
        service.worker.finish(held, {"predicted_seconds": 0.001, "simulation_seconds": 0.002})
    with answering(service, FINDINGS.model_dump(mode="json"), of=FEW + 1):
        found = service.client.post("/v1/circuits/estimate", json=BELL).json()
    assert found["calibration"] == {
        "jobs": FEW, "median_ratio": 2.0, "low": 2.0, "high": 2.0, "basis": "history"
    }  # fmt: skip
    assert (found["low_seconds"], found["high_seconds"]) == (0.02, 0.02)


def test_a_question_waits_for_no_job_and_is_not_among_the_jobs(service: Service) -> None:
    service.client.post("/v1/circuits", json=BELL | {"priority": 100})
    with answering(service, FINDINGS.model_dump(mode="json"), of=2) as held:
        service.client.post("/v1/circuits/estimate", json=BELL)
    assert held[0].kind == CIRCUIT_QUESTION
    assert [job["kind"] for job in service.client.get("/v1/jobs").json()["data"]] == ["circuit"]


@pytest.mark.parametrize("path", ["/v1/circuits/estimate", "/v1/circuits/convert?to=svg", "/v1/circuits?dry_run=true"])
def test_without_a_worker_the_answer_is_503_and_nothing_is_left(impatient: Service, path: str) -> None:
    answer = impatient.client.post(path, json=BELL)
    refused(answer, 503, "no_worker_answered")
    assert int(answer.headers["retry-after"]) > 0
    assert rows(impatient) == 0


def test_a_worker_that_is_too_slow_is_told_to_stop_and_the_reaper_cleans_up(impatient: Service) -> None:
    held: list[Claim] = []
    thread = threading.Thread(target=lambda: held.append(_claim_when_there(impatient)))
    thread.start()
    refused(impatient.client.post("/v1/circuits/estimate", json=BELL), 503, "no_worker_answered")
    thread.join()
    front = impatient.front
    assert front.database.read(lambda connection: attempts.standing(connection, held[0])) == "cancelling"
    assert impatient.client.get("/v1/jobs").json()["data"] == []
    impatient.worker.finish(held[0], {})
    _reap(impatient)
    assert rows(impatient) == 1  # whoever asked may still read it
    front.database.write(
        lambda connection: connection.execute(update(jobs).values(finished_at=jobs.c.finished_at - 61))
    )
    _reap(impatient)
    assert rows(impatient) == 0


def _claim_when_there(service: Service) -> Claim:
    while True:
        held = service.front.database.write(
            lambda connection: attempts.claim(connection, Queue.QUESTIONS, "worker", 30.0)
        )
        if held is not None:
            return held
        time.sleep(0.002)


def _reap(service: Service) -> None:
    reap(service.front.database, service.front.store, lambda queue: None)


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (Problem("qasm_invalid", "Line 1: no such gate.", pointer="/circuit/source"), 422),
        (Problem("child_died", "The process died.", status=500), 422),
        (Problem("internal_error", "Nobody foresaw it.", status=500), 500),
        (Problem("worker_lost", "The worker died.", status=500), 503),
        (Problem("time_limit", "The job ran longer than it may.", status=422), 503),
    ],
)
def test_what_the_worker_complains_of_is_the_answer(service: Service, problem: Problem, status: int) -> None:
    with answering(service, problem):
        answer = service.client.post("/v1/circuits/estimate", json=BELL)
    document = refused(answer, status, problem.code)
    assert document.get("pointer") == problem.pointer
    assert (int(answer.headers.get("retry-after", 0)) > 0) == (status == 503)
    assert rows(service) == 0


def test_what_no_method_can_run_is_refused_without_asking_a_worker(impatient: Service) -> None:
    answer = impatient.client.post("/v1/circuits/estimate", json=too_much())
    document = refused(answer, 422, "needs_more_memory")
    assert document["ruled_out"][0]["method"] == "stabilizer"
    assert all("why_not" not in way for way in document["try"])


def test_what_no_method_can_run_is_converted(service: Service) -> None:
    with answering(service, {"text": "OPENQASM 3.0;"}):
        answer = service.client.post("/v1/circuits/convert?to=openqasm3", json={"circuit": too_much()["circuit"]})
    assert answer.text == "OPENQASM 3.0;"


def too_much() -> dict[str, Any]:
    pairs = [{"gate": "x", "control": a, "target": b} for a in range(45) for b in range(a)]
    turns = [{"gate": "rx", "target": q, "rotation": 0.3} for q in range(45)]
    return {"circuit": {"format": "json", "qubits": 45, "operations": turns + pairs + turns}}


@pytest.mark.parametrize(
    ("to", "media_type"),
    [
        ("openqasm3", "text/plain"),
        ("openqasm2", "text/plain"),
        ("json", "application/json"),
        ("svg", "image/svg+xml"),
        ("text", "text/plain"),
    ],
)
def test_a_conversion_has_its_media_type(service: Service, to: str, media_type: str) -> None:
    with answering(service, {"text": "what the worker wrote"}) as held:
        answer = service.client.post("/v1/circuits/convert", params={"to": to}, json={"circuit": BELL["circuit"]})
    assert (answer.status_code, answer.text) == (200, "what the worker wrote")
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert held[0].spec["conversion"] == {"to": to, "index": None, "compiled": False}


def test_the_circuit_of_a_job_is_converted_as_it_was_submitted(service: Service) -> None:
    job = service.client.post("/v1/circuits", json=BELL | {"device": {"coupling_map": [[0, 1]]}}).json()
    with answering(service, {"text": "q[0]"}, of=2) as held:
        answer = service.client.get(f"/v1/circuits/{job['id']}/circuit?to=text&compiled=true&index=0")
    assert (answer.status_code, answer.text) == (200, "q[0]")
    assert held[0].spec["job"]["circuit"] == BELL["circuit"]
    assert held[0].spec["job"]["device"]["coupling_map"] == [[0, 1]]
    assert held[0].spec["conversion"] == {"to": "text", "index": 0, "compiled": True}


@pytest.mark.parametrize(
    ("query", "code"),
    [("to=text&index=1", "no_such_circuit"), ("to=text&compiled=true", "no_device"), ("to=qpy", "validation_failed")],
)
def test_what_cannot_be_converted_is_refused_at_the_door(impatient: Service, query: str, code: str) -> None:
    refused(impatient.client.post(f"/v1/circuits/convert?{query}", json=BELL), 422, code)


def test_another_owners_circuit_is_not_there(service: Service) -> None:
    ada, eve = (service.connect(service.make_key(name)[1]) for name in ("ada", "eve"))
    job = ada.post("/v1/circuits", json=BELL).json()
    refused(eve.get(f"/v1/circuits/{job['id']}/circuit?to=text"), 404, "job_not_found")


def test_inspections_count_against_the_backlog(tmp_path: Path) -> None:
    with running(tmp_path / "data", max_queued_per_owner=1, max_wait_seconds=PATIENCE) as service:
        client: httpx.Client = service.client
        client.post("/v1/circuits", json=BELL)
        service.front.backlog._counts.clear()
        refused(client.post("/v1/circuits/estimate", json=BELL), 429, "too_many_jobs")
