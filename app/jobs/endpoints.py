"""/v1/jobs: what circuits and distillations have in common."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from sqlalchemy import Connection

from app.http.auth import Owner
from app.http.etag import IfMatch, IfNoneMatch, etag, unchanged, wanted_version
from app.http.front import AtHand, Front
from app.http.paging import Limit, Lister, lister_of
from app.http.refusals.problems import problems
from app.jobs.accepted import Prefer, wait_for_end, wait_seconds
from app.jobs.answers import JobId, event_view, job_view
from app.jobs.stream import stream_events
from ledger import queries, requests
from ledger.database import Cursors, Record
from ledger.machine import Action
from qstill.contract.answers.jobs import EventView, JobView
from qstill.contract.answers.pages import Page
from qstill.contract.kinds import IN_WORDS, JOB_NAME
from qstill.contract.schemas import LabelKey, LabelValue
from qstill.contract.status import FINAL, Status

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=problems(401, 403, 422))

LABEL = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}=[^\x00-\x1f\x7f]{0,200}$"


@router.get("")
async def list_jobs(
    lister: Annotated[Lister, Depends(lister_of("job"))],
    kind: Annotated[str | None, Query(pattern=JOB_NAME, description=f"{IN_WORDS}.")] = None,
    status: Annotated[list[Status] | None, Query(description="One or more states.")] = None,
    label: Annotated[
        list[Annotated[str, Query(pattern=LABEL)]] | None,
        Query(max_length=8, description="`key=value`; all given must match.", examples=[["course=qc101"]]),
    ] = None,
) -> Page[JobView]:
    """Your jobs, newest first."""
    labels: list[tuple[LabelKey, LabelValue]] = [
        (key, value) for key, _, value in (x.partition("=") for x in label or ())
    ]
    wanted = queries.JobFilter(kind=kind, status=status or (), labels=labels)

    def find(connection: Connection, cursors: Cursors) -> Sequence[Record]:
        return queries.list_jobs(connection, lister.owner, wanted, cursors)

    return await lister.page(find, job_view)


@router.get(
    "/{job_id}",
    response_model=JobView,
    responses=problems(404) | {304: {"description": "Unchanged since the ETag that you have."}},
)
async def get_job(
    job_id: JobId,
    response: Response,
    front: AtHand,
    owner: Owner,
    prefer: Prefer = None,
    if_none_match: IfNoneMatch = None,
) -> Any:
    """A job. `Prefer: wait=N` waits up to N seconds for it to finish."""
    job = await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id))
    seconds = wait_seconds(prefer, front.settings.max_wait_seconds)
    if seconds > 0 and (finished := await wait_for_end(front, job, seconds)) is not None:
        job = finished
    tag = etag(job.version)
    if unchanged(tag, if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return job_view(job)


@router.get("/{job_id}/request", responses=problems(404))
async def get_request(job_id: JobId, front: AtHand, owner: Owner) -> dict[str, Any]:
    """The body that the job was submitted with, defaults filled in; submitted again it gives the same answer."""
    return await front.read(lambda connection: queries.get_request(connection, owner, job_id))


@router.get(
    "/{job_id}/events",
    response_model=Page[EventView],
    responses=problems(404, 503)
    | {
        200: {
            "description": "A page, or with `Accept: text/event-stream` the live events.",
            "content": {"text/event-stream": {}},
        }
    },
)
async def list_events(
    job_id: JobId,
    request: Request,
    front: AtHand,
    owner: Owner,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Only events after this sequence number.")] = 0,
    limit: Limit = 100,
    last_event_id: Annotated[
        str | None, Header(pattern=r"^\d{0,9}$", description="Where a stream goes on; browsers send it by themselves.")
    ] = None,
) -> Any:
    """What happened to a job, oldest first: as a page, or with `Accept: text/event-stream` live until it is final."""
    job = await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id))
    if "text/event-stream" in request.headers.get("accept", ""):
        after = int(last_event_id or after)
        if job.status in FINAL and 0 < after >= job.last_event:
            return Response(status_code=204)  # a browser would otherwise open a finished stream again, for ever
        return stream_events(front, job, after)
    found = await front.read(lambda connection: queries.list_events(connection, job_id, after=after, limit=limit + 1))
    kept = [event_view(event) for event in found[:limit]]
    return Page(
        data=kept,
        has_more=len(found) > limit,
        first_id=str(kept[0].seq) if kept else None,
        last_id=str(kept[-1].seq) if kept else None,
    )


@router.post("/{job_id}/cancel", responses=problems(404, 409, 412))
async def cancel_job(
    job_id: JobId, response: Response, front: AtHand, owner: Owner, if_match: IfMatch = None
) -> JobView:
    """End a job. One that runs is `cancelling` until its worker has let go."""
    return await _request(front, response, owner, job_id, Action.CANCEL, if_match)


@router.post("/{job_id}/pause", responses=problems(404, 409, 412))
async def pause_job(
    job_id: JobId, response: Response, front: AtHand, owner: Owner, if_match: IfMatch = None
) -> JobView:
    """Stop working on a job for now. One that runs is `pausing` until it has saved its state."""
    return await _request(front, response, owner, job_id, Action.PAUSE, if_match)


@router.post("/{job_id}/resume", responses=problems(404, 409, 412))
async def resume_job(
    job_id: JobId, response: Response, front: AtHand, owner: Owner, if_match: IfMatch = None
) -> JobView:
    """Go on with a paused job, from where it stopped."""
    return await _request(front, response, owner, job_id, Action.RESUME, if_match)


@router.delete("/{job_id}", status_code=204, responses=problems(404, 409, 412))
async def delete_job(job_id: JobId, front: AtHand, owner: Owner, if_match: IfMatch = None) -> None:
    """Delete a finished job with its events, checkpoints and results."""
    version = wanted_version(if_match)
    await front.write(lambda connection: requests.delete(connection, owner, job_id, version))


async def _request(
    front: Front, response: Response, owner: str, job_id: str, action: Action, if_match: str | None
) -> JobView:
    version = wanted_version(if_match)
    job = await front.write(lambda connection: requests.request(connection, owner, job_id, action, version))
    if job.status == Status.QUEUED:
        front.waker.wake(job.queue)
    response.headers["ETag"] = etag(job.version)
    return job_view(job)
