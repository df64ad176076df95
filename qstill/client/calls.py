"""One request, and how it is tried again. Nothing here sends anything.

What the client does is written as a plan: a generator that yields calls and pauses, is sent the responses, and returns
what came of it. `Client` and `AsyncClient` differ only in how they do what a plan yields. A transport that fails is
thrown into the plan at the call that failed.
"""

import random
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter

from qstill.client.contents import Part
from qstill.client.errors import problem_of, unreachable
from qstill.contract.errors import Problem
from qstill.retries import TRIED_AGAIN, retry_after

T = TypeVar("T")

TIMEOUT = httpx.Timeout(30.0, connect=5.0)  # seconds of silence
QUESTION_SECONDS = 90.0  # a worker starts PyTorch, looks, and answers, while the request waits
UPLOAD_SECONDS = 300.0  # the server hashes and reads what it was sent before it answers
PATIENCE_SECONDS = 60.0  # how long a call is tried again
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0  # seconds, doubled from one to the next

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request. repeatable: whether a second one does no harm where the answer to the first was lost.

    body: JSON. content: bytes, which are read anew whenever the call is tried again. silence: seconds.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content: Part | None = None
    silence: float | None = None
    repeatable: bool = True

    def arguments(self) -> dict[str, Any]:
        """Of httpx's `build_request`, all but the content."""
        timeout = TIMEOUT if self.silence is None else httpx.Timeout(self.silence, connect=TIMEOUT.connect)
        body = {} if self.body is None else {"json": self.body}
        return {"params": dict(self.params) or None, "headers": dict(self.headers), "timeout": timeout, **body}


@dataclass(frozen=True)
class Pause:
    """Wait, and let others run."""

    seconds: float


@dataclass(frozen=True)
class Patience:
    """How long a call is tried again. tell: is told once why, as far as there is something to tell."""

    seconds: float = PATIENCE_SECONDS
    server: str = "the server"
    tell: Callable[[Problem], None] | None = None


Step = Call | Pause
Plan = Generator[Step, httpx.Response | None, T]


def get(path: str, **params: Any) -> Call:
    return Call(method="GET", path=path, params={name: value for name, value in params.items() if value is not None})


def to(path: str, body: Any = None, **more: Any) -> Call:
    return Call(method="POST", path=path, body=body, **more)


def once(call: Call) -> Call:
    """The same with an `Idempotency-Key`: however often it is sent, it makes one job."""
    return replace(call, headers={**call.headers, "Idempotency-Key": str(uuid.uuid4())})


def answered(call: Call) -> Plan[httpx.Response]:
    """The answer; there is a good one, or `patiently` raises."""
    response = yield call
    assert response is not None
    return response


def read(kind: type[T], call: Call) -> Plan[T]:
    """The JSON of an answer as a type of the contract. A newer server's further fields are passed over."""
    response = yield from answered(call)
    found: T = parsed(kind, response.content)
    return found


def parsed(kind: Any, content: bytes) -> Any:
    return TypeAdapter(kind).validate_json(content, extra="ignore")


def patiently(plan: Plan[T], patience: Patience) -> Plan[T]:
    """The same plan, each of its calls tried until there is a good answer. Raises what stands in `errors`."""
    response: httpx.Response | None = None
    problem: Problem | None = None
    while True:
        try:
            step = plan.send(response) if problem is None else plan.throw(problem)
        except StopIteration as end:
            done: T = end.value
            return done
        response, problem = None, None
        if isinstance(step, Pause):
            yield step
            continue
        try:
            response = yield from tried(step, patience)
        except Problem as refused:
            problem = refused


def tried(call: Call, patience: Patience) -> Plan[httpx.Response]:
    """A good answer, after as many tries as patience allows. A transport's failure is thrown in where it happened."""
    given_up_at, attempt, told = time.monotonic() + patience.seconds, 0, False
    while True:
        wanted: float | None = None
        try:
            response = yield call
            assert response is not None
            if response.is_success or response.status_code in (204, 304):
                return response
            failure: Problem = problem_of(response)
            again = response.status_code in TRIED_AGAIN
            wanted = retry_after(response.headers)
        except httpx.TransportError as error:
            failure = unreachable(patience.server, error)
            again = call.repeatable or isinstance(error, NOT_SENT)
        pause = next_pause(attempt, wanted)
        if not again or time.monotonic() + pause > given_up_at:
            raise failure
        if not told and patience.tell is not None:
            patience.tell(failure)
            told = True
        attempt += 1
        yield Pause(pause)


def next_pause(attempt: int, wanted: float | None) -> float:
    """Seconds before the next try: what `Retry-After` says at least, else doubled each time; a part of it by chance,
    so that clients that failed together do not come back together.
    """
    backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt, 16))
    jitter = random.uniform(0.5, 1.0) * backoff  # noqa: S311  # not a secret
    return jitter if wanted is None else wanted + jitter - 0.5 * backoff
