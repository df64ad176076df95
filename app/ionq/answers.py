"""Jobs and sessions as IonQ's clients read them. Our job is theirs; a circuit of a batch is a child of it."""

import re
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from app.ionq.ids import Uuid, child_id
from app.ionq.records import ended_at, no_such_job
from app.jobs.answers import moment, moment_or_none
from ledger.database import Record
from qstill.contract.answers.jobs import EXAMPLE_ID
from qstill.contract.schemas import Moment, View
from qstill.contract.status import Status

Word = Literal["submitted", "ready", "started", "completed", "failed", "canceled"]

STATUS: dict[Status, Word] = {
    Status.QUEUED: "ready",
    Status.PAUSED: "ready",
    Status.RUNNING: "started",
    Status.PAUSING: "started",
    Status.CANCELLING: "canceled",  # it ends as nothing else
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "canceled",
}
QASM3 = "ionq.qasm3.v1"
WAITING: tuple[Word, ...] = ("submitted", "ready", "started")
PROBABILITIES = "ionq.result.probabilities.json.v1"
AGGREGATED = "ionq.result.probabilities-aggregate.json.v1"
SHOTS = "ionq.result.shots.json.v1"
SHOTS_V2 = "ionq.result.shots.json.v2"
NATIVE = "ionq.native.v1"

Code = Literal[
    "InvalidInput",
    "NotEnoughQubits",
    "TooManyGates",
    "TooManyShots",
    "UnsupportedGate",
    "SimulationError",
    "SimulationTimeout",
    "QuantumCircuitComplexityError",
    "InternalError",
]
_CODES: dict[str, Code] = {
    "needs_more_memory": "NotEnoughQubits",
    "too_many_qubits": "NotEnoughQubits",
    "too_many_operations": "TooManyGates",
    "too_many_shots": "TooManyShots",
    "unknown_gate": "UnsupportedGate",
    "out_of_memory": "QuantumCircuitComplexityError",
    "memory_limit": "QuantumCircuitComplexityError",
    "gate_too_wide": "QuantumCircuitComplexityError",
    "pauliexp_too_wide": "QuantumCircuitComplexityError",
    "histogram_too_large": "TooManyShots",
    "unsupported_operation": "UnsupportedGate",
    "time_limit": "SimulationTimeout",
    "child_died": "SimulationError",
    "worker_lost": "SimulationError",
}


class Compiled(View):
    """Where a compiled circuit is."""

    id: str = Field(description="Its name below `artifacts`.", examples=["native"])
    format: str = Field(description="What it holds.", examples=[NATIVE])
    media_type: str = Field(description="How it is written.", examples=["application/json"])


class Descriptor(View):
    """Where a result is."""

    url: str = Field(description="Path on this host.", examples=[f"/v0.4/jobs/{EXAMPLE_ID}/results/shots"])
    id: str = Field(description="Its name below `artifacts`.", examples=["shots"])
    format: str = Field(description="What it holds.", examples=["ionq.result.shots.json.v1"])
    media_type: str = Field(description="How it is written.", examples=["application/json"])


class Failure(View):
    """Why a job failed."""

    code: Code = Field(description="For programs.", examples=["SimulationTimeout"])
    error: str = Field(description="One sentence for a person.", examples=["The time was over."])
    message: str = Field(description="The same.", examples=["The time was over."])


class Remarks(View):
    """What clients show to people."""

    messages: list[str] = Field(description="Sentences.", examples=[["Error mitigation has no effect here."]])


class Stats(View):
    """The size of a job."""

    qubits: int = Field(description="Of the widest circuit.", examples=[2])
    circuits: int = Field(description="How many circuits.", examples=[1])


COMPILATION = {
    "compilation": {
        "compiled_circuits": {
            NATIVE: Compiled(id="native", format=NATIVE, media_type="application/json").model_dump(),
        }
    }
}


class IonqJob(View):
    """A job."""

    id: str = Field(description="That of the same job below /v1.", examples=[EXAMPLE_ID])
    type: str = Field(description="As sent.", examples=["ionq.circuit.v1"])
    backend: str = Field(description="Where it runs.", examples=["simulator"])
    name: str | None = Field(description="As sent.", examples=["bell"])
    status: Word = Field(description="completed, failed and canceled are final.", examples=["completed"])
    shots: int = Field(description="How often each circuit is run.", examples=[1000])
    metadata: dict[str, JsonValue] = Field(description="As sent.", examples=[{"course": "qc101"}])
    settings: dict[str, JsonValue] = Field(description="As sent.", examples=[{}])
    output: dict[str, JsonValue] = Field(
        description="As sent; of a dry run of gates with `compilation.compiled_circuits`, by their formats.",
        examples=[{}],
    )
    stats: Stats = Field(description="Its size.")
    dry_run: bool = Field(description="As sent.", examples=[False])
    noise: dict[str, JsonValue] | None = Field(None, description="As sent.", examples=[{"model": "aria-1"}])
    submitter_id: Uuid = Field(description="Whose key sent it.")
    project_id: str | None = Field(None, description="Always null.", examples=[None])
    parent_job_id: str | None = Field(description="For a circuit of several: their job.", examples=[None])
    child_job_ids: list[str] | None = Field(description="Of several circuits: one for each.", examples=[None])
    session_id: str | None = Field(description="As sent.", examples=[None])
    submitted_at: Moment = Field(description="When it was sent.")
    started_at: Moment | None = Field(description="When a worker first began it.")
    completed_at: Moment | None = Field(description="When it became final.")
    predicted_wait_time_ms: int | None = Field(None, description="Always null.", examples=[None])
    predicted_execution_duration_ms: int | None = Field(None, description="Always null.", examples=[None])
    execution_duration_ms: int | None = Field(description="From its start to its end.", examples=[12])
    failure: Failure | None = Field(description="Why it failed.")
    results: dict[str, Descriptor] | None = Field(description="What there is to read once it is completed.")
    warning: Remarks | None = Field(None, description="What clients show to people; absent where nothing is.")


class IonqJobs(View):
    """A page of jobs, newest first."""

    jobs: list[IonqJob] = Field(description="The jobs.")
    next: str | None = Field(
        None, description="Pass it as `next`. Null on the last page; Cirq gets none there.", examples=[None]
    )


class Submitted(View):
    """A job that was accepted."""

    id: str = Field(description="Its id.", examples=[EXAMPLE_ID])
    status: Word = Field(description="Its state.", examples=["ready"])
    session_id: str | None = Field(description="As sent.", examples=[None])


class Canceled(View):
    """A job that was canceled."""

    id: str = Field(description="Its id.", examples=[EXAMPLE_ID])
    status: Literal["canceled"] = Field("canceled", description="Its state.")


class AllCanceled(View):
    """Jobs that were canceled."""

    ids: list[str] = Field(description="Those of the ids sent that are canceled now.", examples=[[EXAMPLE_ID]])
    status: Literal["canceled"] = Field("canceled", description="Their state.")


class Deleted(View):
    """A job that was deleted."""

    id: str = Field(description="Its id.", examples=[EXAMPLE_ID])
    status: Literal["deleted"] = Field("deleted", description="Its state.")


class AllDeleted(View):
    """Jobs that were deleted."""

    ids: list[str] = Field(description="Those of the ids sent that are deleted now.", examples=[[EXAMPLE_ID]])
    status: Literal["deleted"] = Field("deleted", description="Their state.")


def uuid_of(owner: str) -> UUID:
    """A key's id as the UUID that clients expect; the nil UUID for everybody on this machine."""
    digits = owner.removeprefix("key_")
    return UUID(digits) if re.fullmatch("[0-9a-f]{32}", digits) else UUID(int=0)


def job_view(row: Record, index: int | None = None) -> IonqJob:
    """A job, or the circuit `index` of a job of several. Raises Problem (404) where there is no such circuit."""
    request: Mapping[str, Any] = row.request
    names: list[str | None] | None = request["circuits"]
    if index is not None and (names is None or index >= len(names)):
        raise no_such_job()
    own_id = row.id if index is None else child_id(row.id, index)
    several = names is not None and index is None
    circuits = circuits_of(row, index)
    fields: dict[str, Any] = {
        "id": own_id,
        "type": request["type"] if index is None else "ionq.circuit.v1",
        "backend": row.backend,
        "name": request["name"] if index is None or names is None else names[index],
        "status": STATUS[Status(row.status)],
        "shots": request["shots"],
        "metadata": request["metadata"] if index is None else {},  # the parent's describe all its circuits
        "settings": request["settings"],
        "output": request["output"] | (COMPILATION if is_compiled(row, index) else {}),
        "stats": Stats(qubits=request["qubits"], circuits=circuits),
        "dry_run": request["dry_run"],
        "submitter_id": uuid_of(row.owner),
        "project_id": None,
        "parent_job_id": None if index is None else row.id,
        "child_job_ids": [child_id(row.id, n) for n in range(len(names))] if several and names else None,
        "session_id": row.session_id,
        "submitted_at": moment(row.created_at),
        "started_at": moment_or_none(row.started_at),
        "completed_at": moment_or_none(row.finished_at),
        "predicted_wait_time_ms": None,
        "predicted_execution_duration_ms": None,
        "execution_duration_ms": _milliseconds(row),
        "failure": None if row.error is None else _failure(row.error),
        "results": _results(own_id, circuits, several=several) if _has_results(row) else None,
    }
    if request["noise"]:
        fields["noise"] = request["noise"]
    if messages := [*request["warnings"], *(row.result or {}).get("notes", ())]:
        fields["warning"] = Remarks(messages=messages)
    return IonqJob(**fields)


def circuits_of(row: Record, index: int | None) -> int:
    """How many circuits a job has, or the circuit `index` of it."""
    names: list[str | None] | None = row.request["circuits"]
    return 1 if index is not None or names is None else len(names)


def is_compiled(row: Record, index: int | None) -> bool:
    """Whether there is a compiled circuit: of a dry run of gates, and of each of several by itself."""
    asked: Mapping[str, Any] = row.request
    dry = bool(row.status == Status.SUCCEEDED and asked["dry_run"] and asked["type"] != QASM3)
    return dry and circuits_of(row, index) == 1


def _has_results(row: Record) -> bool:
    return bool(row.status == Status.SUCCEEDED and not row.request["dry_run"])


def _milliseconds(row: Record) -> int | None:
    if row.started_at is None or row.finished_at is None:
        return None
    seconds: float = row.finished_at - row.started_at
    return round(seconds * 1000)


def _failure(problem: Mapping[str, Any]) -> Failure:
    fallback: Code = "InvalidInput" if problem["status"] < 500 else "InternalError"
    return Failure(code=_CODES.get(problem["code"], fallback), error=problem["title"], message=problem["title"])


def _results(job_id: str, circuits: int, *, several: bool) -> dict[str, Descriptor]:
    """several: whether the job may have several circuits. Shots are those of one, as Qiskit looks for them."""
    results = f"/v0.4/jobs/{job_id}/results"
    found = {"probabilities": _descriptor(f"{results}/probabilities", "probabilities", PROBABILITIES)}
    if several:
        found = {"probabilities": _descriptor(f"{results}/probabilities/aggregated", "probabilities", AGGREGATED)}
    if circuits == 1:
        found["shots"] = _descriptor(f"{results}/shots", "shots", SHOTS)
        found[SHOTS_V2] = _descriptor(f"/v0.4/jobs/{job_id}/artifacts/shots.v2", "shots.v2", SHOTS_V2)
    return found


def _descriptor(url: str, artifact: str, form: str) -> Descriptor:
    return Descriptor(url=url, id=artifact, format=form, media_type="application/json")


class IonqSession(View):
    """A session: jobs that belong together."""

    id: str = Field(
        description="Pass it as `session_id` of a job.", examples=["session_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"]
    )
    backend: str = Field(description="As sent.", examples=["simulator"])
    status: Literal["created", "started", "ended"] = Field(description="started: it has had a job.")
    state: Literal["created", "started", "ended"] = Field(description="The same.")
    active: bool = Field(description="Whether it takes jobs.", examples=[True])
    usage_time: float = Field(description="Seconds that its jobs took.", examples=[0.5])
    settings: dict[str, JsonValue] = Field(description="As sent.", examples=[{"job_count_limit": 10}])
    created_at: Moment = Field(description="When it was opened.")
    started_at: Moment | None = Field(description="When it had its first job.")
    ended_at: Moment | None = Field(description="When it was ended, or ended by its limit of time.")
    organization_id: Uuid = Field(description="Whose key opened it.")
    creator_id: Uuid = Field(description="The same.")
    project_id: str | None = Field(None, description="Always null.", examples=[None])
    ender_id: Uuid | None = Field(None, description="Whose key ended it; null where no key did.")


class IonqSessions(View):
    """The newest sessions."""

    organization_id: Uuid = Field(description="Whose key asks.")
    sessions: list[IonqSession] = Field(description="The sessions.")


def session_view(session: Record) -> IonqSession:
    ended = ended_at(session)
    status: Literal["created", "started", "ended"] = (
        "ended" if ended is not None else "created" if session.started_at is None else "started"
    )
    owner = uuid_of(session.owner)
    return IonqSession(
        id=session.id,
        backend=session.backend,
        status=status,
        state=status,
        active=ended is None,
        usage_time=float(session.seconds or 0.0),
        settings=session.settings,
        created_at=moment(session.created_at),
        started_at=moment_or_none(session.started_at),
        ended_at=moment_or_none(ended),
        organization_id=owner,
        creator_id=owner,
        project_id=None,
        ender_id=owner if session.ended_at is not None else None,
    )
