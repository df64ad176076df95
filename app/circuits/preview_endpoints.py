"""/v1/circuits: what can be said of a circuit without running it. An estimate, and the circuit in other formats."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.circuits.limits import limits
from app.circuits.past_estimates import HISTORY, calibrate, estimate, ratios
from app.http.auth import Owner
from app.http.front import AtHand, Front
from app.http.refusals.problems import problems
from app.jobs.answers import JobId
from app.jobs.questions import asked
from ledger import queries
from qstill.contract.circuits.admission import admit, admit_reading
from qstill.contract.circuits.cost.estimates import Estimate, Findings
from qstill.contract.circuits.inspection import Conversion, Inspection, NativeTarget, Target
from qstill.contract.circuits.job import MAX_BINDINGS, CircuitJob
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT, CIRCUIT_QUESTION

MEDIA_TYPES: dict[Target | NativeTarget, str] = {
    "openqasm3": "text/plain",  # neither OpenQASM has a type of its own
    "openqasm2": "text/plain",
    "json": "application/json",
    "native_ms": "application/json",
    "native_zz": "application/json",
    "svg": "image/svg+xml",
    "text": "text/plain",
}

router = APIRouter(prefix="/v1/circuits", tags=["circuits"], responses=problems(401, 403, 422, 429, 503))

TEXT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The circuit.",
        "content": {
            "text/plain": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
            "image/svg+xml": {"schema": {"type": "string"}},
        },
    }
}
To = Annotated[Target, Query(description="The format; `svg` and `text` are diagrams.", examples=["openqasm3"])]
Index = Annotated[
    int | None,
    Query(
        ge=0,
        lt=MAX_BINDINGS,
        description="Which circuit of a batch, from 0, or which set of parameters of a sweep; a sweep without it "
        "keeps its parameters free.",
        examples=[0],
    ),
]
CompiledWanted = Annotated[
    bool, Query(description="What compiling for the job's `device` makes of the circuit.", examples=[False])
]


@router.post("/estimate", responses=problems(400, 413, 415))
async def estimate_circuit(job: CircuitJob, front: AtHand, owner: Owner) -> Estimate:
    """What a job would take: qubits, gates, every method with memory and seconds, the one chosen and why. Runs nothing.

    What cannot be run is refused as its submission would be, with what would work instead.
    """
    return await estimated(job, front, owner)


@router.post("/convert", response_class=Response, responses=problems(400, 413, 415) | TEXT)
async def convert_circuit(
    job: CircuitJob, front: AtHand, owner: Owner, to: To, index: Index = None, compiled: CompiledWanted = False
) -> Response:
    """A circuit in another format. `{"circuit": …}` is enough of a body; whole jobs may be sent, too.

    Exact up to a global phase. A circuit without a measurement gets one of all qubits, as it would be run.
    """
    return await _converted(job, front, owner, Conversion(to=to, index=index, compiled=compiled))


@router.get("/{job_id}/circuit", response_class=Response, responses=problems(404) | TEXT)
async def get_circuit(
    job_id: JobId, front: AtHand, owner: Owner, to: To, index: Index = None, compiled: CompiledWanted = False
) -> Response:
    """A job's circuit as submitted, or as compiled for its device, in any format."""
    await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, CIRCUIT))
    spec = await front.read(lambda connection: queries.get_request(connection, owner, job_id))
    job = CircuitJob.model_validate(spec)
    return await _converted(job, front, owner, Conversion(to=to, index=index, compiled=compiled))


async def estimated(job: CircuitJob, front: Front, owner: str) -> Estimate:
    """Raises Problem."""
    admit(job, limits(front.settings))
    findings = Findings.model_validate(await inspected(Inspection(job=job), front, owner))
    past = await front.read(lambda connection: queries.recent_results(connection, CIRCUIT, HISTORY))
    return estimate(findings, calibrate(ratios(past)))


async def _converted(job: CircuitJob, front: Front, owner: str, conversion: Conversion) -> Response:
    _check(job, conversion)
    admit_reading(job, limits(front.settings))
    found = await inspected(Inspection(job=job, conversion=conversion), front, owner)
    return Response(found["text"], media_type=MEDIA_TYPES[conversion.to])


def _check(job: CircuitJob, conversion: Conversion) -> None:
    if conversion.index is not None and conversion.index >= job.runs:
        message = f"The job has {job.runs:,} circuits, numbered from 0."
        fault = {"parameter": "index", "code": "no_such_circuit", "detail": message}
        raise Problem("no_such_circuit", message, errors=[fault])
    if conversion.compiled and job.device is None:
        message = "The job has no `device` to compile for."
        raise Problem("no_device", message, pointer="/device", ways_out=[{"device": {"coupling_map": None}}])


async def inspected(inspection: Inspection, front: Front, owner: str) -> dict[str, Any]:
    """What a worker says of circuits. Raises Problem."""
    return await asked(inspection.spec(), CIRCUIT_QUESTION, front, owner)
