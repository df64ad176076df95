"""A question to a worker, while a client waits: a small job that is first in line, and gone once it is answered."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from app.database import Change
from app.errors import Problem
from app.http.accepted import wait_for_end
from app.http.front import Front
from app.jobs import ledger
from app.jobs.ledger import NewJob
from app.jobs.machine import Status
from app.jobs.tables import INSPECTION, INSPECTION_PRIORITY

RETRY_SECONDS = 5  # a worker that drains a queue, or starts, is there by then
OWN_FAULTS = {"internal_error": 500, "worker_lost": 503}  # all else is the question's: 422


async def asked(
    spec: Mapping[str, Any],
    queue: str,
    front: Front,
    owner: str,
    *,
    files: Sequence[str] = (),
    check: Change[None] = lambda connection: None,
) -> dict[str, Any]:
    """What a worker says. Nothing is left of the question. Raises Problem: the worker's, or 503 if none answers.

    files: ids of what the worker reads. check: what must hold, in the transaction that asks.
    """

    def admit(connection: Connection) -> None:
        front.backlog.check(connection, owner)
        check(connection)

    front.tailer.check_room()
    new = NewJob(
        kind=INSPECTION,
        queue=queue,
        owner=owner,
        spec=dict(spec),
        priority=INSPECTION_PRIORITY,
        max_attempts=1,
        files=list(files),
    )
    job, _ = await front.write(lambda connection: ledger.submit(connection, new, admit=admit))
    try:
        front.waker.wake(queue)
        finished = await wait_for_end(front, job, front.settings.max_wait_seconds)
    finally:
        await front.write(lambda connection: ledger.abandon(connection, job.id))
    if finished is not None and finished.status == Status.FAILED:
        raise _problem(finished.error)
    if finished is None or finished.status != Status.SUCCEEDED:
        raise Problem(
            "no_worker_answered",
            f"No worker of the queue `{queue}` answered in time; try again, or see whether one runs.",
            status=503,
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    result: dict[str, Any] = finished.result
    return result


def _problem(document: dict[str, Any]) -> Problem:
    status = OWN_FAULTS.get(document["code"], 422)
    return Problem(
        document["code"],
        document["title"],
        status=status,
        pointer=document.get("pointer"),
        ways_out=document.get("try", ()),
        ruled_out=document.get("ruled_out", ()),
        errors=document.get("errors", ()),
        headers={"Retry-After": str(RETRY_SECONDS)} if status == 503 else None,
    )
