"""What the client can do, each as a plan (see `calls`): which requests, in which order, and what is read of them."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from qstill.client import bodies
from qstill.client.calls import (
    QUESTION_SECONDS,
    Call,
    Pause,
    Plan,
    answered,
    get,
    once,
    parsed,
    read,
    to,
)
from qstill.client.errors import NotFound, TimedOut, must_have_succeeded
from qstill.client.progress import Nobody, watching
from qstill.client.results import Result, Results, results_of
from qstill.client.state import State
from qstill.contract.answers.artifacts import CheckpointView, ExportView
from qstill.contract.answers.jobs import JobView
from qstill.contract.answers.models import ModelView
from qstill.contract.answers.pages import Page
from qstill.contract.circuits.cost.estimates import Estimate
from qstill.contract.circuits.results.document import read_results
from qstill.contract.distillations.preflight import AnyPreflight
from qstill.contract.distillations.reports import AnyReport, read_any
from qstill.contract.kinds import CIRCUIT, DISTILLATION, NAMED, SWEEP
from qstill.contract.models.answers import Answer, Continuations, Fillings, Prediction, Recommendations, Values, Vectors
from qstill.contract.status import FINAL

FIRST_WAIT_SECONDS = 2  # with the submission itself: small circuits are done by then
POLL_SECONDS = 1  # of a wait that somebody looks at
QUIET_POLL_SECONDS = 30  # of one that nobody does; proxies often cut at 60 s
TURNED_AWAY_SECONDS = 0.5  # a server with too many waits answers at once

Said = Prediction | Values | Continuations | Fillings | Vectors | Recommendations
PICTURES = {CIRCUIT.name: "histogram.svg", DISTILLATION.name: "plots/curves.svg", SWEEP.name: "pareto.svg"}


def submitted(
    path: str, body: Any, *, wait: bool, timeout: float | None = None, progress: bool | None = False
) -> Plan[JobView]:
    """Queue a job, or find it where the answer to the first try was lost; and wait for its success where asked to.

    timeout: seconds for all of it. Raises JobFailed and TimedOut where it waits.
    """
    over = math.inf if timeout is None else time.monotonic() + timeout
    with_it = math.floor(min(FIRST_WAIT_SECONDS, math.inf if timeout is None else timeout)) if wait else 0
    job = yield from read(JobView, once(to(path, body, headers=_prefer(with_it))))
    if not wait:
        return job
    left = None if timeout is None else max(0.0, over - time.monotonic())
    return must_have_succeeded((yield from waited_for(job, left, progress)))


def looked_at(job_id: str, *, wait: int = 0) -> Plan[JobView]:
    """wait: seconds that it may take to finish."""
    return (yield from read(JobView, replace(get(f"/v1/jobs/{job_id}"), headers=_prefer(wait), silence=30.0 + wait)))


def waited_for(job: JobView, timeout: float | None = None, progress: bool | None = False) -> Plan[JobView]:
    """The job in its final state, whichever. Raises TimedOut, and leaves it running."""
    over = math.inf if timeout is None else time.monotonic() + timeout
    if job.status in FINAL:
        return job
    with watching(progress) as watcher:
        poll = QUIET_POLL_SECONDS if isinstance(watcher, Nobody) else POLL_SECONDS
        while job.status not in FINAL:
            watcher.show(job)
            left = over - time.monotonic()
            if left <= 0:
                raise TimedOut.waiting_for(job, timeout or 0)
            asked, began = math.floor(min(poll, left)), time.monotonic()
            job = yield from looked_at(job.id, wait=asked)
            if job.status not in FINAL and (asked == 0 or time.monotonic() - began < asked / 2):
                yield Pause(min(TURNED_AWAY_SECONDS, max(0.0, over - time.monotonic())))
        watcher.show(job)
    return job


def succeeded(job: JobView, timeout: float | None = None, progress: bool | None = False) -> Plan[JobView]:
    """Raises JobFailed, TimedOut."""
    return must_have_succeeded((yield from waited_for(job, timeout, progress)))


def asked_to(action: str, job_id: str) -> Plan[JobView]:
    """action: cancel, pause or resume."""
    return (yield from read(JobView, to(f"/v1/jobs/{job_id}/{action}")))


def deleted(of: Any) -> Plan[None]:
    """of: a job, a file or a model, or the id of one. Raises ValueError."""
    known = str(getattr(of, "id", of))
    prefix = known.partition("_")[0]
    if prefix not in ("job", "file", "model"):
        raise ValueError(f"{known!r} is no id of a job, a file or a model")
    yield from answered(Call(method="DELETE", path=f"/v1/{prefix}s/{known}"))


def page(kind: Any, path: str, params: Mapping[str, Any], after: str | None) -> Plan[Page[Any]]:
    response = yield from answered(get(path, **params, after=after))
    found: Page[Any] = parsed(Page[kind], response.content)
    return found


def all_of(kind: Any, path: str) -> Plan[list[Any]]:
    """A list that is one page."""
    found = yield from page(kind, path, {}, None)
    return list(found.data)


def request_of(job_id: str) -> Plan[dict[str, JsonValue]]:
    return (yield from read(dict[str, JsonValue], get(f"/v1/jobs/{job_id}/request")))


def counted(job: JobView, draw: Callable[[int], str] | None = None) -> Plan[Result | Results]:
    """What a circuit job that succeeded was read as. draw: the picture of one of its circuits."""
    response = yield from answered(get(f"{CIRCUIT.path}/{job.id}/results"))
    return results_of(job, read_results(response.content), draw)


def report(job: JobView) -> Plan[AnyReport]:
    document = yield from read(dict[str, Any], get(f"{DISTILLATION.path}/{job.id}/report"))
    return read_any(document)


def picture(job: JobView, name: str | None = None, **params: Any) -> Plan[str]:
    """SVG. name: below the job's own path; None: what says most."""
    path = f"{NAMED[job.kind].path}/{job.id}/{name or PICTURES[job.kind]}"
    return (yield from answered(get(path, **params))).text


def content(path: str) -> Plan[bytes]:
    return (yield from answered(get(path))).content


def content_of(artifact: CheckpointView | ExportView) -> Plan[bytes]:
    """By our own paths: a link would lead wherever an answer says."""
    if isinstance(artifact, CheckpointView):
        return (yield from content(f"/v1/checkpoints/{artifact.id}/content"))
    return (yield from content(f"{DISTILLATION.path}/{artifact.job}/exports/{artifact.name}"))


def checkpoints(job: JobView) -> Plan[list[CheckpointView]]:
    return (yield from all_of(CheckpointView, f"{NAMED[job.kind].path}/{job.id}/checkpoints"))


def exports(job: JobView) -> Plan[list[ExportView]]:
    return (yield from all_of(ExportView, f"{DISTILLATION.path}/{job.id}/exports"))


def card(checkpoint: CheckpointView) -> Plan[dict[str, Any]]:
    return (yield from read(dict[str, Any], get(f"/v1/checkpoints/{checkpoint.id}/card")))


def student_of(job: JobView, seed: int | None = None) -> Plan[CheckpointView]:
    """The published student of a seed, the first by default. Raises NotFound."""
    found = yield from checkpoints(job)
    students = [each for each in found if each.meta.get("role") == "student" and "-epoch-" not in each.name]
    for each in students:
        if seed is None or each.meta.get("seed") == seed:
            return each
    seeds = sorted({each.meta["seed"] for each in students if "seed" in each.meta})
    title = f"{job.id} has no student of seed {seed}; it has {seeds}" if students else f"{job.id} has no student"
    raise NotFound("no_student", title, status=404)


def onnx_of(job: JobView, checkpoint: CheckpointView) -> Plan[ExportView | None]:
    """The export in float32 of a checkpoint's student; None where there is none."""
    if job.kind != DISTILLATION.name:
        return None
    found = yield from exports(job)
    wanted = checkpoint.name.removesuffix(".safetensors") + ".onnx"
    return next((each for each in found if each.name == wanted), None)


def promoted(of: Any, name: str, settings: Mapping[str, Any]) -> Plan[ModelView]:
    """of: a checkpoint, an uploaded file, the id of one, or a job, whose first student it is."""
    found = (yield from student_of((yield from succeeded(of.view)))) if isinstance(of, State) else of
    known = str(getattr(found, "id", found))
    body = {"name": name, "file" if known.startswith("file_") else "checkpoint": known, **bodies.plain(dict(settings))}
    return (yield from read(ModelView, to("/v1/models", body, repeatable=False)))


def predicted(model: str | ModelView, question: Any) -> Plan[Said]:
    model_id = model if isinstance(model, str) else model.id
    call = to(f"/v1/models/{model_id}/predict", question, silence=QUESTION_SECONDS)
    response = yield from answered(call)
    said: Said = parsed(Answer, response.content)
    return said


def estimated(body: Any) -> Plan[Estimate]:
    return (yield from read(Estimate, to(f"{CIRCUIT.path}/estimate", body, silence=QUESTION_SECONDS)))


def looked_over(body: Any) -> Plan[AnyPreflight]:
    call = to(f"{DISTILLATION.path}/preflight", body, silence=QUESTION_SECONDS)
    response = yield from answered(call)
    found: AnyPreflight = parsed(AnyPreflight, response.content)
    return found


def _prefer(seconds: int) -> dict[str, str]:
    return {"Prefer": f"wait={seconds}"} if seconds else {}
