"""A teacher behind an HTTP endpoint. What it is sent, and what it answers, is described where a job names it."""

import hashlib
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch
from torch import Tensor

from ledger import outbound
from qstill.contract.distillations.teachers import EndpointTeacher
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.tasks.judge import SUM_TOLERANCE
from workers.distillation.teachers.base import SMALLEST_PROBABILITY, Teacher, arranged, refuse_probabilities
from workers.run import Run, Stopped

FIRST_PAUSE_SECONDS = 0.5  # before the second attempt at a request; each later one waits twice as long
LONGEST_PAUSE_SECONDS = 60.0
LOOK_SECONDS = 0.1  # between looks at whether the job shall stop
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses that pass
BYTES_A_VALUE = 64  # of an answer, at most: JSON prints a double in 25 characters
BYTES_AROUND = 1 << 20  # of an answer, besides its values
MAX_HEADERS = 32
MAX_SECRET_BYTES = 100_000
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,8000}")
OF_CLASSES, OF_NUMBERS = frozenset({"logits", "log_probabilities"}), frozenset({"values"})
OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"})


class Passing(Exception):
    """A failure that another attempt may not have. pause: seconds that the endpoint asked for, or 0."""

    def __init__(self, said: str, pause: float = 0.0) -> None:
        super().__init__(said)
        self.pause = pause


def from_endpoint(spec: EndpointTeacher, headers: Path | None, data: Data, run: Run) -> Teacher:
    """Raises Problem: url_refused, secret_invalid; endpoint_failed, teacher_invalid, class_mismatch when asked."""
    try:
        place = outbound.resolve(spec.url, run.hosts)
    except Problem as problem:
        raise problem.within("/url") from None
    secret = headers.read_bytes() if headers is not None else b"{}"
    endpoint = Endpoint(spec, place, _headers(secret), spec.classes or data.classes, run)
    if data.task.answers == "values":
        endpoint.kinds = OF_NUMBERS
    told = [spec.url, spec.version, spec.inputs]
    teacher = Teacher(
        lambda rows: endpoint.ask(rows.raw if spec.inputs == "raw" else rows.x),
        hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        round_trips=endpoint.milliseconds,
        scope=hashlib.sha256(secret).hexdigest(),
        notes=("The teacher's answers came from an endpoint; that they stay the same is its owner's word.",),
    )
    return arranged(teacher, spec.classes, data.classes)


class Endpoint:
    """Asks in order, one request at a time."""

    def __init__(
        self,
        spec: EndpointTeacher,
        place: outbound.Destination,
        headers: dict[str, str],
        classes: list[str],
        run: Run,
    ) -> None:
        self._spec, self._place, self._classes, self._run = spec, place, classes, run
        ours = {"Host": place.host, "Content-Type": "application/json", "Accept-Encoding": "identity"}
        self._headers = {"Accept": "application/json", "User-Agent": "qstill"} | headers | ours
        self.kinds = OF_CLASSES  # that an answer may be
        self._next = 0.0  # when the next request may go
        self.milliseconds: list[float] = []  # of each request that was answered well

    def ask(self, inputs: Tensor) -> Tensor:
        """Logits (rows, classes) of inputs (rows, …)."""
        with httpx.Client(
            headers=self._headers,
            timeout=self._spec.timeout_seconds,
            follow_redirects=False,  # to where nobody looked
            trust_env=False,  # a proxy would look the name up again
        ) as client:
            answers: list[Tensor] = []
            for part in torch.split(inputs, self._spec.rows_per_request):
                answers.append(self._batch(client, part))
                if self.kinds is OF_CLASSES:
                    refuse_probabilities(torch.cat(answers[-2:]), "/url")  # a request of one row alone shows nothing
            return torch.cat(answers)

    def _batch(self, client: httpx.Client, inputs: Tensor) -> Tensor:
        body = json.dumps({"inputs": inputs.tolist()}, separators=(",", ":")).encode()
        limit = len(inputs) * len(self._classes) * BYTES_A_VALUE + BYTES_AROUND
        for attempt in range(1, self._spec.attempts + 1):
            self._wait(self._next - time.monotonic())
            self._next = time.monotonic() + 1 / self._spec.requests_per_second
            began = time.perf_counter()
            try:
                answer = self._read(self._post(client, body, limit), len(inputs))
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
                if answer.status_code in AGAIN:
                    raise Passing(f"answered {answer.status_code}", _retry_after(answer))
                if answer.status_code != 200:
                    more = "; redirects are not followed" if answer.is_redirect else ""
                    raise _failed(f"The endpoint answered {answer.status_code}{more}.")
                content = bytearray()
                for block in answer.iter_bytes():
                    content += block
                    if len(content) > limit:
                        raise _failed(f"The endpoint's answer is longer than {limit} bytes.")
                    if time.monotonic() > until:
                        raise Passing(f"took longer than {self._spec.timeout_seconds:g} s")
                return bytes(content)
        except httpx.TimeoutException:
            raise Passing(f"took longer than {self._spec.timeout_seconds:g} s") from None
        except httpx.HTTPError as error:
            raise Passing(f"cannot be asked ({type(error).__name__})") from None

    def _read(self, content: bytes, rows: int) -> Tensor:
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            raise _failed("The endpoint's answer is no JSON.") from None
        kinds = self.kinds & answer.keys() if isinstance(answer, dict) else set()
        if len(kinds) != 1:
            raise _failed(f"The endpoint's answer is no object with one of {', '.join(sorted(self.kinds))}.")
        if "classes" in answer and answer["classes"] != self._classes:
            raise self._other_classes(answer["classes"])
        (kind,) = kinds
        return self._values(answer[kind], rows, kind)

    def _other_classes(self, theirs: Any) -> Problem:
        """The same classes in another order have a way out: to name that order."""
        names = theirs if isinstance(theirs, list) and all(isinstance(name, str) for name in theirs) else []
        reordered = sorted(names) == sorted(self._classes)
        what = "the classes in another order" if reordered else "other classes"
        title = f"The endpoint answers in {what}: {str(theirs)[:200]}, where {self._classes[:10]} are expected."
        return Problem("class_mismatch", title, pointer="/classes", ways_out=[{"classes": names}] if reordered else ())

    def _values(self, given: Any, rows: int, kind: str) -> Tensor:
        try:
            values = np.asarray(given)
        except ValueError:
            raise _failed("The endpoint's rows are not all of one length.") from None
        if values.dtype.kind not in "fiu" or values.shape != (rows, len(self._classes)):
            title = f"The endpoint answered {values.shape} values; ({rows}, {len(self._classes)}) numbers are needed."
            raise Problem("class_mismatch", title, pointer="/url")
        if kind == "values":
            return torch.from_numpy(values.astype(np.float64))
        logits = torch.from_numpy(values.astype(np.float32))
        if kind == "logits":
            return logits
        logits = logits.nan_to_num(nan=torch.nan, neginf=float(np.log(SMALLEST_PROBABILITY)))
        if bool((logits.exp().sum(1) - 1).abs().gt(SUM_TOLERANCE).any()):
            raise _failed('The endpoint\'s "log_probabilities" are not: their exponentials do not sum to 1.')
        return logits


def _headers(secret: bytes) -> dict[str, str]:
    """The headers of an uploaded secret. What is wrong is said without repeating it."""
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


def _retry_after(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told[:6]) if told.isascii() and told.isdigit() else 0.0


def _failed(title: str) -> Problem:
    return Problem("endpoint_failed", title, pointer="/url", status=502)
