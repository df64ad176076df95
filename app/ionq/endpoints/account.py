"""What a job would cost and did cost, which is nothing, how long it will take, and whose key asks."""

import math
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection, select

from app.http.front import AtHand
from app.ionq import records
from app.ionq.answers import job_view, uuid_of
from app.ionq.auth import IonqOwner
from app.ionq.errors import refusals
from app.ionq.ids import JOB, IonqJobId, Uuid, split_id
from app.ionq.machines import machine
from app.ionq.schemas import MAX_SHOTS
from app.keys.keyring import EVERYBODY
from ledger.tables import keys
from qstill.contract.circuits.methods import best
from qstill.contract.circuits.profile import Profile, Wanted
from qstill.contract.kinds import Engine
from qstill.contract.schemas import Moment, View

UNIT = "usd"
MAX_GATES = 10_000_000

router = APIRouter()


class IonqRates(View):
    """What is charged for."""

    id: str = Field(description="Its name.", examples=["free"])
    rates: list[dict[str, Any]] = Field(description="Nothing.", examples=[[]])


class IonqEstimate(View):
    """What a job would take, in the words of both generations of clients."""

    input_values: dict[str, Any] = Field(description="As asked.", examples=[{"shots": 1000}])
    estimate_context: dict[str, Any] = Field(description="As asked.", examples=[{}])
    estimated_cost: float = Field(0.0, description="Nothing.")
    estimated_total_cost: float = Field(0.0, description="Nothing.")
    cost_unit: str = Field(UNIT, description="Of the cost.")
    estimated_unit: str = Field(UNIT, description="Of the cost.")
    estimated_execution_time: int = Field(description="Seconds, rounded up.", examples=[1])
    current_predicted_queue_time: int = Field(description="Seconds that the latest circuits waited.", examples=[0])
    estimated_at: Moment = Field(description="Now.")
    rate_information: IonqRates = Field(description="What the cost was reckoned by.")
    rate_card: IonqRates = Field(description="The same.")


class IonqAmount(View):
    """A sum of money."""

    value: float = Field(0.0, description="Nothing.")
    unit: str = Field(UNIT, description="Of what.")


class IonqCost(View):
    """What a job cost."""

    dry_run: bool = Field(description="Whether the job was only checked.", examples=[False])
    estimated_cost: IonqAmount = Field(description="Nothing.")
    cost: IonqAmount = Field(description="Nothing.")


class WhoAmI(View):
    """The key that asks."""

    key_id: Uuid = Field(description="Its id; the nil UUID where no key is needed.")
    key_name: str = Field(description="Its name.", examples=["laptop"])


@router.get("/jobs/estimate", responses=refusals(400, 404))
async def estimate_ionq_job(
    front: AtHand,
    owner: IonqOwner,
    backend: Annotated[str, Query(max_length=64, description="Where it would run.")],
    kind: Annotated[str, Query(alias="type", max_length=64, description="Its type.")] = "ionq.circuit.v1",
    qubits: Annotated[int, Query(ge=1, le=4_096, description="Of its circuit.")] = 25,
    shots: Annotated[int, Query(ge=1, le=MAX_SHOTS, description="How often it is run.")] = 1000,
    one: Annotated[int, Query(alias="1q_gates", ge=0, le=MAX_GATES, description="Gates of one qubit.")] = 0,
    two: Annotated[int, Query(alias="2q_gates", ge=0, le=MAX_GATES, description="Gates of two qubits.")] = 0,
    error_mitigation: Annotated[bool, Query(description="Without effect.")] = False,
    session: Annotated[bool, Query(description="Without effect.")] = False,
) -> IonqEstimate:
    """How long a job of this size would take. `POST /v1/circuits/estimate` looks at the circuit itself."""
    memory = front.settings.memory_limit(Engine.CIRCUITS)
    place = machine(backend, memory)
    profile = Profile(
        qubits=qubits,
        clbits=qubits,
        operations=one + two,
        two_qubit=two,
        not_clifford="a gate",
        bond_bits=two,
        locations=one + two if place.simulated else 0,
    )
    plan = best(profile, Wanted(shots=shots), memory_available=memory, pointer="/qubits")
    asked: dict[str, Any] = {
        "backend": place.name,
        "type": kind,
        "qubits": qubits,
        "shots": shots,
        "1q_gates": one,
        "2q_gates": two,
        "error_mitigation": error_mitigation,
        "session": session,
    }
    free = IonqRates(id="free", rates=[])
    return IonqEstimate(
        input_values=asked,
        estimate_context=asked | {"organization": None, "project": None},
        estimated_execution_time=math.ceil(plan.seconds),
        current_predicted_queue_time=round(await front.read(records.queue_seconds)),
        estimated_at=datetime.now(UTC),
        rate_information=free,
        rate_card=free,
    )


@router.get(f"{JOB}/cost", responses=refusals(404))
async def get_ionq_cost(job_id: IonqJobId, front: AtHand, owner: IonqOwner) -> IonqCost:
    """What a job cost: nothing."""
    own, index = split_id(job_id)
    row = await front.read_by_key(lambda connection: records.get(connection, owner, own))
    return IonqCost(dry_run=job_view(row, index).dry_run, estimated_cost=IonqAmount(), cost=IonqAmount())


@router.get("/whoami")
async def get_ionq_key(front: AtHand, owner: IonqOwner) -> WhoAmI:
    """Whose key asks."""

    def name(connection: Connection) -> str:
        return str(connection.scalar(select(keys.c.name).where(keys.c.id == owner)) or EVERYBODY)

    return WhoAmI(key_id=uuid_of(owner), key_name=await front.read_by_key(name))
