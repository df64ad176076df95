"""`qstill up`: API and workers as processes of one parent, which starts again what dies. One folder, one service."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import click
import httpx

from app.cli.api import refuse_open_door
from app.keys.keyring import Keyring
from ledger.database import Database
from ledger.guard import PARENT, end_with_parent
from ledger.migrations import migrate
from ledger.settings import Settings
from qstill.contract.kinds import Queue

LOCK_SECONDS = 30  # processes of a service that was killed need so long to save their work and go
STOP_SECONDS = 30
RESTART_SECONDS = 1.0  # a process that dies at once must not fill the log


@dataclass
class Member:
    """One process of the service."""

    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = field(default=0.0)


def serve(*, data_dir: Path, host: str, port: int, workers: int) -> int:
    """Run until SIGINT or SIGTERM; returns the exit status."""
    settings = Settings(data_dir=data_dir.resolve(), host=host, port=port)
    with lock(settings.data_dir) as held:
        database = Database(settings.database)
        migrate(database)
        refuse_open_door(host, Keyring(database))
        database.close()
        port = _claim_port(host, port)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        end_with_parent()
        members = [Member([sys.executable, "-m", "app.cli.main", "api", "--host", host, "--port", str(port)])]
        members += [Member(_worker(queue, workers)) for queue in (Queue.CIRCUITS, Queue.DISTILLATION)]
        members.append(Member(_worker(Queue.QUESTIONS, settings.questions_per_owner + 1)))  # a place is left for others
        try:
            _keep_running(members, settings, held, f"http://{host}:{port}", stop)
        finally:
            _stop(members)
    click.echo("stopped")
    return 0


def _worker(queue: str, concurrency: int) -> list[str]:
    return [sys.executable, "-m", "workers", queue, "--concurrency", str(concurrency)]


@contextlib.contextmanager
def lock(data_dir: Path) -> Iterator[IO[str]]:
    """Hold the folder for one service. Its processes inherit the lock, so that none works beside a second service."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "lock").open("a+", encoding="ascii") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                owner = file.read().strip()
                if time.monotonic() > deadline or (owner.isdigit() and _alive(int(owner))):
                    raise click.ClickException(
                        f"{data_dir} is in use by process {owner}; stop it, or choose another --data-dir"
                    ) from None
                time.sleep(0.1)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _claim_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises ClickException when it is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}; try --port 0") from None
        return int(probe.getsockname()[1])


def _keep_running(
    members: list[Member], settings: Settings, held: IO[str], address: str, stop: threading.Event
) -> None:
    environment = os.environ | {"QSTILL_DATA_DIR": str(settings.data_dir), PARENT: str(os.getpid())}
    announced = False
    while not stop.is_set():
        for member in members:
            if member.process is not None and member.process.poll() is not None:
                name = " ".join(member.command[2:4])
                click.echo(f"{name} ended with {member.process.returncode}; starting it again", err=True)
                stop.wait(max(0.0, member.started + RESTART_SECONDS - time.monotonic()))
                member.process = None
            if member.process is None and not stop.is_set():
                member.started = time.monotonic()
                member.process = subprocess.Popen(
                    member.command, env=environment, pass_fds=[held.fileno()], process_group=0
                )
        if not announced and _ready(address):
            announced = True
            click.echo(f"Qstill is at {address}/ with its data in {settings.data_dir}; Ctrl-C stops it")
        stop.wait(0.05 if not announced else 0.25)


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _stop(members: list[Member]) -> None:
    running = [member.process for member in members if member.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
