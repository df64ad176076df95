"""The IonQ door over HTTP: what its clients ask in the way they ask it, and the traps that each of them sets."""

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.ionq.answers import SHOTS_V2, STATUS
from app.ionq.endpoints import jobs as held
from ledger import attempts
from ledger.machine import Status
from ledger.tables import ionq_jobs, jobs
from qstill.contract.circuits.results.document import results_json
from qstill.contract.errors import Problem
from qstill.contract.kinds import Queue
from tests.app.ionq.answers import refused_as_by_ionq
from tests.app.ionq.asking import BELL, HEADERS, get, submit
from tests.testing.in_process import Listening, Service, Worker, running
from tests.testing.stored_counts import results

TWO = {
    "type": "ionq.multi-circuit.v1",
    "backend": "simulator",
    "shots": 10,
    "noise": {"model": "aria-1", "seed": None},
    "input": {"qubits": 1, "circuits": [{"name": "one", "circuit": []}, {"name": "two", "circuit": []}]},
}
COUNTS = {"00": 507, "11": 493}

Json = dict[str, Any]


def absolute(url: str) -> str:
    """Clients take the urls of results from the root of the host."""
    return f"http://localhost:8400{url}"


def finish_two(worker: Worker) -> None:
    held = worker.claim(Queue.CIRCUITS)
    written = results_json([results({"0": 10}), results({"0": 4, "1": 6})])
    worker.publish(held, "results", "results.json", written.encode())
    worker.finish(held, {"shots": 10})


def test_a_job_from_its_submission_to_its_shots(ionq: httpx.Client, worker: Worker) -> None:
    job_id = submit(ionq)
    assert get(ionq, job_id)["status"] == "ready"
    assert get(ionq, job_id)["results"] is None
    worker.run_circuit(COUNTS)
    job = get(ionq, job_id)
    assert (job["id"], job["status"], job["type"]) == (job_id, "completed", "ionq.circuit.v1")
    assert (job["metadata"], job["settings"], job["output"]) == (BELL["metadata"], BELL["settings"], {})
    assert (job["name"], job["shots"], job["stats"]) == ("bell", 1000, {"qubits": 2, "circuits": 1})
    results = f"/v0.4/jobs/{job_id}/results"
    assert {name: found["url"] for name, found in job["results"].items()} == {
        "probabilities": f"{results}/probabilities",
        "shots": f"{results}/shots",
        SHOTS_V2: f"/v0.4/jobs/{job_id}/artifacts/shots.v2",
    }
    found = ionq.get(absolute(job["results"]["probabilities"]["url"]), params={"sharpen": "True"}).json()
    assert found == {"0": 0.507, "3": 0.493}
    shots = ionq.get(absolute(job["results"]["shots"]["url"])).json()
    assert (len(shots), set(shots), shots.count("0")) == (1000, {"0", "3"}, 507)
    registers = ionq.get(f"jobs/{job_id}/artifacts/{job['results'][SHOTS_V2]['id']}").json()["shots"]
    assert [shot["registers"]["meas"] for shot in registers] == [[1, 1] if shot == "3" else [0, 0] for shot in shots]
    assert ionq.get(f"jobs/{job_id}/artifacts/shots").json() == shots
    assert ionq.get(f"jobs/{job_id}/artifacts/probabilities").json() == found
    assert ionq.get(f"jobs/{job_id}/results/probabilities/aggregated").json() == {job_id: found}


def test_every_field_that_strict_models_need_is_there_at_all_times(ionq: httpx.Client, worker: Worker) -> None:
    needed = {
        *("id", "type", "backend", "name", "status", "metadata", "settings", "output", "stats", "dry_run"),
        *("submitter_id", "project_id", "parent_job_id", "session_id", "submitted_at", "started_at", "completed_at"),
        *("predicted_wait_time_ms", "predicted_execution_duration_ms", "execution_duration_ms", "failure"),
        *("child_job_ids", "results"),
    }
    job_id = submit(ionq)
    assert needed <= set(get(ionq, job_id))
    worker.run_circuit(COUNTS)
    assert needed <= set(get(ionq, job_id))
    assert get(ionq, job_id)["execution_duration_ms"] >= 0


def test_several_circuits_have_children_with_results_of_their_own(ionq: httpx.Client, worker: Worker) -> None:
    job_id = submit(ionq, TWO)
    finish_two(worker)
    parent = get(ionq, job_id)
    one, two = parent["child_job_ids"]
    assert (parent["stats"], parent["noise"]) == ({"qubits": 1, "circuits": 2}, {"model": "aria-1"})
    by_url = ionq.get(absolute(parent["results"]["probabilities"]["url"])).json()
    assert list(by_url.items()) == [(one, {"0": 1.0}), (two, {"0": 0.4, "1": 0.6})]  # in the order sent
    assert ionq.get(f"jobs/{job_id}/results/probabilities").json() == by_url
    child = get(ionq, two)
    assert (child["parent_job_id"], child["name"], child["child_job_ids"]) == (job_id, "two", None)
    assert (child["status"], child["stats"]["circuits"]) == ("completed", 1)
    assert ionq.get(absolute(child["results"]["probabilities"]["url"])).json() == {"0": 0.4, "1": 0.6}
    assert sorted(ionq.get(absolute(child["results"]["shots"]["url"])).json()) == ["0"] * 4 + ["1"] * 6
    assert set(parent["results"]) == {"probabilities"}
    refused_as_by_ionq(ionq.get(f"jobs/{job_id}-2"), 404)
    refused_as_by_ionq(ionq.get(f"jobs/{job_id}/results/shots"), 404)
    refused_as_by_ionq(ionq.put(f"jobs/{one}/status/cancel"), 400)
    refused_as_by_ionq(ionq.delete(f"jobs/{one}"), 400)


def test_one_circuit_of_a_job_of_several_is_a_child_too(ionq: httpx.Client, worker: Worker) -> None:
    body = TWO | {"input": {"circuits": [{"circuit": [{"gate": "h", "targets": [0, 1]}]}]}}
    job_id = submit(ionq, body)
    worker.run_circuit(COUNTS)
    results = get(ionq, job_id)["results"]
    assert ionq.get(absolute(results["probabilities"]["url"])).json() == {f"{job_id}-0": {"0": 0.507, "3": 0.493}}
    shots = ionq.get(absolute(results["shots"]["url"])).json()  # where Qiskit looks for those of one circuit
    assert (len(shots), shots.count("3")) == (1000, 493)
    assert shots == ionq.get(f"jobs/{job_id}-0/results/shots").json()
    assert len(ionq.get(f"jobs/{job_id}/artifacts/{results[SHOTS_V2]['id']}").json()["shots"]) == 1000


def test_a_poll_holds_until_the_job_has_ended(on_the_wire: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """Qiskit sleeps for five seconds after an answer that is not final."""
    monkeypatch.setattr(held, "HOLD_SECONDS", 600.0)
    with httpx.Client(base_url=f"{on_the_wire.url}/v0.4/", headers=HEADERS, timeout=30) as client:
        job_id = submit(client)
        threading.Timer(0.3, on_the_wire.worker.run_circuit, [COUNTS]).start()
        assert get(client, job_id)["status"] == "completed"


def test_cirq_is_held_shortly_because_it_reads_a_job_before_it_returns_from_creating_it(
    on_the_wire: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "HOLD_SECONDS", 600.0)
    cirq = {"User-Agent": "cirq/1.7.0 (python/3.11)"}
    with httpx.Client(base_url=f"{on_the_wire.url}/v0.4/", headers=cirq, timeout=30) as client:
        assert get(client, submit(client))["status"] == "ready"


def test_what_a_worker_notes_is_a_warning_of_the_job_and_of_each_circuit(ionq: httpx.Client, worker: Worker) -> None:
    """Qiskit and Cirq show warnings to people."""
    job_id = submit(ionq, TWO)
    assert "warning" not in get(ionq, job_id)
    note = "Exact probabilities are too many."
    worker.finish(worker.claim(Queue.CIRCUITS), {"shots": 10, "notes": [note]})
    assert [get(ionq, own)["warning"] for own in (job_id, f"{job_id}-0", f"{job_id}-1")] == [{"messages": [note]}] * 3


def test_every_state_of_ours_has_a_word_of_theirs() -> None:
    assert set(STATUS) == set(Status)
    assert "running" not in STATUS.values()  # which Qiskit cannot read


def test_a_failed_job_says_why(ionq: httpx.Client, worker: Worker) -> None:
    job_id = submit(ionq)
    held = worker.claim(Queue.CIRCUITS)
    assert get(ionq, job_id)["status"] == "started"
    slow = Problem("time_limit", "The job ran longer than the 600 s that one may take.")
    worker.database.write(lambda connection: attempts.fail(connection, held, slow))
    job = get(ionq, job_id)
    title = slow.title
    assert job["failure"] == {"code": "SimulationTimeout", "error": title, "message": title}
    assert (job["status"], job["results"]) == ("failed", None)
    refused_as_by_ionq(ionq.get(f"jobs/{job_id}/results/probabilities"), 404)


def test_canceling(ionq: httpx.Client, worker: Worker) -> None:
    waiting, finished = submit(ionq), submit(ionq)
    assert ionq.put(f"jobs/{waiting}/status/cancel").json() == {"id": waiting, "status": "canceled"}
    assert ionq.put(f"jobs/{waiting}/status/cancel").json()["status"] == "canceled"  # again
    assert get(ionq, waiting)["status"] == "canceled"
    worker.run_circuit(COUNTS)
    refused_as_by_ionq(ionq.put(f"jobs/{finished}/status/cancel"), 400)
    assert get(ionq, finished)["status"] == "completed"
    other, running = submit(ionq), submit(ionq)
    worker.claim(Queue.CIRCUITS)
    ids = [other, running, finished, "nonsense"]
    assert ionq.put("jobs/status/cancel", json={"ids": ids}).json() == {"ids": [other, running], "status": "canceled"}
    assert get(ionq, running)["status"] == "canceled"  # at once, though its worker has still to let go


def test_deleting(ionq: httpx.Client, service: Service, worker: Worker) -> None:
    finished, waiting, third = (submit(ionq) for _ in range(3))
    worker.run_circuit(COUNTS)
    for job_id in (finished, waiting):
        assert ionq.delete(f"jobs/{job_id}").json() == {"id": job_id, "status": "deleted"}
        refused_as_by_ionq(ionq.get(f"jobs/{job_id}"), 404)
        refused_as_by_ionq(ionq.delete(f"jobs/{job_id}"), 404)
        assert service.client.get(f"/v1/jobs/{job_id}").status_code == 404
    answer = ionq.request("DELETE", "jobs", json={"ids": [third, finished, "x"]})
    assert answer.json() == {"ids": [third], "status": "deleted"}
    assert ionq.get("jobs").json()["jobs"] == []


def test_a_running_job_is_hidden_when_it_is_deleted_and_purged_once_it_let_go(
    ionq: httpx.Client, service: Service, worker: Worker
) -> None:
    job_id = submit(ionq)
    held = worker.claim(Queue.CIRCUITS)
    assert ionq.delete(f"jobs/{job_id}").json()["status"] == "deleted"
    refused_as_by_ionq(ionq.get(f"jobs/{job_id}"), 404)
    assert ionq.get("jobs").json()["jobs"] == []
    worker.database.write(lambda connection: attempts.release(connection, held))
    ionq.delete(f"jobs/{submit(ionq)}")
    count = worker.database.read(lambda c: c.scalar(select(func.count()).select_from(jobs)))
    assert count == worker.database.read(lambda c: c.scalar(select(func.count()).select_from(ionq_jobs))) == 0


def test_pages(ionq: httpx.Client) -> None:
    ids = [submit(ionq) for _ in range(5)][::-1]
    first = ionq.get("jobs", params={"limit": 2}).json()
    assert ([job["id"] for job in first["jobs"]], first["next"]) == (ids[:2], ids[1])
    second = ionq.get("jobs", params={"limit": 2, "next": first["next"]}).json()
    last = ionq.get("jobs", params={"limit": 2, "next": second["next"]}).json()
    assert ([job["id"] for job in last["jobs"]], last["next"]) == (ids[4:], None)  # ionq-core needs the key


def test_cirq_is_not_sent_round_in_circles(ionq: httpx.Client) -> None:
    """It takes `next: null` for another page, and sends its limit as the body of a GET."""
    ids = [submit(ionq) for _ in range(3)][::-1]
    cirq = {"User-Agent": "cirq/1.7.0 (python/3.11)"}
    answer = ionq.request("GET", "jobs", json={"limit": 1000}, headers=cirq).json()
    assert [job["id"] for job in answer["jobs"]] == ids
    assert "next" not in answer
    answer = ionq.request("GET", "jobs", json={"limit": 1000}, params={"limit": 2}, headers=cirq).json()
    assert answer["next"] == ids[1]


def test_lists_can_be_narrowed_down(ionq: httpx.Client, worker: Worker) -> None:
    done, noisy, waiting = submit(ionq), submit(ionq, BELL | {"backend": "qpu.forte-1"}), submit(ionq)
    worker.run_circuit(COUNTS)

    def listed(**query: Any) -> list[str]:
        return [job["id"] for job in ionq.get("jobs", params=query).json()["jobs"]]

    assert listed(status="completed") == [done]
    assert listed(status="ready") == listed(status="queued") == [waiting, noisy]  # Qiskit's sessions say queued
    assert listed(status="submitted") == []
    assert listed(target="qpu.forte-1") == [noisy]
    assert listed(ids=[done, waiting]) == listed(ids=f"{done},{waiting}") == [waiting, done]
    assert listed(ids="") == [waiting, noisy, done]
    assert listed(session_id="session_none") == []
    refused_as_by_ionq(ionq.get("jobs", params={"status": "running"}), 400)


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


def test_a_job_of_this_door_is_one_of_ours(ionq: httpx.Client, service: Service, worker: Worker) -> None:
    job_id = submit(ionq)
    worker.run_circuit(COUNTS)
    assert service.client.get(f"/v1/circuits/{job_id}/histogram").json()["counts"] == COUNTS
    assert service.client.get(f"/v1/jobs/{job_id}").json()["name"] == "bell"
    ours = service.client.post("/v1/circuits", json={"circuit": {"format": "json", "qubits": 1, "operations": []}})
    refused_as_by_ionq(ionq.get(f"jobs/{ours.json()['id']}"), 404)
    assert service.client.delete(f"/v1/jobs/{job_id}").status_code == 204
    refused_as_by_ionq(ionq.get(f"jobs/{job_id}"), 404)


def test_too_many_unfinished_jobs_are_refused_and_may_be_tried_again(tmp_path: Path) -> None:
    with running(tmp_path / "few", max_queued_per_owner=1, max_wait_seconds=0.01) as few:
        first = few.client.post("/v0.4/jobs", json=BELL).json()["id"]
        few.front.backlog._counts.clear()
        answer = few.client.post("/v0.4/jobs", json=BELL)
        assert answer.headers["Retry-After"]
        refused_as_by_ionq(answer, 429)
        for _ in range(50):
            assert few.client.get(f"/v0.4/jobs/{first}").status_code == 200  # PennyLane asks a hundred times a second


def test_a_dry_run_has_no_results(ionq: httpx.Client, worker: Worker) -> None:
    job_id = submit(ionq, BELL | {"dry_run": True})
    worker.run_circuit({"00": 1})
    job = get(ionq, job_id)
    assert (job["status"], job["dry_run"], job["results"], job["shots"]) == ("completed", True, None, 1000)
    native = {"id": "native", "format": "ionq.native.v1", "media_type": "application/json"}
    assert job["output"] == {"compilation": {"compiled_circuits": {"ionq.native.v1": native}}}
    refused = ionq.get(f"jobs/{job_id}/artifacts/native")  # no worker is there to compile it
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    refused_as_by_ionq(ionq.get(f"jobs/{job_id}/artifacts/shots"), 404)
    assert ionq.get(f"jobs/{job_id}/cost").json()["dry_run"] is True


@pytest.mark.parametrize("dry_run", [True, False])
def test_compiled_circuits_are_of_single_circuits_of_gates(ionq: httpx.Client, worker: Worker, dry_run: bool) -> None:
    program = {"type": "ionq.qasm3.v1", "backend": "simulator", "input": {"data": "OPENQASM 3.0; qubit q;"}}
    several, written = (submit(ionq, body | {"dry_run": dry_run}) for body in (TWO, program))
    finish_two(worker)
    worker.run_circuit({"0": 1})
    assert [bool(get(ionq, own)["output"]) for own in (several, f"{several}-1", written)] == [False, dry_run, False]
    for own in (several, written):
        refused_as_by_ionq(ionq.get(f"jobs/{own}/artifacts/native"), 404)
