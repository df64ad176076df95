"""What is refused at the door: circuits that no simulator here can hold, and sources that would choke a parser.

Nothing is parsed or simulated. A source is judged by its text, because the parsers take seconds and gigabytes, or
abort the interpreter, on the inputs refused here. Text that passes is still parsed in a child that may be killed.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from qstill.contract.circuits.cirq.shape import check_cirq_shape
from qstill.contract.circuits.cirq.text import check_cirq, document
from qstill.contract.circuits.cost.json_profile import profile_of
from qstill.contract.circuits.cost.openqasm_profile import openqasm_profile
from qstill.contract.circuits.formats import (
    Circuit,
    CirqCircuit,
    JsonCircuit,
    OpenQasm2Circuit,
    OpenQasm3Circuit,
    TemplateCircuit,
    free_parameters,
)
from qstill.contract.circuits.gates import MAX_CLBITS, MAX_QUBITS
from qstill.contract.circuits.job import MAX_BINDINGS, MAX_CIRCUITS, MAX_SHOTS, CircuitJob
from qstill.contract.circuits.methods import best
from qstill.contract.circuits.noise.model import CustomNoise, check_rules
from qstill.contract.circuits.noise.named import as_custom
from qstill.contract.circuits.openqasm2 import reader as openqasm2
from qstill.contract.circuits.openqasm3 import door as openqasm3
from qstill.contract.circuits.openqasm3.limits import Limits as ProgramLimits
from qstill.contract.circuits.outputs import (
    DYNAMIC,
    MAX_PROBABILITY_QUBITS,
    NOISY,
    NONE_OF_A_NOISY_CIRCUIT,
    STATE_LIMITS,
    check_observable,
    check_state_size,
    no_final_state,
)
from qstill.contract.circuits.profile import Method, Profile, Wanted
from qstill.contract.circuits.source_text import (
    MAX_EXPANDED_OPERATIONS,
    MAX_LOOP_ITERATIONS,
    MAX_NESTING,
    SOURCE,
)
from qstill.contract.circuits.templates import size as templates
from qstill.contract.errors import Problem

TEMPLATE = "/circuit/template"
MAX_HISTOGRAM_CHARACTERS = 400_000_000  # 10^7 shots of a register of 4,096 bits would be 40 GB of keys


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one job may hold. The defaults are what the code was tried with; an operator may lower them."""

    memory_available: int
    qubits: int = MAX_QUBITS
    clbits: int = MAX_CLBITS
    operations: int = MAX_EXPANDED_OPERATIONS
    shots: int = MAX_SHOTS
    circuits: int = MAX_CIRCUITS
    bindings: int = MAX_BINDINGS
    nesting: int = MAX_NESTING
    loop_iterations: int = MAX_LOOP_ITERATIONS

    @property
    def openqasm3(self) -> ProgramLimits:
        return ProgramLimits(
            qubits=self.qubits, bits=self.clbits, operations=self.operations, iterations=self.loop_iterations
        )


def admit(job: CircuitJob, limits: Limits) -> None:
    """Raise `Problem` where the job cannot succeed."""
    admit_reading(job, limits)
    for index, circuit in enumerate(job.programs):
        try:
            _check_methods(circuit, job, limits)
        except Problem as problem:
            raise relocated(problem, job, index) from None


def admit_reading(job: CircuitJob, limits: Limits) -> None:
    """Raise `Problem` where the job's circuits are too large to be read, whatever is done with them then."""
    for name, value, limit in (
        ("shots", job.shots, limits.shots),
        ("circuits", len(job.programs), limits.circuits),
        ("bindings", len(job.bindings or ()), limits.bindings),
    ):
        if value > limit:
            raise Problem(
                f"too_many_{name}", f"{value:,} {name} are asked for; {limit:,} are allowed.", pointer=f"/{name}"
            )
    operations = 0
    for index, circuit in enumerate(job.programs):
        try:
            operations += check_size(circuit, limits)
        except Problem as problem:
            raise relocated(problem, job, index) from None
        if operations > limits.operations:
            message = f"The circuits have more than {limits.operations:,} operations together."
            raise Problem("too_many_operations", message, pointer=f"/circuits/{index}")


def relocated(problem: Problem, job: CircuitJob, index: int) -> Problem:
    """The problem with its pointer at the circuit of a batch that it is about."""
    if job.circuits is not None and problem.pointer is not None and problem.pointer.startswith("/circuit"):
        problem.pointer = f"/circuits/{index}{problem.pointer.removeprefix('/circuit')}"
    return problem


def wanted(job: CircuitJob) -> Wanted:
    """What of the request bears on the method."""
    states = {"probabilities", "statevector", "density_matrix"}
    return Wanted(
        shots=job.shots,
        method=_method(job),
        state=not states.isdisjoint(job.outputs),
        pure="statevector" in job.outputs,
        observables=bool(job.observables),
        max_bond_dimension=job.truncation.max_bond_dimension,
    )


def probabilities_alone(job: CircuitJob) -> bool:
    """Whether exact probabilities are asked for and no state and no noise: then a measurement or a reset in the middle
    decides nothing that could not be decided at the end.
    """
    return "probabilities" in job.outputs and STATE_LIMITS.keys().isdisjoint(job.outputs) and not is_noisy(job)


def _put_off(profile: Profile, job: CircuitJob) -> Profile:
    """The circuit's profile after that, at the least: how many qubits it takes the worker sees."""
    return replace(profile, dynamic=False) if probabilities_alone(job) and not profile.conditional else profile


def _method(job: CircuitJob) -> Method | None:
    if job.precision == "single":
        return Method.STATEVECTOR
    return None if job.method == "auto" else Method(job.method)


def check_size(circuit: Circuit, limits: Limits) -> int:
    """Returns how many operations the circuit has, as far as its text tells."""
    match circuit:
        case OpenQasm3Circuit():
            openqasm3.check_openqasm3(circuit.source, limits.openqasm3)
            return circuit.source.count(";")
        case OpenQasm2Circuit():
            openqasm2.check_openqasm2(
                circuit.source,
                openqasm2.Limits(
                    qubits=limits.qubits,
                    clbits=limits.clbits,
                    operations=limits.operations,
                    nesting=limits.nesting,
                ),
            )
            return circuit.source.count(";")
        case CirqCircuit():
            whole = document(circuit.source)
            check_cirq(
                whole,
                max_qubits=limits.qubits,
                max_operations=limits.operations,
                max_nesting=limits.nesting,
            )
            check_cirq_shape(whole, text=isinstance(circuit.source, str))
            return 0
        case JsonCircuit():
            return _check_json_size(circuit, limits)
        case TemplateCircuit():
            _check_qubits(templates.size_of(circuit.template)[0], limits, TEMPLATE)
            return 0  # its fields bound its operations


def _check_json_size(circuit: JsonCircuit, limits: Limits) -> int:
    _check_qubits(circuit.qubits, limits, "/circuit/qubits")
    expanded = sum(len(operation.terms or operation.acts_on) for operation in circuit.operations)
    if expanded > limits.operations:
        raise Problem(
            "too_many_operations",
            f"The circuit has {expanded:,} operations, counting every target and Pauli term; "
            f"{limits.operations:,} are allowed.",
            pointer="/circuit/operations",
        )
    return expanded


def _check_qubits(qubits: int, limits: Limits, pointer: str) -> None:
    if qubits > limits.qubits:
        message = f"The circuit has {qubits:,} qubits; {limits.qubits:,} are allowed."
        raise Problem("too_many_qubits", message, pointer=pointer)


def _check_methods(circuit: Circuit, job: CircuitJob, limits: Limits) -> None:
    """Refuse what no method can run, as far as the circuit is understood here; the worker judges again."""
    match circuit:
        case JsonCircuit():
            _check_parameters(set(free_parameters(circuit)), job, "/circuit/operations")
            rules = None if job.noise is None else as_custom(job.noise)
            profile = _put_off(profile_of(circuit, rules=rules), job)
            _check_asked(job, circuit.qubits, profile, rules)
            best(profile, wanted(job), memory_available=limits.memory_available, pointer="/circuit/qubits")
            check_histogram(job, active=profile.qubits, clbits=circuit.qubits)
        case TemplateCircuit():
            for index, binding in enumerate(job.bindings or ()):
                check_binding(frozenset(), binding, f"/bindings/{index}")
            rules = None if job.noise is None else as_custom(job.noise)
            made = templates.profile_of(circuit.template, rules=rules)
            _check_asked(job, made.qubits, made, rules)
            best(made, wanted(job), memory_available=limits.memory_available, pointer=TEMPLATE)
            check_histogram(job, active=made.qubits, clbits=made.clbits)
        case OpenQasm3Circuit() if (
            program := openqasm3.elaborated(circuit.source, limits.openqasm3)
        ) and program.inputs:
            _check_parameters(set(program.inputs), job, SOURCE)
        case OpenQasm3Circuit() | OpenQasm2Circuit() if job.device is None and not is_noisy(job):
            if (found := openqasm_profile(circuit, limits.openqasm3)) is not None:
                best(_put_off(found, job), wanted(job), memory_available=limits.memory_available, pointer=SOURCE)


def _check_asked(job: CircuitJob, qubits: int, profile: Profile, rules: CustomNoise | None) -> None:
    """Refuse states, observables and rules of the noise that a circuit of so many qubits does not have."""
    if rules is not None and job.device is None and job.circuits is None:  # of a batch, another may have them
        check_rules(rules, qubits)
    for index, observable in enumerate(job.observables):
        check_observable(observable, qubits, f"/observables/{index}")
    for name in STATE_LIMITS:
        if name in job.outputs:
            check_state_size(name, qubits)
            if profile.dynamic:
                raise no_final_state(DYNAMIC, "counts")
            if profile.locations and name in NONE_OF_A_NOISY_CIRCUIT:
                raise no_final_state(NOISY.format(name), "density_matrix")


def is_noisy(job: CircuitJob) -> bool:
    return job.noise is not None and job.noise.model != "ideal"


def _check_parameters(free: Set[str], job: CircuitJob, pointer: str) -> None:
    """Every free parameter has a value in every binding, and no binding names another."""
    if free and job.bindings is None:
        raise Problem(
            "unbound_parameters",
            f"The circuit has parameters without a value: {', '.join(sorted(free))}.",
            pointer=pointer,
            ways_out=[{"bindings": [dict.fromkeys(sorted(free), 0.0)]}],
        )
    for index, binding in enumerate(job.bindings or ()):
        check_binding(free, binding, f"/bindings/{index}")


def check_binding(free: Set[str], binding: Mapping[str, float], pointer: str) -> None:
    """Raise Problem where a binding leaves a parameter open, or names one that the circuit does not have."""
    for name in sorted(free ^ binding.keys()):
        if name in free:
            raise Problem("unbound_parameters", f"The parameter {name!r} has no value.", pointer=pointer)
        raise Problem("unknown_parameter", f"The circuit has no parameter {name!r}.", pointer=f"{pointer}/{name}")


def check_histogram(job: CircuitJob, *, active: int, clbits: int) -> None:
    """Refuse counts whose keys alone would not fit: at most min(shots, 2^active) of them, of `clbits` characters."""
    keys = min(job.shots, 1 << active)
    if "probabilities" in job.outputs:
        keys = max(keys, 1 << min(active, MAX_PROBABILITY_QUBITS))
    if "memory" in job.outputs:
        keys += job.shots
    if keys * clbits * job.runs > MAX_HISTOGRAM_CHARACTERS:
        fewer = max(1, MAX_HISTOGRAM_CHARACTERS // (clbits * job.runs))
        raise Problem(
            "histogram_too_large",
            f"Up to {keys * job.runs:,} different outcomes of {clbits:,} bits each are more than a histogram holds.",
            pointer="/shots",
            ways_out=[{"shots": fewer}],
        )
