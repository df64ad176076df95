"""`kill -9` of any process, and of all: the job succeeds, and its student is bit for bit the one of an unbroken run.

`make test-chaos`; some minutes. Real processes, the embedded service, real training.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.testing.service import Service, running, wait_for, wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

LONG_JOB: dict[str, Any] = {
    "dataset": {"source": "builtin", "name": "digits", "labelled": 50},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [256, 256]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
    "training": {"epochs": 250, "batch_size": 64, "learning_rate": 0.01, "seed": 3},
    "evaluation": {"baseline": True, "seeds": 2},
}
WITHIN_BUDGET: dict[str, Any] = {
    "dataset": {"source": "builtin", "name": "iris", "labelled": 15},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [64, 64]}},
    "student": {"budget": {"times_smaller": 20}, "compare": False},
    "training": {"epochs": 60, "batch_size": 16, "learning_rate": 0.01, "seed": 3},
    "evaluation": {"seeds": 2, "baseline": False},
}
BELL: dict[str, Any] = {
    "circuit": {
        "format": "json",
        "qubits": 2,
        "operations": [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}],
    },
    "seed": 7,
}


SHORTENING: dict[str, Any] = json.loads((Path(__file__).parents[2] / "examples" / "shorten-circuit.json").read_text())
SHOTS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "examples" / "learn-shots.json").read_text())
SHOTS["training"] = {"epochs": 60, "patience": None, "seed": 5}
SHORTENING["training"] = {"steps": 800, "seed": 5}
SHORTENING["student"]["architecture"]["layers"] = {"from": 4, "to": 5}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "data") as started:
        yield started


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The weights hash of the student that nobody disturbed."""
    with running(tmp_path_factory.mktemp("unbroken")) as started:
        client = started.client
        job = wait_for(client, client.submit(LONG_JOB), "succeeded", "failed")
        assert job["status"] == "succeeded", job["error"]
        assert job["attempts"] == 1
        return str(job["result"]["student_sha256"])


def amid_student(service: Service) -> Callable[[], bool]:
    """Whether the job is in the middle of training a student, with a state to resume from."""

    def reached() -> bool:
        progress = service.client.get("/v1/jobs")["data"][0]["progress"] or {"phase": "", "done": 0}
        saved = any((service.data_dir / "store" / "jobs").glob("*/*/state/state"))
        return saved and progress["phase"].startswith("student") and progress["done"] > 20

    return reached


def kill_training(service: Service) -> None:
    service.kill("workers.child", "distillation")


def kill_worker(service: Service) -> None:
    service.kill("workers", "distillation")


def kill_api(service: Service) -> None:
    service.kill("api")


def kill_everything(service: Service) -> None:
    service.kill_everything()
    service.start()


@pytest.mark.parametrize(
    ("kill", "attempts"), [(kill_training, 2), (kill_worker, 2), (kill_api, 1), (kill_everything, 2)]
)
def test_the_job_succeeds_with_the_same_weights(
    service: Service, unbroken: str, kill: Callable[[Service], None], attempts: int
) -> None:
    client = service.client
    job = client.submit(LONG_JOB)
    wait_until(amid_student(service))
    kill(service)
    job = wait_for(client, job, "succeeded", "failed")
    assert job["status"] == "succeeded", job["error"]
    assert job["result"]["student_sha256"] == unbroken
    assert job["attempts"] == attempts
    content = client.get(job["links"]["checkpoints"])["data"]
    assert unbroken in {checkpoint["sha256"] for checkpoint in content}


def test_a_circuit_made_shorter_is_the_same_one_after_a_kill(service: Service) -> None:
    client = service.client

    certificates: list[str] = []

    def finished(job: Any) -> tuple[Any, Any]:
        """(result, digests of what it left)."""
        job = wait_for(client, job, "succeeded", "failed")
        assert job["status"] == "succeeded", job["error"]
        exports = client.get(job["links"]["exports"])["data"]
        certificates.append(job["result"]["certificate"])
        return job["result"] | {"seconds": 0, "certificate": ""}, {
            export["name"]: export["sha256"] for export in exports
        }

    def amid_the_second_depth() -> bool:
        progress = client.get("/v1/jobs")["data"][0]["progress"] or {"phase": "", "done": 0}
        return bool(progress["phase"] == "5 layers" and progress["done"] > 20)

    unbroken = finished(client.submit(SHORTENING))
    job = client.submit(SHORTENING)
    wait_until(amid_the_second_depth)
    kill_training(service)
    assert finished(job) == unbroken
    assert client.get(job["links"]["self"])["attempts"] == 2
    queued = client.get("/v1/jobs?kind=circuit")["data"]
    assert {each["id"] for each in queued} == {*certificates}  # one for each, and none of the attempt that was killed
    found = [wait_for(client, each, "succeeded", "failed")["result"]["expectations"] for each in queued]
    assert found[0] == found[1]


def test_a_model_of_shots_is_the_same_one_after_a_kill(service: Service) -> None:
    client = service.client

    def finished(job: Any) -> tuple[Any, int]:
        """(result, attempts)."""
        job = wait_for(client, job, "succeeded", "failed")
        assert job["status"] == "succeeded", job["error"]
        return job["result"] | {"seconds": 0}, job["attempts"]

    def amid_student() -> bool:
        progress = client.get("/v1/jobs")["data"][0]["progress"] or {"phase": "", "done": 0}
        return bool(progress["phase"] == "student" and progress["done"] > 15)

    unbroken, _ = finished(client.submit(SHOTS))
    job = client.submit(SHOTS)
    wait_until(amid_student)
    kill_training(service)
    assert finished(job) == (unbroken, 2)


def test_a_student_that_a_budget_chose_is_the_same_one_after_a_kill_amid_the_choice(service: Service) -> None:
    client = service.client

    def finished(job: Any) -> tuple[Any, Any, int]:
        """(its student, what was tried of it, attempts)."""
        job = wait_for(client, job, "succeeded", "failed")
        assert job["status"] == "succeeded", job["error"]
        budget = client.get(job["links"]["report"])["budget"]
        tried = [{name: each[name] for name in each if name != "latency_ms"} for each in budget["candidates"]]
        return job["result"]["student_sha256"], (tried, budget["why"]), job["attempts"]

    def amid_candidates() -> bool:
        progress = client.get("/v1/jobs")["data"][0]["progress"] or {"phase": ""}
        named, _, number = progress["phase"].partition("/")[0].partition(" ")
        return named == "candidate" and int(number) > 3

    *unbroken, _ = finished(client.submit(WITHIN_BUDGET))
    job = client.submit(WITHIN_BUDGET)
    wait_until(amid_candidates)
    kill_training(service)
    *after, attempts = finished(job)
    assert (after, attempts) == (unbroken, 2)


def test_stopping_in_good_order_counts_no_attempt_and_loses_nothing(service: Service, unbroken: str) -> None:
    client = service.client
    job = client.submit(LONG_JOB)
    wait_until(amid_student(service))
    assert service.stop() == 0
    service.start()
    job = wait_for(client, job, "succeeded", "failed")
    assert (job["status"], job["attempts"]) == ("succeeded", 1)
    assert job["result"]["student_sha256"] == unbroken


def test_pause_and_resume_end_with_the_same_weights(service: Service, unbroken: str) -> None:
    client = service.client
    job = client.submit(LONG_JOB)
    wait_until(amid_student(service))
    client.ask(job, "pause")
    wait_for(client, job, "paused")
    client.ask(job, "resume")
    job = wait_for(client, job, "succeeded", "failed")
    assert (job["status"], job["attempts"]) == ("succeeded", 1)
    assert job["result"]["student_sha256"] == unbroken


def test_a_cancelled_training_lets_go_and_the_worker_goes_on(service: Service) -> None:
    client = service.client
    job = client.submit(LONG_JOB)
    wait_until(lambda: service.processes("workers.child", "distillation"))
    client.ask(job, "cancel")
    assert wait_for(client, job, "cancelled")["result"] is None
    wait_until(lambda: not service.processes("workers.child", "distillation"))
    short = LONG_JOB | {"training": {"epochs": 2}, "evaluation": {"seeds": 1}}
    assert wait_for(client, client.submit(short), "succeeded", "failed")["status"] == "succeeded"


def test_a_circuit_whose_child_is_killed_runs_again_and_the_worker_lives(service: Service) -> None:
    client = service.client
    worker = service.processes("workers", "circuits")[0].pid
    first = wait_for(client, client.submit(BELL), "succeeded")
    service.kill("workers.child", "circuit")
    second = wait_for(client, client.submit(BELL), "succeeded", "failed")
    assert second["status"] == "succeeded"
    assert client.get(second["links"]["histogram"])["counts"] == client.get(first["links"]["histogram"])["counts"]
    assert service.processes("workers", "circuits")[0].pid == worker


def test_a_training_over_its_memory_fails_alone(tmp_path: Path) -> None:
    with running(tmp_path / "data", QSTILL_DISTILLATION_MEMORY_BYTES=str(64 << 20)) as service:
        client = service.client
        job = wait_for(client, client.submit(LONG_JOB), "succeeded", "failed")
        assert (job["status"], job["error"]["code"]) == ("failed", "memory_limit")
        assert wait_for(client, client.submit(BELL), "succeeded", "failed")["status"] == "succeeded"


def test_a_training_over_its_time_fails_alone(tmp_path: Path) -> None:
    with running(tmp_path / "data", QSTILL_DISTILLATION_SECONDS="3") as service:
        client = service.client
        job = wait_for(client, client.submit(LONG_JOB), "succeeded", "failed")
        assert (job["status"], job["error"]["code"]) == ("failed", "time_limit")


def test_a_watcher_sees_every_event_once_through_a_restart_of_the_api(service: Service) -> None:
    client = service.client
    job = client.submit(LONG_JOB | {"training": {"epochs": 60, "seed": 1}})
    seen, killed = [], False
    for kind, event in client.events(job):
        if kind != "progress":
            seen.append(event["seq"])
        if len(seen) > 8 and not killed:
            kill_api(service)
            killed = True
    assert killed
    assert seen == list(range(1, len(seen) + 1))
    assert client.get(job["links"]["self"])["status"] == "succeeded"
