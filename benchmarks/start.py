"""From submission to start on an idle service: a wake-up every 50 ms, against Celery's default polling of a folder.

`qstill up`, one circuit after another; by the two clocks of the job, and as its client sees it.
`python -m benchmarks.start`
"""

import random
import sys
import time
from datetime import datetime
from typing import Any

from benchmarks.client import BELL, Client, finished
from benchmarks.load import percentile
from benchmarks.report import Line, report
from benchmarks.servers import plain_service, qstill_up

GOAL_P95 = 150  # milliseconds, on both clocks

JOBS = 60
PAUSE_SECONDS = 0.2  # at most, drawn anew each time: no job keeps step with a poll
LOOK_SECONDS = 0.005


def measure() -> list[Line]:
    with qstill_up() as ours, plain_service() as plain:
        sides = {server.port: Client(server.port) for server in (ours, plain)}
        found: dict[int, list[tuple[float, float]]] = {port: [] for port in sides}
        for _ in range(JOBS):
            for port, client in sides.items():
                time.sleep(random.uniform(0, PAUSE_SECONDS))
                found[port].append(_start(client))
    by_job, by_client = ({port: percentile([pair[i] for pair in found[port]], 95) for port in sides} for i in (0, 1))
    return [
        Line(claim=claim, ours=p95[ours.port], plain=p95[plain.port], unit="ms", goal=GOAL_P95, better="less")
        for claim, p95 in (("submit → start, p95", by_job), ("submit → start as the client sees it, p95", by_client))
    ]


def _start(client: Client) -> tuple[float, float]:
    """Milliseconds from created_at to started_at, and from sending the request to seeing the job started."""
    sent = time.perf_counter()
    job_id = client.post("/v1/circuits", BELL)["id"]
    client.poll(job_id, lambda job: job["started_at"] is not None, every=LOOK_SECONDS)
    seen = (time.perf_counter() - sent) * 1000
    job = client.poll(job_id, finished, every=LOOK_SECONDS)
    assert job["status"] == "succeeded"
    return (_moment(job["started_at"]) - _moment(job["created_at"])) * 1000, seen


def _moment(text: Any) -> float:
    """Seconds; only differences within one service mean something."""
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    sys.exit(report(measure()))
