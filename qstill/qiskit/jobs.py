"""Jobs of the service behind one job of Qiskit's."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from qiskit.primitives import BasePrimitiveJob
from qiskit.providers import JobStatus

from qstill.client import Job
from qstill.client.results import Result, circuits_of
from qstill.contract.status import FINAL, Status

R = TypeVar("R")

STATUS = {
    Status.QUEUED: JobStatus.QUEUED,
    Status.PAUSED: JobStatus.QUEUED,
    Status.SUCCEEDED: JobStatus.DONE,
    Status.FAILED: JobStatus.ERROR,
    Status.CANCELLED: JobStatus.CANCELLED,
}  # all others are at work
NEXT = (JobStatus.ERROR, JobStatus.CANCELLED, JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.DONE)


def status_of(jobs: Sequence[Job]) -> JobStatus:
    """Of all together: failed where one has, done once all are."""
    for job in jobs:
        if job.view.status not in FINAL:
            job.refresh()
    found = {STATUS.get(job.view.status, JobStatus.RUNNING) for job in jobs}
    if found == {JobStatus.QUEUED, JobStatus.DONE}:
        return JobStatus.RUNNING
    return next((each for each in NEXT if each in found), JobStatus.DONE)


class PrimitiveJob(BasePrimitiveJob[R, JobStatus], Generic[R]):
    """Submitted already; `result` waits, and makes of counts and values what the primitive answers."""

    def __init__(self, jobs: Sequence[Job], read: Callable[[list[list[Result]]], R]) -> None:
        super().__init__(",".join(job.id for job in jobs) or "none")
        self.jobs, self._read = list(jobs), read
        self._result: R | None = None

    def result(self, timeout: float | None = None) -> R:
        """timeout: seconds. Raises JobFailed, and TimedOut while the jobs go on."""
        if self._result is None:
            over = None if timeout is None else time.monotonic() + timeout
            found = [circuits_of(job, None if over is None else max(0.0, over - time.monotonic())) for job in self.jobs]
            self._result = self._read(found)
        return self._result

    def status(self) -> JobStatus:
        return status_of(self.jobs)

    def done(self) -> bool:
        return self.status() is JobStatus.DONE

    def running(self) -> bool:
        return self.status() is JobStatus.RUNNING

    def cancelled(self) -> bool:
        return self.status() is JobStatus.CANCELLED

    def in_final_state(self) -> bool:
        return self.status() in (JobStatus.DONE, JobStatus.ERROR, JobStatus.CANCELLED)

    def cancel(self) -> None:
        for job in self.jobs:
            if not job.refresh().done:
                job.cancel()


def points(values: Any, circuit: Any) -> list[dict[Any, float]]:
    """A PUB's parameter values (…,) as bindings, in C order."""
    array = values.as_array(circuit.parameters).reshape(-1, circuit.num_parameters)
    return [dict(zip(circuit.parameters, map(float, row), strict=True)) for row in array]
