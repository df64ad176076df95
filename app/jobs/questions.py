"""A question to a worker, while a client waits: a small job with a queue of its own, and gone once it is answered."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from app.http.front import Front
from app.jobs.accepted import wait_for_end
from ledger import requests
from ledger.database import Change
from ledger.requests import NewJob
from qstill.contract.errors import Problem
from qstill.contract.kinds import Kind
from qstill.contract.status import Status

RETRY_SECONDS = 5  # a worker that drains a queue, or starts, is there by then
# All else is the question's: 422. One that takes too long may have had a machine that was busy.
OWN_FAULTS = {"internal_error": 500, "worker_lost": 503, "time_limit": 503}


async def asked(
    spec: Mapping[str, Any],
    kind: Kind,
    front: Front,
    owner: str,
    *,
    files: Sequence[str] = (),
    check: Change[None] = lambda connection: None,
) -> dict[str, Any]:
    """What a worker says. Nothing is left of the question. Raises Problem: the worker's, or 503 if none answers.

    kind: CIRCUIT_QUESTION or DISTILLATION_QUESTION. files: ids of what the worker reads. check: what must hold, in the
    transaction that asks.
    """

    def admit(connection: Connection) -> None:
        front.backlog.check(connection, owner)
        check(connection)

    front.tailer.check_room()
    new = NewJob(kind=kind, owner=owner, spec=dict(spec), max_attempts=1, files=list(files))
    job, _ = await front.write(lambda connection: requests.submit(connection, new, admit=admit))
    try:
        front.waker.wake(kind.queue)
        finished = await wait_for_end(front, job, front.settings.max_wait_seconds)
    finally:
        await front.write(lambda connection: requests.abandon(connection, job.id))
    if finished is not None and finished.status == Status.FAILED:
        raise _problem(finished.error, front.settings.time_limit(kind))
    if finished is None or finished.status != Status.SUCCEEDED:
        raise Problem(
            "no_worker_answered",
            "No worker of the queue `questions` answered in time; try again, or see whether one runs.",
            status=503,
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    result: dict[str, Any] = finished.result
    return result


def _problem(document: dict[str, Any], seconds: float) -> Problem:
    problem = Problem.from_document(document)
    problem.status = OWN_FAULTS.get(problem.code, 422)
    if problem.code == "time_limit":
        within = f"within the {seconds:g} s that one may take"
        problem.title = f"No answer {within}; try again when less is to do, or ask for less."
    if problem.status == 503:
        problem.headers["Retry-After"] = str(RETRY_SECONDS)
    return problem
