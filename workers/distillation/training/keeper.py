"""The state from which a later attempt goes on as if nothing had happened.

One file, replaced as a whole: the outcomes of finished stages, and of the running stage everything that its next step
depends on. It is read back as data only (`weights_only=True`).
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from qstill.contract.schemas import Submission
from workers.run import Run, Stopped

VERSION = 6  # of the file; a state of another version is left unused, and the job begins anew
SECONDS_BETWEEN_EPOCH_SAVES = 1.0  # a killed worker repeats this much, or one epoch
SECONDS_BETWEEN_SAVES = 60.0  # also within an epoch: what a crash costs at most
SAVING_SHARE = 0.05  # of the time at most goes into saving, however large the network
CURVE_POINTS = 200  # of a stage; what a picture can show

Snapshot = dict[str, Any]


@dataclass(frozen=True)
class Point:
    """An epoch of a stage. loss: mean over its batches, nats."""

    epoch: int
    loss: float
    validation_score: float


Curve = list[Point]


@dataclass(frozen=True)
class Outcome:
    """An epoch of a stage: its weights, its last step, and what chose it on the validation rows.

    curve: of all epochs, or of evenly chosen ones and the last; empty until the stage is finished.
    """

    weights: dict[str, Tensor]
    epoch: int
    step: int
    validation_score: float
    curve: Curve = field(default_factory=list)


def outcome_of(saved: dict[str, Any]) -> Outcome:
    """From what `asdict` made of one."""
    return Outcome(**saved | {"curve": [Point(**point) for point in saved["curve"]]})


def thinned(curve: Curve) -> Curve:
    """At most about CURVE_POINTS of the epochs, evenly chosen, the last among them."""
    step = -(-len(curve) // CURVE_POINTS)
    return curve if step < 2 else [*curve[:-1:step], curve[-1]]


class Keeper:
    """Holds what is finished, and writes the state when it is due."""

    def __init__(self, job: Submission, run: Run) -> None:
        self.run = run
        self.job = hashlib.sha256(job.model_dump_json().encode()).hexdigest()
        self.outcomes: dict[str, Outcome] = {}
        self.published: list[str] = []
        self.notes: dict[str, Any] = {}  # what else a computation wants to find again: plain values
        self.earlier_seconds = 0.0
        self._running: Snapshot | None = None
        self._began = self._saved = time.monotonic()
        self._cost = 0.0
        if run.resume is not None:
            self._load(run.resume)

    def _load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True, map_location="cpu")
        if (state["version"], state["job"]) != (VERSION, self.job):
            return
        self.outcomes = {name: outcome_of(outcome) for name, outcome in state["outcomes"].items()}
        self.published = state["published"]
        self.notes = state["notes"]
        self.earlier_seconds = state["seconds"]
        self._running = state["running"]

    def snapshot(self, stage: str) -> Snapshot | None:
        """Where an earlier attempt left the stage, or None."""
        return self._running if self._running is not None and self._running["stage"] == stage else None

    def seconds(self) -> float:
        """Computing time of this attempt and those before."""
        return self.earlier_seconds + time.monotonic() - self._began

    def note(self, name: str, value: Any) -> None:
        """Keep a plain value for later attempts, at once: what it is of is not done again."""
        self.notes[name] = value
        self._save()

    def finish(self, stage: str, outcome: Outcome) -> None:
        """A stage is done: keep its outcome."""
        self.outcomes[stage] = outcome
        self._running = None
        self._save()

    def hand_over(self, name: str, content: bytes, meta: dict[str, Any]) -> None:
        """Publish a checkpoint. A crash before the next save publishes it again: the same name, the same bytes."""
        path = self.run.scratch / name
        path.write_bytes(content)
        self.run.publish(path, kind="checkpoint", name=name, media_type="application/octet-stream", meta=meta)
        if name not in self.published:
            self.published.append(name)

    def between_batches(self, stage: str, snapshot: Callable[[], Snapshot]) -> None:
        """Save if it is long ago. Raises Stopped, after saving, when the job shall be given up."""
        stop = self.run.stop_requested()
        if stop or time.monotonic() - self._saved >= SECONDS_BETWEEN_SAVES:
            self._running = {"stage": stage, **snapshot()}
            self._save()
        if stop:
            raise Stopped

    def between_epochs(self, stage: str, snapshot: Callable[[], Snapshot]) -> None:
        """Save, if the last time is long enough ago for the cost of saving."""
        if time.monotonic() - self._saved >= max(SECONDS_BETWEEN_EPOCH_SAVES, self._cost / SAVING_SHARE):
            self._running = {"stage": stage, **snapshot()}
            self._save()

    def _save(self) -> None:
        started = time.monotonic()
        state = {
            "version": VERSION,
            "job": self.job,
            "outcomes": {name: asdict(outcome) for name, outcome in self.outcomes.items()},
            "published": self.published,
            "notes": self.notes,
            "seconds": self.seconds(),
            "running": self._running,
        }
        path = self.run.scratch / "state.pt"
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
        self.run.save(path)
        self._saved = time.monotonic()
        self._cost = self._saved - started
