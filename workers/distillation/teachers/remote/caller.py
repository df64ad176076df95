"""How other servers are asked: in order, one request at a time, again where that may help, and never for longer or for
more than was said.
"""

import json
import random
import re
import time
from pathlib import Path
from typing import Any

import httpx

from ledger import outbound
from qstill.contract.distillations.teachers.remote import AtAnAddress
from qstill.contract.errors import Problem
from qstill.retries import TRIED_AGAIN, retry_after
from workers.run import Run, Stopped

FIRST_PAUSE_SECONDS = 0.5  # before the second attempt at a request; each later one waits twice as long
LONGEST_PAUSE_SECONDS = 60.0
LOOK_SECONDS = 0.1  # between looks at whether the job shall stop
MAX_HEADERS = 32
MAX_SECRET_BYTES = 100_000
MAX_COMPLAINT = 10_000  # bytes of an answer that says why there is none
SHOWN_COMPLAINT = 200  # characters of it
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,8000}")
OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"})


class Passing(Exception):
    """A failure that another attempt may not have. pause: seconds that the endpoint asked for, or 0."""

    def __init__(self, said: str, pause: float = 0.0) -> None:
        super().__init__(said)
        self.pause = pause


class Caller:
    """milliseconds: of each request that was answered."""

    def __init__(self, spec: AtAnAddress, url: str, secret: bytes, run: Run) -> None:
        """Raises Problem: url_refused, secret_invalid."""
        try:
            self._place = outbound.resolve(url, run.hosts)
        except Problem as problem:
            raise problem.within("/url") from None
        self._spec, self._run = spec, run
        self._secret = headers_of(secret)
        ours = {"Host": self._place.host, "Content-Type": "application/json", "Accept-Encoding": "identity"}
        self._headers = {"Accept": "application/json", "User-Agent": "qstill"} | self._secret | ours
        self._next = 0.0  # when the next request may go
        self.milliseconds: list[float] = []

    def client(self) -> httpx.Client:
        """For some requests, to be closed after them."""
        return httpx.Client(
            headers=self._headers,
            timeout=self._spec.timeout_seconds,
            follow_redirects=False,  # to where nobody looked
            trust_env=False,  # a proxy would look the name up again
        )

    def post(self, client: httpx.Client, body: Any, *, limit: int) -> bytes:
        """The body of a 200, of at most `limit` bytes. Raises Problem endpoint_failed, and Stopped."""
        content = json.dumps(body, separators=(",", ":")).encode()
        for attempt in range(1, self._spec.attempts + 1):
            self._wait(self._next - time.monotonic())
            self._next = time.monotonic() + 1 / self._spec.requests_per_second
            began = time.perf_counter()
            try:
                answer = self._post(client, content, limit)
                self.milliseconds.append(1000 * (time.perf_counter() - began))
                return answer
            except Passing as failure:
                if attempt == self._spec.attempts:
                    title = f"The endpoint {failure}, {attempt} times."
                    raise Problem("endpoint_failed", title, pointer="/url", status=502) from None
                pause = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311  # no secret
                self._wait(min(max(pause, failure.pause), LONGEST_PAUSE_SECONDS))
        raise AssertionError("unreachable")

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            if self._run.stop_requested():
                raise Stopped
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, LOOK_SECONDS))

    def _post(self, client: httpx.Client, body: bytes, limit: int) -> bytes:
        """The body of a 200. Raises Passing and Problem endpoint_failed."""
        until = time.monotonic() + self._spec.timeout_seconds
        extensions = {"sni_hostname": self._place.server_name}
        try:
            with client.stream("POST", self._place.url, content=body, extensions=extensions) as answer:
                if answer.status_code in TRIED_AGAIN:
                    raise Passing(f"answered {answer.status_code}", retry_after(answer.headers) or 0.0)
                if answer.status_code != 200:
                    more = "; redirects are not followed" if answer.is_redirect else self._complaint(answer)
                    raise failed(f"The endpoint answered {answer.status_code}{more}.")
                content = bytearray()
                for block in answer.iter_bytes():
                    content += block
                    if len(content) > limit:
                        raise failed(f"The endpoint's answer is longer than {limit} bytes.")
                    if time.monotonic() > until:
                        raise Passing(f"took longer than {self._spec.timeout_seconds:g} s")
                return bytes(content)
        except httpx.TimeoutException:
            raise Passing(f"took longer than {self._spec.timeout_seconds:g} s") from None
        except httpx.HTTPError as error:
            raise Passing(f"cannot be asked ({type(error).__name__})") from None

    def _complaint(self, answer: httpx.Response) -> str:
        """What a server says that it cannot do, without what nobody shall read."""
        content = bytearray()
        for block in answer.iter_bytes():
            content += block
            if len(content) > MAX_COMPLAINT:
                return ""
        try:
            told = json.loads(content)
        except (ValueError, RecursionError):
            return ""
        for step in ("error", "message"):
            told = told.get(step, told) if isinstance(told, dict) else told
        if not isinstance(told, str):
            return ""
        words = " ".join("".join(each if each.isprintable() else " " for each in told).split())
        if any(secret in words for value in self._secret.values() for secret in value.split() if len(secret) > 3):
            return ""
        return f": {words[:SHOWN_COMPLAINT].rstrip('.')}"


def headers_of(secret: bytes) -> dict[str, str]:
    """The headers of an uploaded secret. What is wrong is said without repeating it. Raises Problem secret_invalid."""
    try:
        headers = json.loads(secret) if len(secret) <= MAX_SECRET_BYTES else None
    except (ValueError, RecursionError):
        headers = None
    if not isinstance(headers, dict) or len(headers) > MAX_HEADERS:
        title = f"The secret is no JSON object of at most {MAX_HEADERS} headers."
        raise Problem("secret_invalid", title, pointer="/headers")
    for name, value in headers.items():
        right = HEADER_NAME.fullmatch(name) and isinstance(value, str) and HEADER_VALUE.fullmatch(value)
        if not right or name.lower() in OURS:
            title = "The secret holds a header that cannot be sent: names are tokens, values printable ASCII."
            raise Problem("secret_invalid", title, pointer="/headers")
    return headers


def secret_in(headers: Path | None) -> bytes:
    """The bytes of an uploaded secret; of none an empty one."""
    return b"{}" if headers is None else headers.read_bytes()


def failed(title: str) -> Problem:
    """An answer that is none."""
    return Problem("endpoint_failed", title, pointer="/url", status=502)
