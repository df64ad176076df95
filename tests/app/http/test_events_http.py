"""The events of a job: as pages, and as server-sent events over a real socket."""

import contextlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import httpx_sse
import pytest

from qstill.contract.kinds import Queue
from tests.testing.in_process import BELL, Json, Listening, Worker, listening, refused, until

STREAMS = 25  # more than the 20 connections that the pool of a process has


def test_events_come_in_order_and_in_pages(client: httpx.Client, worker: Worker) -> None:
    path = client.post("/v1/circuits", json=BELL).json()["links"]["events"]
    held = worker.claim(Queue.CIRCUITS)
    worker.append(held, "epoch", epoch=1, loss=0.5)
    worker.finish(held, {})
    page = client.get(path).json()
    assert [(event["seq"], event["kind"]) for event in page["data"]] == [
        (1, "queued"),
        (2, "running"),
        (3, "epoch"),
        (4, "succeeded"),
    ]
    assert page["data"][2]["data"] == {"epoch": 1, "loss": 0.5}
    assert (page["has_more"], page["first_id"], page["last_id"]) == (False, "1", "4")
    first = client.get(path, params={"limit": 3}).json()
    assert (len(first["data"]), first["has_more"], first["last_id"]) == (3, True, "3")
    rest = client.get(path, params={"after": first["last_id"]}).json()
    assert [event["seq"] for event in rest["data"]] == [4]
    assert client.get(path, params={"after": 4}).json()["data"] == []


@pytest.mark.parametrize("after", ["-1", "x", "2147483648", "1.5", ""])
def test_a_sequence_number_is_a_number(client: httpx.Client, after: str) -> None:
    path = client.post("/v1/circuits", json=BELL).json()["links"]["events"]
    problem = refused(client.get(path, params={"after": after}), 422, "validation_failed")
    assert problem["errors"][0]["parameter"] == "after"


@pytest.mark.parametrize("last", ["x", "-1", "1234567890", "1 2"])
def test_a_last_event_id_is_one_of_ours(client: httpx.Client, last: str) -> None:
    path = client.post("/v1/circuits", json=BELL).json()["links"]["events"]
    headers = {"Accept": "text/event-stream", "Last-Event-ID": last}
    problem = refused(client.get(path, headers=headers), 422, "validation_failed")
    assert problem["errors"][0]["parameter"] == "last-event-id"


@dataclass
class Stream:
    """The events of a job as they arrive, read by a thread of its own."""

    url: str
    headers: dict[str, str]
    events: list[httpx_sse.ServerSentEvent] = field(default_factory=list)
    opened: threading.Event = field(default_factory=threading.Event)
    ended: bool = False

    def read(self) -> None:
        with (
            httpx.Client(timeout=60) as client,
            httpx_sse.connect_sse(client, "GET", self.url, headers=self.headers) as source,
        ):
            assert source.response.status_code == 200
            assert source.response.headers["cache-control"] == "no-store"
            self.opened.set()
            for event in source.iter_sse():
                self.events.append(event)
        self.ended = True

    def kinds(self) -> list[str]:
        return [event.event for event in self.events]


@contextlib.contextmanager
def streaming(url: str, **headers: str) -> Iterator[Stream]:
    """A stream that has begun; it must have ended when the block does."""
    stream = Stream(url, headers)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(stream.read)
        until(lambda: stream.opened.is_set() or reading.done())
        yield stream
        reading.result()
    assert stream.ended


def submit(service: Listening) -> Json:
    answer = httpx.post(f"{service.url}/v1/circuits", json=BELL)
    assert answer.status_code == 202
    job: Json = answer.json()
    return job


def test_events_arrive_while_the_job_runs_and_end_with_it(on_the_wire: Listening) -> None:
    worker, job = on_the_wire.worker, submit(on_the_wire)
    with streaming(f"{on_the_wire.url}{job['links']['events']}") as stream:
        until(lambda: stream.kinds() == ["queued"])
        held = worker.claim(Queue.CIRCUITS)
        until(lambda: stream.kinds() == ["queued", "running"])
        worker.report(held, 2)
        until(lambda: stream.kinds()[2:] == ["progress"])
        worker.append(held, "epoch", epoch=2)
        until(lambda: "epoch" in stream.kinds())
        worker.append(held, "epoch", epoch=3)
        until(lambda: stream.kinds().count("epoch") == 2)
        assert not stream.ended
        worker.finish(held, {})
    logged = [event for event in stream.events if event.event != "progress"]
    assert [(event.id, event.event) for event in logged] == [
        ("1", "queued"),
        ("2", "running"),
        ("3", "epoch"),
        ("4", "epoch"),
        ("5", "succeeded"),
    ]
    assert stream.kinds().count("progress") == 1  # not again with every event
    page = httpx.get(f"{on_the_wire.url}{job['links']['events']}").json()
    assert [json.loads(event.data) for event in logged] == page["data"]


def test_progress_is_no_event_of_the_log(on_the_wire: Listening) -> None:
    """It has no id, so that a reader who reconnects goes on after the last event that has one."""
    worker, job = on_the_wire.worker, submit(on_the_wire)
    held = worker.claim(Queue.CIRCUITS)
    worker.report(held, 2)
    with httpx.stream(
        "GET", f"{on_the_wire.url}{job['links']['events']}", headers={"Accept": "text/event-stream"}, timeout=60
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = ""
        for block in answer.iter_text():
            text += block
            if "event: progress" in text and text.endswith("\n\n"):
                break
    frame = next(frame for frame in text.split("\n\n") if "event: progress" in frame)
    assert not any(line.startswith("id:") for line in frame.splitlines())
    data = next(line for line in frame.splitlines() if line.startswith("data:"))
    assert json.loads(data.removeprefix("data:")) == {
        "phase": "student",
        "done": 2,
        "total": 4,
        "unit": "epochs",
        "metrics": {"loss": 0.5},
    }


def test_a_stream_goes_on_after_the_last_event_that_was_seen(on_the_wire: Listening) -> None:
    worker, job = on_the_wire.worker, submit(on_the_wire)
    url = f"{on_the_wire.url}{job['links']['events']}"
    held = worker.claim(Queue.CIRCUITS)
    for epoch in range(3):
        worker.append(held, "epoch", epoch=epoch)
    with streaming(url, **{"Last-Event-ID": "3"}) as stream, streaming(f"{url}?after=4") as other:
        until(lambda: len(stream.kinds()) == 2)
        worker.finish(held, {})
    assert [event.id for event in stream.events] == ["4", "5", "6"]
    assert [event.id for event in other.events] == ["5", "6"]
    over = httpx.get(url, headers={"Accept": "text/event-stream", "Last-Event-ID": "6"})
    assert (over.status_code, over.content) == (204, b"")  # tells a browser not to come again
    with streaming(f"{url}?after=5", **{"Last-Event-ID": ""}) as last:  # as a browser that saw no id
        pass
    assert last.kinds() == ["succeeded"]


def test_more_streams_than_connections_leave_the_database_to_others(on_the_wire: Listening) -> None:
    worker, job = on_the_wire.worker, submit(on_the_wire)
    pool = on_the_wire.front.database.engine.pool
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(streaming(f"{on_the_wire.url}{job['links']['events']}")) for _ in range(STREAMS)]
        until(lambda: all(stream.kinds() == ["queued"] for stream in streams))
        until(lambda: pool.checkedout() == 0)  # type: ignore[attr-defined]
        assert httpx.get(f"{on_the_wire.url}{job['links']['self']}").status_code == 200
        worker.finish(worker.claim(Queue.CIRCUITS), {})
    assert all(stream.kinds() == ["queued", "running", "succeeded"] for stream in streams)


def test_a_stream_too_many_is_refused_before_it_begins(tmp_path_factory: pytest.TempPathFactory) -> None:
    with listening(tmp_path_factory.mktemp("streams"), max_streams=1) as service:
        job = submit(service)
        url = f"{service.url}{job['links']['events']}"
        with streaming(url) as stream:
            until(lambda: service.front.tailer.full())
            answer = httpx.get(url, headers={"Accept": "text/event-stream"})
            refused(answer, 503, "too_many_streams")
            assert int(answer.headers["retry-after"]) > 0
            httpx.post(f"{service.url}{job['links']['self']}/cancel")
    assert stream.kinds() == ["queued", "cancelled"]


def test_a_reader_who_leaves_frees_the_place(on_the_wire: Listening) -> None:
    job = submit(on_the_wire)
    url = f"{on_the_wire.url}{job['links']['events']}"
    with httpx.stream("GET", url, headers={"Accept": "text/event-stream"}) as answer:
        lines = answer.iter_lines()  # dropped, it would close the stream
        next(lines)
        until(lambda: on_the_wire.front.tailer._count == 1)
    until(lambda: on_the_wire.front.tailer._count == 0)


def test_the_stream_of_a_job_that_is_deleted_ends(on_the_wire: Listening) -> None:
    job = submit(on_the_wire)
    with streaming(f"{on_the_wire.url}{job['links']['events']}") as stream:
        until(lambda: stream.kinds() == ["queued"])
        on_the_wire.front.database.write(lambda connection: connection.exec_driver_sql("DELETE FROM jobs"))
