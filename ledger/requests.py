"""What clients ask for: a job, and what becomes of it. One function and one transaction each.

The ledger is the truth; Celery only wakes. Each function takes an open connection and is a `Change` for
`Database.write`, and names a job and its owner. What workers do to jobs is in `attempts.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, insert, select

from ledger import turns
from ledger.database import Change, now
from ledger.ids import new_id
from ledger.machine import Action, after
from ledger.queries import unfinished_user
from ledger.rows import Job, advance, discard, locked, log, row
from ledger.tables import artifacts, idempotency, job_files, job_labels, jobs
from qstill.contract.errors import Problem
from qstill.contract.kinds import Kind
from qstill.contract.status import FINAL, Status

FORGOTTEN_SECONDS = 60  # after which a question that nobody came back for is removed


# Made once: SQLAlchemy takes longer to build them than to run them.
_NEW_JOB = insert(jobs).values(status=Status.QUEUED, last_event=1, not_before=now(), created_at=now()).returning(jobs)


@dataclass(frozen=True, kw_only=True)
class NewJob:
    kind: Kind
    owner: str
    spec: Mapping[str, Any]
    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    max_attempts: int = 5
    files: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A client's promise that requests with this key are one request."""

    key: str
    fingerprint: str  # of method, path and body


def submit(
    connection: Connection,
    new: NewJob,
    replay: Replay | None = None,
    admit: Change[None] | None = None,
    also: Callable[[Connection, Job], None] | None = None,
    job_id: str | None = None,
) -> tuple[Job, bool]:
    """Queue a job, or return the one that the same idempotency key made before (second value True).

    The row is the outbox: if the process dies on the next line, the reaper sends the wake-up.
    admit: asked about a job that is new; it raises Problem to refuse it. also: what else a new job's row comes with.
    job_id: where it is known before; None: a new one.
    Raises Problem: idempotency_key_reused (422) for another body, and what `admit` raises.
    """
    if replay is not None and (earlier := _replayed(connection, new.owner, replay)) is not None:
        return earlier, True
    if admit is not None:
        admit(connection)
    job_id = job_id or new_id("job")
    job = connection.execute(
        _NEW_JOB,
        {
            "id": job_id,
            "kind": new.kind.name,
            "queue": new.kind.queue,
            "owner": new.owner,
            "priority": new.priority,
            "name": new.name,
            "labels": dict(new.labels),
            "spec": dict(new.spec),
            "max_attempts": new.max_attempts,
        },
    ).one()
    turns.enter(connection, new.kind.queue, new.owner)
    log(connection, job_id, 1, Status.QUEUED, {})
    if new.labels:
        rows = [{"job_id": job_id, "key": key, "value": value} for key, value in new.labels.items()]
        connection.execute(insert(job_labels), rows)
    if new.files:
        connection.execute(insert(job_files), [{"job_id": job_id, "file_id": file} for file in sorted(set(new.files))])
    if replay is not None:
        connection.execute(
            insert(idempotency).values(
                owner=new.owner, key=replay.key, fingerprint=replay.fingerprint, job_id=job_id, created_at=now()
            )
        )
    if also is not None:
        also(connection, job)
    return job, False


def _replayed(connection: Connection, owner: str, replay: Replay) -> Job | None:
    found = connection.execute(
        select(idempotency.c.fingerprint, idempotency.c.job_id).where(
            idempotency.c.owner == owner, idempotency.c.key == replay.key
        )
    ).one_or_none()
    if found is None:
        return None
    if found.fingerprint != replay.fingerprint:
        raise Problem(
            "idempotency_key_reused",
            "This Idempotency-Key was used for a different request; send a new key, or the same request.",
            ways_out=[{"job": found.job_id}],
        )
    return row(connection, found.job_id)


def request(connection: Connection, owner: str, job_id: str, action: Action, version: int | None = None) -> Job:
    """Cancel, pause or resume a job of an owner. Asking again changes nothing.

    version: the version that the client saw (`If-Match`). Raises Problem (404, 412) and IllegalTransition.
    """
    job = _owned(connection, owner, job_id, version)
    if after(Status(job.status), action) == job.status:
        return job
    return advance(connection, job, action, {})


def delete(connection: Connection, owner: str, job_id: str, version: int | None = None) -> None:
    """Remove a finished job with all that it made. Its bytes go to the trash, which the reaper empties."""
    job = _owned(connection, owner, job_id, version)
    if job.status not in FINAL:
        raise Problem(
            "job_not_finished",
            f"A job that is {job.status} cannot be deleted.",
            status=409,
            ways_out=[{"method": "POST", "path": f"/v1/jobs/{job_id}/cancel"}],
        )
    made = connection.scalars(
        select(artifacts.c.id).where(artifacts.c.job_id == job_id, artifacts.c.kind == "checkpoint")
    )
    pupil = unfinished_user(connection, made.all())
    if pupil is not None:
        raise Problem(
            "checkpoint_in_use",
            "A job that is not finished learns from a checkpoint of this one.",
            status=409,
            ways_out=[{"method": "POST", "path": f"/v1/jobs/{pupil}/cancel"}],
        )
    discard(connection, f"jobs/{job_id}")
    connection.execute(jobs.delete().where(jobs.c.id == job_id))


def abandon(connection: Connection, job_id: str) -> None:
    """Leave nothing of a question behind. One that a worker is at is cancelled, and removed by the reaper."""
    job = locked(connection, job_id)
    if job is not None and job.status not in FINAL:
        job = advance(connection, job, Action.CANCEL, {})
    if job is not None and job.status in FINAL:
        connection.execute(jobs.delete().where(jobs.c.id == job_id))


def forgotten(queue: str) -> Select[tuple[str]]:
    """The ids of the questions in their queue whose asker died before it read the answer."""
    return select(jobs.c.id).where(
        jobs.c.queue == queue, jobs.c.status.in_(FINAL), jobs.c.finished_at < now() - FORGOTTEN_SECONDS
    )


def _owned(connection: Connection, owner: str, job_id: str, version: int | None) -> Job:
    job = locked(connection, job_id)
    if job is None or job.owner != owner:
        raise Problem("job_not_found", "There is no such job.", status=404)
    if version is not None and version != job.version:
        raise Problem(
            "version_mismatch", "The job has changed since you read it; read it again.", status=412, pointer=None
        )
    return job
