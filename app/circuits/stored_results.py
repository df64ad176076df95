"""What a circuit job left behind, read from the store."""

from dataclasses import dataclass

from app.circuits.stored_circuit import StoredCircuit
from app.http.front import Front
from app.jobs.answers import must_have_succeeded
from ledger import queries
from ledger.database import Record
from ledger.store.artifacts import read_artifact
from qstill.contract.circuits.results.document import CircuitResults, read_results
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT

MAX_READABLE_BYTES = 256 << 20  # JSON takes a few times as much memory once it is read


@dataclass(frozen=True)
class StoredResults:
    """A job that succeeded, and where its results lie."""

    job: Record
    artifact: Record


async def finished_job(front: Front, owner: str, job_id: str) -> Record:
    """A circuit job that succeeded. Raises Problem: 404 if there is none of this id, 409 before it has succeeded."""
    job = await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, CIRCUIT))
    must_have_succeeded(job)
    return job


async def find_results(front: Front, owner: str, job_id: str) -> StoredResults:
    """The results of a job. Raises Problem as `finished_job` does, and (404) where it left none."""
    job = await finished_job(front, owner, job_id)
    artifact = await front.read_by_key(
        lambda connection: queries.get_artifact(connection, job_id, "results", "results.json")
    )
    if artifact is None:
        raise Problem("not_found", "The job has no results.", status=404)
    return StoredResults(job, artifact)


def stored_circuit(front: Front, results: StoredResults, index: int) -> StoredCircuit:
    """One circuit out of the store. Raises Problem as `read_circuit` does."""
    job = results.job
    return StoredCircuit(job_id=job.id, index=index, name=job.name, results=read_circuit(front, results, index))


def read_circuit(front: Front, results: StoredResults, index: int) -> CircuitResults:
    """One circuit's results as they were stored. Raises Problem: 404 without that index, 410 when they are gone."""
    circuits = read_circuits(front, results)
    if index >= len(circuits):
        held = f"{len(circuits):,} circuits" if len(circuits) > 1 else "one circuit"
        raise Problem("no_such_index", f"The job has {held}; the first one's index is 0.", status=404)
    return circuits[index]


def read_circuits(front: Front, results: StoredResults) -> list[CircuitResults]:
    """Those of every circuit, in order. Raises Problem (410) when they are gone."""
    artifact = results.artifact
    if artifact.bytes > MAX_READABLE_BYTES:
        raise Problem(
            "results_too_large",
            f"The results take {artifact.bytes / 2**20:,.0f} MiB; up to {MAX_READABLE_BYTES >> 20} MiB are read here. "
            "Fetch them whole.",
            ways_out=[{"method": "GET", "path": f"/v1/circuits/{results.job.id}/results"}],
        )
    try:
        return read_results(read_artifact(front.store, artifact))
    except FileNotFoundError:
        raise Problem("content_gone", "The content was deleted.", status=410) from None
