"""How calls are tried again: the same request, as often as patience allows, never before the server wants it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qstill.client.calls import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Call,
    Patience,
    Pause,
    get,
    next_pause,
    once,
    patiently,
    read,
    to,
    tried,
)
from qstill.client.errors import (
    Conflict,
    Invalid,
    NotFound,
    TooMany,
    Unauthorised,
    Unavailable,
    Unreachable,
    problem_of,
)
from qstill.contract.answers.jobs import Progress
from qstill.contract.errors import Problem
from qstill.retries import TRIED_AGAIN, retry_after

BROKEN = (httpx.ConnectError("no"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut"))
DOCUMENT = {"type": "/problems/x", "code": "x", "status": 422, "title": "Not so.", "pointer": "/a", "try": [{"b": 1}]}


class Server:
    """Answers a plan with what it is told to, on a clock of its own."""

    def __init__(self, *answers: Any) -> None:
        self.now = 0.0
        self.asked: list[Call] = []
        self.pauses: list[float] = []
        self._answers = iter(answers)

    def run(self, plan: Any) -> Any:
        said, failure = None, None
        while True:
            try:
                step = plan.send(said) if failure is None else plan.throw(failure)
            except StopIteration as end:
                return end.value
            said, failure = None, None
            if isinstance(step, Pause):
                self.pauses.append(step.seconds)
                self.now += step.seconds
                continue
            self.asked.append(step)
            answer = next(self._answers)
            said, failure = (None, answer) if isinstance(answer, Exception) else (answer, None)


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    def make(*answers: Any) -> Server:
        server = Server(*answers)
        clock = SimpleNamespace(monotonic=lambda: server.now, time=lambda: 1_000_000.0 + server.now)
        monkeypatch.setattr("qstill.client.calls.time", clock)
        monkeypatch.setattr("qstill.retries.time", clock)
        return server

    return make


def answer(status: int, wanted: int | None = None, **document: Any) -> httpx.Response:
    headers = {} if wanted is None else {"Retry-After": str(wanted)}
    return httpx.Response(status, json={**DOCUMENT, "status": status, **document}, headers=headers)


failures = st.lists(
    st.one_of(
        st.sampled_from(BROKEN),
        st.builds(answer, st.sampled_from(sorted(TRIED_AGAIN)), st.none() | st.integers(0, 4)),
    ),
    max_size=6,
)


@given(failures)
def test_a_call_is_tried_again_as_it_was_until_there_is_a_good_answer(told: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        server = Server(*told, httpx.Response(200, json={"done": True}))
        clock = SimpleNamespace(monotonic=lambda: server.now, time=lambda: server.now)
        patch.setattr("qstill.client.calls.time", clock)
        found = server.run(tried(once(to("/v1/circuits", {"shots": 1})), Patience(10_000)))
    assert found.json() == {"done": True}
    assert len(server.asked) == len(told) + 1
    assert len({call.headers["Idempotency-Key"] for call in server.asked}) == 1
    assert all(call.body == {"shots": 1} for call in server.asked)
    for pause, failure in zip(server.pauses, told, strict=True):
        wanted = retry_after(failure.headers) if isinstance(failure, httpx.Response) else None
        assert pause >= (wanted or 0)
        assert pause <= (wanted or 0) + LONGEST_PAUSE


@given(st.floats(0, 30), failures.filter(len))
def test_patience_bounds_all_pauses_together(seconds: float, told: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        server = Server(*told * 100)
        patch.setattr("qstill.client.calls.time", SimpleNamespace(monotonic=lambda: server.now))
        with pytest.raises(Problem):
            server.run(tried(get("/v1/jobs"), Patience(seconds)))
    assert sum(server.pauses) <= seconds


@given(st.integers(0, 10_000), st.none() | st.floats(0, 100))
def test_pauses_grow_and_are_bounded(attempt: int, wanted: float | None) -> None:
    pause = next_pause(attempt, wanted)
    assert (wanted or 0) <= pause <= (wanted or 0) + LONGEST_PAUSE
    if wanted is None:
        assert pause >= FIRST_PAUSE / 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((401, Unauthorised), (403, Unauthorised), (404, NotFound), (410, NotFound), (409, Conflict), (412, Conflict)),
        *((400, Invalid), (413, Invalid), (422, Invalid), (501, Unavailable), (507, Unavailable)),
    ],
)
def test_what_will_not_change_is_said_at_once(clocked: Any, status: int, kind: type[Problem]) -> None:
    server = clocked(answer(status))
    with pytest.raises(kind) as refused:
        server.run(tried(get("/v1/jobs"), Patience(60)))
    problem = refused.value
    assert (problem.code, problem.status, problem.pointer, problem.ways_out) == ("x", status, "/a", [{"b": 1}])
    assert str(problem) == 'Not so. (x)\n  at /a\n  try {"b": 1}'
    assert not server.pauses


def test_what_may_change_is_said_when_patience_is_over(clocked: Any) -> None:
    for status, kind in ((429, TooMany), (503, Unavailable), (408, Invalid)):
        with pytest.raises(kind):
            clocked(*[answer(status)] * 100).run(tried(get("/v1/jobs"), Patience(20)))
    with pytest.raises(Unreachable, match="http://there does not answer"):
        clocked(*BROKEN * 100).run(tried(get("/v1/jobs"), Patience(20, "http://there")))


def test_a_server_that_wants_longer_than_patience_lasts_is_not_waited_for(clocked: Any) -> None:
    server = clocked(answer(429, 3600))
    with pytest.raises(TooMany):
        server.run(tried(get("/v1/jobs"), Patience(60)))
    assert not server.pauses


def test_a_request_that_would_do_harm_twice_is_sent_again_only_if_it_was_not_sent(clocked: Any) -> None:
    call = to("/v1/models", {}, repeatable=False)
    server = clocked(httpx.ConnectError("no"), httpx.Response(201, json={}))
    assert server.run(tried(call, Patience(60))).status_code == 201
    with pytest.raises(Unreachable):
        clocked(httpx.ReadError("cut")).run(tried(call, Patience(60)))


def test_who_waits_is_told_once(clocked: Any) -> None:
    told: list[Problem] = []
    clocked(*BROKEN, answer(200)).run(tried(get("/livez"), Patience(60, tell=told.append)))
    assert [problem.code for problem in told] == ["unreachable"]


def test_an_answer_without_a_problem_document_is_one_all_the_same() -> None:
    problem = problem_of(httpx.Response(502, text="<h1>Bad  Gateway</h1>"))
    assert isinstance(problem, Unavailable)
    assert (problem.code, problem.status) == ("http_502", 502)
    assert "<h1>Bad Gateway</h1>" in problem.title


def test_plans_see_good_answers_and_problems_only(clocked: Any) -> None:
    def plan() -> Any:
        try:
            yield from read(Progress, get("/a"))
        except NotFound as problem:
            return problem.code

    assert clocked(answer(503), answer(404)).run(patiently(plan(), Patience(60))) == "x"


def test_fields_of_a_newer_server_are_passed_over(clocked: Any) -> None:
    body = {"phase": "p", "done": 1, "total": 2, "unit": "u", "metrics": {}, "mood": "good"}
    found = clocked(httpx.Response(200, json=body)).run(patiently(read(Progress, get("/a")), Patience()))
    assert found == Progress(phase="p", done=1, total=2, unit="u", metrics={})


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("3", 3), ("0", 0), ("", None), ("soon", None), ("-1", None), ("Mon, 12 Jan 1970 13:46:45 GMT", 5)],
)
def test_retry_after_is_a_number_or_a_date(clocked: Any, said: str, seconds: float | None) -> None:
    clocked()
    assert retry_after({"retry-after": said}) == seconds


def test_a_query_in_the_path_stays() -> None:
    with httpx.Client(base_url="http://there") as client:
        assert client.build_request("GET", "/a?top=3", **get("/a?top=3").arguments()).url.query == b"top=3"
        assert client.build_request("GET", "/a", **get("/a", after=None, limit=3).arguments()).url.query == b"limit=3"


def test_every_call_is_bounded_in_time() -> None:
    for call in (get("/a"), to("/a", {}), Call(method="GET", path="/a", silence=90.0)):
        timeout = call.arguments()["timeout"]
        assert None not in (timeout.connect, timeout.read, timeout.write, timeout.pool)
