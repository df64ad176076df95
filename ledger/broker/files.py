"""kombu's file-system transport, mended where two processes meet. A queue is one file: it holds one wake-up, or none.

As it comes (5.7) a message has its name before it has its content, and so have the tables of bindings: a worker that
looks in between ends with a JSONDecodeError. Here a message appears whole, and a table belongs to one at a time. A
second wake-up says nothing that the first does not, so it takes the first one's place.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from math import inf
from pathlib import Path
from queue import Empty
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **options: Any) -> None:
        place = Path(self.data_folder_out) / f"{queue}.msg"
        unfinished = place.with_suffix(f".{uuid4()}.part")  # no reader's name
        unfinished.write_text(dumps(payload), encoding="utf-8")
        unfinished.rename(place)

    def _get(self, queue: str) -> Any:
        place = Path(self.data_folder_in) / f"{queue}.msg"
        taken = place.with_suffix(f".{uuid4()}.taken")
        try:
            place.rename(taken)
        except FileNotFoundError:  # there is none, or another worker was faster
            raise Empty from None
        payload = loads(taken.read_text(encoding="utf-8"))
        taken.unlink()
        return payload

    def _size(self, queue: str) -> int:
        return int(os.access(f"{self.data_folder_in}/{queue}.msg", os.F_OK))

    def anything(self) -> bool:
        """Whether a message waits for a consumer of this channel."""
        return any(self._size(queue) for queue in self._active_queues)

    def _queue_bind(self, *binding: Any) -> None:
        with self._alone():
            super()._queue_bind(*binding)

    def get_table(self, exchange: str) -> Any:
        with self._alone():
            return super().get_table(exchange)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with (Path(self.control_folder) / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        """Deliver a message. A look at a folder without one is a system call, not a way through all of kombu's layers:
        an idle worker looks fifty times a second.
        """
        until = inf if timeout is None else monotonic() + timeout
        while True:
            if any(channel.anything() for channel in self.channels):
                with contextlib.suppress(Empty):  # another worker was faster, or this one takes no more
                    self.cycle.get(self._deliver, timeout=timeout)
                    return
            if monotonic() >= until:
                raise TimeoutError
            sleep(self.polling_interval)
