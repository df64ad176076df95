"""What can go wrong, one class a family; all are `Problem`s: `code`, `title`, `status`, `pointer`, `ways_out`."""

import json
from collections.abc import Mapping
from typing import Any, Self

import httpx

from qstill.contract.answers.jobs import JobView
from qstill.contract.errors import Problem
from qstill.contract.status import Status

MAX_SHOWN = 200  # characters of an answer that is no problem document


class ClientProblem(Problem):
    """What the service, or the way to it, said. In words it is the whole document: fields, and ways out."""

    def __str__(self) -> str:
        return "\n".join(in_words(self.document()))


class Invalid(ClientProblem):
    """The request cannot work as it is (400, 413, 415, 422 and the like); `pointer` names the field."""


class Unauthorised(ClientProblem):
    """The key is missing, unknown, or not enough (401, 403)."""


class NotFound(ClientProblem):
    """There is no such thing, or it is another key's (404, 410)."""


class Conflict(ClientProblem):
    """Not in the state that it is in (409, 412)."""


class TooMany(ClientProblem):
    """As much as this key may have (429), and it did not become less while the client tried again."""


class Unavailable(ClientProblem):
    """The service failed, or could not answer (5xx), as long as the client tried."""


class Unreachable(ClientProblem):
    """Nobody answered at the address of the service."""


class TimedOut(ClientProblem):
    """A wait was over before its job was. The job goes on: `client.job(error.job_id)` takes it up again."""

    job_id: str

    @classmethod
    def waiting_for(cls, job: JobView, seconds: float) -> Self:
        title = f"{job.id} is {job.status} after {seconds:g} s of waiting, and goes on: client.job({job.id!r}).wait()"
        made = cls("timed_out", title, status=504)
        made.job_id = job.id
        return made


class JobFailed(ClientProblem):
    """A job has failed, or was cancelled; the document is the job's `error`."""

    job_id: str

    @classmethod
    def of(cls, job: JobView) -> Self:
        if job.error is not None:
            made = cls.from_document({"status": 422} | job.error)
        else:
            made = cls(f"job_{job.status}", f"{job.id} was cancelled and leaves nothing.", status=409)
        made.job_id = job.id
        return made


class MissingLibrary(ImportError):
    """What was asked for needs a library that is not installed here."""


BY_STATUS: Mapping[int, type[ClientProblem]] = {
    401: Unauthorised,
    403: Unauthorised,
    404: NotFound,
    410: NotFound,
    409: Conflict,
    412: Conflict,
    429: TooMany,
}


def problem_of(response: httpx.Response) -> ClientProblem:
    """The error that an answer tells of. Whoever stands between may answer without a problem document."""
    kind = BY_STATUS.get(response.status_code, Unavailable if response.status_code >= 500 else Invalid)
    try:
        found = kind.from_document(response.json())
    except (ValueError, KeyError, TypeError):
        said = " ".join(response.text.split())[:MAX_SHOWN]
        title = f"The server answered {response.status_code} and no problem document: {said or 'nothing'}"
        found = kind(f"http_{response.status_code}", title, status=response.status_code)
    found.headers = {name: response.headers[name] for name in ("retry-after",) if name in response.headers}
    return found


def unreachable(server: str, failure: httpx.TransportError) -> Unreachable:
    """server: its address."""
    what = f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
    title = f"{server} does not answer ({what}). Is the service running? QSTILL_SERVER says where."
    return Unreachable("unreachable", title, status=503)


def must_have_succeeded(job: JobView) -> JobView:
    """Raises JobFailed for a job that ended otherwise."""
    if job.status in (Status.FAILED, Status.CANCELLED):
        raise JobFailed.of(job)
    return job


def in_words(document: Mapping[str, Any]) -> list[str]:
    """A problem document as lines for a person."""
    title, errors = document["title"], document.get("errors", ())
    lines = [f"{title} ({document['code']})"]
    if document.get("pointer") and document["pointer"] not in title:
        lines.append(f"  at {document['pointer']}")
    for error in errors if len(errors) > 1 else ():  # of a single one the title tells
        lines.append(f"  {error.get('pointer', error.get('parameter', ''))}: {error.get('detail', '')}")
    lines += [f"  try {json.dumps(way)}" for way in document.get("try", ())]
    lines += [f"  not {json.dumps(way)}" for way in document.get("ruled_out", ())]
    return lines
