"""After a burst of 10,000 circuits the next one is claimed at once, and their queue never held more than two wake-ups.

`qstill up` with one worker a queue, with files and with Redis as the broker; beside what it does after the burst what
it did before. Idle workers are looked at in the end. `python -m benchmarks.burst`
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import psutil
from redis import Redis

from benchmarks.client import BELL, Client, finished
from benchmarks.load import apply_load
from benchmarks.report import Line, milliseconds, report
from benchmarks.servers import Server, qstill_up
from qstill.contract.kinds import Queue
from tests.testing import servers

BURST = 10_000
CLAIM_GOAL = 300  # milliseconds
HELD_GOAL = 2  # wake-ups: twice the workers
IDLE_GOAL = 1.0  # percent of a core

CONNECTIONS = 16
TRIES = 5
LOOK_SECONDS = 0.25
IDLE_SECONDS = 20
DRAIN_SECONDS = 1800

Held = Callable[[], int]  # wake-ups that lie in the queue of circuits


def measure() -> list[Line]:
    lines = []
    for name, service in (("files", _with_files), ("Redis", _with_redis)):
        with service() as (server, held):
            lines += _after_a_burst(name, server, held)
    return lines


def _after_a_burst(name: str, server: Server, held: Held) -> list[Line]:
    client = Client(server.port)
    before = max(_claim_seconds(client) for _ in range(TRIES))
    load = apply_load(server.port, count=BURST, connections=CONNECTIONS, status=202, paths=["/v1/circuits"], body=BELL)
    most = _most_held_until_done(client, load.ids[-1], held)
    after = max(_claim_seconds(client) for _ in range(TRIES))
    busiest = _idle_percent(server)
    return [
        milliseconds(f"the next circuit after {BURST:,} is claimed ({name})", after, before, goal=CLAIM_GOAL),
        Line(claim=f"wake-ups held ({name})", ours=most, plain=HELD_GOAL, unit="", goal=HELD_GOAL, better="less"),
        Line(claim=f"the busiest idle worker ({name})", ours=busiest, plain=0, unit="%", goal=IDLE_GOAL, better="less"),
    ]


def _claim_seconds(client: Client) -> float:
    """From a submission to its claim, by the ledger's clock."""
    job_id = client.post("/v1/circuits", BELL)["id"]
    job = client.poll(job_id, finished, every=0.02)
    assert job["status"] == "succeeded"
    return _moment(job["started_at"]) - _moment(job["created_at"])


def _most_held_until_done(client: Client, last: str, held: Held) -> int:
    most, deadline = 0, time.monotonic() + DRAIN_SECONDS
    while not finished(client.get(f"/v1/jobs/{last}")) or client.get("/v1/jobs?status=queued&limit=1")["data"]:
        assert time.monotonic() < deadline, "the burst was not worked off"
        most = max(most, held())
        time.sleep(LOOK_SECONDS)
    return most


def _idle_percent(server: Server) -> float:
    """Of a core, the busiest of the workers while nothing is to do."""
    family = psutil.Process(server.process.pid).children(recursive=True)
    workers = [process for process in family if "workers" in process.cmdline()]
    assert len(workers) >= 3
    before = [sum(process.cpu_times()[:2]) for process in workers]
    time.sleep(IDLE_SECONDS)
    used = [sum(process.cpu_times()[:2]) - first for process, first in zip(workers, before, strict=True)]
    return max(used) / IDLE_SECONDS * 100


@contextlib.contextmanager
def _with_files() -> Iterator[tuple[Server, Held]]:
    with qstill_up() as server:
        messages = server.database.parent / "broker" / "messages"
        yield server, lambda: len(list(messages.glob(f"*{Queue.CIRCUITS}.msg")))


@contextlib.contextmanager
def _with_redis() -> Iterator[tuple[Server, Held]]:
    with servers.redis() as url, qstill_up(QSTILL_BROKER_URL=url) as server:
        redis: Any = Redis.from_url(url)
        with contextlib.closing(redis):
            yield server, lambda: int(redis.llen(Queue.CIRCUITS))


def _moment(text: str) -> float:
    """Seconds; only differences within one service mean something."""
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    sys.exit(report(measure()))
