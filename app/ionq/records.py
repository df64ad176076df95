"""The SQL of the IonQ door: what its clients sent and are told, beside the ledger's own rows."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from ledger import requests
from ledger.database import Record, now
from ledger.ids import new_id
from ledger.machine import Action, IllegalTransition
from ledger.tables import ionq_jobs, ionq_sessions, jobs
from qstill.contract.errors import Problem
from qstill.contract.status import FINAL, Status

RECENT_JOBS = 100  # whose waiting time is that of the queue

# Made once: SQLAlchemy takes longer to build a query than to run it.
_JOBS = (
    select(
        *(column for column in jobs.c if column.name != "spec"),
        ionq_jobs.c.backend,
        ionq_jobs.c.session_id,
        ionq_jobs.c.request,
    )
    .join(ionq_jobs, ionq_jobs.c.job_id == jobs.c.id)
    .where(ionq_jobs.c.deleted_at.is_(None))
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which jobs of a list."""

    status: Sequence[Status] | None = None
    ids: Sequence[str] | None = None
    backend: str | None = None
    session_id: str | None = None
    after: str | None = None


def keep(connection: Connection, job_id: str, backend: str, session_id: str | None, request: Mapping[str, Any]) -> None:
    """Note what a new job's client sent, in the transaction that queues the job."""
    values = {"job_id": job_id, "backend": backend, "session_id": session_id, "request": dict(request)}
    connection.execute(insert(ionq_jobs).values(**values))


def get(connection: Connection, owner: str, job_id: str) -> Record:
    """Raises Problem (404)."""
    found = connection.execute(_JOBS.where(jobs.c.id == job_id, jobs.c.owner == owner)).one_or_none()
    if found is None:
        raise no_such_job()
    return found


def no_such_job() -> Problem:
    return Problem("job_not_found", "There is no such job.", status=404)


def find(connection: Connection, owner: str, wanted: Wanted, limit: int) -> Sequence[Record]:
    """Up to `limit` jobs, newest first."""
    query = _JOBS.where(jobs.c.owner == owner)
    if wanted.status is not None:
        query = query.where(jobs.c.status.in_(wanted.status))
    if wanted.ids is not None:
        query = query.where(jobs.c.id.in_(wanted.ids))
    if wanted.backend is not None:
        query = query.where(ionq_jobs.c.backend == wanted.backend)
    if wanted.session_id is not None:
        query = query.where(ionq_jobs.c.session_id == wanted.session_id)
    if wanted.after is not None:
        query = query.where(jobs.c.id < wanted.after)
    return connection.execute(query.order_by(jobs.c.id.desc()).limit(limit)).all()


def cancel(connection: Connection, owner: str, job_id: str) -> None:
    """Asking again changes nothing. Raises Problem: 404, and 400 for a job that has ended otherwise."""
    job = get(connection, owner, job_id)
    if job.status == Status.CANCELLED:
        return
    if job.status in FINAL:
        title = f"The job has {job.status}: there is nothing left to cancel."
        raise Problem("job_finished", title, status=400)
    requests.request(connection, owner, job_id, Action.CANCEL)


def cancel_all(connection: Connection, owner: str, job_ids: Sequence[str]) -> list[str]:
    """Those of the jobs that are canceled then; unknown ones and those that have ended otherwise are passed over."""
    canceled = []
    for job_id in job_ids:
        with contextlib.suppress(Problem, IllegalTransition):
            cancel(connection, owner, job_id)
            canceled.append(job_id)
    return canceled


def remove(connection: Connection, owner: str, job_ids: Sequence[str]) -> tuple[list[str], list[Record]]:
    """Delete jobs for good, passing over unknown ones. Returns the ids of all that are deleted, and some of their rows.

    The rows are those of jobs that have to let go first: they are cancelled, hidden, and left to `purge`.
    """
    named = _JOBS.where(jobs.c.owner == owner, jobs.c.id.in_(job_ids)).with_for_update(of=jobs)
    found = connection.execute(named).all()
    held = []
    for job in found:
        status = job.status
        if status not in FINAL:
            status = requests.request(connection, owner, job.id, Action.CANCEL).status
        if status in FINAL:
            requests.delete(connection, owner, job.id)
        else:
            connection.execute(update(ionq_jobs).where(ionq_jobs.c.job_id == job.id).values(deleted_at=now()))
            held.append(job)
    return [job.id for job in found], held


def purge(connection: Connection, owner: str) -> None:
    """Delete the owner's jobs that were to be deleted and have let go by now."""
    query = select(jobs.c.id).join(ionq_jobs, ionq_jobs.c.job_id == jobs.c.id)
    hidden = query.where(jobs.c.owner == owner, ionq_jobs.c.deleted_at.is_not(None), jobs.c.status.in_(FINAL))
    for job_id in connection.scalars(hidden).all():
        requests.delete(connection, owner, job_id)


def queue_seconds(connection: Connection) -> float:
    """How long circuits waited for a worker, on average over the last of them."""
    query = select(jobs.c.created_at, jobs.c.started_at).where(jobs.c.kind == "circuit", jobs.c.started_at.is_not(None))
    recent = query.order_by(jobs.c.id.desc()).limit(RECENT_JOBS).subquery()
    return float(connection.scalar(select(func.avg(recent.c.started_at - recent.c.created_at))) or 0.0)


def open_session(connection: Connection, owner: str, backend: str, settings: Mapping[str, Any]) -> Record:
    values = {"id": new_id("session"), "owner": owner, "backend": backend, "settings": dict(settings)}
    connection.execute(insert(ionq_sessions).values(created_at=now(), **values))
    return get_session(connection, owner, str(values["id"]))


_SPENT = (
    select(func.sum(func.coalesce(jobs.c.finished_at, now()) - jobs.c.started_at))
    .join(ionq_jobs, ionq_jobs.c.job_id == jobs.c.id)
    .where(ionq_jobs.c.session_id == ionq_sessions.c.id, jobs.c.started_at.is_not(None))
    .scalar_subquery()
)
_SESSIONS = select(ionq_sessions, now().label("asked_at"), _SPENT.label("seconds"))


def get_session(connection: Connection, owner: str, session_id: str) -> Record:
    """A session, with the time it is read (`asked_at`) and what its jobs took (`seconds`). Raises Problem (404)."""
    query = _SESSIONS.where(ionq_sessions.c.id == session_id, ionq_sessions.c.owner == owner)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise Problem("session_not_found", "There is no such session.", status=404, pointer="/session_id")
    return found


def list_sessions(connection: Connection, owner: str, limit: int) -> Sequence[Record]:
    """The newest sessions of an owner."""
    query = _SESSIONS.where(ionq_sessions.c.owner == owner).order_by(ionq_sessions.c.id.desc()).limit(limit)
    return connection.execute(query).all()


def ended_at(session: Record) -> float | None:
    """When a session ended, by its client or by its limit of time; None while it is open."""
    minutes = session.settings.get("duration_limit_min")
    expires = session.created_at + 60 * minutes if minutes is not None else None
    if session.ended_at is not None:
        return float(session.ended_at if expires is None else min(session.ended_at, expires))
    return expires if expires is not None and expires <= session.asked_at else None


def end_session(connection: Connection, owner: str, session_id: str) -> Record:
    """Asking again changes nothing."""
    session = get_session(connection, owner, session_id)
    if session.ended_at is None:
        connection.execute(update(ionq_sessions).where(ionq_sessions.c.id == session_id).values(ended_at=now()))
    return get_session(connection, owner, session_id)


def enter_session(connection: Connection, owner: str, session_id: str) -> None:
    """Before a job is queued in a session. Raises Problem where the session takes no more."""
    session = get_session(connection, owner, session_id)
    if ended_at(session) is not None:
        raise Problem("session_ended", "The session has ended.", status=400, pointer="/session_id")
    most = session.settings.get("job_count_limit")
    counted = connection.scalar(select(func.count()).where(ionq_jobs.c.session_id == session_id)) or 0
    if most is not None and counted >= most:
        title = f"The session has had its {most} jobs."
        raise Problem("session_full", title, status=400, pointer="/session_id")
    if session.started_at is None:
        connection.execute(update(ionq_sessions).where(ionq_sessions.c.id == session_id).values(started_at=now()))
