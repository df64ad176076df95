"""What every process does now and then: take back lost jobs, send lost wake-ups again, end
uploads that nobody goes on with, delete bytes nobody names.

Safe to run in any number of processes, and to be killed anywhere.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import SQLAlchemyError

from ledger import attempts, requests, turns, uploads
from ledger.broker.wakeups import Waker
from ledger.database import Database, now
from ledger.machine import OWNED
from ledger.settings import Settings
from ledger.store.folder import FolderStore
from ledger.tables import jobs, trash
from qstill.contract.errors import Problem
from qstill.contract.kinds import Queue

TRASH_AT_ONCE = 100

logger = logging.getLogger(__name__)


def worker_lost() -> Problem:
    return Problem("worker_lost", "The worker died each time it tried this job.", status=500)


def reap(database: Database, store: FolderStore, wake: Callable[[str], None]) -> None:
    """One round."""
    if database.read(_anything_overdue):
        database.write(lambda connection: attempts.expire(connection, worker_lost()))
    forgotten = requests.forgotten(Queue.QUESTIONS)
    if database.read(lambda connection: connection.scalar(forgotten.limit(1))) is not None:
        database.write(lambda connection: connection.execute(delete(jobs).where(jobs.c.id.in_(forgotten))))
    if database.read(uploads.anything_over):
        database.write(uploads.sweep)
    if database.read(turns.anyone_left):
        database.write(turns.sweep)
    for queue in Queue:
        if database.read(partial(turns.waiting, queue=queue)):
            wake(queue)
    paths = database.read(lambda connection: connection.scalars(select(trash.c.path).limit(TRASH_AT_ONCE)).all())
    if paths:
        for path in paths:
            store.delete(path)
        database.write(lambda connection: _forget(connection, paths))


def _forget(connection: Connection, paths: Sequence[str]) -> None:
    connection.execute(delete(trash).where(trash.c.path.in_(paths)))


def _anything_overdue(connection: Connection) -> bool:
    overdue = select(jobs.c.id).where(jobs.c.status.in_(OWNED), jobs.c.lease_until < now()).limit(1)
    return connection.scalar(overdue) is not None


class Reaper:
    """A thread that reaps until it is closed."""

    def __init__(self, settings: Settings, database: Database, store: FolderStore, waker: Waker) -> None:
        self._closing = threading.Event()
        self._pause = settings.reap_seconds
        self._reap: Callable[[], None] = lambda: reap(database, store, waker.wake)
        self._thread = threading.Thread(target=self._run, name="reaper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(self._pause * random.uniform(0.5, 1.5)):  # noqa: S311  # spreads processes in time
            try:
                self._reap()
            except SQLAlchemyError as error:
                logger.warning("the reaper's round failed: %s", type(error).__name__)
            except Exception:  # a database that is away for a while must not end the thread
                logger.exception("the reaper's round failed")
