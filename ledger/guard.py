"""A process of an embedded service ends with the one that started it, even when that one was killed."""

import os
import signal
import threading
import time

PARENT = "QSTILL_PARENT"  # set by `qstill up` for the processes that it starts
LOOK_SECONDS = 0.5


def end_with_parent() -> None:
    """If `qstill up` started this process, stop in good order once it is gone."""
    parent = os.environ.pop(PARENT, None)
    if parent is not None:
        threading.Thread(target=_watch, args=(int(parent),), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
