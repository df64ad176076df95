"""From IonQ's request to a circuit job of this service, and from our pointers back to the client's fields. Pure."""

import re
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import ValidationError

from app.circuits.facts import active_qubits
from app.circuits.formats import Circuit, JsonCircuit, OpenQasm3Circuit
from app.circuits.noise import IonqName
from app.circuits.qasm_facts import qasm_facts
from app.circuits.schemas import CircuitJob
from app.errors import Problem
from app.http.problems import invalid
from app.ionq.machines import NATIVE_GATES, QIS_GATES, Machine
from app.ionq.schemas import CircuitRequest, CircuitsRequest, Gate, Gateset, JobRequest, Qasm3Request

DEFAULT_SHOTS = 100
MAX_EXACT_QUBITS = 20  # active ones of a circuit whose exact probabilities are computed; beyond, shots are counted
MAX_EXACT_CHARACTERS = 200_000_000  # of a job's results, so that they can be read again
NUMBER_CHARACTERS = 30  # of a probability as it is written beside its key
IDEAL = "ideal"

_GATES: dict[Gateset, tuple[str, ...]] = {"qis": QIS_GATES, "native": NATIVE_GATES}
_PARAMETERS: dict[Gateset, tuple[str, ...]] = {
    "qis": ("rotation", "terms", "coefficients", "time"),
    "native": ("phase", "phases", "angle"),
}
_QUBITS = ("target", "targets", "control", "controls")

_OURS_AND_THEIRS = (  # JSON pointers: of a circuit job, of IonQ's request
    (r"^/circuit/operations", "/input/circuit"),
    (r"^/circuits/(\d+)/operations", r"/input/circuits/\1/circuit"),
    (r"^/circuits?(/\d+)?/qubits", "/input/qubits"),
    (r"^/circuit/source", "/input/data"),
    (r"^/circuit(s?)", r"/input/circuit\1"),
    (r"^/seed", "/noise/seed"),
)


def circuit_job(request: JobRequest, machine: Machine) -> CircuitJob:
    """The job that answers a request. Raises Problem, with pointers into the request."""
    body = {"shots": 1 if request.dry_run else request.shots or DEFAULT_SHOTS, "name": _title(request.name)}
    body |= _circuits(request) | _noise(request, machine)
    try:
        job = CircuitJob.model_validate({name: value for name, value in body.items() if value is not None})
    except ValidationError as error:
        found = [{**item, "loc": ("body", *item["loc"])} for item in error.errors()]
        raise in_their_words(invalid(found, body)) from None
    qubits = width(request, job)
    if machine.simulated and qubits > machine.qubits:
        title = f"{machine.name} has {machine.qubits} qubits; the circuit needs {qubits}."
        raise Problem("not_enough_qubits", title, pointer="/input/qubits")
    if exact(job) and not request.dry_run:
        job = job.model_copy(update={"outputs": ["counts", "probabilities"]})
    return job


def exact(job: CircuitJob) -> bool:
    """Whether the final states of all circuits give their exact probabilities; otherwise shots are counted."""
    if job.noise is not None:
        return False
    sizes = [_size(circuit) for circuit in job.programs]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return False
    active = max(size[0] for size in known)
    characters = len(sizes) * (max(size[1] for size in known) + NUMBER_CHARACTERS)
    return active <= MAX_EXACT_QUBITS and characters << active <= MAX_EXACT_CHARACTERS


def _size(circuit: Circuit) -> tuple[int, int] | None:
    """(active qubits, bits of a key); None where measurements decide what happens, or the text is not understood."""
    match circuit:
        case JsonCircuit():
            return len(active_qubits(circuit)), circuit.qubits
        case OpenQasm3Circuit() if (facts := qasm_facts(circuit)) is not None and not facts.dynamic:
            return facts.qubits, facts.clbits
        case _:
            return None


def width(request: JobRequest, job: CircuitJob) -> int:
    """The qubits of the widest circuit, as far as the request says."""
    return max((c.qubits for c in job.programs if isinstance(c, JsonCircuit)), default=request.input.qubits or 0)


def remarks(request: JobRequest, machine: Machine, job: CircuitJob) -> list[str]:
    """What the client should know about how the job is done."""
    said = []
    if machine.simulated:
        said.append(f"{machine.name} is simulated here, with the noise published for it; no hardware is involved.")
    if (request.settings or {}).get("error_mitigation") not in (None, {}, {"debiasing": False}):
        said.append("Error mitigation has no effect here.")
    if request.dry_run:
        said.append("This is a dry run: the job is checked, and has no results.")
    elif job.noise is None and "probabilities" not in job.outputs and not isinstance(request, Qasm3Request):
        said.append(f"There are too many outcomes to list: the probabilities are frequencies of {job.shots} shots.")
    return said


def in_their_words(problem: Problem) -> Problem:
    """The problem with its pointers into IonQ's request instead of our job."""
    if problem.pointer is not None:
        pointer = _theirs(problem.pointer)
        problem.title = problem.title.replace(problem.pointer, pointer, 1)
        problem.pointer = pointer
    problem.errors = [
        {**error, "pointer": _theirs(error["pointer"])} if "pointer" in error else error for error in problem.errors
    ]
    return problem


def _theirs(pointer: str) -> str:
    for ours, theirs in _OURS_AND_THEIRS:
        if re.match(ours, pointer):
            return re.sub(ours, theirs, pointer)
    return pointer


def _title(name: str | None) -> str | None:
    """As much of a name as ours may hold; the client gets its own back."""
    return "".join(letter for letter in name or "" if letter.isprintable())[:200] or None


def _circuits(request: JobRequest) -> dict[str, Any]:
    match request:
        case CircuitRequest():
            gateset = request.input.gateset or "qis"
            operations = _operations(request.input.circuit, gateset, "/input/circuit")
            return {"circuit": {"format": "json", "qubits": request.input.qubits, "operations": operations}}
        case CircuitsRequest():
            given = request.input
            qubits = given.qubits or max(_width(circuit.circuit) for circuit in given.circuits)
            circuits = [
                {
                    "format": "json",
                    "qubits": qubits,
                    "operations": _operations(
                        circuit.circuit,
                        circuit.gateset or given.gateset or "qis",
                        f"/input/circuits/{index}/circuit",
                    ),
                }
                for index, circuit in enumerate(given.circuits)
            ]
            return {"circuits": circuits}
        case Qasm3Request():
            return {"circuit": {"format": "openqasm3", "source": request.input.data}}


def _width(gates: Sequence[Gate]) -> int:
    """One more than the highest qubit named."""
    named = [
        qubit
        for gate in gates
        for qubit in (gate.target, gate.control, *(gate.targets or ()), *(gate.controls or ()))
        if qubit is not None
    ]
    return max(named, default=0) + 1


def _operations(gates: Sequence[Gate], gateset: Gateset, pointer: str) -> list[dict[str, Any]]:
    known, kept = _GATES[gateset], ("gate", *_QUBITS, *_PARAMETERS[gateset])
    for index, gate in enumerate(gates):
        if gate.gate not in known:
            title = f"The gateset {gateset} has no gate {gate.gate!r}. Known: {', '.join(known)}."
            raise Problem("unsupported_gate", title, pointer=f"{pointer}/{index}/gate")
    return [{name: value for name in kept if (value := getattr(gate, name)) is not None} for gate in gates]


def _noise(request: JobRequest, machine: Machine) -> dict[str, Any]:
    """Without the distribution that there would be without noise: IonQ's answers have no place for it."""
    asked = request.noise
    seed = {} if asked is None or asked.seed is None else {"seed": asked.seed}
    if machine.noise is not None:
        return seed | {"noise": {"model": machine.noise}, "ideal": False}
    if asked is None or asked.model == IDEAL:
        return seed
    if asked.model not in get_args(IonqName):
        known = ", ".join((IDEAL, *get_args(IonqName)))
        raise Problem("no_such_noise_model", f"There is no such noise model. Known: {known}.", pointer="/noise/model")
    return seed | {"noise": {"model": asked.model}, "ideal": False}
