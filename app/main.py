"""The application: `qstill api`, or `uvicorn --factory app.main:create_app`. Imports neither torch nor qiskit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from app.circuits.endpoints import router as circuits
from app.circuits.preview_endpoints import router as circuit_previews
from app.circuits.result_endpoints import router as circuit_results
from app.circuits.templates.endpoints import router as templates
from app.distillations.endpoints import router as distillations
from app.distillations.pictures.endpoints import router as distillation_pictures
from app.distillations.report_endpoints import router as distillation_results
from app.files.endpoints import router as files
from app.http import health, openapi
from app.http.front import Front
from app.http.limits import Backlog
from app.http.refusals import problems
from app.http.refusals.parameters import ALL_ARE_KNOWN
from app.http.tailer import Tailer
from app.ionq import errors as ionq_errors
from app.ionq.endpoints.router import PREFIX as IONQ
from app.ionq.endpoints.router import router as ionq
from app.jobs.endpoints import router as jobs
from app.keys.keyring import Keyring
from app.models.endpoints import router as models
from app.models.prediction_endpoints import router as predictions
from app.sweeps.endpoints import router as sweeps
from app.uploads.endpoints import router as uploads
from app.web import docs, pages
from ledger.broker.wakeups import Waker
from ledger.database import Database
from ledger.reaper import Reaper
from ledger.settings import Settings
from ledger.store.folder import FolderStore
from qstill import __version__
from qstill.contract.circuits.openqasm3 import door as openqasm3

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
        distillation_pictures,
        sweeps,
        models,
        predictions,
        jobs,
        files,
        uploads,
    ):
        application.include_router(router, dependencies=[ALL_ARE_KNOWN])
    for router in (ionq, health.router):  # clients of IonQ and probes may send more than is read here
        application.include_router(router)
    docs.install(application)
    pages.install(application)
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
