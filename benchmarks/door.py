"""What the door takes to refuse what would choke a parser, against reading the same bodies as JSON.

`python -m benchmarks.door`
"""

import json
import sys
import time
from typing import Any

import httpx

from benchmarks.report import Line, milliseconds, report
from benchmarks.servers import qstill_api
from tests.testing.hostile import AT_THE_DOOR, BELL, HOSTILE_NOISE, json_circuit

GOAL = 50  # milliseconds
TRIES = 10  # of which the fastest counts


def measure() -> list[Line]:
    bodies: dict[str, Any] = {name: {"circuit": circuit} for name, (circuit, _) in AT_THE_DOOR.items()}
    bodies |= {name: {"circuit": json_circuit(2, BELL), "noise": noise} for name, (noise, _) in HOSTILE_NOISE.items()}
    with qstill_api() as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        return [_line(client, name, json.dumps(body)) for name, body in bodies.items()]


def _line(client: httpx.Client, name: str, body: str) -> Line:
    refused, read = [], []
    for _ in range(TRIES):
        start = time.perf_counter()
        answer = client.post("/v1/circuits", content=body, headers={"Content-Type": "application/json"})
        between = time.perf_counter()
        json.loads(body)
        read.append(time.perf_counter() - between)
        refused.append(between - start)
        assert answer.status_code == 422
    return milliseconds(f"Refused: {name}", min(refused), min(read), goal=GOAL)


if __name__ == "__main__":
    sys.exit(report(measure()))
