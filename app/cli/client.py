"""A small client of the service: patient, so that a restart of the server between two requests is not noticed."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
import httpx
import httpx_sse

from qstill.contract.kinds import kind_of
from qstill.contract.status import FINAL

T = TypeVar("T")

PATIENCE_SECONDS = 120.0  # how long a server may be away
PAUSE_SECONDS = 0.5
ANSWER_SECONDS = 90.0  # a worker starts PyTorch, looks, and answers, while the request waits
TIMEOUT = httpx.Timeout(30.0, connect=5.0)

AWAY = frozenset({502, 503, 504})  # a proxy without its server, a server without its database

Job = dict[str, Any]


class Away(Exception):
    """Somebody answers for the server: it is not there now."""


class Client(contextlib.AbstractContextManager["Client"]):
    def __init__(self, server: str, key: str | None = None, patience: float = PATIENCE_SECONDS) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.server = _address(server)
        self._http = httpx.Client(base_url=self.server, headers=headers, timeout=TIMEOUT)
        self._patience = patience

    def __exit__(self, *failure: object) -> None:
        self._http.close()

    def submit(self, body: dict[str, Any], *, wait: int = 0) -> Job:
        """Queue a job of the kind that the body is of. Sent again after a broken connection, it is still one job.

        wait: seconds that it is given to finish before it is returned as it then stands.
        """
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Prefer": f"wait={wait}"}
        job: Job = self._json(lambda: self._http.post(kind_of(body).path, json=body, headers=headers))
        return job

    def preflight(self, body: dict[str, Any]) -> dict[str, Any]:
        """What would become of a distillation."""
        said: dict[str, Any] = self._json(
            lambda: self._http.post("/v1/distillations/preflight", json=body, timeout=ANSWER_SECONDS)
        )
        return said

    def get(self, path: str) -> Any:
        return self._json(lambda: self._http.get(path))

    def ask(self, job: Job, action: str) -> Job:
        """Cancel, pause or resume a job."""
        asked: Job = self._json(lambda: self._http.post(f"{job['links']['self']}/{action}"))
        return asked

    def download(self, path: str, place: Path) -> Path:
        place.write_bytes(self._answer(lambda: self._http.get(path)).content)
        return place

    def events(self, job: Job) -> Iterator[tuple[str, dict[str, Any]]]:
        """(kind, event) of a job until it is final, through restarts of the server, none twice and none left out."""
        last, given_up_at = "", time.monotonic() + self._patience
        while True:
            try:
                headers = {"Last-Event-ID": last} if last else {}
                with httpx_sse.connect_sse(self._http, "GET", job["links"]["events"], headers=headers) as source:
                    if source.response.status_code == 204:
                        return
                    if source.response.status_code != 200:
                        source.response.read()
                    _check(source.response)
                    for event in source.iter_sse():
                        given_up_at = time.monotonic() + self._patience
                        if not event.data:  # a ping
                            continue
                        last = event.id or last
                        yield event.event, event.json()
                        if event.event in FINAL:
                            return
            except (httpx.TransportError, Away):
                if time.monotonic() > given_up_at:
                    raise
            time.sleep(PAUSE_SECONDS)

    def _json(self, request: Callable[[], httpx.Response]) -> Any:
        return self._answer(request).json()

    def _answer(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        given_up_at, told = time.monotonic() + self._patience, False
        while True:
            try:
                return _check(request())
            except (httpx.TransportError, Away) as error:
                if time.monotonic() > given_up_at:
                    raise click.ClickException(f"{self.server} does not answer ({type(error).__name__})") from None
                if not told:
                    told = True
                    click.echo(f"{self.server} does not answer; trying again for {self._patience:.0f} s", err=True)
            time.sleep(PAUSE_SECONDS)


def _address(server: str) -> str:
    """With `http://` where no scheme is given. Raises ClickException."""
    address = (server if "://" in server else f"http://{server}").rstrip("/")
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise click.ClickException(f"{server!r} is no address of a server: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise click.ClickException(f"{server!r} is no address of a server; write http://HOST:PORT")
    return address


def _check(response: httpx.Response) -> httpx.Response:
    """Raises ClickException with what a problem document says, and Away when the server cannot answer now."""
    if response.is_success:
        return response
    if response.status_code in AWAY:
        raise Away(response.status_code)
    try:
        problem = response.json()
        lines = [f"{problem['title']} ({problem['code']})"]
        lines += [f"  {error.get('pointer', '')}: {error['detail']}" for error in problem.get("errors", ())]
        lines += [f"  try {way}" for way in problem.get("try", ())]
        lines += [f"  not {way}" for way in problem.get("ruled_out", ())]
    except (ValueError, KeyError):
        lines = [f"the server answered {response.status_code}"]
    raise click.ClickException("\n".join(lines))
