"""/v0.4/backends and /v0.4/calibrations: where jobs can run, and how well the machines there are thought to do."""

from datetime import UTC, datetime
from itertools import combinations
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from app.http.front import AtHand, Front
from app.ionq import records
from app.ionq.auth import IonqOwner
from app.ionq.errors import refusals
from app.ionq.ids import Uuid
from app.ionq.machines import DEFAULT_QPU, NATIVE_GATES, QIS_GATES, QPUS, SINCE, Machine, machine, machines
from qstill.contract.errors import Problem
from qstill.contract.kinds import Engine
from qstill.contract.schemas import Moment, View

router = APIRouter()

BackendPath = Annotated[str, Path(max_length=64, description="A backend's name.", examples=["simulator"])]


def _iso(time: datetime) -> str:
    """With a fraction of a second, which Cirq looks for."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class IonqBackend(View):
    """Where jobs can run."""

    backend: str = Field(description="Its name.", examples=["simulator"])
    status: str = Field("available", description="Always available: it is simulated.", examples=["available"])
    qubits: int = Field(description="The widest circuit.", examples=[29])
    average_queue_time: int = Field(description="Milliseconds that the latest circuits waited.", examples=[15])
    last_updated: Moment = Field(description="When this was found out: now.")
    degraded: bool = Field(False, description="Always false.")
    supported_gates: list[str] = Field(description="Of the gateset `qis`.", examples=[["x", "cnot"]])
    supported_native_gates: list[str] = Field(description="Of the gateset `native`.", examples=[["gpi", "ms"]])
    characterization_id: Uuid | None = Field(None, description="What is known of it; absent for the simulator.")


class Median(View):
    """A fidelity."""

    median: float = Field(description="Of all qubits, which are alike here.", examples=[0.9996])


class Fidelity(View):
    """Average fidelities of the noise model."""

    spam: Median = Field(description="Preparing and reading: without error.")
    one: Median = Field(serialization_alias="1q", description="Gates of one qubit.")
    two: Median = Field(serialization_alias="2q", description="Gates of two qubits.")


class Timing(View):
    """Seconds. What is simulated takes none."""

    readout: int = Field(0, description="Reading.")
    reset: int = Field(0, description="Preparing.")
    one: int = Field(0, serialization_alias="1q", description="A gate of one qubit.")
    two: int = Field(0, serialization_alias="2q", description="A gate of two qubits.")


class Characterization(View):
    """The noise model that stands in for a machine, in the words of a measurement."""

    id: Uuid = Field(description="Its id.")
    backend: str = Field(description="The machine.", examples=["qpu.aria-1"])
    target: str = Field(description="The same.", examples=["qpu.aria-1"])
    status: str = Field("available", description="Always available.", examples=["available"])
    date: str = Field(
        description="Since when it is so: the start of this process.", examples=["2026-07-01T09:30:00.000Z"]
    )
    qubits: int = Field(description="How many.", examples=[25])
    connectivity: list[tuple[int, int]] = Field(description="Every two qubits can meet.", examples=[[[0, 1]]])
    fidelity: Fidelity = Field(description="How well it does.")
    timing: Timing = Field(description="How long that takes.")


class Characterizations(View):
    """What is known of a machine."""

    characterizations: list[Characterization] = Field(description="One, or none for the simulator.")


class Calibrations(View):
    """What is known of a machine, in the words of older clients."""

    calibrations: list[Characterization] = Field(description="One at most.")


@router.get("/backends", response_model_exclude_none=True)
async def list_ionq_backends(front: AtHand) -> list[IonqBackend]:
    """Where jobs can run. Every machine is simulated, with the noise published for it."""
    waiting = await front.read(records.queue_seconds)
    return [_backend(each, waiting) for each in machines(_memory(front))]


@router.get("/backends/{backend}", response_model_exclude_none=True, responses=refusals(404))
async def get_ionq_backend(backend: BackendPath, front: AtHand) -> IonqBackend:
    """One of them. No key is needed to ask."""
    found = machine(backend, _memory(front))
    return _backend(found, await front.read(records.queue_seconds))


@router.get("/backends/{backend}/characterizations", responses=refusals(400, 404))
async def list_ionq_characterizations(
    backend: BackendPath,
    front: AtHand,
    owner: IonqOwner,
    limit: Annotated[int, Query(ge=1, le=100, description="There is one at most.")] = 10,
) -> Characterizations:
    """The noise that a machine is simulated with. The simulator itself has none."""
    found = machine(backend, _memory(front))
    return Characterizations(characterizations=[_characterization(found)] if found.simulated else [])


@router.get("/backends/{backend}/characterizations/{characterization_id}", responses=refusals(404))
async def get_ionq_characterization(
    backend: BackendPath,
    characterization_id: Annotated[str, Path(max_length=64, description="Its id.")],
    front: AtHand,
    owner: IonqOwner,
) -> Characterization:
    """The same by its id."""
    found = machine(backend, _memory(front))
    if not found.simulated or str(found.characterization_id) != characterization_id:
        raise Problem("not_found", "There is no such characterization.", status=404)
    return _characterization(found)


@router.get("/calibrations/current")
async def get_ionq_calibration(owner: IonqOwner) -> Characterization:
    """What older clients ask of `qpu`."""
    return _characterization(QPUS[DEFAULT_QPU])


@router.get("/calibrations", responses=refusals(400))
async def list_ionq_calibrations(
    owner: IonqOwner,
    start: Annotated[int | None, Query(description="Milliseconds since 1970: only later ones.")] = None,
    end: Annotated[int | None, Query(description="Milliseconds since 1970: only earlier ones.")] = None,
) -> Calibrations:
    """The same, in a time."""
    then = SINCE.timestamp() * 1000
    within = (start is None or start <= then) and (end is None or then <= end)
    return Calibrations(calibrations=[_characterization(QPUS[DEFAULT_QPU])] if within else [])


def _memory(front: Front) -> int:
    return front.settings.memory_limit(Engine.CIRCUITS)


def _backend(place: Machine, waiting: float) -> IonqBackend:
    return IonqBackend(
        backend=place.name,
        qubits=place.qubits,
        average_queue_time=round(waiting * 1000),
        last_updated=datetime.now(UTC),
        supported_gates=list(QIS_GATES),
        supported_native_gates=list(NATIVE_GATES),
        characterization_id=place.characterization_id if place.simulated else None,
    )


def _characterization(place: Machine) -> Characterization:
    one, two = place.fidelities
    return Characterization(
        id=place.characterization_id,
        backend=place.name,
        target=place.name,
        date=_iso(SINCE),
        qubits=place.qubits,
        connectivity=list(combinations(range(place.qubits), 2)),
        fidelity=Fidelity(spam=Median(median=1.0), one=Median(median=one), two=Median(median=two)),
        timing=Timing(),
    )
