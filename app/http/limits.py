"""How many unfinished jobs an owner may have; beyond that, 429 until some are done."""

import time

from sqlalchemy import Connection, func, select

from ledger.tables import jobs
from qstill.contract.errors import Problem
from qstill.contract.status import FINAL, Status

FRESH_SECONDS = 1.0  # counting a long queue takes milliseconds: too much for every submission
UNFINISHED = frozenset(Status) - FINAL


class Backlog:
    """Counts an owner's unfinished jobs, at most once a second."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[str, tuple[float, int]] = {}

    def check(self, connection: Connection, owner: str) -> None:
        """Raises Problem (429)."""
        counted_at, count = self._counts.get(owner, (0.0, 0))
        if time.monotonic() > counted_at + FRESH_SECONDS:
            count = _count(connection, owner)
            self._counts[owner] = (time.monotonic(), count)
        if count >= self._limit:
            raise Problem(
                "too_many_jobs",
                f"You have {self._limit} unfinished jobs, as many as one key may have; wait, or cancel some.",
                status=429,
                headers={"Retry-After": "5"},
            )


def _count(connection: Connection, owner: str) -> int:
    query = select(func.count()).where(jobs.c.owner == owner, jobs.c.status.in_(UNFINISHED))
    return int(connection.scalar(query) or 0)
