"""The processes of both sides: started on loopback in folders of their own, ended by their ids, the folders removed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.client import BELL, HOST, Client, finished

START_SECONDS = 120  # a worker imports qiskit on a busy machine
STOP_SECONDS = 40
POLL_SECONDS = 0.005

ROOT = Path(__file__).parent.parent

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a benchmark that is ended ends its servers


@dataclass(frozen=True, kw_only=True)
class Server:
    port: int
    database: Path
    process: "subprocess.Popen[bytes]"  # the one that answers, or the parent of all


@contextlib.contextmanager
def qstill_api() -> Iterator[Server]:
    """`qstill api` alone, on a migrated folder."""
    with migrated_folder() as folder, serve_api(folder) as server:
        yield server


@contextlib.contextmanager
def serve_api(folder: Path, module: str = "app.cli.main") -> Iterator[Server]:
    """The API process on a folder, once it answers. module: what makes it one."""
    port = free_port()
    with run("-m", module, "api", "--port", str(port), folder=folder) as process:
        wait_until_live(port, process)
        yield Server(port=port, database=folder / "ledger.db", process=process)


@contextlib.contextmanager
def qstill_up(**environment: str) -> Iterator[Server]:
    """The embedded service, once it has run a job."""
    port = free_port()
    with temporary_folder() as folder:
        command = ("-m", "app.cli.main", "up", "--port", str(port), "--data-dir", str(folder))
        with run(*command, folder=folder, **environment) as process:
            wait_until_live(port, process)
            _wait_for_a_job(port)
            yield Server(port=port, database=folder / "ledger.db", process=process)


@contextlib.contextmanager
def plain_api() -> Iterator[Server]:
    """The plain application without a worker."""
    with temporary_folder() as folder, _serve_plain(folder) as server:
        yield server


@contextlib.contextmanager
def plain_service(**environment: str) -> Iterator[Server]:
    """The plain application and its Celery worker, once they have run a job."""
    with (
        temporary_folder() as folder,
        _serve_plain(folder) as server,
        run(
            "-W",
            "ignore",
            "-m",
            "celery",
            "-A",
            "benchmarks.plain.tasks",
            "worker",
            "-l",
            "ERROR",
            folder=folder,
            **environment,
        ),
    ):
        _wait_for_a_job(server.port)
        yield server


@contextlib.contextmanager
def _serve_plain(folder: Path) -> Iterator[Server]:
    port = free_port()
    options = ("--port", str(port), "--log-level", "warning", "--no-access-log")
    with run("-m", "uvicorn", "benchmarks.plain.app:app", *options, folder=folder) as process:
        wait_until_live(port, process)
        yield Server(port=port, database=folder / "plain.db", process=process)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="qstill-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextlib.contextmanager
def migrated_folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        command = [sys.executable, "-m", "app.cli.main", "migrate"]
        subprocess.run(command, cwd=ROOT, env=_environment(folder), check=True, stdout=subprocess.DEVNULL)
        yield folder


@contextlib.contextmanager
def run(*arguments: str, folder: Path, **environment: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A Python process that works in a folder; ended with all that it started."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=_environment(folder) | environment,
        stdout=subprocess.DEVNULL,
        process_group=0,  # Ctrl-C is for the benchmark, which ends it in good order
    )
    try:
        yield process
    finally:
        _end(process)


def wait_until_live(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return with the first 200 of /livez."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            Client(port).get("/livez")
            return
        except ConnectionError:
            time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{process.args!r} does not answer; its messages are above")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for_a_job(port: int) -> None:
    """Run a few jobs: every process of a pool has imported what it needs then."""
    client = Client(port)
    for _ in range(4):
        client.poll(client.post("/v1/circuits", BELL)["id"], finished, every=0.05)


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QSTILL_", "PLAIN_"))}
    return kept | {"QSTILL_DATA_DIR": str(folder), "PLAIN_DIR": str(folder)}


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    for left in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # psutil knows a process by its id and its start
            left.kill()
    process.wait()
