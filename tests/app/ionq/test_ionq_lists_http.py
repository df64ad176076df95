"""Jobs of the IonQ door are listed, canceled and deleted."""

from typing import Any

import httpx
from sqlalchemy import func, select

from ledger import attempts
from ledger.tables import ionq_jobs, jobs
from qstill.contract.kinds import Queue
from tests.app.ionq.answers import refused_as_by_ionq
from tests.app.ionq.asking import BELL, COUNTS, get, submit
from tests.testing.in_process import Service, Worker


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
