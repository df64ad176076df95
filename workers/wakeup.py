"""A Celery worker of one queue, and its one task: claim the best job from the ledger, see it through, claim again."""

import logging
import os
import secrets
import socket
import warnings
from collections.abc import Callable
from typing import Any

from celery import signals
from celery.platforms import SecurityWarning
from sqlalchemy import Connection

from ledger import attempts
from ledger.attempts import Claim
from ledger.broker.wakeups import WAKEUP_TASK, Waker, make_celery
from ledger.database import Database
from ledger.reaper import Reaper
from ledger.settings import Settings
from ledger.store.folder import FolderStore
from qstill.contract.kinds import Queue
from workers.celery_app import configure
from workers.children import Nursery
from workers.pool import TaskPool
from workers.supervise import House, supervise

logger = logging.getLogger(__name__)


def drain(house: House, queue: str, nursery: Nursery, wake: Callable[[str], None]) -> None:
    """Work until the queue has nothing eligible, or this worker is told to stop.

    Who was woken and found a job passes the wake-up on: there may be more, and others who can do it.
    """
    lease = house.settings.lease_seconds
    at_most = house.settings.questions_per_owner if queue == Queue.QUESTIONS else attempts.UNBOUNDED

    def take(connection: Connection) -> Claim | None:
        return None if house.draining.is_set() else attempts.claim(connection, queue, house.worker, lease, at_most)

    held = house.write(take)
    if held is not None:
        wake(queue)
    while held is not None:
        with nursery.lend(held.kind.engine) as child:
            held = supervise(house, held, child, take)
    if house.draining.is_set():
        wake(queue)  # what this worker leaves is for another


def work(settings: Settings, queue: str, concurrency: int) -> int:
    """Run a worker of a queue in this process until it is told to stop; returns its exit status.

    SIGTERM and SIGINT drain: running jobs save their state and go back to the queue without counting an attempt.
    """
    house = House(
        settings=settings,
        database=Database(settings.database),
        store=FolderStore(settings.store),
        worker=f"{queue}@{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}",
    )
    warm = {Queue.CIRCUITS: concurrency, Queue.QUESTIONS: 1, Queue.DISTILLATION: 0}[Queue(queue)]
    nursery = Nursery(threads=settings.threads, warm=warm, keep=concurrency)
    celery = make_celery(settings)
    configure(celery, settings)

    @celery.task(name=WAKEUP_TASK)  # type: ignore[untyped-decorator]
    def wakeup(queue: str) -> None:
        drain(house, queue, nursery, waker.wake)

    def stop(**kwargs: Any) -> None:
        house.draining.set()

    signals.worker_shutting_down.connect(stop)
    waker = Waker(settings)
    reaper = Reaper(settings, house.database, house.store, waker)
    waker.wake(queue)  # for what was queued while no worker was there
    warnings.filterwarnings("ignore", category=SecurityWarning)  # root in a container; messages are JSON, not pickles
    worker = celery.Worker(
        queues=[queue],
        concurrency=concurrency,
        pool=TaskPool,
        hostname=house.worker,
        loglevel="WARNING",
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
        quiet=True,
    )
    try:
        worker.start()
    finally:
        reaper.close()
        waker.close()
        nursery.close()
        house.database.close()
    return int(worker.exitcode or 0)
