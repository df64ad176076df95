"""kombu's file-system transport, mended where two processes meet.

As it comes (5.7) a message has its name before it has its content, and so have the tables of bindings: a worker that
looks in between ends with a JSONDecodeError. Here a message appears whole, and a table belongs to one at a time.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):  # type: ignore[misc]
    def _put(self, queue: str, payload: Any, **options: Any) -> None:
        place = Path(self.data_folder_out) / f"{monotonic_ns() // 1_000_000:015}_{uuid4()}.{queue}.msg"
        unfinished = place.with_suffix(".part")  # no reader's name
        unfinished.write_text(dumps(payload), encoding="utf-8")
        unfinished.rename(place)

    def _get(self, queue: str) -> Any:
        for place in sorted(Path(self.data_folder_in).glob(f"*.{queue}.msg")):
            taken = place.with_suffix(".taken")
            with contextlib.suppress(FileNotFoundError):  # another worker was faster
                place.rename(taken)
                payload = loads(taken.read_text(encoding="utf-8"))
                taken.unlink()
                return payload
        raise Empty

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


class Transport(filesystem.Transport):  # type: ignore[misc]
    Channel = Channel
