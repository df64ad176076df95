"""The way of one program through the engines: which method, why, and what came out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from app.circuits.admission import wanted
from app.circuits.methods import Facts, Method, Plan, best
from app.circuits.schemas import CircuitJob
from workers.circuits.engines import branching, final_state, product_state, single, stabilizer
from workers.circuits.engines.aer import AerMethod
from workers.circuits.facts import facts_of
from workers.circuits.program import Ask, Program, Sample

TOGETHER: dict[Method, AerMethod] = {  # whose sweeps Aer runs in one call
    Method.STATEVECTOR: "statevector",
    Method.DENSITY_MATRIX: "density_matrix",
}


@dataclass(frozen=True, slots=True)
class Routed:
    """A program with its facts and the method chosen for it."""

    program: Program
    facts: Facts
    plan: Plan


def route(program: Program, job: CircuitJob, *, locations: int, memory_available: int, pointer: str) -> Routed:
    """Choose the method. Raises Problem: needs_more_memory, method_cannot."""
    facts = facts_of(program.circuit, program.shape, rules=program.rules, locations=locations)
    return Routed(program, facts, best(facts, wanted(job), memory_available=memory_available, pointer=pointer))


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
            return branching.sample(program, ask)
        case Method.MATRIX_PRODUCT_STATE:
            return product_state.sample(program, ask)


def sweep(routed: Routed, bindings: Sequence[Mapping[Any, float]], asks: Sequence[Ask]) -> list[tuple[Sample, float]]:
    """Run the program once for each set of values of its parameters, in one call. Seconds are the mean."""
    start = perf_counter()
    samples = final_state.sample_each(routed.program, asks, TOGETHER[routed.plan.method], bindings)
    each = (perf_counter() - start) / len(asks)
    return [(sample, each) for sample in samples]
