"""What a computation may ask of the house: `Run`. A computation sees this, its spec, and nothing else.

    def run(job: CircuitJob, run: Run) -> dict[str, Any]: ...

It returns the job's result (JSON, small) or raises: `Problem` when the job cannot succeed, `Stopped` after it has saved
its state because `run.stop_requested()` turned true. Everything it reports goes through the supervisor, which writes
it to the ledger under the job's fence.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from qstill.contract.kinds import Kind


class Stopped(Exception):
    """The computation saved its state and gave up the job on request (cancel, pause, or a worker that drains)."""


class Run(Protocol):
    """One attempt at one job."""

    scratch: Path  # an empty folder of this attempt; gone afterwards
    files: Mapping[str, Path]  # the files, models and checkpoints that the job names, by id, as local paths
    models: Mapping[str, Mapping[str, Any]]  # of those that are models, how they are read: a `ModelFormat` as JSON
    resume: Path | None  # the state saved last by an earlier attempt, or None
    threads: int  # cores this computation may use
    cache: Path | None  # a folder that the jobs of this machine share; None: keep nothing for others
    cache_bytes: int  # that all of it may take
    memory: int  # bytes that this computation may take before it is ended
    hosts: frozenset[str]  # that may be called although their addresses are inside; see ledger/outbound.py

    def progress(self, *, phase: str, done: float, total: float, unit: str, **metrics: float) -> None:
        """Say how far the job is. Cheap to call often: at most a few a second are passed on."""

    def event(self, kind: str, data: dict[str, Any]) -> None:
        """Append an event to the job's log, e.g. `event("epoch", {"epoch": 3, "loss": 0.41})`. Always passed on."""

    def publish(self, path: Path, *, kind: str, name: str, media_type: str, meta: dict[str, Any] | None = None) -> None:
        """Hand over a finished file of `scratch`: it is hashed, kept, and visible to clients from then on.

        kind: checkpoint | export | histogram | diagram | report. name: unique within the job; the same name again
        replaces it.
        """

    def submit(self, kind: Kind, spec: Mapping[str, Any], *, name: str, labels: Mapping[str, str]) -> str:
        """Have a job of the same owner queued in the transaction that ends this one in good order. Returns its id.

        An attempt that ends otherwise queues nothing, so that there is one, whatever died before (ADR 15).
        """

    def save(self, path: Path) -> None:
        """Hand over the state from which a later attempt resumes; it replaces the one before."""

    def stop_requested(self) -> bool:
        """True once the job shall be given up: save, then raise `Stopped`."""
