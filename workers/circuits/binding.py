"""Values for the free parameters of a circuit, wherever they stand: in blocks, definitions, controlled gates, phases.

Qiskit's own `assign_parameters` lets copies of a circuit share the definitions of gates inside blocks, so that every
copy gets the values of one; and it looks into no gate whose `params` name no parameter. Here nothing is shared that has
a parameter: what Qiskit binds itself are its standard gates and global phases, which hold numbers alone.
"""

from collections.abc import Iterator, Mapping, Sequence

from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    ControlFlowOp,
    ControlledGate,
    Instruction,
    Operation,
    Parameter,
    ParameterExpression,
)

from workers.circuits.parse.values import Value

Values = Mapping[Parameter, float] | Mapping[Parameter, Parameter]


def bind(circuit: QuantumCircuit, bindings: Sequence[Mapping[str, float]]) -> Iterator[QuantumCircuit]:
    """The circuit with each of these sets of values for its parameters, by name."""
    own = {parameter.name: parameter for parameter in circuit.parameters}
    for binding in bindings:
        yield bound(circuit, {own[name]: value for name, value in binding.items()})


def bound(circuit: QuantumCircuit, values: Values) -> QuantumCircuit:
    """A circuit of its own; parameters without a value stay."""
    found = circuit.copy_empty_like()
    for instruction in circuit.data:
        operation = instruction.operation
        own = operation if _is_plain(operation) else _bound(operation, values)
        found._append(instruction if own is operation else instruction.replace(operation=own))
    if found.parameters:
        found.assign_parameters(values, inplace=True, strict=False)
    return found


def _is_plain(operation: Operation) -> bool:
    """Whether Qiskit keeps the operation as a name and numbers, and copies it with its circuit."""
    standard = getattr(operation, "_standard_gate", None) is not None
    return standard and (
        not isinstance(operation, ControlledGate) or operation.ctrl_state + 1 == 1 << operation.num_ctrl_qubits
    )


def _bound(operation: Operation, values: Values) -> Operation:
    """The operation with values; itself where it has no parameter."""
    if isinstance(operation, ControlFlowOp):
        return operation.replace_blocks([bound(block, values) for block in operation.blocks])
    if isinstance(operation, AnnotatedOperation):
        base = _bound(operation.base_op, values)
        return operation if base is operation.base_op else AnnotatedOperation(base, operation.modifiers)
    if not _has_parameters(operation):
        return operation
    if type(operation) is ControlledGate:  # written out with numbers, as it is in a circuit of numbers
        base, controls = _bound(operation.base_gate, values), operation.num_ctrl_qubits
        return base.control(controls, label=operation.label, ctrl_state=operation.ctrl_state, annotated=False)
    own = operation.copy()
    if isinstance(own, ControlledGate):
        own.base_gate = _bound(own.base_gate, values)
    else:
        own.params = [_value(parameter, values) for parameter in own.params]
    if type(own)._define is not Instruction._define:
        own._definition = None  # it is made of the numbers when it is asked for
    elif own._definition is not None:
        own.definition = bound(own._definition, values)
    return own


def _has_parameters(operation: Operation) -> bool:
    if any(isinstance(parameter, ParameterExpression) for parameter in getattr(operation, "params", ())):
        return True
    if isinstance(operation, ControlledGate) and _has_parameters(operation.base_gate):
        return True
    definition = getattr(operation, "_definition", None)
    return definition is not None and _is_parametrised(definition)


def _is_parametrised(circuit: QuantumCircuit) -> bool:
    return bool(circuit.parameters) or any(_has_parameters(instruction.operation) for instruction in circuit.data)


def _value(value: Value, values: Values) -> Value:
    if not isinstance(value, ParameterExpression):
        return value
    for parameter in value.parameters & values.keys():
        value = value.assign(parameter, values[parameter])
    return value if value.parameters else float(value.numeric())
