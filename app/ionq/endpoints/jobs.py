"""/v0.4/jobs: submit, read, list, cancel and delete. Jobs are those of /v1, their circuits simulated by its workers."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query, Request, Response

from app.http.front import AtHand, Front
from app.ionq import records
from app.ionq.answers import (
    STATUS,
    WAITING,
    AllCanceled,
    AllDeleted,
    Canceled,
    Deleted,
    IonqJob,
    IonqJobs,
    Submitted,
    job_view,
)
from app.ionq.auth import IonqOwner
from app.ionq.errors import refusals
from app.ionq.ids import JOB, IonqJobId, split_id, whole_job
from app.ionq.schemas import CloneRequest, JobIds, JobRequest
from app.ionq.submission import Queued, clone, submit
from app.jobs.accepted import IdempotencyKey, replay_of, wait_for_end
from ledger.database import Record
from ledger.rows import Job
from qstill.contract.status import Status

HOLD_SECONDS = 5.0  # Qiskit sleeps for five after an answer that is not final
CIRQ_HOLD_SECONDS = 0.5  # Cirq reads a job at once to return from creating it, and then once a second
PAGE = 100  # jobs, at most: each can echo a lot of metadata

router = APIRouter(strict_content_type=False)  # PennyLane does not say that what it sends is JSON

JobStatus = Literal["submitted", "ready", "started", "completed", "failed", "canceled", "queued"]


@router.post("/jobs", status_code=201, responses=refusals(400, 404, 429))
async def submit_ionq_job(
    job: Annotated[JobRequest, Body()],
    request: Request,
    response: Response,
    front: AtHand,
    owner: IonqOwner,
    idempotency_key: IdempotencyKey = None,
) -> Submitted:
    """Queue a job: one circuit, several, or OpenQASM 3."""
    return _submitted(await submit(front, owner, job, await replay_of(request, idempotency_key)), response)


@router.post(f"{JOB}/clone", status_code=201, responses=refusals(400, 404, 429))
async def clone_ionq_job(
    job_id: IonqJobId,
    changes: CloneRequest,
    request: Request,
    response: Response,
    front: AtHand,
    owner: IonqOwner,
    idempotency_key: IdempotencyKey = None,
) -> Submitted:
    """Queue the circuits of a job again, with other settings where some are named. The job itself stays as it is."""
    own, replay = whole_job(job_id), await replay_of(request, idempotency_key)
    return _submitted(await clone(front, owner, own, changes, replay), response)


@router.post(f"{JOB}/move", status_code=201, responses=refusals(400, 404, 429))
async def move_ionq_job(
    job_id: IonqJobId,
    changes: CloneRequest,
    request: Request,
    response: Response,
    front: AtHand,
    owner: IonqOwner,
    idempotency_key: IdempotencyKey = None,
) -> Submitted:
    """The same, and cancel the job; its id is in the new one's metadata. One that has ended is refused with 400."""
    own, replay = whole_job(job_id), await replay_of(request, idempotency_key)
    return _submitted(await clone(front, owner, own, changes, replay, moved=True), response)


def _submitted(queued: Queued, response: Response) -> Submitted:
    if queued.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return Submitted(id=queued.job.id, status=STATUS[Status(queued.job.status)], session_id=queued.session_id)


@router.get(JOB, response_model_exclude_unset=True, responses=refusals(404))
async def get_ionq_job(job_id: IonqJobId, request: Request, front: AtHand, owner: IonqOwner) -> IonqJob:
    """A job, or a circuit of a job of several. The answer waits up to five seconds for the job to end."""
    own, index = split_id(job_id)
    row = await front.read_by_key(lambda connection: records.get(connection, owner, own))
    seconds = CIRQ_HOLD_SECONDS if _is_cirq(request) else HOLD_SECONDS
    if STATUS[Status(row.status)] in WAITING and await _end(front, row, seconds) is not None:
        row = await front.read_by_key(lambda connection: records.get(connection, owner, own))
    return job_view(row, index)


@router.get("/jobs", response_model_exclude_unset=True, responses=refusals(400))
async def list_ionq_jobs(
    request: Request,
    front: AtHand,
    owner: IonqOwner,
    status: Annotated[JobStatus | None, Query(description="Only these; `queued` is `ready`.")] = None,
    ids: Annotated[
        list[Annotated[str, Query(max_length=600)]] | None,
        Query(max_length=100, description="Only these; several in one, with commas, too."),
    ] = None,
    target: Annotated[str | None, Query(max_length=64, description="Only those of this backend.")] = None,
    session_id: Annotated[str | None, Query(max_length=64, description="Only those of this session.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description=f"Jobs of a page, up to {PAGE}.")] = 25,
    following: Annotated[str | None, Query(alias="next", max_length=64, description="From the page before.")] = None,
) -> IonqJobs:
    """Your jobs of this door, newest first."""
    named = [each for text in ids or () for each in text.split(",") if each]
    word = "ready" if status == "queued" else status
    wanted = records.Wanted(
        status=[own for own, theirs in STATUS.items() if theirs == word] if word is not None else None,
        ids=named or None,
        backend=target,
        session_id=session_id,
        after=following,
    )
    return await page_of(request, front, owner, wanted, limit)


async def page_of(request: Request, front: Front, owner: str, wanted: records.Wanted, limit: int) -> IonqJobs:
    """Cirq takes any `next` for another page, even null; ionq-core needs one."""
    size = min(limit, PAGE)
    found = await front.read(lambda connection: records.find(connection, owner, wanted, size + 1))
    jobs = [job_view(row) for row in found[:size]]
    if len(found) > size:
        return IonqJobs(jobs=jobs, next=jobs[-1].id)
    if _is_cirq(request):
        return IonqJobs(jobs=jobs)
    return IonqJobs(jobs=jobs, next=None)


@router.put(f"{JOB}/status/cancel", responses=refusals(400, 404))
async def cancel_ionq_job(job_id: IonqJobId, front: AtHand, owner: IonqOwner) -> Canceled:
    """End a job. One that has ended otherwise is left as it is, and the answer is 400."""
    own = whole_job(job_id)
    await front.write(lambda connection: records.cancel(connection, owner, own))
    return Canceled(id=own)


@router.put("/jobs/status/cancel", responses=refusals(400))
async def cancel_ionq_jobs(jobs: JobIds, front: AtHand, owner: IonqOwner) -> AllCanceled:
    """End several jobs. Those that are unknown or have ended otherwise are left out of the answer."""
    return AllCanceled(ids=await front.write(lambda connection: records.cancel_all(connection, owner, jobs.distinct)))


@router.delete(JOB, responses=refusals(400, 404))
async def delete_ionq_job(job_id: IonqJobId, front: AtHand, owner: IonqOwner) -> Deleted:
    """Delete a job with its results. One that is not finished is canceled first."""
    own = whole_job(job_id)
    if not await _delete(front, owner, [own]):
        raise records.no_such_job()
    return Deleted(id=own)


@router.delete("/jobs", responses=refusals(400))
async def delete_ionq_jobs(jobs: JobIds, front: AtHand, owner: IonqOwner) -> AllDeleted:
    """Delete several jobs. Those that are unknown are left out of the answer."""
    return AllDeleted(ids=await _delete(front, owner, jobs.distinct))


async def _delete(front: Front, owner: str, job_ids: Sequence[str]) -> list[str]:
    """Wait for jobs that run to let go; one that takes longer is gone for its client, and purged with the next."""
    deleted, held = await front.write(lambda connection: records.remove(connection, owner, job_ids))
    await asyncio.gather(*(_end(front, row, HOLD_SECONDS) for row in held))
    await front.write(lambda connection: records.purge(connection, owner))
    return deleted


def _is_cirq(request: Request) -> bool:
    return request.headers.get("user-agent", "").startswith("cirq/")


async def _end(front: Front, row: Record, seconds: float) -> Job | None:
    return await wait_for_end(front, row, min(seconds, front.settings.max_wait_seconds))
