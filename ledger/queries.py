"""What clients read from the ledger. Nothing here changes a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select, union_all

from ledger.database import Cursors, Record, newest_first, page_of
from ledger.tables import artifacts, events, job_files, job_labels, jobs
from qstill.contract.errors import Problem
from qstill.contract.kinds import JOBS, Kind
from qstill.contract.status import FINAL, Status

LOOKED_AT = 10  # jobs for each result that is wanted

# A list shows no request bodies: they can be megabytes each.
SUMMARY = select(*(column for column in jobs.c if column.name != "spec"))

# Made once: SQLAlchemy takes longer to build a query than to run it.
_JOB = SUMMARY.where(jobs.c.id == bindparam("job_id"), jobs.c.owner == bindparam("owner"))
_STANDINGS = select(jobs.c.id, jobs.c.version, jobs.c.status, jobs.c.last_event, jobs.c.progress).where(
    jobs.c.id.in_(bindparam("job_ids", expanding=True))
)


_SEEN = [kind.name for kind in JOBS]


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    kind: str | None = None
    status: Sequence[Status] = ()
    labels: Sequence[tuple[str, str]] = ()


def get_job(connection: Connection, owner: str, job_id: str, kind: Kind | None = None) -> Record:
    """A job without its request body. Raises Problem (404) when it is another owner's, or of another kind."""
    job = connection.execute(_JOB, {"job_id": job_id, "owner": owner}).one_or_none()
    if job is None or (kind is not None and job.kind != kind.name):
        raise Problem("job_not_found", f"There is no such {kind.name if kind else 'job'}.", status=404)
    return job


def get_request(connection: Connection, owner: str, job_id: str) -> dict[str, Any]:
    """The body that a job was submitted with."""
    spec = connection.scalar(select(jobs.c.spec).where(jobs.c.id == job_id, jobs.c.owner == owner))
    if spec is None:
        raise Problem("job_not_found", "There is no such job.", status=404)
    return dict(spec)


def list_jobs(connection: Connection, owner: str, wanted: JobFilter, cursors: Cursors) -> Sequence[Record]:
    """A page, newest first.

    By kind and status each combination is a page of its own, read from the index, however many jobs are of others.
    """
    found = select(jobs.c.id).where(jobs.c.owner == owner)
    for key, value in wanted.labels:
        named = and_(job_labels.c.job_id == jobs.c.id, job_labels.c.key == key, job_labels.c.value == value)
        found = found.where(select(job_labels.c.job_id).where(named).exists())
    if wanted.kind is None and not wanted.status:
        pages = [page_of(found.where(jobs.c.kind.in_(_SEEN)), jobs.c.id, cursors)]
    else:
        kinds = _SEEN if wanted.kind is None else (wanted.kind,)
        pages = [
            page_of(found.where(jobs.c.kind == kind, jobs.c.status == status), jobs.c.id, cursors)
            for kind, status in product(kinds, dict.fromkeys(wanted.status) or Status)
        ]
    together = union_all(*(select(page.subquery().c.id) for page in pages)).subquery()
    nearest = page_of(select(together.c.id), together.c.id, cursors).subquery()
    return newest_first(connection, SUMMARY.join(nearest, nearest.c.id == jobs.c.id), jobs.c.id, cursors)


def recent_results(connection: Connection, kind: Kind, limit: int) -> list[dict[str, Any]]:
    """The results of up to `limit` of the newest jobs of a kind that succeeded, whoever's they are.

    Looked for among the newest jobs only, so that a long queue of another kind costs no more than it.
    """
    newest = select(jobs.c.id).order_by(jobs.c.id.desc()).limit(limit * LOOKED_AT).subquery()
    wanted = (jobs.c.kind == kind.name, jobs.c.status == Status.SUCCEEDED)
    query = select(jobs.c.result).join(newest, newest.c.id == jobs.c.id).where(*wanted).order_by(jobs.c.id.desc())
    return list(connection.scalars(query.limit(limit)).all())


def list_events(connection: Connection, job_id: str, *, after: int, limit: int) -> Sequence[Record]:
    """Up to `limit` events of a job with a sequence number above `after`, oldest first."""
    query = select(events).where(events.c.job_id == job_id, events.c.seq > after).order_by(events.c.seq).limit(limit)
    return connection.execute(query).all()


def standings(connection: Connection, job_ids: Sequence[str]) -> Sequence[Record]:
    """Of many jobs at once: id, version, status, last_event, progress."""
    return connection.execute(_STANDINGS, {"job_ids": list(job_ids)}).all()


def list_artifacts(connection: Connection, job_id: str, kind: str) -> Sequence[Record]:
    """The artifacts of one kind of a job, oldest first."""
    query = select(artifacts).where(artifacts.c.job_id == job_id, artifacts.c.kind == kind).order_by(artifacts.c.id)
    return connection.execute(query).all()


def get_artifact(connection: Connection, job_id: str, kind: str, name: str) -> Record | None:
    same = (artifacts.c.job_id == job_id, artifacts.c.kind == kind, artifacts.c.name == name)
    return connection.execute(select(artifacts).where(*same)).one_or_none()


def get_checkpoint(connection: Connection, owner: str, checkpoint_id: str) -> Record:
    """A checkpoint by its own id. Raises Problem (404) when its job is another owner's."""
    query = select(artifacts).join(jobs, jobs.c.id == artifacts.c.job_id)
    found = connection.execute(
        query.where(artifacts.c.id == checkpoint_id, artifacts.c.kind == "checkpoint", jobs.c.owner == owner)
    ).one_or_none()
    if found is None:
        raise Problem("checkpoint_not_found", "There is no such checkpoint.", status=404)
    return found


def unfinished_user(connection: Connection, ids: Sequence[str]) -> str | None:
    """A job that is not finished and reads one of these files, models or checkpoints; None when there is none."""
    using = (
        select(jobs.c.id)
        .join(job_files, job_files.c.job_id == jobs.c.id)
        .where(job_files.c.file_id.in_(ids), jobs.c.status.not_in(FINAL))
        .limit(1)
    )
    return connection.scalar(using)
