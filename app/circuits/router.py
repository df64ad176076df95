"""/v1/circuits: submit a circuit, read its histogram and its picture."""

import json
import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.broker import CIRCUITS
from app.circuits.admission import Limits, admit
from app.circuits.histogram import MAX_BARS, histogram_svg, histogram_view
from app.circuits.schemas import CircuitJob, spec_of
from app.circuits.views import HistogramView
from app.database import Record
from app.errors import Problem
from app.http.accepted import FINISHED, Reply
from app.http.auth import Owner
from app.http.content import send_bytes, send_file
from app.http.etag import etag
from app.http.front import AtHand, Front
from app.http.problems import problems
from app.jobs import queries
from app.jobs.ledger import NewJob
from app.jobs.schemas import JobId, JobView, must_have_succeeded
from app.settings import Settings
from app.store.artifacts import read_artifact

CIRCUIT_ATTEMPTS = 2  # a circuit that ends its process twice is at fault itself
SEED_BITS = 48  # a number that every JSON reader keeps exactly
SVG = "image/svg+xml"

router = APIRouter(prefix="/v1/circuits", tags=["circuits"], responses=problems(401, 403, 422))

BitOrder = Annotated[
    Literal["little", "big"],
    Query(description="`little`: bit 0 is a key's rightmost character, as in Qiskit. `big`: its leftmost."),
]
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "A picture.", "content": {SVG: {"schema": {"type": "string"}}}}
}


@router.post("", status_code=202, responses=problems(400, 409, 413, 415, 429) | FINISHED)
async def submit_circuit(job: CircuitJob, front: AtHand, owner: Owner, reply: Reply) -> JobView:
    """Queue a circuit for simulation. Returns at once; `Prefer: wait=N` waits up to N seconds for the result."""
    admit(job, limits(front.settings))
    spec = spec_of(job)
    spec.setdefault("seed", secrets.randbits(SEED_BITS))  # drawn here, so that a second attempt draws the same shots
    return await reply(
        NewJob(
            kind="circuit",
            queue=CIRCUITS,
            owner=owner,
            spec=spec,
            name=job.name,
            labels=job.labels,
            priority=job.priority,
            max_attempts=CIRCUIT_ATTEMPTS,
        )
    )


def limits(settings: Settings) -> Limits:
    """What the settings allow one job to hold."""
    return Limits(
        memory_available=settings.memory_limit("circuit"),
        qubits=settings.max_qubits,
        operations=settings.max_operations,
        shots=settings.max_shots,
        circuits=settings.max_circuits,
        bindings=settings.max_bindings,
        nesting=settings.max_nesting,
        loop_iterations=settings.max_loop_iterations,
    )


@router.get("/{job_id}/histogram", responses=problems(404, 409))
async def get_histogram(
    job_id: JobId,
    response: Response,
    front: AtHand,
    owner: Owner,
    bit_order: BitOrder = "little",
    top: Annotated[
        int | None, Query(ge=1, le=1_000_000, description="Only the most frequent outcomes; the others are summed up.")
    ] = None,
) -> HistogramView:
    """How often each outcome was read, with its probability and 95% interval."""
    found = await _artifact(front, owner, job_id, "results", "results.json")
    response.headers["ETag"] = etag(found.sha256)
    return await run_in_threadpool(_view, front, found, bit_order, top)


@router.get("/{job_id}/histogram.svg", responses=problems(404, 409) | PICTURE, response_class=Response)
async def get_histogram_picture(
    job_id: JobId,
    front: AtHand,
    owner: Owner,
    bit_order: BitOrder = "little",
    top: Annotated[int, Query(ge=1, le=MAX_BARS, description="Bars at most.")] = MAX_BARS,
) -> Response:
    """The histogram as a picture that stands alone."""
    job = await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, "circuit"))
    found = await _artifact(front, owner, job_id, "results", "results.json")
    picture = await run_in_threadpool(_picture, front, found, job.name or "Counts", bit_order, top)
    return Response(picture, media_type=SVG, headers={"ETag": etag(found.sha256)})


@router.get("/{job_id}/diagram.svg", responses=problems(404, 409, 410) | PICTURE, response_class=Response)
async def get_diagram(job_id: JobId, request: Request, front: AtHand, owner: Owner) -> Response:
    """The circuit as a picture."""
    found = await _artifact(front, owner, job_id, "diagram", "diagram.svg")
    if found.content is not None:
        return send_bytes(request, found.content, sha256=found.sha256, media_type=SVG)
    return send_file(request, front.store.locate(found.path), sha256=found.sha256, media_type=SVG)


async def _artifact(front: Front, owner: str, job_id: str, kind: str, name: str) -> Record:
    job = await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, "circuit"))
    must_have_succeeded(job)
    found = await front.read_by_key(lambda connection: queries.get_artifact(connection, job_id, kind, name))
    if found is None:
        raise Problem("not_found", f"The job has no {kind}.", status=404)
    return found


def _load(front: Front, artifact: Record) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(read_artifact(front.store, artifact))["circuits"][0]
    return loaded


def _view(front: Front, artifact: Record, bit_order: Literal["little", "big"], top: int | None) -> HistogramView:
    stored = _load(front, artifact)
    return histogram_view(
        stored["counts"], shots=stored["shots"], clbits=stored["clbits"], bit_order=bit_order, top=top
    )


def _picture(front: Front, artifact: Record, title: str, bit_order: Literal["little", "big"], top: int) -> str:
    stored = _load(front, artifact)
    return histogram_svg(stored["counts"], shots=stored["shots"], title=title, bit_order=bit_order, top=top)
