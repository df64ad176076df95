"""/v0.4/jobs/…/results and /artifacts: what a completed job found."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.concurrency import run_in_threadpool

from app.circuits.preview_endpoints import inspected
from app.circuits.stored_results import find_results, read_circuits
from app.http.front import AtHand, Front
from app.ionq import outcomes, records
from app.ionq.answers import is_compiled, job_view
from app.ionq.auth import IonqOwner
from app.ionq.errors import refusals
from app.ionq.ids import JOB, IonqJobId, split_id
from app.ionq.machines import machine
from ledger import queries
from qstill.contract.circuits.inspection import Conversion, Inspection, NativeTarget
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.results.document import CircuitResults
from qstill.contract.errors import Problem

router = APIRouter(prefix=JOB, responses=refusals(400, 404))

Sharpen = Annotated[bool | None, Query(description="Without effect: there is no error mitigation to be sharpened.")]
ArtifactPath = Annotated[
    Literal["probabilities", "shots", "shots.v2", "native"], Path(description="The `id` of one of a job's results.")
]
Probabilities = dict[str, float]


@router.get("/results/probabilities", response_model=Probabilities | dict[str, Probabilities])
async def get_ionq_probabilities(
    job_id: IonqJobId, front: AtHand, owner: IonqOwner, sharpen: Sharpen = None
) -> Response:
    """By outcome: the bits of all qubits as one decimal number, qubit 0 the lowest. Of several circuits, by circuit."""
    return await _answer(front, owner, job_id, _probabilities)


@router.get("/results/probabilities/aggregated", response_model=dict[str, Probabilities])
async def get_ionq_aggregated(job_id: IonqJobId, front: AtHand, owner: IonqOwner, sharpen: Sharpen = None) -> Response:
    """The probabilities of every circuit of a job, by the circuit's id, in the order sent."""
    return await _answer(front, owner, job_id, _aggregated)


@router.get("/results/shots", response_model=list[str])
async def get_ionq_shots(job_id: IonqJobId, front: AtHand, owner: IonqOwner) -> Response:
    """The outcome of every shot as a decimal number, written as text."""
    return await _answer(front, owner, job_id, _shots)


@router.get("/artifacts/{artifact}", response_model=dict[str, Any] | list[str], responses=refusals(429, 503))
async def get_ionq_artifact(job_id: IonqJobId, artifact: ArtifactPath, front: AtHand, owner: IonqOwner) -> Response:
    """A result by its id. `shots.v2`: `{"shots": [{"registers": {"c": [0, 1]}}]}`, a register's bit 0 first.

    `native` is the circuit of a dry run in native gates, as `ionq.native.v1`.
    """
    if artifact == "native":
        return await _native(front, owner, job_id)
    made = {"probabilities": _probabilities, "shots": _shots, "shots.v2": _shots_by_register}
    return await _answer(front, owner, job_id, made[artifact])


async def _native(front: Front, owner: str, text: str) -> Response:
    """What a worker compiles a job's circuit to."""
    job_id, index = split_id(text)
    row = await front.read_by_key(lambda connection: records.get(connection, owner, job_id))
    if not is_compiled(row, index):
        raise Problem("no_compiled_circuit", "The job has no compiled circuit; dry runs of gates have.", status=404)
    spec = await front.read(lambda connection: queries.get_request(connection, owner, job_id))
    to: NativeTarget = "native_ms" if machine(row.backend, 0).entangler == "ms" else "native_zz"
    question = Inspection(job=CircuitJob.model_validate(spec), conversion=Conversion(to=to, index=index))
    found = await inspected(question, front, owner)
    return Response(found["text"], media_type="application/json")


async def _answer(front: Front, owner: str, text: str, write: Callable[["Found"], str]) -> Response:
    """What `write` makes of the results of a job, or of one circuit of it."""
    job_id, index = split_id(text)
    row = await front.read_by_key(lambda connection: records.get(connection, owner, job_id))
    view = job_view(row, index)
    if view.results is None:
        raise Problem("no_results", f"The job is {view.status}; it has no results.", status=404)
    results = await find_results(front, owner, job_id)

    def work() -> str:
        circuits = read_circuits(front, results)
        if index is not None:
            circuits = circuits[index : index + 1]
        several = view.child_job_ids is not None
        return write(Found(dict(zip(view.child_job_ids or [text], circuits, strict=True)), several=several))

    return Response(await run_in_threadpool(work), media_type="application/json")


@dataclass(frozen=True)
class Found:
    """What a job left, by the id of the job, or by those of its circuits where it may have `several`."""

    circuits: Mapping[str, CircuitResults]
    several: bool

    @property
    def only(self) -> CircuitResults:
        """Raises Problem (404) where it has to be said which one is meant."""
        first, circuit = next(iter(self.circuits.items()))
        if len(self.circuits) > 1:
            title = f"The job has several circuits; ask for one of them by its id, {first} and so on."
            raise Problem("several_circuits", title, status=404)
        return circuit


def _probabilities(found: Found) -> str:
    return _aggregated(found) if found.several else json.dumps(outcomes.probabilities(found.only))


def _aggregated(found: Found) -> str:
    return json.dumps({own: outcomes.probabilities(circuit) for own, circuit in found.circuits.items()})


def _shots(found: Found) -> str:
    return outcomes.shots(found.only)


def _shots_by_register(found: Found) -> str:
    return outcomes.shots_by_register(found.only)
