"""Moving the row of one job, and writing the event that says so: what all changes to the ledger are made of."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from ledger import turns
from ledger.database import Record, now
from ledger.machine import OWNED, Action, after
from ledger.tables import artifacts, events, jobs, trash
from qstill.contract.status import FINAL, Status

STATE = "state"  # the kind of the artifact from which a later attempt resumes
Job = Record
_EVENT = insert(events).values(created_at=now())
_ROW = select(jobs).where(jobs.c.id == bindparam("job_id"))
_ROW_LOCKED = _ROW.with_for_update()
_STATE_FORGOTTEN = (
    artifacts.delete()
    .where(artifacts.c.job_id == bindparam("of_job"), artifacts.c.kind == STATE)
    .returning(artifacts.c.path)
)
_TIMES = {"lease_until", "not_before", "started_at", "finished_at"}


def discard(connection: Connection, path: str) -> None:
    """Have the bytes under a path of the store deleted once this transaction is durable."""
    if connection.scalar(select(trash.c.path).where(trash.c.path == path)) is None:
        connection.execute(insert(trash).values(path=path))


def row(connection: Connection, job_id: str) -> Job:
    return connection.execute(_ROW, {"job_id": job_id}).one()


def locked(connection: Connection, job_id: str) -> Job | None:
    """The row, kept from other writers until the end of the transaction (SQLite locks all of them anyway)."""
    return connection.execute(_ROW_LOCKED, {"job_id": job_id}).one_or_none()


def advance(connection: Connection, job: Job, action: Action, data: Mapping[str, Any], **values: Any) -> Job:
    """Move a locked job by an action, write the event that says so, and return the new row.

    values: of columns; those of `_TIMES` are seconds from now.
    """
    status = after(Status(job.status), action)
    seq = job.last_event + 1
    if status in FINAL:
        values["finished_at"] = 0.0
        forget_state(connection, job.id)
    if status == Status.CANCELLED:
        values.pop("error", None)
    if status not in OWNED:
        values |= {"lease_until": None, "worker": None}
    values |= {"status": status, "last_event": seq}
    wanted = {f"new_{name}": value for name, value in values.items()}
    moved = connection.execute(_move(tuple(values)), wanted | {"job_id": job.id}).one()
    log(connection, job.id, seq, status, data)
    if status == Status.QUEUED:
        turns.enter(connection, job.queue, job.owner)
    return moved


@cache
def _move(columns: tuple[str, ...]) -> ReturningUpdate[Any]:
    """The statement that gives a job new values of some columns, as parameters `new_…`."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=jobs.c[name].type) for name in columns}
    values |= {name: now() + values[name] for name in _TIMES.intersection(columns)}
    if "started_at" in values:
        values["started_at"] = func.coalesce(jobs.c.started_at, values["started_at"])
    values["version"] = jobs.c.version + 1
    return update(jobs).where(jobs.c.id == bindparam("job_id")).values(values).returning(jobs)


def log(connection: Connection, job_id: str, seq: int, kind: str, data: Mapping[str, Any]) -> None:
    connection.execute(_EVENT, {"job_id": job_id, "seq": seq, "kind": kind, "data": dict(data)})


def forget_state(connection: Connection, job_id: str) -> None:
    """A finished job resumes no more."""
    for path in connection.scalars(_STATE_FORGOTTEN, {"of_job": job_id}).all():
        discard(connection, path)
