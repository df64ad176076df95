"""How many unfinished jobs an owner may have; beyond that, 429 until some are done."""

import time

from sqlalchemy import Connection, func, select

from app.database import Database
from app.errors import Problem
from app.jobs.machine import FINAL, Status
from app.jobs.tables import jobs

FRESH_SECONDS = 1.0  # counting a long queue takes milliseconds: too much for every submission
UNFINISHED = frozenset(Status) - FINAL


class Backlog:
    """Counts an owner's unfinished jobs, at most once a second."""

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._limit = limit
        self._counts: dict[str, tuple[float, int]] = {}

    def fresh(self, owner: str) -> bool:
        return owner in self._counts and time.monotonic() < self._counts[owner][0] + FRESH_SECONDS

    def check(self, owner: str) -> None:
        """Raises Problem (429)."""
        if not self.fresh(owner):
            self._counts[owner] = (time.monotonic(), self._database.read(lambda connection: _count(connection, owner)))
        if self._counts[owner][1] >= self._limit:
            raise Problem(
                "too_many_jobs",
                f"You have {self._limit} unfinished jobs, as many as one key may have; wait, or cancel some.",
                status=429,
                headers={"Retry-After": "5"},
            )


def _count(connection: Connection, owner: str) -> int:
    query = select(func.count()).where(jobs.c.owner == owner, jobs.c.status.in_(UNFINISHED))
    return int(connection.scalar(query) or 0)
