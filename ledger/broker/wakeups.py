"""The broker, as both sides see it, and the one message that goes through it: a wake-up for a queue.

A wake-up carries no job, and a queue holds one at most: both brokers' channels see to it, whoever sends. One is enough,
because it is sent once the job is durable, and the worker that it wakes looks into the ledger after it was taken, finds
a job, and passes the wake-up on. A lost one is sent again by the reaper.
"""

import logging
import threading
from typing import Any

from celery import Celery

from ledger.settings import Settings

WAKEUP_TASK = "qstill.wakeup"
PAUSE = 0.05  # seconds between two goes: a queue under load is not woken for every job
PAUSE_AFTER_FAILURE = 1.0  # seconds; a broker that is down is not asked for every job

logger = logging.getLogger(__name__)


def make_celery(settings: Settings) -> Celery:
    """The Celery application, with the settings that sender and worker share."""
    files = settings.broker.startswith("filesystem:")
    celery = Celery("qstill", broker=settings.broker, set_as_current=False)
    celery.conf.update(
        task_ignore_result=True,  # the database is the truth
        task_default_delivery_mode="transient",
        task_create_missing_queues=True,
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport_options(settings),
        broker_connection_timeout=5,
        broker_transport="ledger.broker.files:Transport" if files else "ledger.broker.redis:Transport",
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
        self._pending: set[str] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._send, name="waker", daemon=True)
        self._thread.start()

    def wake(self, queue: str) -> None:
        """Ask for an idle worker of a queue to look into the ledger. Returns at once."""
        with self._changed:
            self._pending.add(queue)
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
                self._changed.wait_for(lambda: self._closing or self._pending)
                if self._closing:
                    return
                due, self._pending = self._pending, set()
            try:
                for queue in due:
                    self._celery.send_task(WAKEUP_TASK, args=[queue], queue=queue, retry=False)
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, timeout=PAUSE)
            except Exception as error:  # noqa: BLE001  # any broker's any failure: the reaper sends it again
                logger.warning("wake-ups not sent, the reaper will try again: %s", type(error).__name__)
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, timeout=PAUSE_AFTER_FAILURE)
