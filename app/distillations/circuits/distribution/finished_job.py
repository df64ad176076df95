"""The counts of a finished circuit job as a distillation's data: copied when that is submitted, to outlive the job."""

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection

from app.circuits.stored_results import find_results, read_circuit
from app.http.front import Front
from ledger.database import Change
from qstill.contract.distillations.circuits.distribution.job import (
    MAX_OUTCOMES,
    MAX_SHOTS,
    DistributionJob,
    check_counts,
)
from qstill.contract.distillations.domains import AnyJob
from qstill.contract.errors import Problem

POINTER = "/dataset/job"
STATUS = 422  # what is wrong with the job that is named is wrong with the body that names it


async def with_counts(job: AnyJob, front: Front, owner: str) -> tuple[AnyJob, Change[None]]:
    """The job with the counts of the circuit job that it names, and what is to hold of it when it is queued.

    A job that cannot be read is refused there, after a request that was made before is known again by its key.
    """
    if not isinstance(job, DistributionJob) or job.dataset.job is None:
        return job, _nothing
    try:
        counts = await _counts(front, owner, job.dataset.job, job.dataset.index)
    except Problem as problem:
        refused = problem

        def refuse(connection: Connection) -> None:
            raise refused

        return job, refuse
    copied = {"counts": counts, "counts_of": job.dataset.job, "job": None, "index": 0}
    return job.model_copy(update={"dataset": job.dataset.model_copy(update=copied)}), _nothing


def _nothing(connection: Connection) -> None:
    """A job that names none, or whose counts are copied, needs nothing else."""


async def _counts(front: Front, owner: str, job_id: str, index: int) -> dict[str, int]:
    """Raises Problem at the field that names the job, or the circuit."""
    try:
        found = await find_results(front, owner, job_id)
        counts = (await run_in_threadpool(read_circuit, front, found, index))["counts"]
        check_counts(counts)
    except Problem as problem:
        problem.status = STATUS
        problem.pointer = "/dataset/index" if problem.code == "no_such_index" else POINTER
        if problem.code == "job_not_found":
            problem.ways_out = [{"method": "GET", "path": "/v1/circuits"}]
        elif problem.code == "no_such_index":
            problem.ways_out = [{"dataset": {"index": 0}}]
        raise
    if len(counts) > MAX_OUTCOMES or max(counts.values()) > MAX_SHOTS:
        title = (
            f"The job read {len(counts):,} different keys; {MAX_OUTCOMES:,} are copied, each up to {MAX_SHOTS:,} times."
        )
        path = f"/v1/circuits/{job_id}/results"
        note = "upload its results as a file (purpose `dataset`) and name that as `file`"
        raise Problem(
            "too_many_outcomes", title, pointer=POINTER, ways_out=[{"method": "GET", "path": path, "note": note}]
        )
    return counts
