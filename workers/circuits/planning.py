"""From a job's circuits to programs with a method chosen: parsed, fitted to device and noise, examined."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import psutil
from qiskit import QuantumCircuit

from qstill.contract.circuits.admission import check_binding, check_histogram, probabilities_alone, relocated, wanted
from qstill.contract.circuits.formats import Circuit, JsonCircuit, TemplateCircuit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.methods import plans
from qstill.contract.circuits.noise.model import Noise, check_rules
from qstill.contract.circuits.noise.named import as_custom
from qstill.contract.circuits.outputs import MAX_SEARCHED_QUBITS, WHERE_POSSIBLE, StateName
from qstill.contract.circuits.profile import Method
from qstill.contract.circuits.templates.answer import Answer
from qstill.contract.errors import Problem
from workers.circuits.binding import bind
from workers.circuits.device import Compiled, compile_for
from workers.circuits.engines.dynamic.branching import without_idle_qubits
from workers.circuits.engines.dynamic.deferred import deferred
from workers.circuits.engines.states import check_state
from workers.circuits.examine.profile import profile_of
from workers.circuits.examine.shape import examine
from workers.circuits.noise.model import for_noise, idle_rules, noise_cost, noise_model, readout_matrix
from workers.circuits.observables import lower
from workers.circuits.parse import parse, pointer_of
from workers.circuits.parse.openqasm3 import INPUTS, WITHOUT_EFFECT
from workers.circuits.program import Program
from workers.circuits.route import TOGETHER, Routed, route
from workers.circuits.templates import prepare

STATES: tuple[StateName, ...] = ("statevector", "density_matrix", "unitary")
MAX_IDEAL_SECONDS = 1.0  # predicted, for the noiseless distribution beside a noisy one
MAX_IDEAL_BITS = 16  # outcomes of it that stand in the results: 65,536


@dataclass(frozen=True, slots=True)
class PlannedCircuit:
    """One circuit of a job. circuit: as submitted, measured. routed: what is simulated instead, and how.

    compiled: what became of it for the device. ideal: the same without noise, where that costs little.
    notes: what a reader should know. answer: what a template's counts of so many shots say.
    """

    circuit: QuantumCircuit
    routed: Routed
    compiled: Compiled | None = None
    ideal: Program | None = None
    answer: Callable[[Mapping[str, int], int], Answer] | None = None
    notes: Sequence[str] = ()

    @property
    def clbits(self) -> int:
        return int(self.circuit.num_clbits)

    @property
    def layout(self) -> Sequence[int] | None:
        """Where each submitted qubit ended, where a device moved them."""
        return None if self.compiled is None else self.compiled.final_layout

    def bindings(self, values: Sequence[Mapping[str, float]]) -> list[dict[Any, float]]:
        """The values by the circuit's own parameters."""
        own = {parameter.name: parameter for parameter in self.routed.program.circuit.parameters}
        return [{parameter: binding[name] for name, parameter in own.items()} for binding in values]


def plan_circuits(job: CircuitJob, between: Callable[[], None] = lambda: None) -> list[PlannedCircuit]:
    """Every circuit of the job, in order; one for all bindings of a sweep that are simulated together.

    between: called between circuits, and in the optimisations of templates; it may raise.
    Raises `Problem` with the pointer of the circuit at fault.
    """
    memory_available = psutil.virtual_memory().available
    if job.bindings is not None:
        return _plan_sweep(job, job.bindings, memory_available)
    found = []
    for index, circuit in enumerate(job.programs):
        try:
            between()
            found.append(_plan_one(job, circuit, memory_available, between))
        except Problem as problem:
            raise relocated(problem, job, index) from None
    return found


def _plan_one(job: CircuitJob, circuit: Circuit, memory_available: int, between: Callable[[], None]) -> PlannedCircuit:
    if not isinstance(circuit, TemplateCircuit):
        return plan_parsed(job, circuit, parse(circuit), memory_available)
    assert job.seed is not None  # drawn where the job was submitted
    prepared = prepare(circuit.template, seed=job.seed, between=between)
    return replace(plan_parsed(job, circuit, prepared.circuit, memory_available), answer=prepared.interpret)


def _plan_sweep(
    job: CircuitJob, bindings: Sequence[Mapping[str, float]], memory_available: int
) -> list[PlannedCircuit]:
    (source,) = job.programs
    try:
        parametrised = parse(source, bound=False)
    except Problem as problem:
        if problem.code != "unbound_parameters":
            raise
        return [plan_parsed(job, source, each, memory_available) for each in _parsed_with_inputs(source, bindings)]
    free = {parameter.name for parameter in parametrised.parameters}
    for index, binding in enumerate(bindings):
        check_binding(free, binding, f"/bindings/{index}")
    if job.noise is None and job.device is None:
        planned = plan_parsed(job, source, parametrised, memory_available)
        if swept_together(job, planned.routed.plan.method):
            return [planned]
    return [plan_parsed(job, source, bound, memory_available) for bound in bind(parametrised, bindings)]


def _parsed_with_inputs(source: Circuit, bindings: Sequence[Mapping[str, float]]) -> Iterator[QuantumCircuit]:
    """The circuit for each of the bindings, of a program whose inputs decide on more than angles."""
    for index, binding in enumerate(bindings):
        parsed = parse(source, inputs=binding)
        check_binding({*parsed.metadata[INPUTS]}, binding, f"/bindings/{index}")
        yield parsed


def swept_together(job: CircuitJob, method: Method) -> bool:
    """Whether all bindings of the job are one call to the simulator."""
    plain = job.noise is None and job.device is None and {*STATES}.isdisjoint(job.outputs)
    return plain and job.bindings is not None and method in TOGETHER and job.precision == "double"


def plan_parsed(job: CircuitJob, source: Circuit, submitted: QuantumCircuit, memory_available: int) -> PlannedCircuit:
    """A circuit that is there already. source: what it was read from. Raises `Problem`."""
    assert job.seed is not None  # drawn where the job was submitted
    compiled = None if job.device is None else compile_for(submitted, job.device, seed=job.seed)
    circuit = submitted if compiled is None else compiled.circuit
    program, locations = with_noise(job.noise, circuit, check=job.circuits is None)
    if program.shape.dynamic and probabilities_alone(job) and (apart := deferred(circuit)) is not None:
        program = Program(apart, examine(apart))
    places = None if compiled is None else compiled.final_layout
    observables = [
        lower(observable, submitted.num_qubits, program.places(places), f"/observables/{index}")
        for index, observable in enumerate(job.observables)
    ]
    program = replace(program, observables=observables)
    for name in STATES:
        if name in job.outputs:
            check_state(name, program, submitted.num_qubits)
    if "probabilities" in job.outputs and len(program.measured) > MAX_SEARCHED_QUBITS:
        title = f"Probabilities are given out for {MAX_SEARCHED_QUBITS} measured qubits, not {len(program.measured)}."
        raise Problem("state_too_large", title, pointer="/outputs")
    pointer = "/circuit/qubits" if isinstance(source, JsonCircuit) else pointer_of(source)
    routed = route(program, job, locations=locations, memory_available=memory_available, pointer=pointer)
    check_histogram(job, active=len(program.shape.active) + program.shape.branchings, clbits=circuit.num_clbits)
    ideal = _ideal(job, submitted, memory_available) if job.ideal and program.noise is not None else None
    notes = [] if job.noise is None else idle_rules(job.noise, program.circuit)
    if WHERE_POSSIBLE in job.outputs and not routed.probabilities and not program.shape.dynamic:
        notes.append(f"Exact probabilities are too many or too dear: {job.shots:,} shots were counted instead.")
    if silent := (submitted.metadata or {}).get(WITHOUT_EFFECT):
        notes.append(f"Read, and without effect on a simulation: {', '.join(silent)}.")
    return PlannedCircuit(submitted, routed, compiled, ideal, notes=notes)


def with_noise(noise: Noise | None, circuit: QuantumCircuit, *, check: bool = True) -> tuple[Program, int]:
    """The program with its noise, and at how many places it can act.

    check: refuse rules about qubits that the circuit does not have; those of a batch are about all its circuits.
    """
    if noise is None:
        return Program(circuit, examine(circuit)), 0
    rules = as_custom(noise)
    if check:
        check_rules(rules, circuit.num_qubits)
    located = for_noise(circuit, rules)
    bare = Program(located, examine(located, misread=bool(rules.readout)))
    locations = noise_cost(rules, located)
    if not locations and not bare.shape.computed:
        return bare, 0
    numbers = [located.find_bit(qubit).index for qubit in bare.shape.active]
    model = cache(lambda: noise_model(rules, without_idle_qubits(bare), qubits=numbers))
    readout = {
        qubit: matrix
        for qubit, number in zip(bare.shape.active, numbers, strict=True)
        if (matrix := readout_matrix(rules, number)) is not None
    }
    return replace(bare, rules=rules, noise=model, readout=readout), locations


def _ideal(job: CircuitJob, circuit: QuantumCircuit, memory_available: int) -> Program | None:
    program = Program(circuit, examine(circuit))
    profile = profile_of(circuit, program.shape)
    every = plans(profile, replace(wanted(job), method=None, state=True), memory_available=memory_available)
    method = Method.DENSITY_MATRIX if program.mixed else Method.STATEVECTOR  # channels of the circuit's own stay
    plan = next(plan for plan in every if plan.method == method)
    cheap = plan.why_not is None and plan.seconds <= MAX_IDEAL_SECONDS and len(program.measured) <= MAX_IDEAL_BITS
    return program if cheap else None
