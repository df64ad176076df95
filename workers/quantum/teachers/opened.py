"""A template as teacher: the circuit whose angles it searches for, written out, and the cost that it minimises."""

from qiskit.quantum_info import SparsePauliOp

from qstill.contract.circuits.formats import OpenQasm3Circuit, TemplateCircuit
from qstill.contract.circuits.outputs import Observable, PauliTerm
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from workers.circuits.export.openqasm3 import to_openqasm3
from workers.circuits.templates.landscapes import landscape
from workers.quantum.teachers.frequencies import Frequencies


def opened(spec: CircuitTeacher) -> tuple[CircuitTeacher, Frequencies | None]:
    """The teacher with all that it leaves to its template; the sum that it is, where that is known beforehand."""
    found = landscape(spec.circuit.template) if isinstance(spec.circuit, TemplateCircuit) else None
    if found is None:
        return spec, None
    count = len(spec.parameters)
    known = None if found.frequencies is None else Frequencies((found.frequencies,) * count, (1.0,) * count)
    told = {
        "circuit": OpenQasm3Circuit(format="openqasm3", source=to_openqasm3(found.circuit)),
        "inputs": spec.parameters,
        "observables": spec.observables or [_cost(found.cost)],
    }
    return spec.model_copy(update=told), known


def start_of(spec: CircuitTeacher) -> list[float] | None:
    """Where the template's own search begins, by the teacher's inputs; None of another circuit."""
    found = landscape(spec.circuit.template) if isinstance(spec.circuit, TemplateCircuit) else None
    if found is None:
        return None
    places = {each.name: number for number, each in enumerate(found.circuit.parameters)}
    return [float(found.start[places[name]]) for name in spec.parameters]


def _cost(operator: SparsePauliOp) -> Observable:
    terms = [PauliTerm(paulis=label, coefficient=float(weight.real)) for label, weight in operator.to_list()]
    return Observable(name="cost", terms=terms)
