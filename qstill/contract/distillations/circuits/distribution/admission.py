"""What is refused at the door of shots that a student is to learn, before anything is read or run."""

from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.distillations.circuits.distribution.job import (
    DistributionJob,
    check_counts,
    parts_of,
)
from qstill.contract.errors import Problem


def admit_distribution(job: DistributionJob, limits: Limits) -> None:
    """Raise Problem where the job cannot succeed, as far as its body tells."""
    data = job.dataset
    if data.counts is not None:
        try:
            check_counts(data.counts)
        except Problem as problem:
            raise problem.within("/dataset/counts") from None
        parts_of(data, sum(data.counts.values()))
    if data.circuit is not None:
        parts_of(data, data.shots_to_run)
        try:
            admit(data.as_circuit_job(), limits)
        except Problem as problem:
            raise below_the_data(problem) from None


def below_the_data(problem: Problem) -> Problem:
    """A circuit job's problem where its circuit is the data: one set of values is not a list of such."""
    pointer = problem.pointer or ""
    if pointer.startswith("/bindings/0"):
        problem.pointer = "/bindings" + pointer.removeprefix("/bindings/0")
    return problem.within("/dataset")
