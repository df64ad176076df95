"""Celery's pool of threads, mended for Redis: its receiver learns that a thread is free again."""

from typing import Any

from celery.concurrency import thread
from kombu.asynchronous import get_event_loop


class TaskPool(thread.TaskPool):
    """A receiver that takes no message while all threads are busy (`worker_disable_prefetch`) looks whether one is free
    before it sleeps, and nobody rouses it (celery 5.7): a wake-up that came meanwhile waited out the second that it
    sleeps for. Here the end of a task rouses it. Brokers that are polled have no receiver that sleeps.
    """

    def on_apply(self, *args: Any, **kwargs: Any) -> thread.ApplyResult:
        result = super().on_apply(*args, **kwargs)
        result.f.add_done_callback(_rouse)  # after Celery's own bookkeeping, which is part of the task
        return result


def _rouse(future: Any) -> None:
    loop = get_event_loop()
    if loop is not None:
        loop.call_soon(lambda: None)  # safe from any thread, and ends the sleep
