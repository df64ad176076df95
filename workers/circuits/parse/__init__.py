"""From the formats that clients submit to Qiskit's `QuantumCircuit`, one module per format."""

from collections.abc import Mapping

from qiskit import QuantumCircuit
from qiskit.circuit import ControlFlowOp

from qstill.contract.circuits.formats import Circuit, CirqCircuit, JsonCircuit, OpenQasm2Circuit, TemplateCircuit
from qstill.contract.errors import Problem
from workers.circuits.classical import COMPUTE, READ
from workers.circuits.parse.cirq import parse_cirq
from workers.circuits.parse.json import parse_json
from workers.circuits.parse.openqasm2 import parse_openqasm2
from workers.circuits.parse.openqasm3 import parse_openqasm3
from workers.circuits.templates import prepare


def parse(circuit: Circuit, *, bound: bool = True, inputs: Mapping[str, float] | None = None) -> QuantumCircuit:
    """The circuit as submitted; where nothing is measured, all qubits are, at the end. Raises `Problem`.

    bound: a circuit with free parameters is refused; otherwise they are Qiskit's `Parameter`s of the same names.
    inputs: values for the `input`s of an OpenQASM 3 program, which may decide on more than angles.
    """
    parsed = _read(circuit, inputs)
    if bound:
        require_bound(parsed, pointer_of(circuit))
    return parsed if _measures(parsed) else _measured_at_the_end(parsed)


def pointer_of(circuit: Circuit) -> str:
    """The field that holds what the circuit does."""
    match circuit:
        case JsonCircuit():
            return "/circuit/operations"
        case TemplateCircuit():
            return "/circuit/template"
        case _:
            return "/circuit/source"


def require_bound(circuit: QuantumCircuit, pointer: str) -> None:
    """Raise `Problem` where the circuit has parameters without a value."""
    if circuit.parameters:
        names = ", ".join(sorted(parameter.name for parameter in circuit.parameters))
        note = "Give a value for each in `bindings`, or write the value where the name stands."
        raise Problem(
            "unbound_parameters",
            f"The circuit has parameters without a value: {names}.",
            pointer=pointer,
            ways_out=[{"note": note}],
        )


def _read(circuit: Circuit, inputs: Mapping[str, float] | None) -> QuantumCircuit:
    match circuit:
        case JsonCircuit():
            return parse_json(circuit)
        case CirqCircuit():
            return parse_cirq(circuit.source)
        case OpenQasm2Circuit():
            return parse_openqasm2(circuit.source)
        case TemplateCircuit():
            return prepare(circuit.template, seed=0, between=lambda: None).circuit
        case _:
            return parse_openqasm3(circuit.source, inputs)


def _measures(circuit: QuantumCircuit) -> bool:
    for instruction in circuit.data:
        if instruction.operation.name in ("measure", READ, COMPUTE):
            return True
        if isinstance(instruction.operation, ControlFlowOp) and any(map(_measures, instruction.operation.blocks)):
            return True
    return False


def _measured_at_the_end(circuit: QuantumCircuit) -> QuantumCircuit:
    """Qubit i measured into clbit i. Clbits that were declared but never used are dropped."""
    if any(instruction.clbits for instruction in circuit.data):
        circuit.measure_all()
        return circuit
    bare = QuantumCircuit(circuit.qubits, *circuit.qregs, global_phase=circuit.global_phase, metadata=circuit.metadata)
    for instruction in circuit.data:
        bare._append(instruction)
    bare.measure_all()
    return bare
