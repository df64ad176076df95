"""The broker, as both sides see it, and the one message that goes through it: a wake-up for a queue.

A wake-up carries no job. A lost one is sent again by the reaper, a superfluous one finds nothing to do.
"""

import logging
import threading
from collections import Counter
from typing import Any

from celery import Celery

from app.settings import Settings

CIRCUITS = "circuits"
DISTILLATION = "distillation"
QUEUES = (CIRCUITS, DISTILLATION)

WAKEUP_TASK = "qstill.wakeup"
WAKEUP_EXPIRES = 60  # seconds; by then the reaper has sent a fresh one
BURST = 16  # wake-ups in one go and queue: each worker that wakes drains the queue
PAUSE = 0.05  # seconds between two goes: a queue under load is not woken for every job
PAUSE_AFTER_FAILURE = 1.0  # seconds; a broker that is down is not asked for every job

logger = logging.getLogger(__name__)


def make_celery(settings: Settings) -> Celery:
    """The Celery application, with the settings that sender and worker share."""
    celery = Celery("qstill", broker=settings.broker, set_as_current=False)
    celery.conf.update(
        task_ignore_result=True,  # the database is the truth
        task_default_delivery_mode="transient",
        task_create_missing_queues=True,
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport_options(settings),
        broker_connection_timeout=5,
        broker_transport="app.filebroker:Transport" if settings.broker.startswith("filesystem:") else None,
        accept_content=["json"],
    )
    return celery


def _transport_options(settings: Settings) -> dict[str, Any]:
    if settings.broker.startswith("filesystem:"):
        folders = {name: settings.broker_dir / name for name in ("messages", "control")}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(folders["messages"]),
            "data_folder_out": str(folders["messages"]),
            "control_folder": str(folders["control"]),
            "polling_interval": 0.02,  # seconds a job waits at most; listing an empty folder costs microseconds
        }
    return {  # a half-open socket otherwise waits for ever
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
    }


class Waker:
    """Sends wake-ups from a thread of its own: a request never waits for the broker, and survives its absence."""

    def __init__(self, settings: Settings) -> None:
        self._celery = make_celery(settings)
        self._pending: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._send, name="waker", daemon=True)
        self._thread.start()

    def wake(self, queue: str, count: int = 1) -> None:
        """Ask for up to `count` idle workers of a queue to look into the ledger. Returns at once."""
        with self._changed:
            self._pending[queue] = min(self._pending[queue] + count, BURST)
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout=5)
        self._celery.close()

    def _send(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._pending.total() > 0)
                if self._closing:
                    return
                due, self._pending = self._pending, Counter()
            try:
                for queue, count in due.items():
                    for _ in range(count):
                        self._celery.send_task(
                            WAKEUP_TASK, args=[queue], queue=queue, expires=WAKEUP_EXPIRES, retry=False
                        )
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, timeout=PAUSE)
            except Exception as error:  # noqa: BLE001  # any broker's any failure: the reaper sends it again
                logger.warning("wake-ups not sent, the reaper will try again: %s", type(error).__name__)
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, timeout=PAUSE_AFTER_FAILURE)
