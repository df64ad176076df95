"""One circuit job: parse, choose a method, simulate, publish. `warm()` makes the first job as fast as the others."""

import gc
from collections.abc import Iterator
from heapq import nsmallest
from pathlib import Path
from time import perf_counter
from typing import Any

from qstill.contract.circuits.job import (
    TOP_OUTCOMES,
    BatchResult,
    CircuitJob,
    CircuitOutcome,
    CircuitResult,
    CompiledView,
    Exact,
    IdealComparison,
    TopOutcome,
)
from qstill.contract.circuits.methods import Plan
from qstill.contract.circuits.results.document import CircuitResults, results_json
from qstill.contract.circuits.results.statistics import (
    classical_fidelity,
    expected_total_variation,
    hellinger,
    total_variation,
)
from workers import machine
from workers.circuits.device import Compiled
from workers.circuits.diagram.svg import diagram_svg
from workers.circuits.examine.shape import depth_of
from workers.circuits.planning import PlannedCircuit, plan_circuits
from workers.circuits.program import Ask, Sample, seeds
from workers.circuits.results import results_of
from workers.circuits.route import Routed, simulate, sweep
from workers.run import Run, Stopped

SVG = "image/svg+xml"
SWEPT_TOGETHER = 256  # sets of parameters between two looks whether the job was cancelled


def simulate_job(job: CircuitJob, run: Run) -> dict[str, Any]:
    """Simulate the circuits and publish `results.json` and `diagram.svg`. Returns a result view as JSON.

    Raises `Problem` where a circuit cannot be read or held, `Stopped` where the job was given up meanwhile.
    """
    start = perf_counter()
    machine.forget_peak_memory()
    total = job.runs + 2  # read, simulated, published
    _step(run, 0, total)
    assert job.seed is not None  # drawn where the job was submitted
    planned_circuits = plan_circuits(job, lambda: _stop_if_asked(run))
    _step(run, 1, total)
    found: list[CircuitResults] = []
    taken: list[tuple[Plan, float]] = []  # what each was simulated by, and the seconds it took
    single = job.circuits is None and job.bindings is None
    outcome: CircuitOutcome | None = None
    for planned, seed, sample, seconds in _simulated(job, planned_circuits, run):
        found.append(results_of(job, planned, seed, sample, run, index=len(found)))
        taken.append((planned.routed.plan, seconds))
        if single:
            outcome = _outcome(planned, sample, seconds, found[-1])
        _step(run, 1 + len(found), total)
    _publish(run, results_json(found), kind="results", name="results.json", media_type="application/json")
    depth = None if outcome is None else outcome.depth
    diagram = diagram_svg(planned_circuits[0].circuit, title=job.name or "Circuit", depth=depth)
    _publish(run, diagram, kind="diagram", name="diagram.svg", media_type=SVG)
    _step(run, total, total)
    figures = {
        "shots": job.shots,
        "seconds": perf_counter() - start,
        "peak_memory_bytes": machine.peak_memory(),
        "versions": machine.versions(),
    }
    if outcome is not None:
        return CircuitResult(**outcome.model_dump(), **figures).model_dump(mode="json")
    methods = [plan.method.value for plan, _ in taken]
    predicted = sum(plan.seconds for plan, _ in taken)
    if len(planned_circuits) < job.runs:  # a sweep in one call
        predicted = planned_circuits[0].routed.plan.seconds_of(job.runs)
    return BatchResult(
        circuits=len(taken),
        seed=job.seed,
        methods={method: methods.count(method) for method in sorted(set(methods))},
        notes=list(dict.fromkeys(note for planned in planned_circuits for note in planned.notes)),
        predicted_seconds=predicted,
        simulation_seconds=sum(seconds for _, seconds in taken),
        **figures,
    ).model_dump(mode="json")


def _simulated(
    job: CircuitJob, planned_circuits: list[PlannedCircuit], run: Run
) -> Iterator[tuple[PlannedCircuit, int, Sample, float]]:
    """Every circuit with its seed, what came out, and the seconds it took."""
    assert job.seed is not None
    own = [job.seed] if job.runs == 1 else seeds(job.seed, job.runs)
    each = planned_circuits if len(planned_circuits) == len(own) else planned_circuits * len(own)
    asks = [_ask(job, planned, seed, run) for planned, seed in zip(each, own, strict=True)]
    if job.bindings is None or not planned_circuits[0].routed.program.circuit.parameters:
        for planned, ask in zip(planned_circuits, asks, strict=True):
            yield planned, ask.seed, *simulate(planned.routed, ask, precision=job.precision)
        return
    (planned,) = planned_circuits
    for first in range(0, len(asks), SWEPT_TOGETHER):
        chunk = asks[first : first + SWEPT_TOGETHER]
        bindings = planned.bindings(job.bindings[first : first + SWEPT_TOGETHER])
        swept = sweep(planned.routed, bindings, chunk)
        for ask, (sample, seconds) in zip(chunk, swept, strict=True):
            yield planned, ask.seed, sample, seconds


def _ask(job: CircuitJob, planned: PlannedCircuit, seed: int, run: Run) -> Ask:
    return Ask(
        shots=job.shots,
        seed=seed,
        threads=run.threads,
        between=lambda: _stop_if_asked(run),
        probabilities=planned.routed.probabilities,
        max_bond_dimension=job.truncation.max_bond_dimension,
        truncation_threshold=job.truncation.threshold,
    )


def _outcome(planned: PlannedCircuit, sample: Sample, seconds: float, found: CircuitResults) -> CircuitOutcome:
    counts, shots = found["counts"], found["shots"]
    top = [
        TopOutcome(key=key, count=-less, probability=-less / shots)
        for less, key in nsmallest(TOP_OUTCOMES, ((-count, key) for key, count in counts.items()))
    ]
    routed: Routed = planned.routed
    return CircuitOutcome(
        qubits=planned.circuit.num_qubits,
        clbits=found["clbits"],
        seed=found["seed"],
        method=found["method"],
        why="; ".join(filter(None, (routed.plan.why, sample.remark))),
        exactness=Exact(kind=sample.kind, fidelity_at_least=sample.fidelity),
        outcomes=len(counts),
        top=top,
        answer=None if planned.answer is None else planned.answer(counts, shots),
        ideal=_beside(counts, found["ideal"], shots) if "ideal" in found else None,
        expectations=found.get("expectations", []),
        depth=routed.profile.depth if routed.program.circuit is planned.circuit else depth_of(planned.circuit),
        gate_counts=dict(planned.circuit.count_ops()),
        compiled=None if planned.compiled is None else compiled_view(planned.compiled),
        notes=list(planned.notes),
        predicted_seconds=routed.plan.seconds,
        simulation_seconds=seconds,
    )


def _beside(counts: dict[str, int], ideal: dict[str, float], shots: int) -> IdealComparison:
    measured = {key: count / shots for key, count in counts.items()}
    return IdealComparison(
        total_variation=total_variation(measured, ideal),
        hellinger_distance=hellinger(measured, ideal),
        fidelity=classical_fidelity(measured, ideal),
        expected_total_variation=expected_total_variation(len(ideal), shots),
    )


def compiled_view(compiled: Compiled) -> CompiledView:
    """What compiling changed, for a client."""
    return CompiledView(
        depth=compiled.after.depth,
        depth_before=compiled.before.depth,
        two_qubit_gates=compiled.after.two_qubit_gates,
        two_qubit_gates_before=compiled.before.two_qubit_gates,
        swaps=compiled.swaps,
        initial_layout=list(compiled.initial_layout),
        final_layout=list(compiled.final_layout),
    )


def warm() -> None:
    """Import and build what every job needs: the pass managers, the simulators, the parsers. About a second."""
    programs = [
        {"format": "json", "qubits": 2, "operations": [{"gate": "h", "target": 0}]},
        {"format": "json", "qubits": 2, "operations": [{"gate": "rx", "target": 0, "rotation": 0.1}]},
        {"format": "openqasm3", "source": "OPENQASM 3.0; qubit[2] q; bit c; if (c) { reset q[0]; } c = measure q[1];"},
        {"format": "openqasm2", "source": 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; h q[0];'},
    ]
    noise = {"model": "thermal_relaxation", "t1": 100, "t2": 100, "one_qubit_time": 50, "two_qubit_time": 300}
    noisy = {"noise": noise, "device": {}}
    for program, more in [*((program, {}) for program in programs), (programs[1], noisy)]:
        job = CircuitJob.model_validate({"circuit": program, "seed": 0, "shots": 1} | more)
        (planned,) = plan_circuits(job)
        simulate(planned.routed, Ask(shots=1, seed=0))
        diagram_svg(planned.circuit)
    machine.versions()
    gc.collect()
    gc.freeze()  # half a million objects of libraries, through which every full collection would look in vain


def _step(run: Run, done: int, total: int) -> None:
    _stop_if_asked(run)
    run.progress(phase="circuit", done=done, total=total, unit="steps")


def _stop_if_asked(run: Run) -> None:
    if run.stop_requested():
        raise Stopped


def _publish(run: Run, text: str, *, kind: str, name: str, media_type: str) -> None:
    path: Path = run.scratch / name
    path.write_text(text, encoding="utf-8")
    run.publish(path, kind=kind, name=name, media_type=media_type)
