"""A service in this process: the application with its lifespan on a folder of its own, and a worker without an engine.

with running(tmp_path) as service:
    job = service.client.post("/v1/circuits", json=BELL).json()
    service.worker.run_circuit({"00": 507, "11": 493})
"""

import contextlib
import functools
import hashlib
import re
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from app.http.front import Front
from app.keys import keyring
from app.main import create_app
from ledger import attempts
from ledger.attempts import Artifact, Claim
from ledger.database import Database
from ledger.migrations import migrate
from ledger.settings import Settings
from ledger.store.folder import FolderStore
from qstill.contract.circuits.results.document import results_json
from qstill.contract.errors import PROBLEM_MEDIA_TYPE
from qstill.contract.kinds import Queue
from tests.testing import servers
from tests.testing.stored_counts import results as circuit_results

LEASE_SECONDS = 30.0
START_SECONDS = 30
NEVER = 3600.0  # seconds; the reaper has tests of its own, and its dice would disturb Hypothesis

BELL = {
    "circuit": {
        "format": "json",
        "qubits": 2,
        "operations": [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}],
    },
    "shots": 1000,
    "seed": 7,
}
DIGITS = {
    "dataset": {"source": "builtin", "name": "digits", "labelled": 50},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [256]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
}

Json = dict[str, Any]


@dataclass(frozen=True)
class Worker:
    """Does to the ledger and the store what a worker does, and computes nothing."""

    database: Database
    store: FolderStore

    def claim(self, queue: str) -> Claim:
        held = self.database.write(lambda connection: attempts.claim(connection, queue, "worker", LEASE_SECONDS))
        assert held is not None, f"nothing to do in {queue}"
        return held

    def publish(self, held: Claim, kind: str, name: str, content: bytes, **meta: Any) -> str:
        """Returns the artifact's id."""
        path = f"jobs/{held.job_id}/{held.fence}/{kind}/{name}"
        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(content)
            stored = self.store.put(Path(file.name), path)
        made = Artifact(
            kind=kind,
            name=name,
            path=path,
            media_type="application/octet-stream",
            size=stored.bytes,
            sha256=stored.sha256,
            meta=meta,
        )
        (artifact_id,) = self.database.write(lambda connection: attempts.publish(connection, held, made))
        return artifact_id

    def append(self, held: Claim, kind: str, **data: Any) -> None:
        self.database.write(lambda connection: attempts.append(connection, held, kind, data))

    def report(self, held: Claim, done: float) -> None:
        progress = {"phase": "student", "done": done, "total": 4, "unit": "epochs", "metrics": {"loss": 0.5}}
        self.database.write(lambda connection: attempts.report_progress(connection, held, progress))

    def finish(self, held: Claim, result: Json) -> None:
        self.database.write(lambda connection: attempts.finish(connection, held, result))

    def run_circuit(self, counts: dict[str, int]) -> None:
        """Finish the next circuit with these counts."""
        held = self.claim(Queue.CIRCUITS)
        self.publish(held, "results", "results.json", results_json([circuit_results(counts)]).encode())
        self.publish(held, "diagram", "diagram.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>')
        self.finish(held, {"shots": sum(counts.values()), "outcomes": len(counts)})

    def run_distillation(self, *checkpoints: bytes, report: bytes = b'{"verdict": "BEATS"}') -> list[str]:
        """Finish the next distillation with these checkpoints and this report; returns the checkpoints' ids."""
        held = self.claim(Queue.DISTILLATION)
        ids = [
            self.publish(held, "checkpoint", f"student-seed{seed}.safetensors", content, role="student", seed=seed)
            for seed, content in enumerate(checkpoints)
        ]
        self.publish(held, "report", "report.json", report)
        self.publish(held, "report", "split.json", b"{}")
        self.finish(held, {"verdict": "BEATS"})
        return ids


@dataclass
class Service:
    settings: Settings
    application: FastAPI
    portal: BlockingPortal
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def front(self) -> Front:
        front: Front = self.application.state.front
        return front

    @property
    def client(self) -> httpx.Client:
        """A client without a key."""
        return self.clients[0]

    @property
    def worker(self) -> Worker:
        return Worker(self.front.database, self.front.store)

    def connect(self, token: str | None = None, host: str = "localhost:8400") -> httpx.Client:
        """A client that holds this token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = InProcess(self.portal, self.application)
        self.clients.append(httpx.Client(transport=transport, base_url=f"http://{host}", headers=headers))
        return self.clients[-1]

    def make_key(self, name: str) -> tuple[str, str]:
        """(id, token) of a new key, which counts at once."""
        made = self.front.database.write(lambda connection: keyring.create_key(connection, name))
        self.forget_keys()
        return made

    def forget_keys(self) -> None:
        """As if the two seconds were over for which a process believes its copy of the keys."""
        self.front.keyring._fresh_until = 0.0

    def stored(self) -> list[str]:
        """What lies in the store."""
        root = self.front.store.root
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


class InProcess(httpx.BaseTransport):
    """Asks an ASGI application on the event loop of another thread. What it raises, the test sees."""

    def __init__(self, portal: BlockingPortal, application: FastAPI) -> None:
        self._portal = portal
        self._asgi = httpx.ASGITransport(application, client=("127.0.0.1", 40_000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._ask, request)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, Iterable)
        blocks = iter(request.stream)

        async def stream() -> AsyncIterator[bytes]:
            for block in blocks:
                yield block

        asked = httpx.Request(request.method, request.url, headers=request.headers, content=stream())
        asked.headers = request.headers  # httpx would add `Transfer-Encoding` to a body that it cannot measure
        answer = await self._asgi.handle_async_request(asked)
        body = httpx.ByteStream(await answer.aread())
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body)


@functools.cache
def empty_ledger() -> bytes:
    """A migrated SQLite file; copying it is faster than migrating again for each test."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        database = Database(f"sqlite:///{file}")
        migrate(database)
        database.close()
        return file.read_bytes()


def make_ledger(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ledger.db").write_bytes(empty_ledger())


@contextlib.contextmanager
def running(folder: Path, **values: Any) -> Iterator[Service]:
    """A service on a folder. values: settings."""
    settings = Settings(data_dir=folder, reap_seconds=NEVER, **values)
    make_ledger(folder)
    application = create_app(settings)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(application.router.lifespan_context(application)),
    ):
        service = Service(settings, application, portal)
        service.connect()
        try:
            yield service
        finally:
            for client in service.clients:
                client.close()


@dataclass(frozen=True)
class Listening:
    """A service behind a real socket."""

    url: str
    port: int
    front: Front

    @property
    def worker(self) -> Worker:
        return Worker(self.front.database, self.front.store)


@contextlib.contextmanager
def listening(folder: Path, **values: Any) -> Iterator[Listening]:
    """A service that listens on a free loopback port: for what needs a wire, as streams and broken connections do."""
    settings = Settings(data_dir=folder, port=servers.free_port(), reap_seconds=NEVER, **values)
    make_ledger(folder)
    application = create_app(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            port=settings.port,
            log_config=None,
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, name="uvicorn")
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive())
        assert server.started
        yield Listening(f"http://127.0.0.1:{settings.port}", settings.port, application.state.front)
    finally:
        server.should_exit = True
        thread.join()


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, which it does sooner or later unless there is a fault."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def refused(answer: httpx.Response, status: int, code: str) -> Json:
    """The problem document of an answer that must be this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    document: Json = answer.json()
    assert (document["status"], document["code"]) == (status, code), document
    assert document["type"] == f"/problems/{code.replace('_', '-')}"
    assert re.fullmatch(r"\S.*\S", document["title"], re.DOTALL)
    return document


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
