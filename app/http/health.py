"""/livez, /readyz and /metrics, for whatever starts and watches processes."""

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.http.front import AtHand
from ledger.database import Database
from ledger.tables import jobs
from qstill import __version__

SCHEMA = "0006"  # the revision that this code was written for

router = APIRouter(tags=["health"])


@router.get("/livez")
async def livez() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok", "version": __version__}


@router.get("/readyz", responses={503: {"description": "Not ready; the body says what is missing."}})
async def readyz(response: Response, front: AtHand) -> dict[str, str]:
    """The database is there and has the schema of this version."""
    trouble = await run_in_threadpool(database_trouble, front.database)
    if trouble is None:
        return {"status": "ok", "version": __version__}
    response.status_code = 503
    return {"status": "unavailable", "database": trouble}


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(front: AtHand) -> str:
    """Jobs by kind and status, in the text format of Prometheus."""
    counted = await front.read(_count_jobs)
    lines = ["# HELP qstill_jobs Jobs in the ledger.", "# TYPE qstill_jobs gauge"]
    lines += [f'qstill_jobs{{kind="{kind}",status="{status}"}} {count}' for kind, status, count in counted]
    return "\n".join(lines) + "\n"


def database_trouble(database: Database) -> str | None:
    """Why the database cannot be used, in a few words without its address; None when it can."""
    try:
        revision = database.read(lambda connection: connection.scalar(text("SELECT version_num FROM alembic_version")))
    except SQLAlchemyError as error:
        return f"cannot be read ({type(error).__name__}); `qstill migrate` makes its tables"
    return None if revision == SCHEMA else f"has schema {revision}, needs {SCHEMA}: run `qstill migrate`"


def _count_jobs(connection: Connection) -> list[tuple[str, str, int]]:
    query = select(jobs.c.kind, jobs.c.status, func.count()).group_by(jobs.c.kind, jobs.c.status)
    return [(kind, status, count) for kind, status, count in connection.execute(query)]
