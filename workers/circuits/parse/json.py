"""Circuits as JSON: IonQ's gate names, qis and native, with measurements, resets and barriers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import pi
from typing import cast

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Gate, Parameter
from qiskit.circuit.library import (
    HGate,
    PauliEvolutionGate,
    PhaseGate,
    RGate,
    RXGate,
    RXXGate,
    RYGate,
    RYYGate,
    RZGate,
    RZZGate,
    SdgGate,
    SGate,
    SwapGate,
    SXdgGate,
    SXGate,
    TdgGate,
    TGate,
    UnitaryGate,
    XGate,
    YGate,
    ZGate,
)
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import SparsePauliOp

from qstill.contract.circuits.expressions import ExpressionError, compile_expression
from qstill.contract.circuits.formats import JsonCircuit
from qstill.contract.circuits.gates import Condition, Operation
from qstill.contract.errors import Problem
from workers.circuits import matrices
from workers.circuits.parse.own_gates import MARK
from workers.circuits.parse.values import Value

MAX_DENSE_PAULI_QUBITS = 8  # the exponential of a sum that does not commute is a matrix of 4^n numbers
SPLIT = "Split the sum into commuting parts, one pauliexp each."


_FIXED: dict[str, type[Gate]] = {
    "x": XGate,
    "not": XGate,
    "cnot": XGate,
    "y": YGate,
    "z": ZGate,
    "h": HGate,
    "s": SGate,
    "si": SdgGate,
    "t": TGate,
    "ti": TdgGate,
    "v": SXGate,
    "vi": SXdgGate,
    "swap": SwapGate,
}
_ROTATIONS: dict[str, Callable[[Value], Gate]] = {
    "rx": RXGate,
    "ry": RYGate,
    "rz": RZGate,
    "z": PhaseGate,
    "xx": RXXGate,
    "yy": RYYGate,
    "zz": RZZGate,
}
_TOGETHER = {"swap", "xx", "yy", "zz", "ms", "pauliexp"}  # all other gates act on each target by itself


def parse_json(circuit: JsonCircuit) -> QuantumCircuit:
    """The circuit in Qiskit. A measurement writes qubit q to clbit q unless the operation says otherwise."""
    measured = [op for op in circuit.operations if op.gate == "measure"]
    clbits = max([circuit.qubits, *(1 + bit for op in measured for bit in op.writes)]) if measured else 0
    parsed = QuantumCircuit(circuit.qubits, clbits)
    parameters: dict[str, Parameter] = {}
    for index, operation in enumerate(circuit.operations):
        try:
            if operation.condition is None:
                _append(parsed, operation, parameters)
                continue
            with _where(operation.condition, parsed):
                _append(parsed, operation, parameters)
        except Problem as problem:
            raise problem.within(f"/circuit/operations/{index}") from None
    return parsed


@contextmanager
def _where(condition: Condition, circuit: QuantumCircuit) -> Iterator[None]:
    """What is appended meanwhile happens under the condition: on the whole register, or one `if` in another."""
    with ExitStack() as stack:
        if len(condition.reads) > 1 and condition.reads == [*range(circuit.num_clbits)]:
            stack.enter_context(circuit.if_test((circuit.cregs[0], condition.value)))
        else:
            for clbit, value in condition.bits:
                stack.enter_context(circuit.if_test((circuit.clbits[clbit], value)))
        yield


def _append(circuit: QuantumCircuit, operation: Operation, parameters: dict[str, Parameter]) -> None:
    targets = operation.acts_on
    match operation.gate:
        case "nop":
            return
        case "measure":
            circuit.measure(targets, operation.writes)
        case "reset":
            circuit.reset(targets)
        case "barrier":
            circuit.barrier(*([targets] if targets else []))
        case _:
            gate = _gate(operation, parameters)
            controls = operation.controlled_by
            groups = [targets] if operation.gate in _TOGETHER else [[target] for target in targets]
            if operation.gate == "ms":
                groups = [targets[::-1]]  # Qiskit's first qubit is the low bit of a matrix's index
            if controls and isinstance(gate, UnitaryGate):
                gate = _controlled_matrix(gate, len(controls))
                groups = [[*group, *controls] for group in groups]
            elif controls:
                gate = gate.control(len(controls), annotated=False)
                groups = [[*controls, *group] for group in groups]
            append = circuit._append if operation.condition is None else circuit.append  # which minds an open `if`
            for group in groups:
                append(CircuitInstruction(gate, [circuit.qubits[qubit] for qubit in group]))


def _controlled_matrix(gate: UnitaryGate, controls: int) -> UnitaryGate:
    """Qiskit would decompose a matrix before it controls it: seconds, and for 20 controls a terabyte."""
    if gate.num_qubits + controls > MAX_DENSE_PAULI_QUBITS:
        raise Problem(
            "pauliexp_too_wide",
            f"Terms that do not commute are exponentiated on up to {MAX_DENSE_PAULI_QUBITS} qubits, controls included.",
            pointer="/controls",
            ways_out=[{"note": SPLIT}],
        )
    return UnitaryGate(matrices.controlled(gate.params[0], controls), label=f"C-{gate.label}", check_input=False)


def _gate(operation: Operation, parameters: dict[str, Parameter]) -> Gate:
    matrix = not operation.controlled_by  # of a controlled gate only a part needs the controls

    def number(written: float | str | None, pointer: str, absent: float = 0.0) -> Value:
        if isinstance(written, str):
            return _value(written, parameters, pointer)
        return absent if written is None else written

    if operation.rotation is not None:
        return _ROTATIONS[operation.gate](number(operation.rotation, "/rotation"))
    if operation.gate in _FIXED:
        return _FIXED[operation.gate]()
    phase, angle = number(operation.phase, "/phase"), number(operation.angle, "/angle", 0.25)
    match operation.gate:
        case "gpi":
            return _gpi(phase, matrix=matrix)
        case "gpi2":
            return RGate(pi / 2, 2 * pi * phase)
        case "ms" if operation.phases is not None:
            phase0, phase1 = (number(written, f"/phases/{i}") for i, written in enumerate(operation.phases))
            return _ms(phase0, phase1, angle, matrix=matrix)
        case "zz":
            return RZZGate(2 * pi * (phase if operation.angle is None else angle))
        case _:
            coefficients = [number(c, f"/coefficients/{i}") for i, c in enumerate(operation.coefficients or [])]
            return _pauli_exponential(operation, coefficients, number(operation.time, "/time"))


def _value(text: str, parameters: dict[str, Parameter], pointer: str) -> Value:
    """An expression in radians, turns or whatever its field is in. A name is the same parameter everywhere."""
    expression = compile_expression(text)
    for name in expression.names:
        if name not in parameters:
            parameters[name] = Parameter(name)
    try:
        return cast(Value, expression.evaluate(parameters))
    except (ExpressionError, QiskitError, ArithmeticError, TypeError, ValueError) as error:
        raise Problem("expression_invalid", f"{text!r} has no value: {error}", pointer=pointer) from None


def _gpi(phase: Value, *, matrix: bool) -> Gate:
    """GPI(φ) is X between two phases. phase: φ, turns. matrix: as a matrix if φ is a number."""
    if matrix and isinstance(phase, float):
        return UnitaryGate(matrices.gpi(phase), label=f"GPI {phase:.3g}", check_input=False)
    circuit = QuantumCircuit(1, name=f"gpi{MARK}")
    circuit.p(-2 * pi * phase, 0)
    circuit.x(0)
    circuit.p(2 * pi * phase, 0)
    return circuit.to_gate(label="GPI")


def _ms(phase0: Value, phase1: Value, angle: Value, *, matrix: bool) -> Gate:
    """MS is XX between phases, as GPI is X. All in turns. matrix: as a matrix if all are numbers."""
    if matrix and isinstance(phase0, float) and isinstance(phase1, float) and isinstance(angle, float):
        return UnitaryGate(
            matrices.ms(phase0, phase1, angle), label=f"MS {phase0:.3g}, {phase1:.3g}, {angle:.3g}", check_input=False
        )
    circuit = QuantumCircuit(2, name=f"ms{MARK}")
    for qubit, phase in ((1, phase0), (0, phase1)):  # the first target is the high bit
        circuit.p(-2 * pi * phase, qubit)
    circuit.rxx(2 * pi * angle, 0, 1)
    for qubit, phase in ((1, phase0), (0, phase1)):
        circuit.p(2 * pi * phase, qubit)
    return circuit.to_gate(label="MS")


def _pauli_exponential(operation: Operation, coefficients: list[Value], time: Value) -> Gate:
    """Exact: a product of rotations where the terms commute, a matrix where they do not."""
    terms, qubits = operation.terms or [], len(operation.acts_on)
    label = f"PAULIEXP {', '.join(terms)}"
    if _commute(terms):
        circuit = QuantumCircuit(qubits, name=f"pauliexp{MARK}")
        for term, coefficient in zip(terms, coefficients, strict=True):
            if term.strip("I"):
                evolution = PauliEvolutionGate(SparsePauliOp(term), time=time * coefficient)
                circuit.compose(evolution.definition, inplace=True)
            else:
                circuit.global_phase -= time * coefficient
        return circuit.to_gate(label=label)
    numbers = [coefficient for coefficient in coefficients if isinstance(coefficient, float)]
    if len(numbers) < len(coefficients) or not isinstance(time, float):
        message = "Free parameters are possible where all terms commute; these do not."
        raise Problem("pauliexp_not_symbolic", message, pointer="/terms", ways_out=[{"note": SPLIT}])
    if qubits > MAX_DENSE_PAULI_QUBITS:
        raise Problem(
            "pauliexp_too_wide",
            f"Terms that do not commute are exponentiated on up to {MAX_DENSE_PAULI_QUBITS} qubits, not {qubits}.",
            pointer="/terms",
            ways_out=[{"note": SPLIT}],
        )
    return UnitaryGate(matrices.pauli_exponential(terms, numbers, time), label=label, check_input=False)


def _commute(terms: list[str]) -> bool:
    """Whether every two terms commute: they differ, neither being I, in an even number of places."""
    x = np.array([[letter in "XY" for letter in term] for term in terms], dtype=np.int32)
    z = np.array([[letter in "YZ" for letter in term] for term in terms], dtype=np.int32)
    return not ((x @ z.T + z @ x.T) % 2).any()
