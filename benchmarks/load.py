"""Load from a process of its own, which must not be what is measured: raw HTTP/1.1 on a fixed number of connections.

    found = apply_load(port, count=1000, connections=16, status=202, paths=["/v1/circuits"], body=BELL)

Each connection sends its next request when the last answer is complete.
"""

import asyncio
import gc
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import uvloop

from benchmarks.client import HOST

LIMIT_SECONDS = 120

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb'"id": ?"([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class Load:
    seconds: float
    latencies: list[float]  # milliseconds, one for each request
    ids: list[str]  # of the jobs that the answers show

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    @property
    def p99(self) -> float:
        """Milliseconds."""
        return percentile(self.latencies, 99)


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def apply_load(
    port: int, *, count: int, connections: int, status: int, paths: Sequence[str], body: object = None
) -> Load:
    """Send `count` requests to the paths in turn: POST where there is a body, else GET. Every answer has the status."""
    plan = {"port": port, "count": count, "connections": connections, "status": status, "paths": paths, "body": body}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(plan).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    found = Load(**json.loads(done.stdout))
    assert len(found.ids) == len(found.latencies) == count
    return found


class _Run:
    """The requests that are left, and what was answered."""

    def __init__(self, plan: dict[str, Any]) -> None:
        body = b"" if plan["body"] is None else json.dumps(plan["body"]).encode()
        method = "POST" if body else "GET"
        about_body = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        self._requests = [
            f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{plan['port']}\r\n{about_body}\r\n".encode() + body
            for path in plan["paths"]
        ]
        self._left = plan["count"]
        self._open = 0
        self.status_line = f"HTTP/1.1 {plan['status']} ".encode()
        self.latencies: list[float] = []
        self.ids: list[str] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        if self._left == 0:
            return None
        self._left -= 1
        self._open += 1
        return self._requests[self._left % len(self._requests)]

    def answered(self, milliseconds: float, job_id: str) -> None:
        self._open -= 1
        self.latencies.append(milliseconds)
        self.ids.append(job_id)
        if self._left == self._open == 0 and not self.over.done():
            self.over.set_result(None)

    def fail(self, why: str) -> None:
        if not self.over.done():
            self.over.set_exception(RuntimeError(why))


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: Any) -> None:  # uvloop's are no asyncio.WriteTransport
        self._transport = transport

    def send(self) -> None:
        request = self._run.next_request()
        if request is not None:
            self._sent = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, complete, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if complete else None
        if length is None or len(body) < int(length[1]):
            return
        milliseconds = (time.perf_counter() - self._sent) * 1000
        job_id = _ID.search(body)
        if not head.startswith(self._run.status_line) or job_id is None:
            self._run.fail(self._buffer[:1000].decode())
            return
        self._buffer = b""
        self._run.answered(milliseconds, job_id[1].decode())
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.fail(f"the server closed a connection: {error}")


async def _apply(plan: dict[str, Any]) -> dict[str, Any]:
    run = _Run(plan)
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: _Connection(run), HOST, plan["port"]))[1]
        for _ in range(plan["connections"])
    ]
    gc.disable()  # its pauses would count as the server's
    start = time.perf_counter()
    for connection in connections:
        connection.send()
    async with asyncio.timeout(LIMIT_SECONDS):
        await run.over
    return {"seconds": time.perf_counter() - start, "latencies": run.latencies, "ids": run.ids}


if __name__ == "__main__":
    json.dump(uvloop.run(_apply(json.load(sys.stdin))), sys.stdout)
