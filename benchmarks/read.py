"""Reading a job: a query on a read transaction of the ledger, against a session and an ORM object for each request.

The API process alone, `GET /v1/jobs/{id}` on kept connections, another job each time. `python -m benchmarks.read`
"""

import sys
from statistics import median

from benchmarks.accept import submit
from benchmarks.client import Client
from benchmarks.load import Load, apply_load
from benchmarks.report import Line, report
from benchmarks.servers import Server, plain_api, qstill_api

GOAL_RATE = 800  # requests per second

CONNECTIONS = 16
ROUNDS = 5
REQUESTS = 2000  # of one round
JOBS = 500

SAME = ("status", "name", "started_at", "finished_at", "result")  # fields on which both sides agree


def measure() -> list[Line]:
    with qstill_api() as ours, plain_api() as plain:
        sides = {server.port: submit(server, count=JOBS).ids for server in (ours, plain)}
        _check_same_answer(ours, sides[ours.port][0], plain, sides[plain.port][0])
        found: dict[int, list[Load]] = {port: [] for port in sides}
        for _ in range(ROUNDS):
            for port, ids in sides.items():
                found[port].append(_read(port, ids))
    return [
        Line(
            claim=f"read a job, {CONNECTIONS} connections",
            ours=median(load.rate for load in found[ours.port]),
            plain=median(load.rate for load in found[plain.port]),
            unit="/s",
            goal=GOAL_RATE,
            better="more",
        )
    ]


def _read(port: int, ids: list[str]) -> Load:
    paths = [f"/v1/jobs/{job_id}" for job_id in ids]
    load = apply_load(port, count=REQUESTS, connections=CONNECTIONS, status=200, paths=paths)
    assert set(load.ids) == set(ids)
    return load


def _check_same_answer(ours: Server, our_id: str, plain: Server, plain_id: str) -> None:
    one = Client(ours.port).get(f"/v1/jobs/{our_id}")
    other = Client(plain.port).get(f"/v1/jobs/{plain_id}")
    assert [one[field] for field in SAME] == [other[field] for field in SAME]


if __name__ == "__main__":
    sys.exit(report(measure()))
