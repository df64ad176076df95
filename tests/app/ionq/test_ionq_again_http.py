"""Sending a request again, and a job again: idempotency, clones and moves."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qstill.contract.kinds import Queue
from tests.app.ionq.answers import refused_as_by_ionq
from tests.app.ionq.asking import BELL, get, submit
from tests.testing.examples import examples
from tests.testing.in_process import Service, Worker

Json = dict[str, Any]

QASM = {
    "type": "ionq.qasm3.v1",
    "backend": "simulator",
    "input": {"qubits": 1, "data": "OPENQASM 3.0; qubit q; bit c; U(pi, 0, pi) q; c = measure q;"},
}
SEVERAL = {
    "type": "ionq.multi-circuit.v1",
    "backend": "simulator",
    "input": {"qubits": 1, "circuits": [{"name": "one", "circuit": []}, {"circuit": [{"gate": "h", "target": 0}]}]},
}
SUMS = {
    "gate": "pauliexp",
    "targets": [0, 1],
    "terms": ["XX", "ZI", "YY"],
    "coefficients": [0.1, 0.2, 0.3],
    "time": 1.0,
}
AGAIN = {"Idempotency-Key": "once"}


def again(client: httpx.Client, job_id: str, how: str = "clone", **changes: Any) -> str:
    answer = client.post(f"jobs/{job_id}/{how}", json=changes)
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"id", "status", "session_id"}
    return str(answer.json()["id"])


def spec(service: Service, job_id: str) -> Json:
    found: Json = service.client.get(f"/v1/jobs/{job_id}/request").json()
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(6), deadline=None)
@given(body=st.sampled_from([BELL, QASM, SEVERAL]), times=st.integers(2, 4))
def test_a_body_sent_again_with_its_key_is_the_same_job(ionq: httpx.Client, body: Json, times: int) -> None:
    before = {job["id"] for job in ionq.get("jobs").json()["jobs"]}
    key = uuid4().hex  # an example may come twice
    answers = [ionq.post("jobs", json=body, headers={"Idempotency-Key": key}) for _ in range(times)]
    (made,) = {answer.json()["id"] for answer in answers}
    assert {answer.status_code for answer in answers} == {201}
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, *["true"] * (times - 1)]
    assert {job["id"] for job in ionq.get("jobs").json()["jobs"]} - before == {made}


def test_without_a_key_every_request_is_a_job(ionq: httpx.Client) -> None:
    """Who runs a circuit twice wants two samples."""
    assert submit(ionq) != submit(ionq)


def test_a_key_is_for_one_request(ionq: httpx.Client) -> None:
    made = ionq.post("jobs", json=BELL, headers=AGAIN).json()["id"]
    error = refused_as_by_ionq(ionq.post("jobs", json=BELL | {"shots": 5}, headers=AGAIN), 400)
    assert "Idempotency-Key" in error["message"]
    refused_as_by_ionq(ionq.post(f"jobs/{made}/clone", json={}, headers=AGAIN), 400)
    twice = [ionq.post(f"jobs/{made}/clone", json={}, headers={"Idempotency-Key": "two"}).json() for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0]["id"] != made


@pytest.mark.parametrize(
    "body", [BELL, QASM, SEVERAL, BELL | {"input": {"qubits": 3, "circuit": [SUMS, {"gate": "x", "target": 2}]}}]
)
def test_a_clone_has_the_input_of_its_source_and_what_was_asked_with_it(
    ionq: httpx.Client, service: Service, body: Json
) -> None:
    asked = {
        "name": "first",
        "shots": 300,
        "metadata": {"a": "b"},
        "settings": {"compilation": {"opt": 1}},
        "noise": {"model": "aria-1", "seed": 7},
    }
    source = submit(ionq, body | asked)
    copy = again(ionq, source)
    assert copy != source
    assert spec(service, copy) == spec(service, source)
    once, twice = get(ionq, source), get(ionq, copy)
    own = {"id", "submitted_at", "child_job_ids"}
    assert {name: once[name] for name in set(once) - own} == {name: twice[name] for name in set(once) - own}
    assert spec(service, again(ionq, copy)) == spec(service, source)


def test_a_clone_may_differ_in_what_it_names(ionq: httpx.Client, service: Service) -> None:
    source = submit(ionq, BELL | {"noise": {"model": "aria-1"}})
    session = ionq.post("sessions", json={"backend": "simulator"}).json()["id"]
    changes = {
        "backend": "qpu.forte-1",
        "shots": 17,
        "name": "other",
        "metadata": {"c": "d"},
        "settings": {"error_mitigation": {"debiasing": True}},
        "session_id": session,
        "parent": "ignored",
    }
    copy = get(ionq, again(ionq, source, **changes))
    assert {name: copy[name] for name in changes if name != "parent"} == {
        name: value for name, value in changes.items() if name != "parent"
    }
    assert any("simulated" in message for message in copy["warning"]["messages"])
    made = spec(service, copy["id"])
    assert (made["shots"], made["noise"], made["circuit"]) == (
        17,
        {"model": "forte-1"},
        spec(service, source)["circuit"],
    )
    ideal = spec(service, again(ionq, source, noise={"model": "ideal"}))
    assert "noise" not in ideal
    assert get(ionq, source)["backend"] == "simulator"


def test_what_a_clone_asks_for_is_checked_as_a_new_job_is(ionq: httpx.Client) -> None:
    wide = submit(ionq, BELL | {"input": {"qubits": 12, "circuit": [{"gate": "h", "target": 11}]}})
    error = refused_as_by_ionq(ionq.post(f"jobs/{wide}/clone", json={"backend": "qpu.harmony"}), 400)
    assert "11 qubits" in error["message"]
    for changes in ({"backend": "qpu.none"}, {"shots": 0}, {"noise": {"model": "loud"}}, {"session_id": "no"}):
        refused_as_by_ionq(ionq.post(f"jobs/{wide}/clone", json=changes))
    refused_as_by_ionq(ionq.post(f"jobs/job_{'0' * 32}/clone", json={}), 404)
    several = submit(ionq, SEVERAL)
    refused_as_by_ionq(ionq.post(f"jobs/{several}-0/clone", json={}), 400)


def test_another_owners_job_cannot_be_cloned(service: Service, ionq: httpx.Client) -> None:
    source = submit(ionq)
    _, token = service.make_key("laptop")
    ionq.headers["Authorization"] = f"apiKey {token}"
    refused_as_by_ionq(ionq.post(f"jobs/{source}/clone", json={}), 404)
    refused_as_by_ionq(ionq.post(f"jobs/{source}/move", json={}), 404)


def test_moving_a_job_cancels_it_and_says_where_the_new_one_came_from(ionq: httpx.Client, service: Service) -> None:
    source = submit(ionq)
    moved = get(ionq, again(ionq, source, "move", backend="qpu.aria-1"))
    assert get(ionq, source)["status"] == "canceled"
    assert (moved["status"], moved["backend"]) == ("ready", "qpu.aria-1")
    assert moved["metadata"] == BELL["metadata"] | {"original_job_id": source}  # type: ignore[operator]
    assert spec(service, moved["id"])["circuit"] == spec(service, source)["circuit"]


def test_a_job_that_has_ended_is_not_moved_and_leaves_no_other(ionq: httpx.Client, worker: Worker) -> None:
    source = submit(ionq)
    worker.run_circuit({"00": 1000})
    refused_as_by_ionq(ionq.post(f"jobs/{source}/move", json={}), 400)
    assert [job["id"] for job in ionq.get("jobs").json()["jobs"]] == [source]


def test_a_job_that_cannot_be_queued_elsewhere_is_not_canceled(ionq: httpx.Client, worker: Worker) -> None:
    source = submit(ionq)
    refused_as_by_ionq(ionq.post(f"jobs/{source}/move", json={"session_id": "none"}), 404)
    assert get(ionq, source)["status"] == "ready"
    assert worker.claim(Queue.CIRCUITS).job_id == source
