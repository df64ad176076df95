"""A teacher behind HTTP: asked in batches, patient with what passes, deaf to what it should not hear."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from qstill.contract.distillations.teachers.remote import EndpointTeacher
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.jobs import distil_job
from workers.distillation.report.measure import teacher_cost
from workers.distillation.teachers import Teacher, signal_of
from workers.distillation.teachers.remote import caller
from workers.run import Stopped

Load = Callable[..., Teacher]
Refusal = Callable[..., Problem]
Make = Callable[..., Any]

W = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
SECRET = "Bearer do-not-repeat-me"
USELESS = ["class_order", "teacher_worse_than_chance"]  # which random weights may well be


class Server:
    """Answers x·W. answers: what to do with the next requests instead, in their order."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.instead: list[Callable[[BaseHTTPRequestHandler], None]] = []
        self.turn: Callable[[list[list[float]]], Any] = lambda logits: {"logits": logits}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(body)
                server.headers.append(dict(self.headers))
                server.times.append(time.monotonic())
                if server.instead:
                    server.instead.pop(0)(self)
                    return
                logits = (np.asarray(body["inputs"], dtype=np.float32) @ W).tolist()
                reply(self, 200, json.dumps(server.turn(logits)).encode())

            def log_message(self, *given: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *given: None  # type: ignore[method-assign]  # clients that hang up
        self.name = f"127.0.0.1:{self.http.server_port}"
        self.url = f"http://{self.name}/answer?x=1"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()  # ends at once


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def asking(load_teacher: Load, server: Server, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.setattr(caller, "FIRST_PAUSE_SECONDS", 0.02)

    def make(data: Data, *, files: Any = None, stop: Any = lambda: False, **given: Any) -> Teacher:
        spec = {"source": "http", "url": server.url, "requests_per_second": 1000.0} | given
        house = {"hosts": frozenset({server.name}), "files": files or {}, "stop": stop}
        return load_teacher(EndpointTeacher.model_validate(spec), data, **house)

    return make


def test_every_row_is_asked_once_in_batches(asking: Load, server: Server, iris: Data) -> None:
    signal = signal_of(asking(iris, rows_per_request=32), iris)
    assert_close(signal.logits, iris.train.raw @ torch.from_numpy(W), atol=1e-5, rtol=1e-5)
    sizes = [len(body["inputs"]) for body in server.asked]
    assert sum(sizes) == len(iris.train.y)
    assert set(sizes[:-1]) == {32}
    assert server.headers[0]["Host"] == server.name
    standardised = asking(iris, inputs="standardised").logits(iris.test)
    assert_close(standardised, iris.test.x @ torch.from_numpy(W), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("rows_per_request", [1, 7])
def test_probabilities_are_no_logits_however_few_are_asked_for_at_once(
    asking: Load, refusal: Refusal, server: Server, iris: Data, rows_per_request: int
) -> None:
    server.turn = lambda logits: {"logits": torch.tensor(logits).softmax(1).tolist()}
    teacher = asking(iris, rows_per_request=rows_per_request)
    assert refusal(lambda: teacher.logits(iris.test), "/teacher/url").code == "kind_mismatch"
    assert len(server.asked) <= 2


def test_an_endpoint_costs_what_its_requests_took(asking: Load, server: Server, iris: Data) -> None:
    teacher = asking(iris, rows_per_request=32)
    assert teacher_cost(teacher, iris) is None  # nobody has asked it
    server.instead = [lambda handler: (time.sleep(0.05), reply(handler, 503))[1]]
    teacher.logits(iris.train)
    cost = teacher_cost(teacher, iris)
    assert cost is not None
    assert cost.size is None
    assert cost.latency.runs == -(-len(iris.train.y) // 32)  # the one that failed is none of them
    assert 0 < cost.latency.p50_ms <= cost.latency.p95_ms
    assert "request to the endpoint" in (cost.timed or "")


def test_log_probabilities_are_answers_too(asking: Load, server: Server, iris: Data) -> None:
    server.turn = lambda logits: {"log_probabilities": torch.log_softmax(torch.tensor(logits), 1).tolist()}
    logits = asking(iris).logits(iris.test)
    assert_close(torch.softmax(logits, 1), torch.softmax(iris.test.raw @ torch.from_numpy(W), 1))
    server.turn = lambda logits: {"log_probabilities": [[0.0, -float("inf"), -float("inf")] for _ in logits]}
    assert_close(torch.softmax(asking(iris).logits(iris.test), 1)[:, 0], torch.ones(len(iris.test.y)))
    server.turn = lambda logits: {"log_probabilities": logits}
    with pytest.raises(Problem, match="do not sum to 1"):
        asking(iris).logits(iris.test)


def test_what_passes_is_asked_again(asking: Load, server: Server, iris: Data) -> None:
    server.instead = [
        lambda handler: reply(handler, 503),
        lambda handler: reply(handler, 429, Retry_After="1"),
        lambda handler: handler.connection.shutdown(socket.SHUT_RDWR),
    ]
    asking(iris).logits(iris.test)
    assert len(server.asked) == 4
    assert server.times[2] - server.times[1] >= 1


def test_it_gives_up_in_the_end_and_says_why(asking: Load, refusal: Refusal, server: Server, iris: Data) -> None:
    server.instead = [lambda handler: reply(handler, 500)] * 3
    problem = refusal(lambda: asking(iris, attempts=3).logits(iris.test), "/teacher/url")
    assert problem.code == "endpoint_failed"
    assert "answered 500, 3 times" in problem.title


def test_an_endpoint_that_is_slow_is_left(asking: Load, refusal: Refusal, server: Server, iris: Data) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(20):
            handler.wfile.write(b" ")
            time.sleep(0.05)

    server.instead = [drip, lambda handler: time.sleep(0.6)]
    problem = refusal(lambda: asking(iris, attempts=2, timeout_seconds=0.3).logits(iris.test), "/teacher/url")
    assert "took longer than 0.3 s, 2 times" in problem.title


def test_requests_keep_their_distance(asking: Load, server: Server, iris: Data) -> None:
    asking(iris, rows_per_request=3, requests_per_second=20.0).logits(iris.test)
    gaps = len(iris.test.y) / 3 - 1
    assert len(server.times) == gaps + 1
    assert server.times[-1] - server.times[0] > gaps / 20 - 0.1, "but for what the first one took to arrive"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(lambda handler: reply(handler, 404), "answered 404", id="not there"),
        pytest.param(
            lambda handler: reply(handler, 302, Location="http://169.254.169.254/"), "redirects are not", id="elsewhere"
        ),
        pytest.param(lambda handler: reply(handler, 200, b"<html>"), "no JSON", id="no JSON"),
        pytest.param(lambda handler: reply(handler, 200, b"[" * 100_000), "no JSON", id="deep"),
        pytest.param(lambda handler: reply(handler, 200, b"[]"), "no object", id="a list"),
        pytest.param(lambda handler: reply(handler, 200, b"{}"), "no object", id="nothing"),
        pytest.param(lambda handler: reply(handler, 200, b" " * (2 << 20)), "longer than", id="too long"),
        pytest.param(lambda handler: reply(handler, 200, b'{"logits": [[1, 2, 3]]}'), "(1, 3)", id="too few rows"),
        pytest.param(lambda handler: reply(handler, 200, b'{"logits": [[1, 2], [3]]}'), "one length", id="ragged"),
        pytest.param(lambda handler: reply(handler, 200, b'{"logits": "abc"}'), "numbers are needed", id="words"),
    ],
)
def test_an_answer_that_is_none_ends_it_at_once(
    asking: Load,
    refusal: Refusal,
    server: Server,
    iris: Data,
    answer: Callable[[BaseHTTPRequestHandler], None],
    said: str,
) -> None:
    server.instead = [answer]
    assert said in refusal(lambda: asking(iris).logits(iris.test), "/teacher/url").title
    assert len(server.asked) == 1


def test_answers_that_are_no_numbers_or_of_other_classes_are_refused(
    asking: Load, refusal: Refusal, server: Server, iris: Data
) -> None:
    server.turn = lambda logits: {"logits": [[1.0, float("nan"), 0.0] for _ in logits]}
    with pytest.raises(Problem, match="is not finite"):
        signal_of(asking(iris), iris)
    server.turn = lambda logits: {"logits": logits, "classes": ["a", "b", "c"]}
    problem = refusal(lambda: asking(iris).logits(iris.test), "/teacher/classes")
    assert problem.code == "class_mismatch"
    assert not problem.ways_out
    order = [iris.classes[i] for i in (2, 0, 1)]
    server.turn = lambda logits: {"logits": logits, "classes": order}
    assert refusal(lambda: asking(iris).logits(iris.test), "/teacher/classes").ways_out == [{"classes": order}]
    turned = asking(iris, classes=order).logits(iris.test)
    assert_close(turned, (iris.test.raw @ torch.from_numpy(W))[:, [1, 2, 0]], atol=1e-5, rtol=1e-5)


def test_a_secret_is_sent_and_never_repeated(
    server: Server, job: Make, house: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "secret.json"
    path.write_text(json.dumps({"Authorization": SECRET}))
    spec = {"source": "http", "url": server.url, "headers": "file_1", "requests_per_second": 1000.0, "accept": USELESS}
    told = house(files={"file_1": path}, hosts=frozenset({server.name}))
    result = distil_job(job(teacher=spec), told)
    assert {headers["Authorization"] for headers in server.headers} == {SECRET}
    said = [json.dumps(result), json.dumps(told.events), json.dumps(told.metas), caplog.text]
    said += [content.decode("latin-1") for content in told.published.values()]
    assert not any("do-not-repeat-me" in text for text in said)
    report = json.loads(told.published["report.json"])
    assert any("endpoint" in note for note in report["notes"])


@pytest.mark.parametrize(
    "secret",
    [
        b"no JSON",
        b"[]",
        b'{"A": 1}',
        b'{"A": "x\\r\\nB: y"}',
        b'{"A B": "x"}',
        b'{"Host": "elsewhere"}',
        json.dumps({f"H{number}": "x" for number in range(33)}).encode(),
        b'{"A": "' + b"x" * 200_000 + b'"}',
    ],
)
def test_headers_that_cannot_be_sent_are_refused_without_repeating_them(
    asking: Load, refusal: Refusal, iris: Data, tmp_path: Path, secret: bytes
) -> None:
    (tmp_path / "s").write_bytes(secret)
    files = {"file_9": tmp_path / "s"}
    problem = refusal(lambda: asking(iris, headers="file_9", files=files), "/teacher/headers")
    assert problem.code == "secret_invalid"


def test_a_job_that_shall_stop_does_not_wait_for_answers(asking: Load, server: Server, iris: Data) -> None:
    asked = iter([False] * 2)
    with pytest.raises(Stopped):
        asking(iris, rows_per_request=1, stop=lambda: next(asked, True)).logits(iris.test)
    assert len(server.asked) <= 2


def test_a_later_job_asks_nothing_and_a_new_version_or_another_secret_everything(
    asking: Load, load_teacher: Load, server: Server, job: Make, house: Make, tmp_path: Path
) -> None:
    for number, name in enumerate(("one", "two")):
        (tmp_path / name).write_text(json.dumps({"Authorization": f"Bearer {number}"}))
    files = {f"file_{name}": tmp_path / name for name in ("one", "two")}

    def asked(**given: Any) -> int:
        before = len(server.asked)
        spec = {"source": "http", "url": server.url, "requests_per_second": 1000.0, "headers": "file_one"}
        spec |= {"accept": USELESS} | given
        told = house(files=files, hosts=frozenset({server.name}), cache=tmp_path / "cache")
        distil_job(job(teacher=spec, training={"epochs": 1}), told)
        return len(server.asked) - before

    first = asked()
    assert first > 0
    assert asked() == 0
    assert asked(version="2") == first
    assert asked(headers="file_two") == first
    assert asked(headers="file_one") == 0


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "http://localhost/x", "https://no-such-host.invalid/"])
def test_addresses_inside_are_refused(asking: Load, refusal: Refusal, iris: Data, url: str) -> None:
    assert refusal(lambda: asking(iris, url=url), "/teacher/url").code == "url_refused"
