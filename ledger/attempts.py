"""What workers do to jobs: claim one, say how it goes, end it. One function and one transaction each.

Each takes an open connection and is a `Change` for `Database.write`. It carries its `Claim`, and raises `StaleFence`
once the job is no longer this worker's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Float, Integer, bindparam, insert, select, update

from ledger import turns
from ledger.database import now
from ledger.ids import new_id
from ledger.machine import OWNED, Action
from ledger.rows import Job, advance, discard, log, row
from ledger.tables import artifacts, jobs
from qstill.contract.errors import Problem
from qstill.contract.kinds import NAMED, Kind
from qstill.contract.status import Status

UNBOUNDED = 2**31 - 1
RETRY_SECONDS = 60  # the longest pause before a job whose workers keep dying is tried again
_NOTED = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"))
    .values(version=jobs.c.version + 1, last_event=bindparam("seq", type_=Integer()))
)
_MOVING = (jobs.c.id, jobs.c.queue, jobs.c.owner, jobs.c.status, jobs.c.fence, jobs.c.last_event)
_HELD = select(*_MOVING, jobs.c.attempts, jobs.c.max_attempts).where(jobs.c.id == bindparam("job_id")).with_for_update()
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


class StaleFence(Exception):
    """The job belongs to another attempt now, or to nobody: stop, and change nothing."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A worker's right to one attempt at a job; `fence` is what makes a stale owner harmless."""

    job_id: str
    fence: int
    kind: Kind
    spec: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What a job leaves behind. path: where the store has its bytes; or content: the bytes themselves."""

    kind: str
    name: str
    media_type: str
    size: int
    sha256: str
    path: str | None = None
    content: bytes | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


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
    taken = advance(
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
    return Claim(job_id=job.id, fence=taken.fence, kind=NAMED[job.kind], spec=job.spec)


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
    log(connection, job.id, seq, kind, data)
    connection.execute(_NOTED, {"job_id": job.id, "seq": seq})
    return seq


def finish(
    connection: Connection, held: Claim, result: Mapping[str, Any], progress: Mapping[str, Any] | None = None
) -> Job:
    """The computation returned. A job that was asked to cancel ends cancelled, without a result.

    progress: what was reported last, where that is not in the ledger yet.
    """
    job = _held(connection, held)
    outcome = {} if job.status == Status.CANCELLING else {"result": dict(result)}
    if progress is not None:
        outcome["progress"] = dict(progress)
    return advance(connection, job, Action.FINISH, {}, **outcome)


def fail(connection: Connection, held: Claim, problem: Problem) -> Job:
    """The computation cannot succeed, and says why."""
    return advance(connection, _held(connection, held), Action.FAIL, {"code": problem.code}, error=problem.document())


def release(connection: Connection, held: Claim) -> Job:
    """Give a job back in good order: its state is saved, and the attempt does not count."""
    job = _held(connection, held)
    return advance(connection, job, Action.RELEASE, {}, attempts=job.attempts - 1)


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
        _lose(connection, row(connection, job_id), problem)
    return len(overdue)


def publish(connection: Connection, held: Claim, *made: Artifact) -> list[str]:
    """Make bytes visible as artifacts of the job; the same kind and name again replaces one. Returns their ids."""
    job = _held(connection, held)
    latest = {(artifact.kind, artifact.name): artifact for artifact in made}
    for (kind, name), artifact in latest.items():
        former = connection.scalars(_REPLACED, {"of_job": job.id, "of_kind": kind, "of_name": name}).all()
        before = [each.path for each in made if (each.kind, each.name) == (kind, name)]
        for path in {*former, *before} - {artifact.path, None}:
            discard(connection, path)
    rows = [_row(job.id, artifact) for artifact in latest.values()]
    connection.execute(_ARTIFACT, rows)
    return [row["id"] for row in rows]


def _row(job_id: str, artifact: Artifact) -> dict[str, Any]:
    return {
        "id": new_id("ckpt" if artifact.kind == "checkpoint" else "art"),
        "job_id": job_id,
        "kind": artifact.kind,
        "name": artifact.name,
        "path": artifact.path,
        "content": artifact.content,
        "media_type": artifact.media_type,
        "bytes": artifact.size,
        "sha256": artifact.sha256,
        "meta": dict(artifact.meta),
    }


def _held(connection: Connection, held: Claim) -> Job:
    """What moves a job, of its row, which is kept from other writers; its documents stay unread."""
    job = connection.execute(_HELD, {"job_id": held.job_id}).one_or_none()
    if job is None or job.fence != held.fence or job.status not in OWNED:
        raise StaleFence(held.job_id)
    return job


def _lose(connection: Connection, job: Job, problem: Problem) -> Job:
    if job.attempts < job.max_attempts:
        pause = 0 if job.attempts <= 1 else min(2 ** (job.attempts - 1), RETRY_SECONDS)
        return advance(connection, job, Action.LOSE, {"code": problem.code}, not_before=pause)
    return advance(connection, job, Action.GIVE_UP, {"code": problem.code}, error=problem.document())
