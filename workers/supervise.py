"""One attempt at one job: its child computes, and this watches over it and writes what it says to the ledger.

Outside the computing process: renews the lease, brings back cancel and pause, holds the limits of time and memory.
"""

import hashlib
import json
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, literal, select, union_all
from sqlalchemy.exc import OperationalError

from ledger import attempts, queries, requests
from ledger.attempts import Artifact, Claim, StaleFence
from ledger.database import Change, Database
from ledger.requests import NewJob
from ledger.rows import STATE
from ledger.settings import Settings
from ledger.store.artifacts import INLINE_BYTES, INLINE_KINDS
from ledger.store.folder import FolderStore, Stored
from ledger.tables import artifacts, files, job_files, models
from qstill.contract.errors import Problem
from qstill.contract.kinds import NAMED
from qstill.contract.status import Status
from workers.children import START_SECONDS, Child, ChildDied, Message

T = TypeVar("T")

logger = logging.getLogger(__name__)

DATABASE_PAUSE_SECONDS = 0.5
GATHER_SECONDS = 0.005  # what a commit takes: results and the end that follows them are one
STOP_SHARE = 0.8  # of the time to drain; the rest is for the ledger, and for Celery
CANCEL_SECONDS = 2.0  # a child that was cancelled has nothing to save
ENDINGS = frozenset({"done", "failed", "stopped"})

# What a job reads, wherever it is; made once: SQLAlchemy takes longer to build a query than to run it.
_WANTED = select(job_files.c.file_id).where(job_files.c.job_id == bindparam("job_id"))
_NO_READING = literal(None, models.c.reading.type).label("reading")
_NAMED = union_all(
    select(models.c.id, models.c.path, models.c.reading).where(models.c.id.in_(_WANTED)),
    *(select(each.c.id, each.c.path, _NO_READING).where(each.c.id.in_(_WANTED)) for each in (files, artifacts)),
)


@dataclass(frozen=True, kw_only=True)
class House:
    """What the supervisors of one worker process share."""

    settings: Settings
    database: Database
    store: FolderStore
    worker: str  # its name in the ledger
    draining: threading.Event = field(default_factory=threading.Event)

    def read(self, query: Change[T]) -> T:
        return self._patiently(lambda: self.database.read(query))

    def write(self, change: Change[T]) -> T:
        return self._patiently(lambda: self.database.write(change))

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask again while the database is away, as long as a lease may last: a restart of it costs no attempt."""
        given_up_at = time.monotonic() + self.settings.lease_seconds
        while True:
            try:
                return ask()
            except OperationalError:
                if time.monotonic() > given_up_at:
                    raise
            time.sleep(DATABASE_PAUSE_SECONDS)


def _nothing(connection: Connection) -> None:
    """What follows an attempt where nothing is to follow."""


class LimitBroken(Exception):
    """The child took more time or memory than a job may take."""

    def __init__(self, code: str, title: str) -> None:
        super().__init__(title)
        self.problem = Problem(code, title)


class DidNotStop(Exception):
    """The child was asked to stop and went on."""


def supervise(house: House, held: Claim, child: Child, take: Change[Claim | None] = _nothing) -> Claim | None:
    """See one attempt through to its end in the ledger. A job that is no longer ours is left alone.

    take: what is to follow, which is returned; it is part of the transaction that ends a job in good order.
    """
    try:
        return _compute(house, held, child, take)
    except StaleFence:
        logger.warning("%s is no longer ours; its child is ended", held.job_id)
        child.kill()
    except ChildDied as death:
        logger.warning("%s: %s", held.job_id, death)
        child.kill()
        lost = Problem("child_died", f"The process that computed this died: {death}.", status=500)
        _end(house, lambda connection: attempts.lose(connection, held, lost))
    except DidNotStop:
        child.kill()
        _end(house, lambda connection: attempts.release(connection, held))
    except LimitBroken as limit:
        child.kill()
        broken = limit.problem
        _end(house, lambda connection: attempts.fail(connection, held, broken))
    finally:
        child.tidy()
    return house.write(take)


def _end(house: House, change: Change[Any]) -> None:
    """A last write of an attempt; when the job went to another owner meanwhile there is nothing left to say."""
    try:
        house.write(change)
    except StaleFence:
        logger.warning("an attempt that had lost its job ended")


def _compute(house: House, held: Claim, child: Child, take: Change[Claim | None]) -> Claim | None:
    settings = house.settings
    child.send(_request(house, held, child.scratch))
    watch = _Watch(house, held, child)
    while True:
        batch = _receive(child, watch.pause())
        if batch:
            if batch[0]["say"] == "ready":
                watch.restart()
            ended = batch[-1]["say"] in ENDINGS
            following = _record(house, _changes(house, held, batch), take if ended else _nothing)
            if ended:
                return following
        watch.look(settings)


def _record(house: House, changes: list[Change[Any]], take: Change[Claim | None]) -> Claim | None:
    def record(connection: Connection) -> Claim | None:
        for change in changes:
            change(connection)
        return take(connection)

    return house.write(record)


def _receive(child: Child, timeout: float) -> list[Message]:
    """All that the child says in a row, at least one message if one comes in time: one batch, one commit."""
    batch = []
    message = child.receive(timeout)
    until = time.monotonic() + GATHER_SECONDS
    while message is not None:
        batch.append(message)
        if message["say"] in ENDINGS:
            break
        message = child.receive(max(0.0, until - time.monotonic()))
    return batch


class _Watch:
    """The clocks of one attempt."""

    def __init__(self, house: House, held: Claim, child: Child) -> None:
        self._house, self._held, self._child = house, held, child
        started = time.monotonic()
        self._limit = started + (house.settings.time_limit(held.kind) if child.ready else START_SECONDS)
        self._next_beat = started + house.settings.heartbeat_seconds
        self._next_look = started + house.settings.cancel_poll_seconds
        self._must_stop_by = math.inf

    def restart(self) -> None:
        """The child has only now begun: on a busy machine its imports may take longer than a question may."""
        self._limit = time.monotonic() + self._house.settings.time_limit(self._held.kind)

    def pause(self) -> float:
        """Seconds until something is to be looked at."""
        return self._next_look - time.monotonic()

    def look(self, settings: Settings) -> None:
        """Raises StaleFence, ChildDied, LimitBroken, DidNotStop."""
        moment = time.monotonic()
        if moment < self._next_look:
            return
        self._next_look = moment + settings.cancel_poll_seconds
        held, house = self._held, self._house
        if moment >= self._next_beat:
            self._next_beat = moment + settings.heartbeat_seconds
            house.write(lambda connection: attempts.heartbeat(connection, held, settings.lease_seconds))
        wanted = house.read(lambda connection: attempts.standing(connection, held))
        if wanted != Status.RUNNING or house.draining.is_set():
            if self._must_stop_by == math.inf:
                self._child.send({"stop": True})
            grace = CANCEL_SECONDS if wanted == Status.CANCELLING else settings.drain_seconds * STOP_SHARE
            self._must_stop_by = min(self._must_stop_by, moment + grace)
        if moment > self._must_stop_by:
            raise DidNotStop
        if moment > self._limit:
            seconds = settings.time_limit(held.kind)
            raise LimitBroken("time_limit", f"The job ran longer than the {seconds:g} s that one may take.")
        if (memory := self._child.memory()) > (limit := settings.memory_limit(held.kind.engine)):
            title = f"The job took {memory >> 20} MiB of memory; one may take {limit >> 20} MiB."
            raise LimitBroken("memory_limit", title)


def _request(house: House, held: Claim, scratch: Path) -> Message:
    """What the child is told. Raises nothing for a missing file: the computation says which field named it."""
    state = None
    if held.fence > 1:  # a first attempt has nothing to resume
        state = house.read(lambda connection: queries.get_artifact(connection, held.job_id, STATE, STATE))
    rows: Sequence[Any] = ()
    if held.kind.reads_files:
        rows = house.read(lambda connection: connection.execute(_NAMED, {"job_id": held.job_id}).all())
    return {
        "kind": held.kind.name,
        "spec": json.dumps(held.spec),
        "scratch": str(scratch),
        "files": {row.id: str(house.store.locate(row.path)) for row in rows},
        "resume": str(house.store.locate(state.path)) if state is not None else None,
        "models": {row.id: row.reading for row in rows if row.reading is not None},
        "threads": house.settings.threads,
        "cache": str(house.settings.signals_dir),
        "cache_bytes": house.settings.signal_cache_bytes,
        "memory": house.settings.memory_limit(held.kind.engine),
        "hosts": sorted(house.settings.named_hosts),
    }


def _changes(house: House, held: Claim, batch: list[Message]) -> list[Change[Any]]:
    """What a batch of messages does to the ledger.

    What is published in a row is one change. Of several reports of progress only the last counts; where the job is
    done it is part of the last statement.
    """
    progress = next((message["progress"] for message in reversed(batch) if message["say"] == "progress"), None)
    changes: list[Change[Any]] = []
    if progress is not None and batch[-1]["say"] != "done":
        changes.append(lambda connection: attempts.report_progress(connection, held, progress))
    others = (message for message in batch if message["say"] not in ("progress", "ready"))
    for published, messages in groupby(others, key=lambda message: message["say"] in ("publish", "save")):
        if published:
            changes.append(_publish(house, held, [*messages]))
        else:
            changes += [_change(house, held, message, progress) for message in messages]
    return changes


def _change(house: House, held: Claim, message: Message, progress: Mapping[str, Any] | None) -> Change[Any]:
    """progress: reported in the same batch."""
    match message["say"]:
        case "event":
            return lambda connection: attempts.append(connection, held, message["kind"], message["data"])
        case "done":
            return lambda connection: _finish(house, connection, held, message, progress)
        case "failed":
            return lambda connection: attempts.fail(connection, held, Problem.from_document(message["problem"]))
        case "stopped":
            return lambda connection: attempts.release(connection, held)
    raise ValueError(f"a child said {message['say']!r}")


def _finish(
    house: House, connection: Connection, held: Claim, message: Message, progress: Mapping[str, Any] | None
) -> None:
    """End the job, and queue what it submits with it: both are there, or neither."""
    ended = attempts.finish(connection, held, message["result"], progress)
    if ended.status != Status.SUCCEEDED:
        return
    for asked in message.get("jobs", ()):
        kind = NAMED[asked["kind"]]
        new = NewJob(
            kind=kind,
            owner=ended.owner,
            spec=asked["spec"],
            name=asked["name"],
            labels=asked["labels"],
            max_attempts=kind.attempts or house.settings.max_attempts,
        )
        requests.submit(connection, new, job_id=asked["id"])


def _publish(house: House, held: Claim, messages: Sequence[Message]) -> Change[Any]:
    """Store the bytes now, make them visible in the transaction; few bytes are part of it."""
    made = [_artifact(house, held, message) for message in messages]

    def change(connection: Connection) -> None:
        attempts.publish(connection, held, *made)
        for artifact in made:
            if artifact.kind == "checkpoint":
                about = {"name": artifact.name, "bytes": artifact.size, **artifact.meta}
                attempts.append(connection, held, "checkpoint", about)

    return change


def _artifact(house: House, held: Claim, message: Message) -> Artifact:
    if message["say"] == "save":
        message = {"kind": STATE, "name": STATE, "media_type": "application/octet-stream", "meta": {}} | message
    kind, name, path = message["kind"], message["name"], Path(message["path"])
    stored = _few(path, kind) or house.store.put(path, f"jobs/{held.job_id}/{held.fence}/{kind}/{name}")
    return Artifact(
        kind=kind,
        name=name,
        media_type=message["media_type"],
        size=stored.bytes,
        sha256=stored.sha256,
        path=stored.path,
        content=stored.content,
        meta=message["meta"],
    )


def _few(path: Path, kind: str) -> Stored | None:
    """The bytes themselves where they are few enough for the ledger's row."""
    if kind not in INLINE_KINDS or path.stat().st_size > INLINE_BYTES:
        return None
    content = path.read_bytes()
    return Stored(None, len(content), hashlib.sha256(content).hexdigest(), content)
