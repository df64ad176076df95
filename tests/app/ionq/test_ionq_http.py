"""The IonQ door over HTTP: what its clients ask in the way they ask it, and the traps that each of them sets."""

import threading
from typing import Any

import httpx
import pytest

from app.ionq.answers import SHOTS_V2, STATUS
from app.ionq.endpoints import jobs as held
from ledger import attempts
from qstill.contract.circuits.results.document import results_json
from qstill.contract.errors import Problem
from qstill.contract.kinds import Queue
from qstill.contract.status import Status
from tests.app.ionq.answers import refused_as_by_ionq
from tests.app.ionq.asking import BELL, COUNTS, HEADERS, get, submit
from tests.testing.in_process import Listening, Service, Worker
from tests.testing.stored_counts import results

TWO = {
    "type": "ionq.multi-circuit.v1",
    "backend": "simulator",
    "shots": 10,
    "noise": {"model": "aria-1", "seed": None},
    "input": {"qubits": 1, "circuits": [{"name": "one", "circuit": []}, {"name": "two", "circuit": []}]},
}
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


def test_a_job_of_this_door_is_one_of_ours(ionq: httpx.Client, service: Service, worker: Worker) -> None:
    job_id = submit(ionq)
    worker.run_circuit(COUNTS)
    assert service.client.get(f"/v1/circuits/{job_id}/histogram").json()["counts"] == COUNTS
    assert service.client.get(f"/v1/jobs/{job_id}").json()["name"] == "bell"
    ours = service.client.post("/v1/circuits", json={"circuit": {"format": "json", "qubits": 1, "operations": []}})
    refused_as_by_ionq(ionq.get(f"jobs/{ours.json()['id']}"), 404)
    assert service.client.delete(f"/v1/jobs/{job_id}").status_code == 204
    refused_as_by_ionq(ionq.get(f"jobs/{job_id}"), 404)


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
