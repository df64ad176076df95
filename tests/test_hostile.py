"""Hostile circuits over HTTP: refused at the door, or the child ends, the worker lives and the next job runs.

The service's limits are small here, so that breaking one takes seconds.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.testing.hostile import (
    AT_THE_DOOR,
    BELL,
    HOSTILE_NOISE,
    entangled,
    json_circuit,
)
from tests.testing.service import Job, Service, running, wait_for, wait_until

MEBIBYTE = 2**20
LIMITS = {"QSTILL_CIRCUIT_SECONDS": "3", "QSTILL_CIRCUIT_MEMORY_BYTES": str(700 * MEBIBYTE)}

pytestmark = [pytest.mark.service, pytest.mark.timeout(300), pytest.mark.xdist_group("hostile")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("hostile") / "data", **LIMITS) as service:
        yield service


def asked(service: Service, job: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{service.address}/v1/circuits", json=job, timeout=30)


@pytest.mark.parametrize("name", AT_THE_DOOR)
def test_it_is_refused_at_the_door(service: Service, name: str) -> None:
    circuit, code = AT_THE_DOOR[name]
    answer = asked(service, {"circuit": circuit})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["pointer"].startswith("/circuit")


@pytest.mark.parametrize("name", HOSTILE_NOISE)
def test_noise_is_refused_at_the_door(service: Service, name: str) -> None:
    noise, code = HOSTILE_NOISE[name]
    answer = asked(service, {"circuit": json_circuit(2, BELL), "noise": noise})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"].startswith("/noise/gates")


def test_what_would_work_instead_is_said(service: Service) -> None:
    answer = httpx.post(f"{service.address}/v1/circuits", json={"circuit": entangled(40)})
    told = {way["method"]: way["why_not"] for way in answer.json()["ruled_out"]}
    assert "is not a Clifford gate" in told["stabilizer"]
    assert "16 TiB" in answer.json()["title"]


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/x-python-pickle", "multipart/form-data"])
def test_bytes_are_never_read_as_a_circuit(service: Service, kind: str) -> None:
    pickled = b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94."
    answer = httpx.post(f"{service.address}/v1/circuits", content=pickled, headers={"Content-Type": kind})
    assert answer.status_code in (415, 422)


SLOW = json_circuit(  # 18 qubits that 40 measurements keep apart: an hour of branches
    18,
    [
        {"gate": "ry", "targets": list(range(18)), "rotation": 0.9},
        *(
            operation
            for i in range(40)
            for operation in (
                {"gate": "measure", "target": i % 18, "clbit": i},
                {"gate": "ry", "target": i % 18, "rotation": 0.9},
                {"gate": "x", "target": (i + 1) % 18, "control": i % 18},
            )
        ),
    ],
)
LARGE = json_circuit(  # its branches together hold more than one of them was admitted for
    22, [{"gate": "ry", "targets": list(range(22)), "rotation": 0.9}, *SLOW["operations"][1:]]
)


@pytest.mark.parametrize(("circuit", "codes"), [(SLOW, {"time_limit"}), (LARGE, {"memory_limit", "time_limit"})])
def test_a_circuit_beyond_its_limits_ends_its_child_and_the_next_job_runs(
    service: Service, circuit: dict[str, Any], codes: set[str]
) -> None:
    client = service.client
    job = wait_for(client, client.submit({"circuit": circuit, "shots": 100_000}), "succeeded", "failed")
    assert job["status"] == "failed"
    assert job["error"]["code"] in codes
    _the_next_job_runs(service)


def test_a_child_that_dies_again_and_again_fails_its_job_alone(service: Service) -> None:
    client = service.client
    job = client.submit({"circuit": SLOW, "shots": 100_000})
    for attempt in (1, 2):
        wait_until(lambda: _is_running(service, job, attempt=attempt))  # noqa: B023  # asked at once
        service.kill("workers.child", "circuit")
    failed = wait_for(client, job, "failed", "succeeded")
    assert (failed["status"], failed["error"]["code"], failed["attempts"]) == ("failed", "child_died", 2)
    _the_next_job_runs(service)


COMPILED_FOR_LONG = {  # far apart on a line: seconds of routing
    "circuit": json_circuit(90, [{"gate": "z", "target": a, "control": b} for a in range(90) for b in range(a)]),
    "device": {"coupling_map": {"shape": "line", "qubits": 90}, "optimization_level": 3},
}


@pytest.mark.parametrize("question", ["/estimate", "/convert?to=json&compiled=true", "?dry_run=true"])
def test_a_child_that_dies_over_a_question_ends_that_question_alone(service: Service, question: str) -> None:
    worker = service.processes("workers", "questions")[0].pid
    url = f"{service.address}/v1/circuits{question}"
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(httpx.post, url, json=COMPILED_FOR_LONG, timeout=60)
        wait_until(lambda: _inspections(service) == ["running"])
        service.kill("workers.child", "circuit")
        answer = asked.result()
    assert (answer.status_code, answer.json()["code"]) == (422, "child_died")
    assert answer.json()["title"].startswith("The process that computed this died: ")
    assert httpx.post(url, json={"circuit": json_circuit(2, BELL), "device": {}}, timeout=60).status_code == 200
    assert _inspections(service) == []
    assert service.processes("workers", "questions")[0].pid == worker


def _inspections(service: Service) -> list[str]:
    """The states of the questions in the ledger."""
    with contextlib.closing(sqlite3.connect(service.data_dir / "ledger.db")) as ledger:
        return [status for (status,) in ledger.execute("SELECT status FROM jobs WHERE queue = 'questions'")]


def _is_running(service: Service, job: Job, *, attempt: int) -> bool:
    seen = service.client.get(job["links"]["self"])
    begun = (seen["status"], seen["attempts"]) == ("running", attempt)
    return begun and bool(service.processes("workers.child", "circuit"))


def _the_next_job_runs(service: Service) -> None:
    client = service.client
    following = wait_for(client, client.submit({"circuit": json_circuit(2, BELL)}), "succeeded", "failed")
    assert following["status"] == "succeeded", following["error"]
