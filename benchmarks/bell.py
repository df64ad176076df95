"""A Bell circuit end to end: a warm child with a cached pass manager and a long poll, against `transpile` in a task.

`POST /v1/circuits` with `Prefer: wait=5` until the answer holds the counts of 1,000 shots. The counterpart's client
looks each 50 ms, and its worker polls its broker as often as ours. `python -m benchmarks.bell`
"""

import sys
import time
from collections import Counter
from statistics import median

from benchmarks.client import BELL, Client, finished
from benchmarks.report import Line, milliseconds, report
from benchmarks.servers import plain_service, qstill_up

GOAL_P50 = 120  # milliseconds

ROUNDS = 40
LOOK_SECONDS = 0.05
POLLING_SECONDS = "0.05"
SIGMAS = 5  # how far the frequency of 00 may be from one half


def measure() -> list[Line]:
    our_times, our_counts = [], Counter[str]()
    plain_times, plain_counts = [], Counter[str]()
    with qstill_up() as ours, plain_service(PLAIN_POLLING_SECONDS=POLLING_SECONDS) as plain:
        our_client, plain_client = Client(ours.port), Client(plain.port)
        for _ in range(ROUNDS):
            start = time.perf_counter()
            our_counts += _wait(our_client)
            our_times.append(time.perf_counter() - start)
            start = time.perf_counter()
            plain_counts += _look(plain_client)
            plain_times.append(time.perf_counter() - start)
    for counts in (our_counts, plain_counts):
        _check(counts)
    return [milliseconds("Bell circuit end to end, p50", median(our_times), median(plain_times), goal=GOAL_P50)]


def _wait(client: Client) -> Counter[str]:
    job = client.post("/v1/circuits", BELL, Prefer="wait=5")
    assert job["status"] == "succeeded", job
    return Counter({outcome["key"]: outcome["count"] for outcome in job["result"]["top"]})


def _look(client: Client) -> Counter[str]:
    job = client.poll(client.post("/v1/circuits", BELL)["id"], finished, every=LOOK_SECONDS)
    return Counter(job["result"]["counts"])


def _check(counts: Counter[str]) -> None:
    """A Bell state reads 00 or 11, each half of the time."""
    shots = counts.total()
    assert set(counts) == {"00", "11"}
    assert shots == ROUNDS * 1000
    assert abs(counts["00"] - shots / 2) < SIGMAS * (shots / 4) ** 0.5


if __name__ == "__main__":
    sys.exit(report(measure()))
