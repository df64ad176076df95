"""A real service for tests: embedded, or as the compose file runs it. Its processes can be killed."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from app.cli.client import Client
from qstill.contract.kinds import Queue
from tests.testing.servers import free_port

READY_SECONDS = 90
JOB_SECONDS = 240

QUICK_LEASES = {"QSTILL_LEASE_SECONDS": "4", "QSTILL_HEARTBEAT_SECONDS": "0.5", "QSTILL_REAP_SECONDS": "0.5"}

Job = dict[str, Any]


class Service:
    """`qstill up` on a folder; `start` may be called again after `kill_everything`."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self._environment = os.environ | QUICK_LEASES | environment
        self._port = 0
        self._up: subprocess.Popen[str] | None = None
        self._client: Client | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "app.cli.main", "up", "--data-dir", str(self.data_dir)]
        command += ["--port", str(self._port)]
        self._up = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self._environment)
        assert self._up.stdout is not None
        found = next((match for line in self._up.stdout if (match := re.search(r"http://[^/\s]+:(\d+)", line))), None)
        assert found is not None, "the service did not start"
        self.address, self._port = found[0], int(found[1])
        if self._client is None:
            self._client = Client(self.address)

    @property
    def client(self) -> Client:
        """One client for all the service's lives: the port stays the same."""
        assert self._client is not None
        return self._client

    def processes(self, *words: str) -> list[psutil.Process]:
        """The service's processes whose command line holds all the words."""
        assert self._up is not None
        found = []
        for process in psutil.Process(self._up.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if set(words) <= set(process.cmdline()):
                    found.append(process)
        return found

    def kill(self, *words: str) -> None:
        """SIGKILL the processes whose command line holds all the words; there must be some."""
        found = self.processes(*words)
        assert found, f"no process {words}"
        for process in found:
            process.kill()

    def kill_everything(self) -> None:
        assert self._up is not None
        everything = [*psutil.Process(self._up.pid).children(recursive=True), psutil.Process(self._up.pid)]
        for process in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(everything, timeout=10)
        self._close()

    def stop(self) -> int:
        """Stop in good order; returns the exit status."""
        assert self._up is not None
        self._up.send_signal(signal.SIGTERM)
        status = self._up.wait(60)
        self._close()
        return status

    def end(self) -> None:
        """Whatever still runs, and the client."""
        assert self._up is not None
        if self._up.poll() is None:
            self.kill_everything()
        self.client.__exit__()

    def _close(self) -> None:
        assert self._up is not None
        assert self._up.stdout is not None
        self._up.wait(10)
        self._up.stdout.close()


@contextlib.contextmanager
def running(data_dir: Path, **environment: str) -> Iterator[Service]:
    service = Service(data_dir, **environment)
    service.start()
    try:
        yield service
    finally:
        service.end()


@contextlib.contextmanager
def cluster(folder: Path, postgresql_url: str, redis_url: str) -> Iterator[str]:
    """API and workers as processes of their own, as the compose file runs them; yields the address."""
    port = free_port()
    environment = os.environ | {
        "QSTILL_DATABASE_URL": postgresql_url,
        "QSTILL_BROKER_URL": redis_url,
        "QSTILL_STORE_DIR": str(folder / "store"),
        "QSTILL_CACHE_DIR": str(folder / "cache"),
        "QSTILL_DATA_DIR": str(folder / "unused"),
    }
    qstill = [sys.executable, "-m", "app.cli.main"]
    subprocess.run([*qstill, "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
    commands = [["api", "--port", str(port)], *(["worker", queue] for queue in Queue)]
    processes = [subprocess.Popen([*qstill, *command], env=environment) for command in commands]
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _ready(address))
        yield address
    finally:
        for process in processes:
            process.terminate()
        statuses = [process.wait(60) for process in processes]
    assert statuses[1:] == [0] * len(Queue)  # uvicorn ends by the signal that it was sent
    assert not (folder / "unused").exists()


def _ready(address: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{address}/readyz").status_code == 200
    return False


def wait_until(condition: Callable[[], Any], seconds: float = JOB_SECONDS) -> Any:
    """What the condition returns once it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise TimeoutError("it did not come to pass")


def wait_for(client: Client, job: Job, *statuses: str) -> Job:
    def reached() -> Job | None:
        seen: Job = client.get(job["links"]["self"])
        return seen if seen["status"] in statuses else None

    found: Job = wait_until(reached)
    return found
