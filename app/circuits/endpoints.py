"""/v1/circuits: submit a circuit. What comes of it is read in result_endpoints.py."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from app.circuits.limits import limits
from app.circuits.preview_endpoints import estimated
from app.http.auth import Owner
from app.http.front import AtHand
from app.http.refusals.problems import problems
from app.jobs.accepted import FINISHED, Reply, new_job
from qstill.contract.answers.jobs import JobView
from qstill.contract.circuits.admission import admit
from qstill.contract.circuits.cost.estimates import Estimate
from qstill.contract.circuits.job import CircuitJob, seeded_spec
from qstill.contract.kinds import CIRCUIT

router = APIRouter(prefix="/v1/circuits", tags=["circuits"], responses=problems(401, 403, 422))


SUBMITTED: dict[int | str, dict[str, Any]] = {
    200: {"model": JobView | Estimate, "description": f"{FINISHED[200]['description']} Of a dry run: the estimate."}
}


@router.post("", status_code=202, response_model=JobView, responses=problems(400, 409, 413, 415, 429, 503) | SUBMITTED)
async def submit_circuit(
    job: CircuitJob,
    front: AtHand,
    owner: Owner,
    reply: Reply,
    dry_run: Annotated[bool, Query(description="Queue nothing; answer 200 with what the job would take.")] = False,
) -> JobView | Response:
    """Queue a circuit for simulation. Returns at once; `Prefer: wait=N` waits up to N seconds for the result."""
    if dry_run:
        return JSONResponse((await estimated(job, front, owner)).model_dump(mode="json"))
    admit(job, limits(front.settings))
    return await reply(new_job(CIRCUIT, job, owner, front.settings, spec=seeded_spec(job)))
