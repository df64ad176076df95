"""The compose file as a user meets it: filled in, built, started, killed, taken down and started again.

`make compose-test`; minutes, and a Docker engine with Compose v2 or docker-compose 1.29. Containers, network and
volumes go at the end, whatever happens. The images stay, tagged `compose-test`: the next run builds in seconds.

The tests share one running service and run in the order of this file.
"""

import hashlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli.demo import DISTILLATION, GHZ
from qstill.contract.status import FINAL
from tests.compose.conftest import Timed

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
TAG = "compose-test"
READY_SECONDS = 120
JOB_SECONDS = 300

# About 20 s of one core: long enough to be killed in the middle.
LONG: dict[str, Any] = DISTILLATION | {
    "name": "long enough to be killed in the middle",
    "training": DISTILLATION["training"] | {"epochs": 500},
    "evaluation": {"baseline": False, "seeds": 1},
}

Job = dict[str, Any]


class Stack:
    """The services of the compose file under a project name of their own, and a client with the key."""

    def __init__(self, folder: Path, compose: list[str]) -> None:
        self.key = secrets.token_hex(24)
        self.address = f"http://127.0.0.1:{_free_port()}"
        filled_in = {
            "POSTGRES_PASSWORD": secrets.token_hex(24),
            "QSTILL_BOOTSTRAP_KEY": self.key,
            "QSTILL_PORT": self.address.rpartition(":")[2],
            "QSTILL_TAG": TAG,
        }
        text = (ROOT / ".env.example").read_text(encoding="utf-8")
        for name, value in filled_in.items():
            text, found = re.subn(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert found == 1, f"{name} is not in .env.example"
        (folder / ".env").write_text(text, encoding="utf-8")
        self.project = f"qstilltest{secrets.token_hex(4)}"
        self._compose = [*compose, "--project-directory", str(ROOT), "--file", str(ROOT / "docker-compose.yml")]
        self._compose += ["--env-file", str(folder / ".env"), "--project-name", self.project]
        # The environment wins over .env: what a person has set for a service of their own must not reach this one.
        self.environment = {name: value for name, value in os.environ.items() if name not in _names(text)}
        self.http = httpx.Client(
            base_url=self.address, headers={"Authorization": f"Bearer {self.key}"}, timeout=90, trust_env=False
        )

    def compose(self, *arguments: str) -> str:
        done = subprocess.run([*self._compose, *arguments], env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"compose {' '.join(arguments)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def up(self, *arguments: str) -> None:
        """Start what is not running, and wait until the API is ready."""
        self.compose("up", "-d", *arguments)
        _until(self.ready, READY_SECONDS, "the API is ready")

    def ready(self) -> bool:
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "-q", service).split()

    def submit(self, path: str, body: dict[str, Any]) -> Job:
        answer = self.http.post(path, json=body)
        assert answer.status_code == 202, answer.text
        job: Job = answer.json()
        return job

    def get(self, path: str) -> Any:
        return self.http.get(path).raise_for_status().json()

    def wait(self, job: Job) -> Job:
        """The job at its end, which must be a good one."""
        deadline = time.monotonic() + JOB_SECONDS
        while job["status"] not in FINAL and time.monotonic() < deadline:
            job = self.http.get(job["links"]["self"], headers={"Prefer": "wait=20"}).raise_for_status().json()
        logs = "" if job["status"] == "succeeded" else self.compose("logs", "--no-color", "--tail", "40")
        assert job["status"] == "succeeded", f"{job['status']}, {job['error']}\n{logs}"
        return job

    def wait_until_in_the_middle(self, job: Job) -> None:
        """Until the student is being trained, some epochs in."""

        def student_in_training() -> bool:
            progress = self.get(job["links"]["self"])["progress"]
            return progress is not None and progress["phase"].startswith("student") and progress["done"] > 50

        _until(student_in_training, JOB_SECONDS, "the student is in training")

    def worker_of(self, job: Job) -> str:
        """The id of the container that began it: a worker's name has its host's."""
        events = self.get(f"{job['links']['events']}?limit=100")["data"]
        worker = next(event["data"]["worker"] for event in events if event["kind"] == "running")
        host = re.split("[@:]", worker)[1]
        return next(each for each in self.containers("distillation-worker") if each.startswith(host))

    def contents(self, job: Job) -> dict[str, str]:
        """The hash of what is downloaded, by the hash in the ledger, of all checkpoints of the job."""
        found = {}
        for checkpoint in self.get(job["links"]["checkpoints"])["data"]:
            answer = self.http.get(checkpoint["links"]["content"]).raise_for_status()
            found[checkpoint["sha256"]] = hashlib.sha256(answer.content).hexdigest()
        return found


def _names(env: str) -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", env, flags=re.MULTILINE))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(reached: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.2)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def _compose_command() -> list[str]:
    """How Compose is called here; skips where there is none, or no engine."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
        pytest.skip("no Docker engine answers `docker info`")
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and subprocess.run([*command, "version"], capture_output=True).returncode == 0:
            return command
    pytest.skip("neither `docker compose` nor docker-compose is installed")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, timed: Timed) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("compose"), _compose_command())
    try:
        with timed("building both images"):
            made.compose("build")
        with timed("the first `up`, until the API is ready"):
            made.up()
        yield made
    finally:
        made.http.close()
        made.compose("down", "--volumes", "--remove-orphans")


@pytest.fixture(scope="module")
def unbroken(stack: Stack, timed: Timed) -> Job:
    """The long distillation, disturbed by nobody."""
    with timed("the long distillation, unbroken"):
        job = stack.wait(stack.submit("/v1/distillations", LONG))
    assert job["attempts"] == 1
    return job


def test_the_secrets_must_be_filled_in(stack: Stack, tmp_path: Path) -> None:
    empty = tmp_path / ".env"
    shutil.copy(ROOT / ".env.example", empty)
    command = [*_compose_command(), "--file", str(ROOT / "docker-compose.yml"), "--env-file", str(empty), "config"]
    done = subprocess.run(command, env=stack.environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode != 0
    assert "set it in .env" in done.stderr


def test_the_front_door_carries_no_engine_room(stack: Stack) -> None:
    """No torch and no qiskit in the API's image, no root in either, and the key itself is not in the API's reach."""
    engines = "(name for name in ('torch', 'qiskit', 'numpy') if find_spec(name))"
    look = f"import os; from importlib.util import find_spec; print(os.getuid(), *{engines})"
    (api,) = stack.containers("api")
    assert _docker("exec", api, "python", "-c", look) == "10001"
    (worker,) = stack.containers("circuit-worker")
    assert _docker("exec", worker, "python", "-c", look) == "10001 torch qiskit numpy"
    sees = "import os; print(*(name for name in os.environ if 'BOOTSTRAP' in name))"
    assert _docker("exec", api, "python", "-c", sees) == ""


def test_a_request_without_a_key_is_refused(stack: Stack) -> None:
    assert httpx.get(f"{stack.address}/v1/jobs", trust_env=False).status_code == 401
    assert httpx.post(f"{stack.address}/v1/circuits", json=GHZ, trust_env=False).status_code == 401


def test_the_jobs_of_the_demo_succeed(stack: Stack, timed: Timed) -> None:
    with timed("the demo's GHZ state"):
        circuit = stack.wait(stack.submit("/v1/circuits", GHZ))
    assert set(stack.get(circuit["links"]["histogram"])["counts"]) == {"00000", "11111"}
    with timed("the demo's distillation"):
        job = stack.wait(stack.submit("/v1/distillations", DISTILLATION))
    assert job["result"]["verdict"] == "BEATS"
    assert job["result"]["student_sha256"] in stack.contents(job)


def test_a_worker_that_crashes_is_started_again(stack: Stack, timed: Timed) -> None:
    (worker,) = stack.containers("circuit-worker")
    subprocess.run(["docker", "exec", worker, "python", "-c", "import os; os.kill(-1, 9)"], capture_output=True)
    with timed("a crash of the only circuit worker, until the next circuit is done"):
        stack.wait(stack.submit("/v1/circuits", GHZ))
    assert _docker("inspect", "--format", "{{.RestartCount}}", worker) == "1"


def test_a_killed_worker_costs_nothing_but_time(stack: Stack, unbroken: Job, timed: Timed) -> None:
    """Another one goes on from the last state, and the student is the same bit for bit."""
    stack.up("--scale", "distillation-worker=2")
    job = stack.submit("/v1/distillations", LONG)
    stack.wait_until_in_the_middle(job)
    killed = stack.worker_of(job)
    _docker("kill", killed)
    with timed("from `docker kill` of its worker to the end of the job"):
        job = stack.wait(job)
    assert job["attempts"] == 2
    assert _docker("inspect", "--format", "{{.State.Status}}", killed) == "exited"  # so it was not this one again
    assert job["result"]["student_sha256"] == unbroken["result"]["student_sha256"]
    assert job["result"]["student_sha256"] in stack.contents(job)


def test_down_and_up_again_lose_nothing(stack: Stack, unbroken: Job, timed: Timed) -> None:
    """Not the jobs, not the checkpoints, and not the training that was under way: it was given back in good order."""
    under_way = stack.submit("/v1/distillations", LONG)
    stack.wait_until_in_the_middle(under_way)
    ledger = {job["id"]: job for job in stack.get("/v1/jobs?limit=100")["data"] if job["id"] != under_way["id"]}
    contents = {job["id"]: stack.contents(job) for job in ledger.values() if job["kind"] == "distillation"}
    with timed("`down` with a training under way"):
        stack.compose("down")
    assert not stack.ready()
    with timed("`up` again, until the API is ready"):
        stack.up()
    after = {job["id"]: job for job in stack.get("/v1/jobs?limit=100")["data"] if job["id"] != under_way["id"]}
    assert after == ledger
    assert {job["id"]: stack.contents(job) for job in after.values() if job["kind"] == "distillation"} == contents
    assert all(downloaded == recorded for job in contents.values() for recorded, downloaded in job.items())
    with timed("the rest of the training that was under way"):
        finished = stack.wait(under_way)
    assert finished["attempts"] == 1
    assert finished["result"]["student_sha256"] == unbroken["result"]["student_sha256"]
