"""One poll of the ledger for all who wait: the event streams and long polls of a process share it."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence

from fastapi.concurrency import run_in_threadpool

from ledger.database import Database, Record
from ledger.queries import standings
from qstill.contract.errors import Problem

POLL_SECONDS = 0.02  # what a waiter adds to a job's time, at most; only while somebody waits
POLL_SECONDS_WHEN_MANY = 0.2
MANY = 100  # watched jobs: a query that costs milliseconds runs less often

Standing = Record  # id, version, status, last_event, progress

logger = logging.getLogger(__name__)


class Tailer:
    """Tells waiters when a job's version is no longer the one they have seen."""

    def __init__(self, database: Database, max_waiters: int) -> None:
        self._database = database
        self._max_waiters = max_waiters
        self._waiting: defaultdict[str, list[tuple[int, asyncio.Future[Standing | None]]]] = defaultdict(list)
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    def full(self) -> bool:
        """Whether too many wait already for another to be let in. Who is in may stay."""
        return self._count >= self._max_waiters

    def check_room(self) -> None:
        """Raises Problem (503), before an answer has begun."""
        if self.full():
            raise Problem(
                "too_many_streams",
                "Too many clients wait on this process; poll instead, or try again.",
                status=503,
                headers={"Retry-After": "5"},
            )

    async def change(self, job_id: str, seen: int) -> Standing | None:
        """The job's standing once its version differs from `seen`; None when it is gone.

        Callers bound it with `asyncio.timeout`.
        """
        future: asyncio.Future[Standing | None] = asyncio.get_running_loop().create_future()
        self._waiting[job_id].append((seen, future))
        self._count += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        try:
            return await future
        finally:
            self._count -= 1

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _poll(self) -> None:
        while self._waiting:
            watched = list(self._waiting)
            try:
                rows = await run_in_threadpool(self._read, watched)
            except Exception:  # a database that is away for a while must not strand the waiters
                logger.exception("could not read the ledger for those who wait")
                await asyncio.sleep(1)
                continue
            found = {row.id: row for row in rows}
            self._tell({job_id: found.get(job_id) for job_id in watched})
            await asyncio.sleep(POLL_SECONDS if len(self._waiting) < MANY else POLL_SECONDS_WHEN_MANY)

    def _read(self, watched: list[str]) -> Sequence[Standing]:
        return self._database.read(lambda connection: standings(connection, watched))

    def _tell(self, standing: dict[str, Standing | None]) -> None:
        for job_id, row in standing.items():
            left = []
            for seen, future in self._waiting[job_id]:
                if future.done():
                    continue
                if row is None or row.version != seen:
                    future.set_result(row)
                else:
                    left.append((seen, future))
            if left:
                self._waiting[job_id] = left
            else:
                del self._waiting[job_id]
