"""How a submission is answered: 202 with `Location`, or 200 with the finished job when `Prefer: wait=N` was enough."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from sqlalchemy import Connection

from app.http.etag import etag
from app.http.front import AtHand, Front
from app.jobs.answers import job_view
from ledger import queries, requests
from ledger.database import Change
from ledger.requests import NewJob, Replay
from ledger.rows import Job
from ledger.settings import Settings
from qstill.contract.answers.jobs import JobView
from qstill.contract.errors import Problem
from qstill.contract.kinds import Kind
from qstill.contract.schemas import Submission
from qstill.contract.status import FINAL

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Requests with the same key are one request: send it again after a failure of the network.",
        examples=["1f0c9a5e-bell"],
    ),
]
FINISHED: dict[int | str, dict[str, Any]] = {
    200: {"model": JobView, "description": "The finished job: `Prefer: wait=N` sufficed, or the key was used before."}
}
Prefer = Annotated[
    str | None,
    Header(description="`wait=N`: wait up to N seconds for the job to finish (RFC 7240).", examples=["wait=5"]),
]


class Accepted:
    """Queues a new job and answers the request that asked for it."""

    def __init__(
        self, request: Request, response: Response, front: Front, idempotency_key: str | None, prefer: str | None
    ) -> None:
        self._request, self._response, self._front = request, response, front
        self._key, self._prefer = idempotency_key, prefer

    async def __call__(self, new: NewJob, check: Change[None] = lambda connection: None) -> JobView:
        """check: what must hold of a job that is new, in the transaction that queues it; it raises Problem."""
        front, response = self._front, self._response

        def admit(connection: Connection) -> None:
            front.backlog.check(connection, new.owner)
            check(connection)

        replay = await replay_of(self._request, self._key)
        job, replayed = await front.write(lambda connection: requests.submit(connection, new, replay, admit))
        if replayed:
            response.headers["Idempotency-Replayed"] = "true"
        else:
            front.waker.wake(new.kind.queue)
        finished = await wait_for_end(front, job, wait_seconds(self._prefer, front.settings.max_wait_seconds))
        if finished is not None:
            response.headers["Preference-Applied"] = "wait"
            job = finished
        response.status_code = 200 if job.status in FINAL else 202
        response.headers["Location"] = f"/v1/jobs/{job.id}"
        response.headers["ETag"] = etag(job.version)
        return job_view(job)


def new_job(
    kind: Kind,
    asked: Submission,
    owner: str,
    settings: Settings,
    *,
    spec: Mapping[str, Any] | None = None,
    files: Sequence[str] = (),
) -> NewJob:
    """A job to be queued. spec: what its worker reads; None: the request as it was understood. files: ids."""
    return NewJob(
        kind=kind,
        owner=owner,
        spec=asked.model_dump(mode="json", exclude_none=True) if spec is None else spec,
        name=asked.name,
        labels=asked.labels,
        priority=asked.priority,
        max_attempts=kind.attempts or settings.max_attempts,
        files=files,
    )


async def replay_of(request: Request, key: str | None) -> Replay | None:
    """What makes two requests with the same `Idempotency-Key` one."""
    if key is None:
        return None
    signed = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return Replay(key=key, fingerprint=hashlib.sha256(signed).hexdigest())


async def _accepted(  # async: FastAPI sends a plain function or a class to a thread
    request: Request,
    response: Response,
    front: AtHand,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Accepted:
    return Accepted(request, response, front, idempotency_key, prefer)


Reply = Annotated[Accepted, Depends(_accepted)]


def wait_seconds(prefer: str | None, longest: float) -> float:
    """The seconds that `Prefer: wait=N` asks for, at most `longest`; 0 without it. Other preferences are ignored."""
    found = re.search(r"(?:^|[,;\s])wait=(\d{1,6})(?:$|[,;\s])", prefer or "")
    return min(float(found[1]), longest) if found else 0.0


async def wait_for_end(front: Front, job: Job, seconds: float) -> Job | None:
    """The job once it is final; None when that takes longer than `seconds`, or too many wait already."""
    if job.status in FINAL:
        return job
    if front.tailer.full():
        return None  # the job is queued: an error would have the client submit it again
    version = job.version
    try:
        async with asyncio.timeout(seconds):
            while seconds > 0:
                standing = await front.tailer.change(job.id, version)
                if standing is None:
                    raise Problem("job_not_found", "The job was deleted while you waited.", status=404)
                if standing.status in FINAL:
                    return await front.read_by_key(lambda connection: queries.get_job(connection, job.owner, job.id))
                version = standing.version
    except TimeoutError:
        pass
    return None
