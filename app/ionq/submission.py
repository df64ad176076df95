"""From IonQ's request to a queued job, in one transaction with what its client is told later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection

from app.circuits.limits import limits
from app.http.front import Front
from app.ionq import records
from app.ionq.machines import Machine, machine
from app.ionq.schemas import Asked, CloneRequest, JobRequest
from app.ionq.translate import Work, as_compiled, circuit_job, in_their_words, remarks, shots_of, work_of
from app.jobs.accepted import new_job
from ledger import queries, requests
from ledger.database import Change
from ledger.requests import Replay
from ledger.rows import Job
from ledger.settings import Settings
from qstill.contract.circuits.admission import admit
from qstill.contract.circuits.job import CircuitJob, seeded_spec
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT, Engine

ORIGINAL = "original_job_id"  # of the metadata of a job that was moved
CIRCUITS_OF = ("circuit", "circuits")  # the fields of a circuit job's spec that are its work


@dataclass(frozen=True)
class Queued:
    """A job in the queue, and whether the request that asked for it was sent before."""

    job: Job
    session_id: str | None
    replayed: bool


async def submit(front: Front, owner: str, request: JobRequest, replay: Replay | None) -> Queued:
    """Queue a job. Raises Problem, with pointers into the request."""
    return await _queue(front, owner, await run_in_threadpool(work_of, request), request, replay)


async def clone(
    front: Front, owner: str, job_id: str, request: CloneRequest, replay: Replay | None, *, moved: bool = False
) -> Queued:
    """Queue the circuits of a job again, with what the request says instead. moved: and cancel that job.

    Raises Problem: 404 where there is no such job, and as `submit` does; 400 where a job that is moved has ended.
    """
    row = await front.read_by_key(lambda connection: records.get(connection, owner, job_id))
    spec = await front.read(lambda connection: queries.get_request(connection, owner, job_id))
    kept = row.request
    work = Work(
        type=kept["type"],
        circuits={name: spec[name] for name in CIRCUITS_OF if name in spec},
        qubits=kept["qubits"],
        names=kept["circuits"],
    )
    before = {name: kept[name] for name in ("name", "shots", "metadata", "settings", "output", "noise", "dry_run")}
    changes = request.model_dump(exclude_none=True)
    asked = Asked.model_validate(before | {"backend": row.backend, "session_id": row.session_id} | changes)
    if not moved:
        return await _queue(front, owner, work, asked, replay)
    asked = asked.model_copy(update={"metadata": {**(asked.metadata or {}), ORIGINAL: job_id}})
    return await _queue(
        front, owner, work, asked, replay, check=lambda connection: records.cancel(connection, owner, job_id)
    )


async def _queue(
    front: Front,
    owner: str,
    work: Work,
    asked: Asked,
    replay: Replay | None,
    check: Change[None] = lambda connection: None,
) -> Queued:
    """check: what must hold of a job that is new, in the transaction that queues it; it raises Problem."""
    place = machine(asked.backend, front.settings.memory_limit(Engine.CIRCUITS), status=400)
    made = await run_in_threadpool(_admitted, work, asked, place, front.settings)  # 100,000 gates take seconds
    new = new_job(CIRCUIT, made, owner, front.settings, spec=seeded_spec(made))

    def admissible(connection: Connection) -> None:
        check(connection)
        front.backlog.check(connection, owner)
        if asked.session_id is not None:
            records.enter_session(connection, owner, asked.session_id)

    def keep(connection: Connection, queued: Job) -> None:
        records.keep(connection, queued.id, place.name, asked.session_id, _echoed(work, asked, place))

    queued, replayed = await front.write(
        lambda connection: requests.submit(connection, new, replay, admit=admissible, also=keep)
    )
    if not replayed:
        front.waker.wake(CIRCUIT.queue)
    return Queued(queued, asked.session_id, replayed)


def _admitted(work: Work, asked: Asked, place: Machine, settings: Settings) -> CircuitJob:
    made = circuit_job(work, asked, place)
    try:
        admit(made, limits(settings))
        return as_compiled(made)
    except Problem as problem:
        raise in_their_words(problem) from None


def _echoed(work: Work, asked: Asked, place: Machine) -> Mapping[str, Any]:
    """What the client reads about its request; the circuits themselves are in the job's spec."""
    return {
        "type": work.type,
        "name": asked.name,
        "shots": shots_of(asked),
        "qubits": work.qubits,
        "circuits": None if work.names is None else list(work.names),
        "metadata": asked.metadata or {},
        "settings": asked.settings or {},
        "output": asked.output or {},
        "noise": asked.noise.model_dump(mode="json", exclude_none=True) if asked.noise is not None else None,
        "dry_run": bool(asked.dry_run),
        "warnings": remarks(asked, place),
    }
