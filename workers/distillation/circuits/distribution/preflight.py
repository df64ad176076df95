"""A look at shots that are to be learned: they are read or run, and some steps are taken.

What a job would fail with at once is raised here as the job would raise it, with the same code and pointer.
"""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from qstill.contract.distillations.circuits.distribution.job import DistributionJob
from qstill.contract.distillations.circuits.distribution.preflight import DistributionPreflight, DistributionTime
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.preflight_parts import Advice, advice
from workers.distillation.circuits.distribution.fit import Fit
from workers.distillation.circuits.distribution.models import histogram_of
from workers.distillation.circuits.distribution.report import parts
from workers.distillation.circuits.distribution.shots import Shots, read_shots
from workers.distillation.networks.costs import parameters
from workers.distillation.preflight.costs import REPORT_SECONDS, around, total_of
from workers.distillation.training.reproducible import reproducible
from workers.run import Run

STEPS = 6  # the first is left out of the time
ENOUGH = 0.05  # of a probability: with less of it unseen a model has little to add


def preflight_of_distribution(job: DistributionJob, asked: PreflightQuestion, run: Run) -> dict[str, Any]:
    """Returns a DistributionPreflight as JSON. Raises Problem where the job would fail before anything is learned."""
    with reproducible(run.threads):
        return _look(job, asked, run).model_dump(mode="json")


def _look(job: DistributionJob, asked: PreflightQuestion, run: Run) -> DistributionPreflight:
    began = time.perf_counter()
    shots = read_shots(job, run)
    reading = time.perf_counter() - began
    began = time.perf_counter()
    fit = Fit(job, shots)
    scoring = (time.perf_counter() - began) * len(shots.validation) / (len(shots.validation) + len(shots.training))
    step = _seconds_a_step(fit)
    steps = -(-len(shots.training) // job.training.batch_size)
    epoch = steps * step + scoring
    fewest = min(job.training.patience or job.training.epochs, job.training.epochs)
    learning, read = around(job.training.epochs * epoch, fewest * epoch), around(reading)
    total = total_of([learning, read, around(REPORT_SECONDS)])
    times = DistributionTime(
        steps_measured=STEPS, shots=read, training=learning, total=total, limit=asked.seconds_limit
    )
    histogram = histogram_of(shots.every, shots.bits)
    said = list(_advice(shots, histogram.unseen, times))
    order = ("problem", "warning", "note")
    return DistributionPreflight(
        bits=shots.bits,
        shots=len(shots.every),
        outcomes=len(np.unique(shots.every)),
        unseen=histogram.unseen,
        parts=parts(shots),
        parameters=parameters(fit.network),
        time=times,
        advice=sorted(said, key=lambda one: order.index(one.severity)),
    )


def _seconds_a_step(fit: Fit) -> float:
    batch = fit.batches()[0]
    fit.learn(batch)
    started = time.perf_counter()
    for _ in range(STEPS - 1):
        fit.learn(batch)
    return (time.perf_counter() - started) / (STEPS - 1)


def _advice(shots: Shots, unseen: float, times: DistributionTime) -> Iterator[Advice]:
    if unseen < ENOUGH:
        detail = (
            f"The next shot reads a key that none has read with a probability of about {unseen:.3f}: the histogram "
            "knows nearly all there is, and will probably be what is given back."
        )
        yield advice("histogram_suffices", "note", detail, "/dataset")
    if times.total.low > times.limit:
        detail = f"The job takes at least {times.total.low:,.0f} s, and an attempt may take {times.limit:,.0f}."
        yield advice("time", "problem", detail, "/training/epochs")
    elif times.total.high > times.limit:
        detail = f"The job may take {times.total.high:,.0f} s, and an attempt may take {times.limit:,.0f}."
        yield advice("time", "warning", detail, "/training/epochs")
    if shots.exact is None:
        detail = "The exact distribution is not known: held-out likelihood judges, and no distance to it."
        yield advice("no_exact_distribution", "note", detail, "/dataset")
