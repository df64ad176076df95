"""From IonQ's request to a queued job, in one transaction with what its client is told later."""

import secrets
from typing import Any

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection

from app.broker import CIRCUITS
from app.circuits.admission import admit, limits
from app.circuits.router import CIRCUIT_ATTEMPTS, SEED_BITS
from app.circuits.schemas import CircuitJob, spec_of
from app.errors import Problem
from app.http.front import Front
from app.ionq import records
from app.ionq.machines import Machine, machine
from app.ionq.schemas import CircuitsRequest, JobRequest
from app.ionq.translate import circuit_job, in_their_words, remarks, width
from app.jobs import ledger
from app.jobs.ledger import Job, NewJob
from app.settings import Settings


async def submit(front: Front, owner: str, request: JobRequest) -> Job:
    """Queue a job. Raises Problem, with pointers into the request."""
    place = machine(request.backend, front.settings.memory_limit("circuit"), status=400)
    made = await run_in_threadpool(_admitted, request, place, front.settings)  # 100,000 gates take seconds
    spec = spec_of(made)
    spec.setdefault("seed", secrets.randbits(SEED_BITS))
    new = NewJob(kind="circuit", queue=CIRCUITS, owner=owner, spec=spec, name=made.name, max_attempts=CIRCUIT_ATTEMPTS)

    def check(connection: Connection) -> None:
        front.backlog.check(connection, owner)
        if request.session_id is not None:
            records.enter_session(connection, owner, request.session_id)

    def keep(connection: Connection, queued: Job) -> None:
        records.keep(connection, queued.id, place.name, request.session_id, _echoed(request, place, made))

    queued, _ = await front.write(lambda connection: ledger.submit(connection, new, admit=check, also=keep))
    front.waker.wake(CIRCUITS)
    return queued


def _admitted(request: JobRequest, place: Machine, settings: Settings) -> CircuitJob:
    made = circuit_job(request, place)
    try:
        admit(made, limits(settings))
    except Problem as problem:
        raise in_their_words(problem) from None
    return made


def _echoed(request: JobRequest, place: Machine, made: CircuitJob) -> dict[str, Any]:
    """What the client reads about its request; the circuits themselves are in the job's spec."""
    return {
        "type": request.type,
        "name": request.name,
        "shots": request.shots or made.shots,
        "qubits": width(request, made),
        "circuits": [each.name for each in request.input.circuits] if isinstance(request, CircuitsRequest) else None,
        "metadata": request.metadata or {},
        "settings": request.settings or {},
        "output": request.output or {},
        "noise": request.noise.model_dump(mode="json", exclude_none=True) if request.noise is not None else None,
        "dry_run": bool(request.dry_run),
        "warnings": remarks(request, place, made),
    }
