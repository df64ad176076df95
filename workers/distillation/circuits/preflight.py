"""A look at a circuit that is to be made shorter: it is read and run under the noise, and some steps are taken.

What a job would fail with at once is raised here as the job would raise it, with the same code and pointer.
"""

import time
from collections.abc import Iterator
from typing import Any

from qstill.contract.distillations.circuits.job import FAITHFUL, ShorteningJob
from qstill.contract.distillations.circuits.preflight import DepthSize, ShorteningPreflight, ShorteningTime
from qstill.contract.distillations.circuits.report import GivenCost
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.preflight_parts import Advice, advice
from workers.distillation.circuits.break_even import HALVINGS, scales_of
from workers.distillation.circuits.fit import Fit, short_circuit
from workers.distillation.circuits.given import Given, given
from workers.distillation.circuits.judge import both_given, score
from workers.distillation.circuits.report import cost_of
from workers.distillation.preflight.costs import REPORT_SECONDS, around, total_of
from workers.distillation.training.reproducible import reproducible
from workers.run import Run

STEPS = 3  # of each depth; the first is left out of the time
ENOUGH = 0.98  # of a fidelity under noise: a short circuit can add little to it


def preflight_of_shortening(job: ShorteningJob, asked: PreflightQuestion, run: Run) -> dict[str, Any]:
    """Returns a ShorteningPreflight as JSON. Raises Problem where the job would fail before anything is fitted."""
    with reproducible(run.threads):
        return _look(job, asked, run).model_dump(mode="json")


def _look(job: ShorteningJob, asked: PreflightQuestion, run: Run) -> ShorteningPreflight:
    began = time.perf_counter()
    whole = given(job, run.threads)
    costs, each = [], []
    for circuit in both_given(job, whole.circuit):
        started, noise = time.perf_counter(), job.evaluation.errors
        fidelity = None if noise is None else score(circuit, whole.target, noise, threads=run.threads)
        each.append(time.perf_counter() - started)
        costs.append(cost_of(circuit, fidelity))
    reading = time.perf_counter() - began
    depths = [_size(job, layers, whole) for layers in job.depths]
    fits = sum(_seconds_a_step(job, layers, whole) for layers in job.depths) * job.training.steps
    # a short circuit is counted as half of the shorter given one: compiling it is most of what it takes
    short, scales = min(each) / 2, 0 if job.evaluation.errors is None else len(scales_of(job.evaluation.errors))
    judged = len(job.depths) * job.training.restarts * short + scales * (sum(each) + short)
    judged += (HALVINGS if scales else 0) * (each[0] + short)
    parts = {"fits": around(fits), "judging": around(judged)}
    total = total_of([*parts.values(), around(reading + REPORT_SECONDS)])
    times = ShorteningTime(steps_measured=STEPS * len(job.depths), **parts, total=total, limit=asked.seconds_limit)
    said = list(_advice(job, costs[0], costs[1], depths, times))
    order = ("problem", "warning", "note")
    return ShorteningPreflight(
        qubits=whole.target.qubits,
        given=costs[0],
        transpiled=costs[1],
        depths=depths,
        time=times,
        advice=sorted(said, key=lambda one: order.index(one.severity)),
    )


def _size(job: ShorteningJob, layers: int, whole: Given) -> DepthSize:
    circuit = short_circuit(job, layers, whole.target.qubits)
    return DepthSize(layers=layers, parameters=circuit.num_parameters, cx=circuit.count_ops().get("cx", 0))


def _seconds_a_step(job: ShorteningJob, layers: int, whole: Given) -> float:
    fit = Fit(job, layers, whole.target)
    fit.learn()
    started = time.perf_counter()
    for _ in range(STEPS - 1):
        fit.learn()
    return (time.perf_counter() - started) / (STEPS - 1)


def _advice(
    job: ShorteningJob, own: GivenCost, transpiled: GivenCost, depths: list[DepthSize], times: ShorteningTime
) -> Iterator[Advice]:
    layers, fewest = "/student/architecture/layers", min(own.cx, transpiled.cx)
    if all(depth.cx >= fewest for depth in depths):
        detail = (
            f"Every depth has {min(depth.cx for depth in depths)} CX or more, and the circuit {fewest} at the best: "
            "nothing would be shorter."
        )
        yield advice("nothing_shorter", "warning", detail, layers)
    kept = max((each.fidelity_noisy or 0.0) for each in (own, transpiled))
    if kept >= ENOUGH:
        detail = f"The circuit keeps {kept:.3f} under this noise as it is: there is little to gain."
        yield advice("survives_as_it_is", "note", detail, "/evaluation/noise")
    if job.evaluation.errors is None:
        detail = f"Without noise the shallowest circuit that reaches {FAITHFUL} is chosen, or the best."
        yield advice("no_noise", "note", detail, "/evaluation/noise")
    if times.total.low > times.limit:
        detail = f"The job takes at least {times.total.low:,.0f} s, and an attempt may take {times.limit:,.0f}."
        yield advice("time", "problem", detail, "/training/steps")
    elif times.total.high > times.limit:
        detail = f"The job may take {times.total.high:,.0f} s, and an attempt may take {times.limit:,.0f}."
        yield advice("time", "warning", detail, "/training/steps")
