"""A house of one computation, in memory, and small jobs to run in it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.kinds import Kind


class FakeRun:
    """Keeps all that is reported. stop: asked before every batch."""

    threads = 1
    memory = 1 << 33

    def __init__(
        self,
        scratch: Path,
        *,
        files: Mapping[str, Path] | None = None,
        models: Mapping[str, Mapping[str, Any]] | None = None,
        cache: Path | None = None,
        cache_bytes: int = 1 << 30,
        hosts: frozenset[str] = frozenset(),
        resume: Path | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self.scratch = scratch
        self.files = files or {}
        self.models = models or {}
        self.cache, self.cache_bytes = cache, cache_bytes
        self.hosts = hosts
        self.resume = resume
        self.stop_requested = stop
        self.progressed: list[dict[str, Any]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.published: dict[str, bytes] = {}
        self.metas: dict[str, dict[str, Any] | None] = {}
        self.submitted: list[dict[str, Any]] = []
        self.saved: Path | None = None

    def progress(self, *, phase: str, done: float, total: float, unit: str, **metrics: float) -> None:
        self.progressed.append({"phase": phase, "done": done, "total": total, "unit": unit, **metrics})

    def event(self, kind: str, data: dict[str, Any]) -> None:
        self.events.append((kind, data))

    def publish(self, path: Path, *, kind: str, name: str, media_type: str, meta: dict[str, Any] | None = None) -> None:
        self.published[name] = path.read_bytes()
        self.metas[name] = meta

    def submit(self, kind: Kind, spec: Mapping[str, Any], *, name: str, labels: Mapping[str, str]) -> str:
        self.submitted.append({"kind": kind.name, "spec": dict(spec), "name": name, "labels": dict(labels)})
        return f"job_{len(self.submitted):032x}"

    def save(self, path: Path) -> None:
        self.saved = path


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., FakeRun]:
    """Makes a FakeRun with a folder of its own."""
    count = iter(range(1000))
    return lambda **given: FakeRun(tmp_path / f"attempt-{next(count)}", **given)


@pytest.fixture
def job() -> Callable[..., DistillationJob]:
    """Makes a small job; each keyword is merged into the part of that name."""

    def make(**changes: dict[str, Any]) -> DistillationJob:
        body: dict[str, Any] = {
            "dataset": {"source": "builtin", "name": "iris", "labelled": 9},
            "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [16]}},
            "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
            "objective": {"kind": "kd", "temperature": 2.0, "alpha": 0.9},
            "training": {"epochs": 4, "batch_size": 16},
            "evaluation": {"baseline": True, "seeds": 2},
        }
        for part, change in changes.items():
            replaced = not {"source", "architecture", "kind"}.isdisjoint(change)
            body[part] = change if replaced else body.get(part, {}) | change
        return DistillationJob.model_validate(body)

    return make
