"""/v0.4/sessions: jobs that belong together, up to a number of them or for a time."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from app.http.front import AtHand
from app.ionq import records
from app.ionq.answers import IonqJobs, IonqSession, IonqSessions, session_view, uuid_of
from app.ionq.auth import IonqOwner
from app.ionq.endpoints.jobs import page_of
from app.ionq.errors import refusals
from app.ionq.machines import machine
from app.ionq.schemas import SessionRequest
from qstill.contract.kinds import Engine

MAX_SESSIONS = 100  # listed

router = APIRouter(prefix="/sessions", strict_content_type=False)

SessionPath = Annotated[str, Path(max_length=64, description="A session's id.")]


@router.post("", status_code=201, responses=refusals(400))
async def open_ionq_session(session: SessionRequest, front: AtHand, owner: IonqOwner) -> IonqSession:
    """Open a session."""
    place = machine(session.backend, front.settings.memory_limit(Engine.CIRCUITS), status=400)
    limits = session.settings.model_dump(mode="json", exclude_none=True) if session.settings is not None else {}
    made = await front.write(lambda connection: records.open_session(connection, owner, place.name, limits))
    return session_view(made)


@router.get("", responses=refusals(400))
async def list_ionq_sessions(
    front: AtHand,
    owner: IonqOwner,
    active: Annotated[bool | None, Query(description="Only those that take jobs, or only those that ended.")] = None,
) -> IonqSessions:
    """Your newest sessions."""
    found = await front.read(lambda connection: records.list_sessions(connection, owner, MAX_SESSIONS))
    views = [session_view(session) for session in found]
    kept = [view for view in views if active is None or view.active == active]
    return IonqSessions(organization_id=uuid_of(owner), sessions=kept)


@router.get("/{session_id}", responses=refusals(404))
async def get_ionq_session(session_id: SessionPath, front: AtHand, owner: IonqOwner) -> IonqSession:
    """A session."""
    return session_view(await front.read(lambda connection: records.get_session(connection, owner, session_id)))


@router.get("/{session_id}/jobs", response_model_exclude_unset=True, responses=refusals(400, 404))
async def list_ionq_session_jobs(
    session_id: SessionPath,
    request: Request,
    front: AtHand,
    owner: IonqOwner,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Jobs of a page, up to 100.")] = 25,
    following: Annotated[str | None, Query(alias="next", max_length=64, description="From the page before.")] = None,
) -> IonqJobs:
    """The jobs of a session, newest first."""
    await front.read(lambda connection: records.get_session(connection, owner, session_id))
    return await page_of(request, front, owner, records.Wanted(session_id=session_id, after=following), limit)


@router.post("/{session_id}/end", responses=refusals(404))
async def end_ionq_session(session_id: SessionPath, front: AtHand, owner: IonqOwner) -> IonqSession:
    """End a session: it takes no more jobs. Those that it has go on."""
    return session_view(await front.write(lambda connection: records.end_session(connection, owner, session_id)))
