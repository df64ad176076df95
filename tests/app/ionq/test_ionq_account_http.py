"""The IonQ door beside its jobs: machines, what is known of them, estimates and sessions."""

import time

import httpx

from tests.app.ionq.answers import refused_as_by_ionq
from tests.app.ionq.asking import BELL, get, submit


def test_machines_and_what_is_known_of_them(ionq: httpx.Client) -> None:
    names = [backend["backend"] for backend in ionq.get("backends").json()]
    assert names[0] == "simulator"
    for name in names:
        backend = ionq.get(f"backends/{name}").json()
        known = ionq.get(f"backends/{name}/characterizations", params={"limit": 1}).json()["characterizations"]
        assert backend["qubits"] >= 11
        assert len(known) == (name != "simulator")
        for one in known:
            assert one["id"] == backend["characterization_id"]
            assert ionq.get(f"backends/{name}/characterizations/{one['id']}").json() == one
            assert 0.9 < one["fidelity"]["2q"]["median"] < one["fidelity"]["1q"]["median"] < 1
            assert len(one["connectivity"]) == one["qubits"] * (one["qubits"] - 1) // 2
    current = ionq.get("calibrations/current").json()
    assert "." in current["date"]  # where Cirq splits it
    later = int(time.time() * 1000) + 60_000
    assert ionq.get("calibrations", params={"end": later}).json()["calibrations"] == [current]
    assert ionq.get("calibrations", params={"start": later}).json()["calibrations"] == []


def test_estimates_speak_to_both_generations_of_clients(ionq: httpx.Client) -> None:
    query = {"type": "ionq.circuit.v1", "backend": "qpu.aria-1", "1q_gates": 3, "2q_gates": 2, "qubits": 3, "shots": 9}
    answer = ionq.get("jobs/estimate", params=query | {"error_mitigation": "false", "session": "false"}).json()
    assert query.items() <= answer["input_values"].items()
    assert query.items() <= answer["estimate_context"].items()
    assert answer["estimated_cost"] == answer["estimated_total_cost"] == 0
    assert answer["estimated_execution_time"] == 1
    refused_as_by_ionq(ionq.get("jobs/estimate", params=query | {"qubits": 60}), 400)
    refused_as_by_ionq(ionq.delete("jobs/estimate"), 405)


def test_a_session_counts_its_jobs(ionq: httpx.Client) -> None:
    settings = {"job_count_limit": 2, "cost_limit": {"unit": "usd", "value": 3}}
    answer = ionq.post("sessions", json={"backend": "ionq_simulator", "settings": settings})
    session = answer.json()
    assert answer.status_code == 201
    assert (session["backend"], session["status"], session["active"]) == ("simulator", "created", True)
    inside = BELL | {"session_id": session["id"]}
    ids = [submit(ionq, inside), submit(ionq, inside)]
    refused_as_by_ionq(ionq.post("jobs", json=inside), 400)
    session = ionq.get(f"sessions/{session['id']}").json()
    assert session["status"] == session["state"] == "started"
    listed = ionq.get(f"sessions/{session['id']}/jobs").json()
    assert [job["id"] for job in listed["jobs"]] == ids[::-1]
    assert ionq.get("jobs", params={"session_id": session["id"]}).json() == listed
    assert ionq.get("sessions", params={"active": "true"}).json()["sessions"] == [session]
    ended = ionq.post(f"sessions/{session['id']}/end").json()
    assert (ended["status"], ended["active"]) == ("ended", False)
    assert ionq.post(f"sessions/{session['id']}/end").json() == ended
    refused_as_by_ionq(ionq.post("jobs", json=inside), 400)
    assert ionq.get("sessions", params={"active": "true"}).json()["sessions"] == []


def test_a_session_that_nobody_opened_takes_no_jobs(ionq: httpx.Client) -> None:
    refused_as_by_ionq(ionq.post("jobs", json=BELL | {"session_id": "session_x"}), 404)
    refused_as_by_ionq(ionq.post("sessions", json={"backend": "qpu.none"}), 400)
    refused_as_by_ionq(ionq.get("sessions/session_x"), 404)


def test_people_are_told_that_a_machine_is_simulated(ionq: httpx.Client) -> None:
    job = get(ionq, submit(ionq, BELL | {"backend": "qpu"}))
    assert job["backend"] == "qpu.aria-1"
    assert "simulated" in job["warning"]["messages"][0]
    assert "warning" not in get(ionq, submit(ionq))
