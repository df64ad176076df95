"""A job as its owner sees it."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path

from ledger.database import Record
from ledger.ids import id_pattern
from qstill.contract.answers.jobs import EXAMPLE_ID, EventView, JobView
from qstill.contract.errors import Problem
from qstill.contract.headline import headline
from qstill.contract.kinds import NAMED
from qstill.contract.status import Status

JobId = Annotated[str, Path(pattern=id_pattern("job"), description="The id of a job.", examples=[EXAMPLE_ID])]


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)


def job_view(job: Record) -> JobView:
    return JobView(
        id=job.id,
        kind=job.kind,
        status=Status(job.status),
        name=job.name,
        labels=job.labels,
        priority=job.priority,
        attempts=job.attempts,
        created_at=moment(job.created_at),
        started_at=moment_or_none(job.started_at),
        finished_at=moment_or_none(job.finished_at),
        progress=job.progress,
        headline=headline(job.kind, job.status, job.result, job.error),
        result=job.result,
        error=job.error,
        last_event=job.last_event,
        links=NAMED[job.kind].links(job.id),
    )


def event_view(event: Record) -> EventView:
    return EventView(seq=event.seq, kind=event.kind, data=event.data, created_at=moment(event.created_at))


def must_have_succeeded(job: Record) -> None:
    """For what only a job that succeeded has. Raises Problem (409)."""
    if job.status == Status.SUCCEEDED:
        return
    path = f"/v1/jobs/{job.id}"
    way_out: dict[str, Any]
    match job.status:
        case Status.FAILED:
            code, title = "no_result", "The job has failed and left nothing; its `error` says why."
            way_out = {"method": "GET", "path": path}
        case Status.CANCELLED | Status.CANCELLING:
            code, title = "no_result", "The job was cancelled and leaves nothing; its request can be submitted again."
            way_out = {"method": "GET", "path": f"{path}/request"}
        case Status.PAUSED | Status.PAUSING:
            code, title = "no_result_yet", f"The job is {job.status}; only one that succeeded has this."
            way_out = {"method": "POST", "path": f"{path}/resume"}
        case _:
            code, title = "no_result_yet", f"The job is {job.status}; wait for it to succeed."
            way_out = {"method": "GET", "path": path, "headers": {"Prefer": "wait=60"}}
    raise Problem(code, title, status=409, ways_out=[way_out])
