"""`uvicorn benchmarks.plain.app:app`: submit a circuit, read a job."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from benchmarks.plain.database import Base, Job, engine, get_session
from benchmarks.plain.tasks import run_circuit
from qstill.contract.circuits.job import CircuitJob

Base.metadata.create_all(engine)
app = FastAPI(title="Plain")

Database = Annotated[Session, Depends(get_session)]


class JobOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    status: str
    name: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any] | None


@app.get("/livez")
def livez() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/circuits", status_code=202, response_model=JobOut)
def submit_circuit(job: CircuitJob, session: Database) -> Job:
    row = Job(name=job.name, spec=job.model_dump(mode="json", exclude_none=True))
    session.add(row)
    session.commit()
    run_circuit.delay(row.id)
    return row


@app.get("/v1/jobs/{job_id}", response_model=JobOut)
def get_job(job_id: str, session: Database) -> Job:
    return _find(session, job_id)


@app.get("/v1/jobs/{job_id}/request")
def get_request(job_id: str, session: Database) -> dict[str, Any]:
    return _find(session, job_id).spec


def _find(session: Session, job_id: str) -> Job:
    row = session.get(Job, job_id)
    if row is None:
        raise HTTPException(404, "There is no such job.")
    return row
