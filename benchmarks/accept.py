"""Accepting circuits on SQLite: one writer with group commit, against a session and a commit for each request.

The API process alone, `POST /v1/circuits` on kept connections; every answer is durable. `python -m benchmarks.accept`
"""

import sqlite3
import sys
from contextlib import closing
from statistics import median

from benchmarks.client import BELL, Client
from benchmarks.load import Load, apply_load
from benchmarks.report import Line, report
from benchmarks.servers import Server, plain_api, qstill_api

GOAL_RATE = 500  # requests per second
GOAL_P99 = 100  # milliseconds

CONNECTIONS = (16, 32)
ROUNDS = 3
REQUESTS = 1000  # of one round
WARM_UP = 200  # requests


def measure() -> list[Line]:
    with qstill_api() as ours, plain_api() as plain:
        sides = {"ours": ours, "plain": plain}
        for server in sides.values():
            submit(server, count=WARM_UP)
        found: dict[tuple[str, int], list[Load]] = {(side, c): [] for side in sides for c in CONNECTIONS}
        for _ in range(ROUNDS):
            for connections in CONNECTIONS:
                for side, server in sides.items():
                    found[side, connections].append(submit(server, count=REQUESTS, connections=connections))
        for side, server in sides.items():
            _check(server, [load for connections in CONNECTIONS for load in found[side, connections]])
        _check_same_request(ours, found["ours", CONNECTIONS[0]][0], plain, found["plain", CONNECTIONS[0]][0])
    lines = []
    for connections in CONNECTIONS:
        our_loads, plain_loads = found["ours", connections], found["plain", connections]
        lines += [
            Line(
                claim=f"accept circuits, {connections} connections",
                ours=median(load.rate for load in our_loads),
                plain=median(load.rate for load in plain_loads),
                unit="/s",
                goal=GOAL_RATE,
                better="more",
            ),
            Line(
                claim=f"accept circuits, {connections} connections, p99",
                ours=median(load.p99 for load in our_loads),
                plain=median(load.p99 for load in plain_loads),
                unit="ms",
                goal=GOAL_P99,
                better="less",
            ),
        ]
    return lines


def submit(server: Server, *, count: int, connections: int = 16) -> Load:
    """Submit `count` Bell circuits."""
    return apply_load(server.port, count=count, connections=connections, status=202, paths=["/v1/circuits"], body=BELL)


def _check(server: Server, loads: list[Load]) -> None:
    """Each answer named a job of its own, and each is in the database."""
    ids = {job_id for load in loads for job_id in load.ids}
    assert len(ids) == sum(len(load.ids) for load in loads)
    with closing(sqlite3.connect(server.database)) as database:
        stored = {row[0] for row in database.execute("SELECT id FROM jobs WHERE status = 'queued'")}
    assert ids <= stored


def _check_same_request(ours: Server, our_load: Load, plain: Server, plain_load: Load) -> None:
    """Both kept what was sent."""
    for server, load in ((ours, our_load), (plain, plain_load)):
        kept = Client(server.port).get(f"/v1/jobs/{load.ids[0]}/request")
        assert (kept["circuit"], kept["shots"]) == (BELL["circuit"], BELL["shots"])


if __name__ == "__main__":
    sys.exit(report(measure()))
