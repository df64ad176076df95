"""Questions to workers, which a request waits for and nothing is left of."""

import threading
from typing import Any

import httpx
from sqlalchemy import func, select

from ledger import attempts
from ledger.attempts import Claim
from ledger.tables import job_files, jobs
from qstill.contract.errors import Problem
from qstill.contract.kinds import Queue
from tests.testing.in_process import Json, Service, until


def count(service: Service) -> int:
    """Jobs of all owners."""
    return (
        service.front.database.read(lambda connection: connection.scalar(select(func.count()).select_from(jobs))) or 0
    )


def answered(service: Service, path: str, body: Json, outcome: Any | Problem) -> tuple[Claim, set[str], httpx.Response]:
    """(what the worker was given, the files it may read, the answer). outcome: what the worker says."""
    given: list[Claim] = []
    files: set[str] = set()

    def work() -> None:
        until(lambda: count(service) > 0)
        held = service.worker.claim(Queue.QUESTIONS)
        given.append(held)
        database = service.front.database
        named = select(job_files.c.file_id).where(job_files.c.job_id == held.job_id)
        files.update(database.read(lambda connection: connection.scalars(named).all()))
        if isinstance(outcome, Problem):
            database.write(lambda connection: attempts.fail(connection, held, outcome))
        else:
            service.worker.finish(held, outcome)

    thread = threading.Thread(target=work)
    thread.start()
    answer = service.client.post(path, json=body)
    thread.join()
    return given[0], files, answer
