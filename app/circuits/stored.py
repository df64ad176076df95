"""What a circuit job left behind, read from the store. The only place that knows how the artifact is laid out."""

import json
from typing import Any

from fastapi.concurrency import run_in_threadpool

from app.circuits.counts import StoredCounts
from app.circuits.views import Register
from app.database import Record
from app.errors import Problem
from app.http.front import Front
from app.jobs import queries
from app.jobs.schemas import must_have_succeeded

MAX_READABLE_BYTES = 256 << 20  # JSON takes a few times as much memory once it is read
RESULTS = (("results", "results.json"), ("histogram", "histogram.json"))  # kind and name, the present layout first


async def results_artifact(front: Front, owner: str, job_id: str) -> Record:
    """Where the results of a job lie. Raises Problem: 404 without such a job or results, 409 before it has any."""
    job = await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, "circuit"))
    must_have_succeeded(job)
    for kind, name in RESULTS:
        found = await front.read_by_key(
            lambda connection, kind=kind, name=name: queries.get_artifact(connection, job_id, kind, name)  # type: ignore[misc]
        )
        if found is not None:
            return found
    raise Problem("not_found", "The job has no results.", status=404)


async def stored_circuit(front: Front, owner: str, job_id: str, index: int) -> StoredCounts:
    """One circuit of a finished job. Raises Problem as `results_artifact` does, and where there is no such index."""
    artifact = await results_artifact(front, owner, job_id)
    circuit = await run_in_threadpool(read_circuit, front, artifact, index)
    registers = circuit.get("registers", [{"name": "c", "clbits": list(range(circuit["clbits"]))}])
    return StoredCounts(
        job_id=job_id,
        index=index,
        name=circuit.get("name"),
        shots=circuit["shots"],
        clbits=circuit["clbits"],
        registers=[Register.model_validate(register) for register in registers],
        counts=circuit["counts"],
        probabilities=circuit.get("probabilities"),
        ideal=circuit.get("ideal"),
        memory=circuit.get("memory"),
    )


def read_circuit(front: Front, artifact: Record, index: int) -> dict[str, Any]:
    """One circuit's results as they were stored."""
    if artifact.bytes > MAX_READABLE_BYTES:
        raise Problem(
            "results_too_large",
            f"The results take {artifact.bytes / 2**20:,.0f} MiB; up to {MAX_READABLE_BYTES >> 20} MiB are read here. "
            "Fetch them whole.",
            ways_out=[{"method": "GET", "path": f"/v1/circuits/{artifact.job_id}/results"}],
        )
    place = front.store.locate(artifact.path)
    if not place.is_file():
        raise Problem("content_gone", "The content was deleted.", status=410)
    stored = json.loads(place.read_bytes())
    circuits: list[dict[str, Any]] = stored.get("circuits", [stored])
    if index >= len(circuits):
        count = f"{len(circuits)} circuits" if len(circuits) > 1 else "one circuit"
        raise Problem("no_such_index", f"The job has {count}; indexes begin with 0.", status=404)
    return circuits[index]
