"""Server-sent events (HTML Standard, 9.2), read from bytes, through broken connections."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from qstill.client.calls import Call, Patience, next_pause, parsed
from qstill.client.errors import Unavailable, problem_of, unreachable
from qstill.contract.answers.jobs import EventView, Progress
from qstill.contract.status import FINAL
from qstill.retries import TRIED_AGAIN, retry_after

SILENCE_SECONDS = 60.0  # the service pings every 15 s
MAX_LINE_BYTES = 16 << 20  # an event is never so long: what is, is no stream of events


@dataclass(frozen=True)
class Frame:
    """One event of a stream."""

    kind: str
    data: str
    id: str | None


class Reader:
    """Bytes in any pieces, events out."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, list[str]] = {}
        self._after_return = False

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The events that are complete with these bytes. Raises ValueError for a line without an end."""
        if not piece:
            return
        cut, self._after_return = self._after_return and piece.startswith(b"\n"), piece.endswith(b"\r")
        piece = piece[1:] if cut else piece  # of a CRLF that was cut in two
        *lines, self._rest = (self._rest + piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise ValueError("the stream of events has a line without an end")
        for line in lines:
            if line:
                name, _, value = line.decode(errors="replace").partition(":")
                self._fields.setdefault(name, []).append(value.removeprefix(" "))
                continue
            fields, self._fields = self._fields, {}
            if "data" in fields:
                last = fields.get("id", [None])[-1]
                yield Frame(fields.get("event", ["message"])[-1], "\n".join(fields["data"]), last)


class Following:
    """A job's events until it is final, through as many connections as it takes: none twice, none left out.

    over: whether there is nothing more to come.
    """

    def __init__(self, job_id: str, after: int, patience: Patience) -> None:
        self._path, self._patience = f"/v1/jobs/{job_id}/events", patience
        self._last, self._attempt = after, 0
        self._given_up_at = time.monotonic() + patience.seconds
        self._reader = Reader()
        self.over = False

    def call(self) -> Call:
        self._reader = Reader()
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self._last:
            headers["Last-Event-ID"] = str(self._last)
        return Call(method="GET", path=self._path, headers=headers, silence=SILENCE_SECONDS)

    def read(self, piece: bytes) -> Iterator[EventView | Progress]:
        for frame in self._reader.feed(piece):
            self._attempt, self._given_up_at = 0, time.monotonic() + self._patience.seconds
            if not frame.data:
                continue
            if frame.id is None:
                yield parsed(Progress, frame.data.encode())
                continue
            event: EventView = parsed(EventView, frame.data.encode())
            if event.seq <= self._last:
                continue
            self._last, self.over = event.seq, event.kind in FINAL
            yield event

    def began(self, response: httpx.Response) -> float | None:
        """None for a stream to be read, otherwise the seconds until the next try. Raises what stands in `errors`."""
        if response.status_code == 204:
            self.over = True
            return 0.0
        if response.is_success:
            return None
        failure = problem_of(response)
        if response.status_code not in TRIED_AGAIN:
            raise failure
        return self._pause(failure, retry_after(response.headers))

    def ended(self, failure: httpx.TransportError | None) -> float:
        """Seconds until the next try, after a connection broke, or ended before the job did."""
        if failure is None:
            return self._pause(Unavailable("stream_ended", "The events ended before the job did.", status=502), None)
        return self._pause(unreachable(self._patience.server, failure), None)

    def _pause(self, failure: Exception, wanted: float | None) -> float:
        pause = next_pause(self._attempt, wanted)
        self._attempt += 1
        if time.monotonic() + pause > self._given_up_at:
            raise failure
        return pause
