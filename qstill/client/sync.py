"""The client that waits for each answer. `aio` has the same verbs for asyncio."""

import contextlib
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, Unpack, overload

import httpx

from qstill.client import bodies, contents, plans
from qstill.client.bodies import Bindings, Part, RunSettings
from qstill.client.calls import PATIENCE_SECONDS, Call, Patience, Pause, Plan, Step, answered, patiently
from qstill.client.errors import must_have_succeeded
from qstill.client.events import Following
from qstill.client.plans import Said
from qstill.client.results import Result, Results, picture
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


class Client(contextlib.AbstractContextManager["Client"]):
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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        found = access(server, key)
        self.server = found.server
        self._http = httpx.Client(base_url=found.server, headers=found.headers(), transport=transport)
        self._patience, self._progress = Patience(patience, found.server, tell), progress
        weakref.finalize(self, self._http.close)

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def __repr__(self) -> str:
        return f"Client({self.server!r})"

    @overload
    def run(
        self,
        circuit: list[Any] | tuple[Any, ...],
        *,
        bindings: None = None,
        wait: Literal[True] = True,
        **settings: Unpack[RunSettings],
    ) -> Results: ...
    @overload
    def run(
        self, circuit: Any, *, bindings: Bindings, wait: Literal[True] = True, **settings: Unpack[RunSettings]
    ) -> Results: ...
    @overload
    def run(
        self, circuit: Any, *, bindings: None = None, wait: Literal[True] = True, **settings: Unpack[RunSettings]
    ) -> Result: ...
    @overload
    def run(
        self, circuit: Any, *, bindings: Bindings | None = None, wait: Literal[False], **settings: Unpack[RunSettings]
    ) -> "Job": ...
    def run(
        self, circuit: Any, *, bindings: Bindings | None = None, wait: bool = True, **settings: Unpack[RunSettings]
    ) -> "Result | Results | Job":
        """Run a circuit, a list of circuits, or one with several `bindings` of its parameters; 1,000 shots by default.

        circuit: JSON of the contract (a model or a dictionary), OpenQASM 2 or 3, a template's name, the path of a file,
        or a circuit of Qiskit, Cirq or PennyLane. settings: parameters of a template, or of a QNode its arguments;
        timeout, in seconds; shots, seed, noise and the other fields of a job. wait=False gives a job. Raises what
        stands in `errors`.
        """
        timeout = settings.pop("timeout", None)
        body = bodies.circuit_job(circuit, bindings=bindings, **settings)
        job = self._submit(CIRCUIT.path, body, wait, timeout)
        return job.circuits() if wait else job

    def distill(self, body: Part = None, /, *, wait: bool = True, timeout: float | None = None, **parts: Any) -> "Job":
        """Teach a student. body: a whole job; or its parts: dataset, teacher, student, objective, training, …

        In short: dataset="digits" or an uploaded file, teacher={"kind": "mlp", "hidden": [256]} or a model,
        student={"kind": "mlp", "hidden": [16]}. Waits for the end, and raises JobFailed; wait=False does not.
        """
        return self._submit(DISTILLATION.path, bodies.distillation_job(body, **parts), wait, timeout)

    def sweep(self, body: Part = None, /, *, wait: bool = True, timeout: float | None = None, **parts: Any) -> "Job":
        """Many students of one teacher. body: a whole sweep; or its parts: base (as of `distill`), space, search, …"""
        return self._submit(SWEEP.path, bodies.sweep_job(body, **parts), wait, timeout)

    def preflight(self, body: Part = None, /, **parts: Any) -> AnyPreflight:
        """What would become of a distillation: shapes, costs, advice. Nothing is kept of it."""
        return self._do(plans.looked_over(bodies.distillation_job(body, **parts)))

    def estimate(self, circuit: Any, *, bindings: Bindings | None = None, **settings: Unpack[RunSettings]) -> Estimate:
        """What a circuit job would take: every method with memory and seconds, the one chosen and why. Runs nothing."""
        body = bodies.circuit_job(circuit, bindings=bindings, **settings)
        return self._do(plans.estimated(body))

    def predict(self, model: str | ModelView, rows: Any = None, /, **question: Any) -> Said:
        """Try a model. rows: of numbers, of a table as objects or a frame, or texts. Or say which: `prompts`, `masked`,
        `users` and their settings, as `POST /v1/models/{id}/predict` describes.
        """
        return self._do(plans.predicted(model, bodies.question(rows, question)))

    def upload(
        self, data: Any = None, /, *, name: str | None = None, purpose: Purpose | str = Purpose.DATASET, **arrays: Any
    ) -> FileView:
        """Upload a file: its path, its bytes with a name, a pandas frame, or arrays by their names (x=…, y=…).

        What is large goes in parts; called again after a failure it sends those that are missing.
        """
        return self._do(uploaded(contents.content_of(data, name, arrays), purpose))

    def promote(self, of: "CheckpointView | FileView | Job | str", name: str, **settings: Any) -> ModelView:
        """Make a model of a checkpoint, of a job's first student, or of an uploaded file."""
        return self._do(plans.promoted(of, name, settings))

    def templates(self) -> list[TemplateView]:
        """Circuits with known answers, explained."""
        return self._do(plans.all_of(TemplateView, f"{CIRCUIT.path}/templates"))

    def job(self, job_id: str) -> "Job":
        """A job that was submitted before."""
        return Job(self, self._do(plans.looked_at(job_id)))

    def jobs(self, **filters: Any) -> Iterator["Job"]:
        """Your jobs, newest first. filters: kind, status (one or several), label ("course=qc101", one or several)."""
        for view in self._listed(JobView, "/v1/jobs", filters):
            yield Job(self, view)

    def files(self, **filters: Any) -> Iterator[FileView]:
        """Your files, newest first. filters: purpose."""
        return self._listed(FileView, "/v1/files", filters)

    def models(self, **filters: Any) -> Iterator[ModelView]:
        """Your models, newest first. filters: name."""
        return self._listed(ModelView, "/v1/models", filters)

    def delete(self, of: "FileView | ModelView | Job | str") -> None:
        """Delete a file, a model, or a job that is over."""
        self._do(plans.deleted(of))

    def send(self, call: Call) -> httpx.Response:
        """Any request of the API, patiently, for what has no verb here; `calls` has the makers of them."""
        return self._do(answered(call))

    def events(self, job_id: str, after: int = 0) -> Iterator[EventView | Progress]:
        """What happens to a job, as it happens, to its end, through broken connections. after: the last `seq` seen."""
        return self._events(Following(job_id, after, self._patience))

    def _submit(self, path: str, body: Any, wait: bool, timeout: float | None) -> "Job":
        plan = plans.submitted(path, body, wait=wait, timeout=timeout, progress=self._progress)
        return Job(self, self._do(plan))

    def _listed(self, kind: Any, path: str, filters: Mapping[str, Any]) -> Iterator[Any]:
        after = None
        while True:
            page = self._do(plans.page(kind, path, filters, after))
            yield from page.data
            if not page.has_more or page.last_id is None:
                return
            after = page.last_id

    def _do(self, plan: Plan[T]) -> T:
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
                said = self._perform(step)
            except httpx.TransportError as error:
                failure = error

    def _perform(self, step: Step) -> httpx.Response | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        content = None if step.content is None else step.content.read()
        return self._http.send(self._request(step, content))

    def _request(self, call: Call, content: bytes | None = None) -> httpx.Request:
        return self._http.build_request(call.method, call.path, content=content, **call.arguments())

    def _events(self, following: Following) -> Iterator[EventView | Progress]:
        while not following.over:
            pause: float | None
            try:
                with contextlib.closing(self._http.send(self._request(following.call()), stream=True)) as response:
                    if not response.is_success:
                        response.read()
                    pause = following.began(response)
                    if pause is None:
                        for piece in response.iter_bytes():
                            yield from following.read(piece)
                            if following.over:
                                return
                        pause = following.ended(None)
            except httpx.TransportError as error:
                pause = following.ended(error)
            time.sleep(pause)


class Job(State):
    """A job of the service."""

    def __init__(self, client: Client, view: JobView) -> None:
        self._client, self.view = client, view

    def refresh(self) -> Self:
        """Ask how it stands."""
        self.view = self._client._do(plans.looked_at(self.id))
        return self

    def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> Self:
        """Wait until it is over, however it ends. timeout: seconds; then TimedOut is raised and the job goes on."""
        shown = self._client._progress if progress is None else progress
        self.view = self._client._do(plans.waited_for(self.view, timeout, shown))
        return self

    def result(self, timeout: float | None = None) -> Result | Results | Summary:
        """What it found, once it has: counts of circuits, the short result of others. Raises JobFailed, TimedOut."""
        if self.kind == CIRCUIT.name:
            return self.circuits(timeout)
        must_have_succeeded(self.wait(timeout).view)
        assert self.summary is not None
        return self.summary

    def circuits(self, timeout: float | None = None) -> Result | Results:
        """Of a circuit job: the result, or those of a batch or a sweep. Raises JobFailed, TimedOut."""
        job = must_have_succeeded(self.wait(timeout).view)
        return self._client._do(plans.counted(job, lambda place: self.picture(index=place)))

    def cancel(self) -> Self:
        return self._ask("cancel")

    def pause(self) -> Self:
        return self._ask("pause")

    def resume(self) -> Self:
        return self._ask("resume")

    def events(self, after: int = 0) -> Iterator[EventView | Progress]:
        """What happens to it, as it happens, to its end; through broken connections. after: a `seq` known already."""
        return self._client.events(self.id, after)

    def request(self) -> dict[str, Any]:
        """The body that it was submitted with, defaults filled in."""
        return self._client._do(plans.request_of(self.id))

    def report(self, timeout: float | None = None) -> AnyReport:
        """Of a distillation, once it is over. Raises JobFailed, TimedOut."""
        return self._client._do(plans.report(must_have_succeeded(self.wait(timeout).view)))

    def checkpoints(self) -> list[CheckpointView]:
        """The models that a distillation or a sweep has published so far."""
        return self._client._do(plans.checkpoints(self.view))

    def checkpoint(self, seed: int | None = None) -> CheckpointView:
        """The published student of a seed, the first by default."""
        return self._client._do(plans.student_of(must_have_succeeded(self.wait().view), seed))

    def exports(self) -> list[ExportView]:
        """The files of a distillation's `export`."""
        return self._client._do(plans.exports(self.view))

    def trials(self) -> Iterator[TrialView]:
        """Of a sweep: those that have ended so far."""
        return self._client._listed(TrialView, f"{SWEEP.path}/{self.id}/trials", {})

    def front(self) -> list[FrontMember]:
        """Of a sweep: the trials that no other beats."""
        return self._client._do(plans.all_of(FrontMember, f"{SWEEP.path}/{self.id}/pareto"))

    def student(self, *, seed: int | None = None, runtime: Literal["onnx", "torch"] | None = None) -> Student:
        """The student, ready to predict rows as they were uploaded. runtime: None takes what is there and installed:
        onnxruntime on its ONNX export, or a torch module. Raises MissingLibrary, which says what to install.
        """
        return self._client._do(choose(must_have_succeeded(self.wait().view), seed, runtime))

    def download(self, what: CheckpointView | ExportView, place: str | Path = ".") -> Path:
        """Write a checkpoint or an export into a folder, or to a path; returns where it is."""
        to = contents.place_of(place, what)
        to.write_bytes(self._client._do(plans.content_of(what)))
        return to

    def picture(self, name: str | None = None, **params: Any) -> str:
        """SVG, as the service draws it: the histogram, curves or front; or another below the job's path."""
        return self._client._do(plans.picture(self.view, name, **params))

    def _ask(self, action: str) -> Self:
        self.view = self._client._do(plans.asked_to(action, self.id))
        return self

    def _repr_html_(self) -> str:
        drawn = ""
        if self.status == "succeeded":
            with contextlib.suppress(Problem):
                drawn = picture(self.picture())
        return f"<p>{self._summary_html()}</p>{drawn}"
