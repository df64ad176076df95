"""The client for asyncio: the verbs of `Client` and `Job`, where they are described."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, Unpack, overload

import httpx

from qstill.client import bodies, contents, plans
from qstill.client.bodies import Bindings, Part, RunSettings
from qstill.client.calls import PATIENCE_SECONDS, Call, Patience, Pause, Plan, Step, answered, patiently
from qstill.client.errors import must_have_succeeded
from qstill.client.events import Following
from qstill.client.plans import Said
from qstill.client.results import Result, Results
from qstill.client.settings import access
from qstill.client.state import State, Summary
from qstill.client.students import Student, choose
from qstill.client.uploading import uploaded
from qstill.contract.answers.artifacts import CheckpointView, ExportView
from qstill.contract.answers.files import FileView, Purpose
from qstill.contract.answers.jobs import EventView, JobView, Progress
from qstill.contract.answers.models import ModelView
from qstill.contract.answers.templates import TemplateView
from qstill.contract.circuits.cost.estimates import Estimate
from qstill.contract.distillations.preflight import AnyPreflight
from qstill.contract.distillations.reports import AnyReport
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT, DISTILLATION, SWEEP
from qstill.contract.sweeps.results import FrontMember, TrialView

T = TypeVar("T")


class AsyncClient(contextlib.AbstractAsyncContextManager["AsyncClient"]):
    """The service, from Python.

    server, key: else from QSTILL_SERVER and QSTILL_KEY, else from ~/.config/qstill/client.toml. patience: seconds that
    a call is tried again where the server is away, busy or broken. progress: whether waits show a bar; None: where
    somebody looks. tell: is told once a call why it is tried again. transport: of httpx, for tests and proxies.
    """

    def __init__(
        self,
        server: str | None = None,
        key: str | None = None,
        *,
        patience: float = PATIENCE_SECONDS,
        progress: bool | None = None,
        tell: Callable[[Problem], None] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        found = access(server, key)
        self.server = found.server
        self._http = httpx.AsyncClient(base_url=found.server, headers=found.headers(), transport=transport)
        self._patience, self._progress = Patience(patience, found.server, tell), progress

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient({self.server!r})"

    @overload
    async def run(
        self,
        circuit: list[Any] | tuple[Any, ...],
        *,
        bindings: None = None,
        wait: Literal[True] = True,
        **settings: Unpack[RunSettings],
    ) -> Results: ...
    @overload
    async def run(
        self, circuit: Any, *, bindings: Bindings, wait: Literal[True] = True, **settings: Unpack[RunSettings]
    ) -> Results: ...
    @overload
    async def run(
        self, circuit: Any, *, bindings: None = None, wait: Literal[True] = True, **settings: Unpack[RunSettings]
    ) -> Result: ...
    @overload
    async def run(
        self, circuit: Any, *, bindings: Bindings | None = None, wait: Literal[False], **settings: Unpack[RunSettings]
    ) -> "AsyncJob": ...
    async def run(
        self, circuit: Any, *, bindings: Bindings | None = None, wait: bool = True, **settings: Unpack[RunSettings]
    ) -> "Result | Results | AsyncJob":
        timeout = settings.pop("timeout", None)
        body = bodies.circuit_job(circuit, bindings=bindings, **settings)
        job = await self._submit(CIRCUIT.path, body, wait, timeout)
        return await job.circuits() if wait else job

    async def distill(
        self, body: Part = None, /, *, wait: bool = True, timeout: float | None = None, **parts: Any
    ) -> "AsyncJob":
        return await self._submit(DISTILLATION.path, bodies.distillation_job(body, **parts), wait, timeout)

    async def sweep(
        self, body: Part = None, /, *, wait: bool = True, timeout: float | None = None, **parts: Any
    ) -> "AsyncJob":
        return await self._submit(SWEEP.path, bodies.sweep_job(body, **parts), wait, timeout)

    async def preflight(self, body: Part = None, /, **parts: Any) -> AnyPreflight:
        return await self._do(plans.looked_over(bodies.distillation_job(body, **parts)))

    async def estimate(
        self, circuit: Any, *, bindings: Bindings | None = None, **settings: Unpack[RunSettings]
    ) -> Estimate:
        body = bodies.circuit_job(circuit, bindings=bindings, **settings)
        return await self._do(plans.estimated(body))

    async def predict(self, model: str | ModelView, rows: Any = None, /, **question: Any) -> Said:
        return await self._do(plans.predicted(model, bodies.question(rows, question)))

    async def upload(
        self, data: Any = None, /, *, name: str | None = None, purpose: Purpose | str = Purpose.DATASET, **arrays: Any
    ) -> FileView:
        content = await asyncio.to_thread(contents.content_of, data, name, arrays)
        return await self._do(uploaded(content, purpose))

    async def promote(self, of: "CheckpointView | FileView | AsyncJob | str", name: str, **settings: Any) -> ModelView:
        """Make a model of a checkpoint, of a job's first student, or of an uploaded file."""
        return await self._do(plans.promoted(of, name, settings))

    async def templates(self) -> list[TemplateView]:
        return await self._do(plans.all_of(TemplateView, f"{CIRCUIT.path}/templates"))

    async def job(self, job_id: str) -> "AsyncJob":
        return AsyncJob(self, await self._do(plans.looked_at(job_id)))

    async def jobs(self, **filters: Any) -> AsyncIterator["AsyncJob"]:
        async for view in self._listed(JobView, "/v1/jobs", filters):
            yield AsyncJob(self, view)

    def files(self, **filters: Any) -> AsyncIterator[FileView]:
        return self._listed(FileView, "/v1/files", filters)

    def models(self, **filters: Any) -> AsyncIterator[ModelView]:
        return self._listed(ModelView, "/v1/models", filters)

    async def delete(self, of: "FileView | ModelView | AsyncJob | str") -> None:
        """Delete a file, a model, or a job that is over."""
        await self._do(plans.deleted(of))

    async def send(self, call: Call) -> httpx.Response:
        return await self._do(answered(call))

    def events(self, job_id: str, after: int = 0) -> AsyncIterator[EventView | Progress]:
        return self._events(Following(job_id, after, self._patience))

    async def _submit(self, path: str, body: Any, wait: bool, timeout: float | None) -> "AsyncJob":
        plan = plans.submitted(path, body, wait=wait, timeout=timeout, progress=self._progress)
        return AsyncJob(self, await self._do(plan))

    async def _listed(self, kind: Any, path: str, filters: Mapping[str, Any]) -> AsyncIterator[Any]:
        after = None
        while True:
            page = await self._do(plans.page(kind, path, filters, after))
            for each in page.data:
                yield each
            if not page.has_more or page.last_id is None:
                return
            after = page.last_id

    async def _do(self, plan: Plan[T]) -> T:
        patient = patiently(plan, self._patience)
        said, failure = None, None
        while True:
            try:
                step = patient.send(said) if failure is None else patient.throw(failure)
            except StopIteration as end:
                done: T = end.value
                return done
            said, failure = None, None
            try:
                said = await self._perform(step)
            except httpx.TransportError as error:
                failure = error

    async def _perform(self, step: Step) -> httpx.Response | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        content = None if step.content is None else await asyncio.to_thread(step.content.read)
        return await self._http.send(self._request(step, content))

    def _request(self, call: Call, content: bytes | None = None) -> httpx.Request:
        return self._http.build_request(call.method, call.path, content=content, **call.arguments())

    async def _events(self, following: Following) -> AsyncIterator[EventView | Progress]:
        while not following.over:
            pause: float | None
            try:
                response = await self._http.send(self._request(following.call()), stream=True)
                async with contextlib.aclosing(response):
                    if not response.is_success:
                        await response.aread()
                    pause = following.began(response)
                    if pause is None:
                        async for piece in response.aiter_bytes():
                            for event in following.read(piece):
                                yield event
                            if following.over:
                                return
                        pause = following.ended(None)
            except httpx.TransportError as error:
                pause = following.ended(error)
            await asyncio.sleep(pause)


class AsyncJob(State):
    """A job of the service."""

    def __init__(self, client: AsyncClient, view: JobView) -> None:
        self._client, self.view = client, view

    async def refresh(self) -> Self:
        self.view = await self._client._do(plans.looked_at(self.id))
        return self

    async def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> Self:
        shown = self._client._progress if progress is None else progress
        self.view = await self._client._do(plans.waited_for(self.view, timeout, shown))
        return self

    async def result(self, timeout: float | None = None) -> Result | Results | Summary:
        if self.kind == CIRCUIT.name:
            return await self.circuits(timeout)
        must_have_succeeded((await self.wait(timeout)).view)
        assert self.summary is not None
        return self.summary

    async def circuits(self, timeout: float | None = None) -> Result | Results:
        job = must_have_succeeded((await self.wait(timeout)).view)
        return await self._client._do(plans.counted(job))

    async def cancel(self) -> Self:
        return await self._ask("cancel")

    async def pause(self) -> Self:
        return await self._ask("pause")

    async def resume(self) -> Self:
        return await self._ask("resume")

    def events(self, after: int = 0) -> AsyncIterator[EventView | Progress]:
        return self._client.events(self.id, after)

    async def request(self) -> dict[str, Any]:
        return await self._client._do(plans.request_of(self.id))

    async def report(self, timeout: float | None = None) -> AnyReport:
        return await self._client._do(plans.report(must_have_succeeded((await self.wait(timeout)).view)))

    async def checkpoints(self) -> list[CheckpointView]:
        return await self._client._do(plans.checkpoints(self.view))

    async def checkpoint(self, seed: int | None = None) -> CheckpointView:
        return await self._client._do(plans.student_of(must_have_succeeded((await self.wait()).view), seed))

    async def exports(self) -> list[ExportView]:
        return await self._client._do(plans.exports(self.view))

    def trials(self) -> AsyncIterator[TrialView]:
        return self._client._listed(TrialView, f"{SWEEP.path}/{self.id}/trials", {})

    async def front(self) -> list[FrontMember]:
        return await self._client._do(plans.all_of(FrontMember, f"{SWEEP.path}/{self.id}/pareto"))

    async def student(self, *, seed: int | None = None, runtime: Literal["onnx", "torch"] | None = None) -> Student:
        """The student, ready to predict rows as they were uploaded. runtime: None takes what is there and installed:
        onnxruntime on its ONNX export, or a torch module. Raises MissingLibrary, which says what to install.
        """
        return await self._client._do(choose(must_have_succeeded((await self.wait()).view), seed, runtime))

    async def download(self, what: CheckpointView | ExportView, place: str | Path = ".") -> Path:
        """Write a checkpoint or an export into a folder, or to a path; returns where it is."""
        to = contents.place_of(place, what)
        await asyncio.to_thread(to.write_bytes, await self._client._do(plans.content_of(what)))
        return to

    async def picture(self, name: str | None = None, **params: Any) -> str:
        return await self._client._do(plans.picture(self.view, name, **params))

    async def _ask(self, action: str) -> Self:
        self.view = await self._client._do(plans.asked_to(action, self.id))
        return self

    def _repr_html_(self) -> str:
        return f"<p>{self._summary_html()}</p>"
