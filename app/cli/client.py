"""How the commands talk to the service: by the Python client, in plain JSON, and patiently.

A restart of the server between two requests is not noticed.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from qstill import client
from qstill.client.calls import QUESTION_SECONDS, Call, get, once, to
from qstill.client.errors import in_words
from qstill.contract.answers.jobs import Progress
from qstill.contract.errors import Problem
from qstill.contract.kinds import kind_of

PATIENCE_SECONDS = 120.0  # how long a server may be away

Job = dict[str, Any]


class Client(contextlib.AbstractContextManager["Client"]):
    """Raises ClickException with what a problem document says."""

    def __init__(self, server: str | None, key: str | None = None, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        try:
            self._client = client.Client(server, key, patience=patience, tell=self._tell)
        except ValueError as error:
            raise click.ClickException(str(error)) from None
        self.server = self._client.server

    def __exit__(self, *failure: object) -> None:
        self._client.close()

    def submit(self, body: dict[str, Any], *, wait: int = 0) -> Job:
        """Queue a job of the kind that the body is of. Sent again after a broken connection, it is still one job.

        wait: seconds that it is given to finish before it is returned as it then stands.
        """
        job: Job = self._json(once(to(kind_of(body).path, body, headers={"Prefer": f"wait={wait}"})))
        return job

    def get(self, path: str) -> Any:
        return self._json(get(path))

    def text(self, path: str, body: dict[str, Any] | None = None) -> str:
        """An answer that is no JSON. body: of a question."""
        with _said():
            call = get(path) if body is None else to(path, body, silence=QUESTION_SECONDS)
            return str(self._client.send(call).text)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to a question."""
        return self._json(to(path, body, silence=QUESTION_SECONDS))

    def delete(self, what: str) -> None:
        """A job, a file or a model, by its id."""
        with _said():
            self._client.delete(what)

    def upload(self, file: Path, purpose: str) -> dict[str, Any]:
        with _said():
            return self._client.upload(file, purpose=purpose).model_dump(mode="json")

    def ask(self, job: Job, action: str) -> Job:
        """Cancel, pause or resume a job."""
        asked: Job = self._json(to(f"{job['links']['self']}/{action}"))
        return asked

    def download(self, path: str, place: Path) -> Path:
        with _said():
            place.write_bytes(self._client.send(get(path)).content)
        return place

    def events(self, job: Job) -> Iterator[tuple[str, dict[str, Any]]]:
        """(kind, event) of a job until it is final, through restarts of the server, none twice and none left out."""
        with _said():
            for event in self._client.events(job["id"]):
                yield "progress" if isinstance(event, Progress) else event.kind, event.model_dump(mode="json")

    def _json(self, call: Call) -> Any:
        with _said():
            return self._client.send(call).json()

    def _tell(self, problem: Problem) -> None:
        what = f"{self.server} does not answer" if problem.code == "unreachable" else problem.title.rstrip(".")
        click.echo(f"{what}; trying again for {self._patience:.0f} s", err=True)


@contextlib.contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        raise click.ClickException("\n".join(in_words(problem.document()))) from None
