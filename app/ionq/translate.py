"""From IonQ's request to a circuit job of this service, and from our pointers back to the client's fields. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from app.http.refusals.problems import invalid
from app.ionq.machines import NATIVE_GATES, QIS_GATES, Machine
from app.ionq.product import first_order
from app.ionq.schemas import Asked, CircuitRequest, CircuitsRequest, Gate, Gateset, JobRequest, Qasm3Request
from qstill.contract.circuits.formats import JsonCircuit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.noise.model import IonqName
from qstill.contract.circuits.outputs import WHERE_POSSIBLE
from qstill.contract.errors import Problem

DEFAULT_SHOTS = 100
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


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a job computes, whatever else was asked with it.

    circuits: the part of a `CircuitJob` that holds them. qubits: of the widest, as far as the client said.
    names: those of several circuits; None where there is one by itself.
    """

    type: str
    circuits: Mapping[str, Any]
    qubits: int
    names: Sequence[str | None] | None = None


def work_of(request: JobRequest) -> Work:
    """Raises Problem where a gateset has no such gate."""
    match request:
        case CircuitRequest():
            gateset = request.input.gateset or "qis"
            operations = _operations(request.input.circuit, gateset, "/input/circuit")
            circuit = {"format": "json", "qubits": request.input.qubits, "operations": operations}
            return Work(type=request.type, circuits={"circuit": circuit}, qubits=request.input.qubits)
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
            names = [circuit.name for circuit in given.circuits]
            return Work(type=request.type, circuits={"circuits": circuits}, qubits=qubits, names=names)
        case Qasm3Request():
            program = {"format": "openqasm3", "source": request.input.data}
            return Work(type=request.type, circuits={"circuit": program}, qubits=request.input.qubits or 0)


def circuit_job(work: Work, asked: Asked, machine: Machine) -> CircuitJob:
    """The job that answers a request. Raises Problem, with pointers into the request."""
    body = {
        "shots": 1 if asked.dry_run else shots_of(asked),
        "name": _title(asked.name),
        **work.circuits,
        **_noise(asked, machine),
    }
    if "noise" not in body and not asked.dry_run:
        body["outputs"] = ["counts", WHERE_POSSIBLE]
    try:
        job = CircuitJob.model_validate({name: value for name, value in body.items() if value is not None})
    except ValidationError as error:
        found = [{**item, "loc": ("body", *item["loc"])} for item in error.errors()]
        raise in_their_words(invalid(found, body)) from None
    if machine.simulated and work.qubits > machine.qubits:
        title = f"{machine.name} has {machine.qubits} qubits; the circuit needs {work.qubits}."
        raise Problem("not_enough_qubits", title, pointer="/input/qubits")
    return job


def as_compiled(job: CircuitJob) -> CircuitJob:
    """The job with its circuits' `pauliexp` as IonQ compiles them. Raises Problem (too_many_operations)."""
    circuits = [
        first_order(each, f"/circuits/{index}/operations" if job.circuits is not None else "/circuit/operations")
        if isinstance(each, JsonCircuit)
        else each
        for index, each in enumerate(job.programs)
    ]
    return job.model_copy(update={"circuit": circuits[0]} if job.circuits is None else {"circuits": circuits})


def shots_of(asked: Asked) -> int:
    return asked.shots or DEFAULT_SHOTS


def remarks(asked: Asked, machine: Machine) -> list[str]:
    """What the client should know about how the job is done."""
    said = []
    if machine.borrows:
        said.append(
            f"{machine.name} is simulated here, with the noise of {machine.noise}: none is published for it; no "
            "hardware is involved."
        )
    elif machine.simulated:
        said.append(f"{machine.name} is simulated here, with the noise published for it; no hardware is involved.")
    if (asked.settings or {}).get("error_mitigation") not in (None, {}, {"debiasing": False}):
        said.append("Error mitigation has no effect here.")
    if asked.dry_run:
        said.append("This is a dry run: the job is checked and compiled, and has no results.")
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


def _noise(asked: Asked, machine: Machine) -> dict[str, Any]:
    """Without the distribution that there would be without noise: IonQ's answers have no place for it."""
    choice = asked.noise
    seed = {} if choice is None or choice.seed is None else {"seed": choice.seed}
    if machine.noise is not None:
        return seed | {"noise": {"model": machine.noise}, "ideal": False}
    if choice is None or choice.model == IDEAL:
        return seed
    if choice.model not in get_args(IonqName):
        known = ", ".join((IDEAL, *get_args(IonqName)))
        raise Problem("no_such_noise_model", f"There is no such noise model. Known: {known}.", pointer="/noise/model")
    return seed | {"noise": {"model": choice.model}, "ideal": False}
