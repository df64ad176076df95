"""The way of one program through the engines: which method, why, and what came out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from qstill.contract.circuits.admission import wanted
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.methods import Plan, best, plans
from qstill.contract.circuits.outputs import (
    MAX_LISTED_CHARACTERS,
    MAX_PROBABILITY_QUBITS,
    NUMBER_CHARACTERS,
    WHERE_POSSIBLE,
)
from qstill.contract.circuits.profile import Method, Profile
from workers.circuits.engines import final_state, product_state, single, stabilizer
from workers.circuits.engines.dense import StateMethod
from workers.circuits.engines.dynamic import branching, computed
from workers.circuits.examine.profile import profile_of
from workers.circuits.program import Ask, Program, Sample

TOGETHER: dict[Method, StateMethod] = {  # whose sweeps Aer runs in one call
    Method.STATEVECTOR: "statevector",
    Method.DENSITY_MATRIX: "density_matrix",
}


@dataclass(frozen=True, slots=True)
class Routed:
    """A program with its profile and the method chosen for it. probabilities: whether it gives exact ones."""

    program: Program
    profile: Profile
    plan: Plan
    probabilities: bool = False


def route(program: Program, job: CircuitJob, *, locations: int, memory_available: int, pointer: str) -> Routed:
    """Choose the method. Raises Problem: needs_more_memory, method_cannot."""
    profile = profile_of(program.circuit, program.shape, rules=program.rules, locations=locations)
    asked = wanted(job)
    plan = best(profile, asked, memory_available=memory_available, pointer=pointer)
    if WHERE_POSSIBLE not in job.outputs or "probabilities" in job.outputs:
        return Routed(program, profile, plan, "probabilities" in job.outputs)
    if not _can_be_listed(program, job):
        return Routed(program, profile, plan)
    with_state = [
        each
        for each in plans(profile, replace(asked, state=True), memory_available=memory_available)
        if each.why_not is None and asked.method in (None, each.method)
    ]
    exact = min(with_state, key=lambda each: each.seconds, default=None)
    if exact is None or (profile.qubits > MAX_PROBABILITY_QUBITS and exact.method != plan.method):
        return Routed(program, profile, plan)
    return Routed(program, profile, exact, probabilities=True)


def _can_be_listed(program: Program, job: CircuitJob) -> bool:
    """Whether the circuit has a distribution over few enough outcomes; those of all circuits are read at once again."""
    bits = len(program.measured)
    characters = job.runs * (program.circuit.num_clbits + NUMBER_CHARACTERS)
    return not program.shape.dynamic and bits <= MAX_PROBABILITY_QUBITS and characters << bits <= MAX_LISTED_CHARACTERS


def simulate(routed: Routed, ask: Ask, *, precision: str = "double") -> tuple[Sample, float]:
    """Run the program by its method. Returns what came out, and the seconds it took."""
    start = perf_counter()
    sample = _sample(routed, ask, precision)
    return sample, perf_counter() - start


def _sample(routed: Routed, ask: Ask, precision: str) -> Sample:
    program = routed.program
    match routed.plan.method:
        case Method.STABILIZER:
            return stabilizer.sample(program, ask)
        case Method.STATEVECTOR:
            return single.sample(program, ask) if precision == "single" else final_state.sample(program, ask)
        case Method.DENSITY_MATRIX:
            return final_state.sample(program, ask, "density_matrix")
        case Method.TRAJECTORIES | Method.SHOT_BRANCHING:
            return computed.sample(program, ask) if program.shape.computed else branching.sample(program, ask)
        case Method.MATRIX_PRODUCT_STATE:
            return product_state.sample(program, ask)


def sweep(routed: Routed, bindings: Sequence[Mapping[Any, float]], asks: Sequence[Ask]) -> list[tuple[Sample, float]]:
    """Run the program once for each set of values of its parameters, in one call. Seconds are the mean."""
    start = perf_counter()
    samples = final_state.sample_each(routed.program, asks, TOGETHER[routed.plan.method], bindings)
    each = (perf_counter() - start) / len(asks)
    return [(sample, each) for sample in samples]
