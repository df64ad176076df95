"""The application: `qstill api`, or `uvicorn --factory app.main:create_app`. Imports neither torch nor qiskit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from app import __version__, health
from app.broker import Waker
from app.circuits.openqasm import door as openqasm3
from app.circuits.preview import router as circuit_previews
from app.circuits.reading import router as circuit_results
from app.circuits.router import router as circuits
from app.circuits.templates.router import router as templates
from app.database import Database
from app.distillations.reading import router as distillation_results
from app.distillations.router import router as distillations
from app.files.router import router as files
from app.http import openapi, problems
from app.http.front import Front
from app.http.limits import Backlog
from app.http.parameters import ALL_ARE_KNOWN
from app.http.tailer import Tailer
from app.ionq import errors as ionq_errors
from app.ionq.router import PREFIX as IONQ
from app.ionq.router import router as ionq
from app.jobs.reaper import Reaper
from app.jobs.router import router as jobs
from app.keys.keyring import Keyring
from app.models.predict import router as predictions
from app.models.router import router as models
from app.settings import Settings
from app.store.folder import FolderStore
from app.sweeps.router import router as sweeps
from app.web import docs

DESCRIPTION = """Knowledge distillation and quantum circuits as one service.

Post a **circuit** or a **distillation** and get a job; read the job, its live events, and what it made.
Every failure is a problem document (RFC 9457) with a stable `code`, the field at fault, and the way out."""


def create_app(settings: Settings | None = None) -> FastAPI:
    settings = settings or Settings()
    application = FastAPI(
        title="Qstill",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        lifespan=lambda application: _lifespan(application, settings),
        generate_unique_id_function=lambda route: route.name,
    )
    application.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.max_body_bytes)
    problems.install(application, {f"{IONQ}/": ionq_errors.tell})
    openapi.install(application)
    for router in (
        templates,
        circuits,
        circuit_previews,
        circuit_results,
        distillations,
        distillation_results,
        sweeps,
        models,
        predictions,
        jobs,
        files,
    ):
        application.include_router(router, dependencies=[ALL_ARE_KNOWN])
    for router in (ionq, health.router):  # clients of IonQ and probes may send more than is read here
        application.include_router(router)
    docs.install(application)
    return application


@contextlib.asynccontextmanager
async def _lifespan(application: FastAPI, settings: Settings) -> AsyncIterator[None]:
    database = Database(settings.database)
    store = FolderStore(settings.store)
    waker = Waker(settings)
    tailer = Tailer(database, settings.max_streams)
    reaper = Reaper(settings, database, store, waker)
    application.state.front = Front(
        settings=settings,
        database=database,
        store=store,
        waker=waker,
        tailer=tailer,
        keyring=Keyring(database),
        backlog=Backlog(settings.max_queued_per_owner),
    )
    warming = asyncio.create_task(asyncio.to_thread(openqasm3.warm))
    try:
        yield
    finally:
        await warming
        await tailer.close()
        reaper.close()
        waker.close()
        database.close()
