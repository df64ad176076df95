"""/v1/circuits: submit a circuit. What comes of it is read in reading.py."""

import secrets

from fastapi import APIRouter

from app.broker import CIRCUITS
from app.circuits.admission import Limits, admit
from app.circuits.schemas import CircuitJob, spec_of
from app.http.accepted import FINISHED, Reply
from app.http.auth import Owner
from app.http.front import AtHand
from app.http.problems import problems
from app.jobs.ledger import NewJob
from app.jobs.schemas import JobView
from app.settings import Settings

CIRCUIT_ATTEMPTS = 2  # a circuit that ends its process twice is at fault itself
SEED_BITS = 48  # a number that every JSON reader keeps exactly

router = APIRouter(prefix="/v1/circuits", tags=["circuits"], responses=problems(401, 403, 422))


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
