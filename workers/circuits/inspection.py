"""What can be said of a circuit without running it: what each method would take, and the circuit in other formats."""

import json
from collections.abc import Callable
from typing import Any

import psutil
from qiskit import QuantumCircuit

from qstill.contract.circuits.admission import relocated, wanted
from qstill.contract.circuits.cost.estimates import CircuitEstimate, Findings, MethodEstimate
from qstill.contract.circuits.formats import TemplateCircuit
from qstill.contract.circuits.inspection import Conversion, Inspection
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.methods import Plan, plans
from qstill.contract.errors import Problem
from workers.circuits.binding import bind
from workers.circuits.device import compile_for
from workers.circuits.diagram.svg import diagram_svg
from workers.circuits.examine.shape import depth_of
from workers.circuits.export import to_json, to_native, to_openqasm2, to_openqasm3, to_text
from workers.circuits.parse import parse
from workers.circuits.planning import PlannedCircuit, plan_circuits, swept_together
from workers.circuits.run import compiled_view
from workers.circuits.templates import prepare
from workers.run import Run, Stopped

LARGEST = 2**63 - 1  # bytes; what no machine has is not written out


def inspect(inspection: Inspection, run: Run) -> dict[str, Any]:
    """The answer as JSON: `Findings`, or {"text"} of a conversion. Raises `Problem`, and `Stopped` if given up."""

    def between() -> None:
        if run.stop_requested():
            raise Stopped

    if inspection.conversion is None:
        return estimate(inspection.job, between).model_dump(mode="json")
    return {"text": convert(inspection.job, inspection.conversion, between)}


def estimate(job: CircuitJob, between: Callable[[], None] = lambda: None) -> Findings:
    """What running the job would take. between: called now and then; it may raise.

    Raises `Problem` where the job cannot be run.
    """
    planned_circuits = plan_circuits(job, between)
    if job.bindings is None:
        circuits = [_circuit(job, planned, planned.routed.plan.seconds) for planned in planned_circuits]
    else:
        first = planned_circuits[0]
        together = len(planned_circuits) == 1
        seconds = (
            first.routed.plan.seconds_of(job.runs) if together else sum(r.routed.plan.seconds for r in planned_circuits)
        )
        circuits = [_circuit(job, first, seconds)]
    return Findings(circuits=circuits, predicted_seconds=sum(circuit.predicted_seconds for circuit in circuits))


def _circuit(job: CircuitJob, planned: PlannedCircuit, seconds: float) -> CircuitEstimate:
    profile, plan = planned.routed.profile, planned.routed.plan
    every = plans(profile, wanted(job), memory_available=psutil.virtual_memory().available)
    return CircuitEstimate(
        runs=1 if job.bindings is None else job.runs,
        qubits=planned.circuit.num_qubits,
        active_qubits=profile.qubits,
        clbits=planned.clbits,
        operations=profile.operations,
        two_qubit_gates=profile.two_qubit,
        depth=depth_of(planned.circuit),
        gate_counts=dict(planned.circuit.count_ops()),
        dynamic=profile.dynamic,
        noisy_locations=profile.locations,
        compiled=None if planned.compiled is None else compiled_view(planned.compiled),
        method=plan.method.value,
        why=plan.why,
        memory_bytes=_bytes(plan),
        predicted_seconds=seconds,
        methods=[_method(job, each) for each in every],
    )


def _method(job: CircuitJob, plan: Plan) -> MethodEstimate:
    runs = 1 if job.bindings is None else job.runs
    can = plan.why_not is None
    return MethodEstimate(
        method=plan.method.value,
        can=can,
        why=plan.why if can else None,
        why_not=plan.why_not,
        memory_bytes=_bytes(plan),
        predicted_seconds=plan.seconds_of(runs) if swept_together(job, plan.method) else plan.seconds * runs,
    )


def _bytes(plan: Plan) -> int | None:
    return plan.memory_bytes if plan.memory_bytes <= LARGEST else None


def convert(job: CircuitJob, wanted: Conversion, between: Callable[[], None] = lambda: None) -> str:
    """One circuit of a job as a text. Raises `Problem` where the format cannot say it."""
    index = wanted.index or 0
    try:
        circuit = _chosen(job, wanted.index, between)
        if wanted.compiled and job.device is not None:
            circuit = compile_for(circuit, job.device, seed=job.seed or 0).circuit
        match wanted.to:
            case "openqasm3":
                return to_openqasm3(circuit)
            case "openqasm2":
                return to_openqasm2(circuit)
            case "json":
                return json.dumps(to_json(circuit), indent=1)
            case "native_ms" | "native_zz":
                return json.dumps(to_native(job.programs[index], circuit, wanted.to))
            case "svg":
                return diagram_svg(circuit, title=job.name or "Circuit")
            case "text":
                return to_text(circuit)
    except Problem as problem:
        raise relocated(problem, job, index) from None


def _chosen(job: CircuitJob, index: int | None, between: Callable[[], None]) -> QuantumCircuit:
    if job.bindings is not None:
        circuit = parse(job.programs[0], bound=False)
        return circuit if index is None else next(bind(circuit, [job.bindings[index]]))
    program = job.programs[index or 0]
    if isinstance(program, TemplateCircuit):
        return prepare(program.template, seed=job.seed or 0, between=between).circuit
    return parse(program, bound=False)
