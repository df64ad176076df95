"""The ledger: every change to a job, one function and one transaction each. It is the truth; Celery only wakes.

Each function takes an open connection and is a `Change` for `Database.write`. What a client asks for names a job and
its owner. What a worker does carries its `Claim`, and raises `StaleFence` once the job is no longer this worker's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Float, Integer, Select, bindparam, func, insert, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from ledger import turns
from ledger.database import Change, Record, now
from ledger.ids import new_id
from ledger.machine import FINAL, OWNED, Action, Status, after
from ledger.queries import unfinished_user
from ledger.tables import artifacts, events, idempotency, job_files, job_labels, jobs, trash
from qstill.contract.errors import Problem

UNBOUNDED = 2**31 - 1
FORGOTTEN_SECONDS = 60  # after which a question that nobody came back for is removed
STATE = "state"  # the kind of the artifact from which a later attempt resumes
RETRY_SECONDS = 60  # the longest pause before a job whose workers keep dying is tried again
Job = Record


# Made once: SQLAlchemy takes longer to build them than to run them.
_NEW_JOB = insert(jobs).values(status=Status.QUEUED, last_event=1, not_before=now(), created_at=now()).returning(jobs)
_EVENT = insert(events).values(created_at=now())
_ROW = select(jobs).where(jobs.c.id == bindparam("job_id"))
_ROW_LOCKED = _ROW.with_for_update()
_NOTED = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"))
    .values(version=jobs.c.version + 1, last_event=bindparam("seq", type_=Integer()))
)
_STANDING = select(jobs.c.status, jobs.c.fence).where(jobs.c.id == bindparam("job_id"))
_HEARTBEAT = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"), jobs.c.fence == bindparam("held_fence"), jobs.c.status.in_(OWNED))
    .values(lease_until=now() + bindparam("seconds", type_=Float()))
)
_SAME_ARTIFACT = (
    artifacts.c.job_id == bindparam("of_job"),
    artifacts.c.kind == bindparam("of_kind"),
    artifacts.c.name == bindparam("of_name"),
)
_REPLACED = artifacts.delete().where(*_SAME_ARTIFACT).returning(artifacts.c.path)
_ARTIFACT = insert(artifacts).values(created_at=now())
_STATE_FORGOTTEN = (
    artifacts.delete()
    .where(artifacts.c.job_id == bindparam("of_job"), artifacts.c.kind == STATE)
    .returning(artifacts.c.path)
)


class StaleFence(Exception):
    """The job belongs to another attempt now, or to nobody: stop, and change nothing."""


@dataclass(frozen=True, kw_only=True)
class NewJob:
    kind: str  # one of KINDS, or a question
    queue: str
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


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A worker's right to one attempt at a job; `fence` is what makes a stale owner harmless."""

    job_id: str
    fence: int
    kind: str
    spec: Mapping[str, Any]


def submit(
    connection: Connection,
    new: NewJob,
    replay: Replay | None = None,
    admit: Change[None] | None = None,
    also: Callable[[Connection, Job], None] | None = None,
) -> tuple[Job, bool]:
    """Queue a job, or return the one that the same idempotency key made before (second value True).

    The row is the outbox: if the process dies on the next line, the reaper sends the wake-up.
    admit: asked about a job that is new; it raises Problem to refuse it. also: what else a new job's row comes with.
    Raises Problem: idempotency_key_reused (422) for another body, and what `admit` raises.
    """
    if replay is not None and (earlier := _replayed(connection, new.owner, replay)) is not None:
        return earlier, True
    if admit is not None:
        admit(connection)
    job_id = new_id("job")
    job = connection.execute(
        _NEW_JOB,
        {
            "id": job_id,
            "kind": new.kind,
            "queue": new.queue,
            "owner": new.owner,
            "priority": new.priority,
            "name": new.name,
            "labels": dict(new.labels),
            "spec": dict(new.spec),
            "max_attempts": new.max_attempts,
        },
    ).one()
    turns.enter(connection, new.queue, new.owner)
    _log(connection, job_id, 1, Status.QUEUED, {})
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
    return _row(connection, found.job_id)


def claim(
    connection: Connection, queue: str, worker: str, lease_seconds: float, at_most: int = UNBOUNDED
) -> Claim | None:
    """Take the job of a queue that is next, or None. Safe with any number of claimers, and after any crash.

    Next: the owner with the fewest running jobs, then the one served longest ago; of the owner's jobs the highest
    priority, then the oldest. at_most: running jobs of one owner in the queue. The new fence is what makes a stale
    owner harmless: every later write names it.
    """
    job = turns.next_job(connection, queue, at_most)
    if job is None:
        return None
    taken = _advance(
        connection,
        job,
        Action.CLAIM,
        {"attempt": job.attempts + 1, "worker": worker},
        fence=job.fence + 1,
        attempts=job.attempts + 1,
        worker=worker,
        lease_until=lease_seconds,
        started_at=0.0,
    )
    return Claim(job_id=job.id, fence=taken.fence, kind=job.kind, spec=job.spec)


def heartbeat(connection: Connection, held: Claim, lease_seconds: float) -> None:
    """Renew the lease."""
    about = {"job_id": held.job_id, "held_fence": held.fence, "seconds": lease_seconds}
    renewed = connection.execute(_HEARTBEAT, about)
    if renewed.rowcount == 0:
        raise StaleFence(held.job_id)


def standing(connection: Connection, held: Claim) -> Status:
    """What the ledger wants of the holder now: `running`, or to stop because it is `pausing` or `cancelling`."""
    job = connection.execute(_STANDING, {"job_id": held.job_id}).one_or_none()
    if job is None or job.fence != held.fence or job.status not in OWNED:
        raise StaleFence(held.job_id)
    return Status(job.status)


def report_progress(connection: Connection, held: Claim, progress: Mapping[str, Any]) -> None:
    """Replace the job's progress. Not an event: the log keeps what happened, not every percent."""
    job = _held(connection, held)
    connection.execute(
        update(jobs).where(jobs.c.id == job.id).values(progress=dict(progress), version=jobs.c.version + 1)
    )


def append(connection: Connection, held: Claim, kind: str, data: Mapping[str, Any]) -> int:
    """Append an event to the job's log; returns its sequence number."""
    job = _held(connection, held)
    seq = int(job.last_event) + 1
    _log(connection, job.id, seq, kind, data)
    connection.execute(_NOTED, {"job_id": job.id, "seq": seq})
    return seq


def finish(connection: Connection, held: Claim, result: Mapping[str, Any]) -> Job:
    """The computation returned. A job that was asked to cancel ends cancelled, without a result."""
    job = _held(connection, held)
    outcome = {} if job.status == Status.CANCELLING else {"result": dict(result)}
    return _advance(connection, job, Action.FINISH, {}, **outcome)


def fail(connection: Connection, held: Claim, problem: Problem) -> Job:
    """The computation cannot succeed, and says why."""
    return _advance(connection, _held(connection, held), Action.FAIL, {"code": problem.code}, error=problem.document())


def release(connection: Connection, held: Claim) -> Job:
    """Give a job back in good order: its state is saved, and the attempt does not count."""
    job = _held(connection, held)
    return _advance(connection, job, Action.RELEASE, {}, attempts=job.attempts - 1)


def lose(connection: Connection, held: Claim, problem: Problem) -> Job:
    """The worker or its child died: queue the job again, or fail it with `problem` once its attempts are used up."""
    return _lose(connection, _held(connection, held), problem)


def expire(connection: Connection, problem: Problem, limit: int = 100) -> int:
    """Take back the jobs whose lease ran out, at most `limit`; returns how many. Safe to run anywhere, any time."""
    overdue = connection.scalars(
        select(jobs.c.id)
        .where(jobs.c.status.in_(OWNED), jobs.c.lease_until < now())
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for job_id in overdue:
        _lose(connection, _row(connection, job_id), problem)
    return len(overdue)


def request(connection: Connection, owner: str, job_id: str, action: Action, version: int | None = None) -> Job:
    """Cancel, pause or resume a job of an owner. Asking again changes nothing.

    version: the version that the client saw (`If-Match`). Raises Problem (404, 412) and IllegalTransition.
    """
    job = _owned(connection, owner, job_id, version)
    if after(Status(job.status), action) == job.status:
        return job
    return _advance(connection, job, action, {})


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
    job = _locked(connection, job_id)
    if job is not None and job.status not in FINAL:
        job = _advance(connection, job, Action.CANCEL, {})
    if job is not None and job.status in FINAL:
        connection.execute(jobs.delete().where(jobs.c.id == job_id))


def forgotten(queue: str) -> Select[tuple[str]]:
    """The ids of the questions in their queue whose asker died before it read the answer."""
    return select(jobs.c.id).where(
        jobs.c.queue == queue, jobs.c.status.in_(FINAL), jobs.c.finished_at < now() - FORGOTTEN_SECONDS
    )


def publish(
    connection: Connection,
    held: Claim,
    *,
    kind: str,
    name: str,
    path: str | None,
    media_type: str,
    size: int,
    sha256: str,
    meta: Mapping[str, Any],
    content: bytes | None = None,
) -> str:
    """Make bytes visible as an artifact of the job; the same kind and name again replaces it. Returns its id.

    path: where the store has them; or content: the bytes themselves.
    """
    job = _held(connection, held)
    same = {"of_job": job.id, "of_kind": kind, "of_name": name}
    for former in connection.scalars(_REPLACED, same).all():
        if former is not None and former != path:
            discard(connection, former)
    artifact_id = new_id("ckpt" if kind == "checkpoint" else "art")
    connection.execute(
        _ARTIFACT,
        {
            "id": artifact_id,
            "job_id": job.id,
            "kind": kind,
            "name": name,
            "path": path,
            "content": content,
            "media_type": media_type,
            "bytes": size,
            "sha256": sha256,
            "meta": dict(meta),
        },
    )
    return artifact_id


def discard(connection: Connection, path: str) -> None:
    """Have the bytes under a path of the store deleted once this transaction is durable."""
    if connection.scalar(select(trash.c.path).where(trash.c.path == path)) is None:
        connection.execute(insert(trash).values(path=path))


def _row(connection: Connection, job_id: str) -> Job:
    return connection.execute(_ROW, {"job_id": job_id}).one()


def _locked(connection: Connection, job_id: str) -> Job | None:
    """The row, kept from other writers until the end of the transaction (SQLite locks all of them anyway)."""
    return connection.execute(_ROW_LOCKED, {"job_id": job_id}).one_or_none()


def _held(connection: Connection, held: Claim) -> Job:
    job = _locked(connection, held.job_id)
    if job is None or job.fence != held.fence or job.status not in OWNED:
        raise StaleFence(held.job_id)
    return job


def _owned(connection: Connection, owner: str, job_id: str, version: int | None) -> Job:
    job = _locked(connection, job_id)
    if job is None or job.owner != owner:
        raise Problem("job_not_found", "There is no such job.", status=404)
    if version is not None and version != job.version:
        raise Problem(
            "version_mismatch", "The job has changed since you read it; read it again.", status=412, pointer=None
        )
    return job


def _lose(connection: Connection, job: Job, problem: Problem) -> Job:
    if job.attempts < job.max_attempts:
        pause = 0 if job.attempts <= 1 else min(2 ** (job.attempts - 1), RETRY_SECONDS)
        return _advance(connection, job, Action.LOSE, {"code": problem.code}, not_before=pause)
    return _advance(connection, job, Action.GIVE_UP, {"code": problem.code}, error=problem.document())


def _advance(connection: Connection, job: Job, action: Action, data: Mapping[str, Any], **values: Any) -> Job:
    """Move a locked job by an action, write the event that says so, and return the new row.

    values: of columns; those of `_TIMES` are seconds from now.
    """
    status = after(Status(job.status), action)
    seq = job.last_event + 1
    if status in FINAL:
        values["finished_at"] = 0.0
        _forget_state(connection, job.id)
    if status == Status.CANCELLED:
        values.pop("error", None)
    if status not in OWNED:
        values |= {"lease_until": None, "worker": None}
    values |= {"status": status, "last_event": seq}
    wanted = {f"new_{name}": value for name, value in values.items()}
    moved = connection.execute(_move(tuple(values)), wanted | {"job_id": job.id}).one()
    _log(connection, job.id, seq, status, data)
    if status == Status.QUEUED:
        turns.enter(connection, job.queue, job.owner)
    return moved


_TIMES = {"lease_until", "not_before", "started_at", "finished_at"}


@cache
def _move(columns: tuple[str, ...]) -> ReturningUpdate[Any]:
    """The statement that gives a job new values of some columns, as parameters `new_…`."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=jobs.c[name].type) for name in columns}
    values |= {name: now() + values[name] for name in _TIMES.intersection(columns)}
    if "started_at" in values:
        values["started_at"] = func.coalesce(jobs.c.started_at, values["started_at"])
    values["version"] = jobs.c.version + 1
    return update(jobs).where(jobs.c.id == bindparam("job_id")).values(values).returning(jobs)


def _log(connection: Connection, job_id: str, seq: int, kind: str, data: Mapping[str, Any]) -> None:
    connection.execute(_EVENT, {"job_id": job_id, "seq": seq, "kind": kind, "data": dict(data)})


def _forget_state(connection: Connection, job_id: str) -> None:
    """A finished job resumes no more."""
    for path in connection.scalars(_STATE_FORGOTTEN, {"of_job": job_id}).all():
        discard(connection, path)
