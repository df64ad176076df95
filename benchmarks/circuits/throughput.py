"""Small circuits end to end on this machine's cores: submitted over HTTP, run by the workers, results in the ledger.

Beside it plain Aer in one loop, transpiled each time: what our time has over Aer's own is the price of a service.
`python -m benchmarks.circuits.throughput`
"""

import sys
import time
from datetime import datetime
from statistics import median
from typing import Any

from qiskit_aer import AerSimulator

from benchmarks.circuits.rivals import aer, check_alike, job_of, parsed, seconds
from benchmarks.client import BELL, Client, finished
from benchmarks.load import apply_load
from benchmarks.report import Line, report
from benchmarks.servers import qstill_up

RATE_GOAL = 200  # jobs per second on two cores
OVERHEAD_GOAL = 5  # milliseconds of wall time per job beyond what Aer takes for its circuit
JOBS = 300
CONNECTIONS = 8
ROUNDS = 3
LOOK_SECONDS = 0.01


def measure() -> list[Line]:
    circuit = parsed(job_of(BELL["circuit"]))
    simulator = AerSimulator()
    bare = median(seconds(lambda: simulator.run(circuit, shots=1000).result()) for _ in range(ROUNDS * 10))
    usual = median(seconds(lambda: aer(circuit, shots=1000)) for _ in range(ROUNDS))
    with qstill_up() as server:
        client = Client(server.port)
        rates = [_rate(server.port, client) for _ in range(ROUNDS)]
        last = client.post("/v1/circuits", BELL, Prefer="wait=5")
    counts = {outcome["key"]: outcome["count"] for outcome in last["result"]["top"]}
    check_alike(counts, aer(circuit, shots=1000))
    rate = median(rates)
    return [
        Line(
            claim="Small circuits end to end, counterpart: transpiled and run in one loop, without a service",
            ours=rate,
            plain=1 / usual,
            unit="/s",
            goal=RATE_GOAL,
            better="more",
        ),
        Line(
            claim="Overhead of a job over Aer's run of its circuit, counterpart: Aer's run",
            ours=(1 / rate - bare) * 1000,
            plain=bare * 1000,
            unit="ms",
            goal=OVERHEAD_GOAL,
            better="less",
        ),
    ]


def _rate(port: int, client: Client) -> float:
    """Jobs per second from the first submission until the last has its result, by the ledger's clock."""
    load = apply_load(port, count=JOBS, connections=CONNECTIONS, status=202, paths=["/v1/circuits"], body=BELL)
    time.sleep(JOBS / RATE_GOAL)  # looking would take from the cores that are measured
    jobs = [client.poll(job_id, finished, every=LOOK_SECONDS) for job_id in load.ids]
    assert all(job["status"] == "succeeded" for job in jobs)
    first, last = (datetime.fromisoformat(moment) for moment in _span(jobs))
    return JOBS / (last - first).total_seconds()


def _span(jobs: list[Any]) -> tuple[str, str]:
    return min(job["created_at"] for job in jobs), max(job["finished_at"] for job in jobs)


if __name__ == "__main__":
    sys.exit(report(measure()))
