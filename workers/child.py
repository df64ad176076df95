"""The process that computes: `python -m workers.child circuit | distillation`, started by `workers.children`.

It speaks JSON lines on standard input and output (see `children.py`) and knows neither database nor broker, so the
worst that a hostile job can do is to end it. It ends itself when its worker does: its standard input closes then.
"""

import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from ledger.ids import new_id
from qstill.contract.errors import Problem
from qstill.contract.kinds import CIRCUIT, CIRCUIT_QUESTION, DISTILLATION, DISTILLATION_QUESTION, SWEEP, Engine, Kind
from workers.run import Run, Stopped

PROGRESS_SECONDS = 0.25  # a person reads no faster

Compute = Callable[[str, Run], dict[str, Any]]

logger = logging.getLogger(__name__)


class Channel:
    """Lines to the worker. Whatever a library prints goes to standard error, where it disturbs nobody."""

    def __init__(self) -> None:
        self._lines: TextIO = os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
        os.dup2(2, 1)

    def send(self, **message: Any) -> None:
        self._lines.write(json.dumps(message, separators=(",", ":")) + "\n")


class Attempt:
    """`Run`, as the child sees it."""

    def __init__(self, channel: Channel, request: Mapping[str, Any], stop: threading.Event) -> None:
        self.scratch = Path(request["scratch"])
        self.files: Mapping[str, Path] = {name: Path(path) for name, path in request["files"].items()}
        self.resume = Path(request["resume"]) if request["resume"] else None
        self.models: Mapping[str, Mapping[str, Any]] = request["models"]
        self.threads = int(request["threads"])
        self.cache = Path(request["cache"]) if request["cache_bytes"] else None
        self.cache_bytes = int(request["cache_bytes"])
        self.memory = int(request["memory"])
        self.hosts = frozenset(request["hosts"])
        self.submitted: list[dict[str, Any]] = []
        self._channel = channel
        self._stop = stop
        self._next_progress = time.monotonic() + PROGRESS_SECONDS  # a commit that a small circuit is spared

    def progress(self, *, phase: str, done: float, total: float, unit: str, **metrics: float) -> None:
        if time.monotonic() < self._next_progress and done < total:
            return
        self._next_progress = time.monotonic() + PROGRESS_SECONDS
        self._channel.send(
            say="progress", progress={"phase": phase, "done": done, "total": total, "unit": unit, "metrics": metrics}
        )

    def event(self, kind: str, data: dict[str, Any]) -> None:
        self._channel.send(say="event", kind=kind, data=data)

    def publish(self, path: Path, *, kind: str, name: str, media_type: str, meta: dict[str, Any] | None = None) -> None:
        self._channel.send(say="publish", path=str(path), kind=kind, name=name, media_type=media_type, meta=meta or {})

    def submit(self, kind: Kind, spec: Mapping[str, Any], *, name: str, labels: Mapping[str, str]) -> str:
        job_id = new_id("job")
        asked = {"id": job_id, "kind": kind.name, "spec": dict(spec), "name": name, "labels": dict(labels)}
        self.submitted.append(asked)
        return job_id

    def save(self, path: Path) -> None:
        self._channel.send(say="save", path=str(path))

    def stop_requested(self) -> bool:
        return self._stop.is_set()


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    channel = Channel()
    computations = load(Engine(sys.argv[1]))
    requests: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(requests, stop), daemon=True).start()
    channel.send(say="ready")
    while True:
        request = requests.get()
        attempt = Attempt(channel, request, stop)
        said = answer(computations[request["kind"]], request["spec"], attempt)
        channel.send(**said, **({"jobs": attempt.submitted} if attempt.submitted else {}))


def load(engine: Engine) -> Mapping[str, Compute]:
    """The computations of an engine by the kind of job, warmed up: imports take a new child its first seconds."""
    if engine == Engine.CIRCUITS:
        from qstill.contract.circuits.inspection import Inspection
        from qstill.contract.circuits.job import CircuitJob
        from workers.circuits.inspection import inspect
        from workers.circuits.run import simulate_job, warm

        warm()
        return {
            CIRCUIT.name: lambda spec, run: simulate_job(CircuitJob.model_validate_json(spec), run),
            CIRCUIT_QUESTION.name: lambda spec, run: inspect(Inspection.model_validate_json(spec), run),
        }
    from pydantic import TypeAdapter

    from qstill.contract.distillations.domains import AnyJob, Job
    from qstill.contract.distillations.inspection import Inspection as Asked
    from qstill.contract.distillations.preflight import PreflightQuestion
    from qstill.contract.models.questions import Question
    from workers.distillation.inspection import inspect as answer_question
    from workers.distillation.jobs import distil_job

    bodies: TypeAdapter[AnyJob] = TypeAdapter(Job)
    questions: TypeAdapter[Question | PreflightQuestion] = TypeAdapter(Asked)
    return {
        DISTILLATION.name: lambda spec, run: distil_job(bodies.validate_json(spec), run),
        DISTILLATION_QUESTION.name: lambda spec, run: answer_question(questions.validate_json(spec), run),
        SWEEP.name: _sweep,
    }


def _sweep(spec: str, run: Run) -> dict[str, Any]:
    """Imported when one comes: Optuna takes half a second that other distillations need not wait for."""
    from qstill.contract.sweeps.sweep import Sweep
    from workers.sweeps.run import run as run_sweep

    return run_sweep(Sweep.model_validate_json(spec), run)


def answer(compute: Compute, spec: str, run: Run) -> dict[str, Any]:
    """Compute, and say how it ended."""
    try:
        return {"say": "done", "result": compute(spec, run)}
    except Stopped:
        return {"say": "stopped"}
    except Problem as problem:
        return {"say": "failed", "problem": problem.document()}
    except MemoryError:
        return {
            "say": "failed",
            "problem": Problem("out_of_memory", "The job needs more memory than there is.").document(),
        }
    except Exception:
        logger.exception("the computation failed")
        title = "The computation failed in a way that nobody foresaw; the worker's log has the details."
        return {"say": "failed", "problem": Problem("internal_error", title, status=500).document()}


def _listen(requests: "queue.SimpleQueue[Mapping[str, Any]]", stop: threading.Event) -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "stop" in message:
            stop.set()
        else:
            stop.clear()  # what was meant for the job before
            requests.put(message)
    os._exit(0)  # the worker is gone: nobody would hear the result


if __name__ == "__main__":
    main()
