"""Both clients against the service in this process: what it answers is what they understand."""

import asyncio
import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger import attempts
from qstill.client import (
    AsyncClient,
    Client,
    Conflict,
    Invalid,
    JobFailed,
    NotFound,
    Result,
    Results,
    TimedOut,
    Unauthorised,
    Unreachable,
)
from qstill.contract.answers.jobs import EventView
from qstill.contract.errors import Problem
from qstill.contract.kinds import Queue
from tests.testing.in_process import BELL, DIGITS, InProcess, Listening, Service

COUNTS = {"00": 60, "11": 40}
ADDRESS = "http://localhost:8400"


class Async(httpx.AsyncBaseTransport):
    """The same application for a client of asyncio."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        plain = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        response = await asyncio.to_thread(self._inner.handle_request, plain)
        return httpx.Response(response.status_code, headers=response.headers, content=response.read())


@pytest.fixture
def asked() -> list[httpx.Request]:
    """What was sent."""
    return []


@pytest.fixture
def transport(service: Service, asked: list[httpx.Request]) -> httpx.BaseTransport:
    inner = InProcess(service.portal, service.application)

    class Noted(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return inner.handle_request(request)

    return Noted()


@pytest.fixture
def qstill(transport: httpx.BaseTransport) -> Iterator[Client]:
    with Client(ADDRESS, patience=0, progress=False, transport=transport) as client:
        yield client


def test_a_circuit_from_submission_to_counts(qstill: Client, service: Service) -> None:
    job = qstill.run("bell", shots=100, name="pair", labels={"course": "qc101"}, wait=False)
    assert (job.status, job.kind, job.name, job.done) == ("queued", "circuit", "pair", False)
    service.worker.run_circuit(COUNTS)
    result = job.result()
    assert isinstance(result, Result)
    assert result.counts == COUNTS
    assert job.done
    assert job.request()["circuit"]["template"]["name"] == "bell"
    assert 'src="data:image/svg+xml' in result._repr_html_()
    assert "data:image/svg+xml" in job._repr_html_()
    assert qstill.job(job.id).circuits().counts == COUNTS


def test_a_wait_that_is_over_leaves_the_job_running(qstill: Client, service: Service) -> None:
    with pytest.raises(TimedOut) as over:
        qstill.run("bell", timeout=0)
    job_id = over.value.job_id
    assert job_id in str(over.value)
    assert qstill.job(job_id).status == "queued"
    service.worker.run_circuit(COUNTS)
    assert qstill.job(job_id).wait().status == "succeeded"


def test_a_job_that_failed_says_why(qstill: Client, service: Service) -> None:
    job = qstill.run("bell", wait=False)
    held = service.worker.claim(Queue.CIRCUITS)
    error = Problem("too_long", "It took too long.", pointer="/shots")
    service.front.database.write(lambda connection: attempts.fail(connection, held, error))
    assert job.wait().status == "failed"
    with pytest.raises(JobFailed) as failed:
        job.result()
    assert (failed.value.code, failed.value.pointer, failed.value.job_id) == ("too_long", "/shots", job.id)


def test_jobs_are_cancelled_paused_and_resumed(qstill: Client) -> None:
    job = qstill.run("bell", wait=False)
    assert job.pause().status == "paused"
    assert job.resume().status == "queued"
    assert job.cancel().status == "cancelled"
    with pytest.raises(JobFailed, match="was cancelled"):
        job.result()
    with pytest.raises(Conflict):
        job.pause()
    qstill.delete(job)
    with pytest.raises(NotFound):
        qstill.job(job.id)


def test_lists_follow_their_cursors(qstill: Client, asked: list[httpx.Request]) -> None:
    made = [qstill.run("bell", wait=False, labels={"n": str(n % 2)}).id for n in range(5)]
    asked.clear()
    assert [job.id for job in qstill.jobs(limit=2)] == made[::-1]
    assert len(asked) == 3
    assert [job.id for job in itertools.islice(qstill.jobs(limit=2), 2)] == made[:2:-1]
    assert len(asked) == 4
    assert [job.id for job in qstill.jobs(status=["queued", "running"], label="n=0", kind="circuit")] == made[::-2]
    assert not list(qstill.jobs(status="succeeded"))


def test_events_of_a_job_to_its_end(on_the_wire: Listening) -> None:
    with Client(on_the_wire.url, patience=5, progress=False) as client:
        job = client.distill(DIGITS, wait=False)
        held = on_the_wire.worker.claim(Queue.DISTILLATION)
        on_the_wire.worker.append(held, "epoch", epoch=1)
        on_the_wire.worker.report(held, 1)
        events = job.events()
        assert next(events).kind == "queued"  # type: ignore[union-attr]
        on_the_wire.worker.finish(held, {"verdict": None})
        kinds = [event.kind for event in events if isinstance(event, EventView)]
        assert kinds[-2:] == ["epoch", "succeeded"]
        seqs = [event.seq for event in job.events() if isinstance(event, EventView)]
        assert seqs == list(range(1, len(kinds) + 2))
        assert not list(job.events(after=seqs[-1]))


def test_what_is_wrong_has_a_type_and_a_place(qstill: Client, service: Service) -> None:
    with pytest.raises(Invalid) as refused:
        qstill.run("bell", shots=0)
    assert (refused.value.code, refused.value.pointer) == ("validation_failed", "/shots")
    with pytest.raises(Invalid) as unknown:
        qstill.distill(DIGITS, mood="good")
    assert unknown.value.pointer == "/mood"
    with pytest.raises(NotFound):
        qstill.job("job_" + "0" * 32)
    service.make_key("somebody")
    with pytest.raises(Unauthorised):
        qstill.run("bell")
    with pytest.raises(Unreachable, match="QSTILL_SERVER says where"), Client("127.0.0.1:1", patience=0) as nobody:
        nobody.templates()


def test_a_key_is_sent(service: Service, transport: httpx.BaseTransport) -> None:
    _, token = service.make_key("me")
    with Client(ADDRESS, token, patience=0, transport=transport) as client:
        assert not list(client.jobs())


def test_files_in_every_form(qstill: Client, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("age,job\n41,nurse\n17,pupil\n")
    found = qstill.upload(tmp_path / "people.csv")
    assert (found.name, found.bytes) == ("people.csv", 26)
    assert found.columns is not None
    assert [column.name for column in found.columns] == ["age", "job"]
    assert qstill.upload(b'{"a": 1}', name="h.json", purpose="secret").purpose == "secret"
    assert qstill.upload(x=[[1.0], [2.0]], y=[0, 1]).name == "arrays.npz"
    assert [file.name for file in qstill.files(purpose="dataset")] == ["arrays.npz", "people.csv"]
    qstill.delete(found)
    assert len(list(qstill.files())) == 2


def test_a_large_file_goes_in_parts_and_is_taken_up_again(
    service: Service, transport: httpx.BaseTransport, asked: list[httpx.Request], tmp_path: Path
) -> None:
    place = tmp_path / "rows.csv"
    place.write_bytes(b"a,b\n" + b"1,2\n" * (5 << 20))

    class Cut(httpx.BaseTransport):
        """No connection lives longer than two parts."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PUT" and sum(each.method == "PUT" for each in asked) == 2:
                raise httpx.WriteError("cut", request=request)
            return transport.handle_request(request)

    with Client(ADDRESS, patience=0, transport=Cut()) as client, pytest.raises(Unreachable):
        client.upload(place)
    assert [request.url.path[-1] for request in asked if request.method == "PUT"] == ["1", "2"]
    with Client(ADDRESS, patience=0, transport=transport) as client:
        found = client.upload(place)
    assert [request.url.path[-1] for request in asked if request.method == "PUT"] == ["1", "2", "3"]
    assert found.bytes == place.stat().st_size
    assert found.sha256 == hashlib.sha256(place.read_bytes()).hexdigest()


def test_what_a_distillation_leaves(qstill: Client, service: Service, tmp_path: Path) -> None:
    job = qstill.distill(DIGITS, wait=False)
    service.worker.run_distillation(b"first", b"second")
    assert job.wait().status == "succeeded"
    assert [each.meta["seed"] for each in job.checkpoints()] == [0, 1]
    second = job.checkpoint(seed=1)
    assert job.download(second, tmp_path).read_bytes() == b"second"
    assert job.download(second, tmp_path / "other").read_bytes() == b"second"
    model = qstill.promote(job, "digits", labels={"stage": "test"})
    assert [each.id for each in qstill.models(name="digits")] == [model.id]
    with pytest.raises(NotFound, match="it has"):
        job.checkpoint(seed=9)


def test_templates_are_explained(qstill: Client) -> None:
    assert {"bell", "grover"} <= {template.name for template in qstill.templates()}


def test_one_key_for_all_tries_and_another_for_another_job(service: Service) -> None:
    inner, seen = InProcess(service.portal, service.application), []

    class Cut(httpx.BaseTransport):
        """Every first answer is lost on its way."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = inner.handle_request(request)
            if request.method == "POST":
                seen.append(request.headers["Idempotency-Key"])
                if len(seen) % 2:
                    raise httpx.ReadError("cut", request=request)
            return response

    with Client(ADDRESS, patience=30, progress=False, transport=Cut()) as client:
        jobs = [client.run("bell", wait=False).id for _ in range(2)]
        assert [job.id for job in client.jobs()] == jobs[::-1]
    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_the_other_client_has_the_same_verbs() -> None:
    def verbs(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    from qstill.client import AsyncJob, Job

    assert verbs(Client) == verbs(AsyncClient)
    assert verbs(Job) == verbs(AsyncJob)


def of_asyncio(work: Callable[[AsyncClient], Any], transport: httpx.BaseTransport) -> None:
    async def run() -> None:
        async with AsyncClient(ADDRESS, patience=0, progress=False, transport=Async(transport)) as client:
            await work(client)

    asyncio.run(run())


def test_the_same_by_asyncio(service: Service, transport: httpx.BaseTransport, tmp_path: Path) -> None:
    async def work(client: AsyncClient) -> None:
        job = await client.run([BELL["circuit"], "bell"], wait=False)
        service.worker.run_circuit(COUNTS)
        result = await job.result()
        assert isinstance(result, Result | Results)
        assert await (await client.job(job.id)).picture()
        assert [each.id async for each in client.jobs(status="succeeded")] == [job.id]
        (tmp_path / "people.csv").write_text("age,job\n41,nurse\n17,pupil\n")
        assert (await client.upload(tmp_path / "people.csv")).bytes == 26
        with pytest.raises(TimedOut):
            await client.run("bell", timeout=0)
        with pytest.raises(Invalid):
            await client.run("bell", shots=0)

    of_asyncio(work, transport)


def test_events_by_asyncio(on_the_wire: Listening) -> None:
    async def work() -> list[str]:
        async with AsyncClient(on_the_wire.url, patience=5, progress=False) as client:
            job = await client.run("bell", wait=False)
            on_the_wire.worker.run_circuit(COUNTS)
            return [event.kind async for event in job.events() if isinstance(event, EventView)]

    assert asyncio.run(work())[-1] == "succeeded"
