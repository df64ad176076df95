"""/v0.4: IonQ's API as its public clients use it, over the same ledger and workers as /v1.

    IONQ_API_URL=http://127.0.0.1:8400/v0.4 python your_qiskit_program.py

Cirq and PennyLane are pointed here, too: `cirq_ionq.Service(remote_host="http://127.0.0.1:8400", api_key="any")`.
"""

from fastapi import APIRouter

from app.ionq.endpoints.account import router as account
from app.ionq.endpoints.backends import router as backends
from app.ionq.endpoints.formats import router as formats
from app.ionq.endpoints.jobs import router as jobs
from app.ionq.endpoints.results import router as results
from app.ionq.endpoints.sessions import router as sessions
from app.ionq.errors import IonqError

PREFIX = "/v0.4"

router = APIRouter(
    prefix=PREFIX,
    tags=["ionq"],
    responses={401: {"model": IonqError}, 403: {"model": IonqError}, "default": {"model": IonqError}},
)
for part in (jobs, results, account, backends, sessions, formats):
    router.include_router(part)
