"""One client on one kept connection, for what is measured one request at a time."""

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

HOST = "127.0.0.1"
SECONDS = 90  # an answer that takes longer is none
REST_SECONDS = 4  # uvicorn closes a connection that rests for five

BELL = {
    "circuit": {
        "format": "json",
        "qubits": 2,
        "operations": [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}],
    },
    "shots": 1000,
    "name": "bell",
}


class Client:
    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS)
        self._used = time.monotonic()

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def post(self, path: str, body: object, **headers: str) -> Any:
        return self._ask("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"} | headers)

    def poll(self, job_id: str, until: Callable[[Any], bool], every: float, patience: float = SECONDS) -> Any:
        """The job once `until` holds for it; `every`: seconds between two looks."""
        deadline = time.monotonic() + patience
        while not until(job := self.get(f"/v1/jobs/{job_id}")):
            if time.monotonic() > deadline or job["status"] == "failed":
                raise RuntimeError(f"waited in vain for {job}")
            time.sleep(every)
        return job

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
        if time.monotonic() > self._used + REST_SECONDS:
            self._connection.close()  # the next request opens another
        self._connection.request(method, path, body, headers or {})
        with self._connection.getresponse() as response:
            text = response.read()
        self._used = time.monotonic()
        if response.status not in (200, 202):
            raise RuntimeError(f"{method} {path} answered {response.status}: {text.decode()[:500]}")
        return json.loads(text)


def finished(job: Any) -> bool:
    """For `poll`."""
    return job["finished_at"] is not None
