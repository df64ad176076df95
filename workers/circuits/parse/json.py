"""Circuits as JSON: IonQ's gate names, qis and native, with measurements, resets and barriers."""

from collections.abc import Callable
from math import pi

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Gate
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
from qiskit.quantum_info import SparsePauliOp

from app.circuits.formats import JsonCircuit
from app.circuits.gates import Operation
from app.errors import Problem
from workers.circuits import matrices

MAX_DENSE_PAULI_QUBITS = 8  # the exponential of a sum that does not commute is a matrix of 4^n numbers

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
_ROTATIONS: dict[str, Callable[[float], Gate]] = {
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
    for index, operation in enumerate(circuit.operations):
        try:
            _append(parsed, operation)
        except Problem as problem:
            raise problem.within(f"/circuit/operations/{index}") from None
    return parsed


def _append(circuit: QuantumCircuit, operation: Operation) -> None:
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
            gate = _gate(operation)
            controls = operation.controlled_by
            if controls:
                gate = gate.control(len(controls), annotated=False)
            groups = [targets] if operation.gate in _TOGETHER else [[target] for target in targets]
            if operation.gate == "ms":
                groups = [targets[::-1]]  # Qiskit's first qubit is the low bit of a matrix's index
            for group in groups:
                qubits = [circuit.qubits[qubit] for qubit in (*controls, *group)]
                circuit._append(CircuitInstruction(gate, qubits))


def _gate(operation: Operation) -> Gate:
    if operation.rotation is not None:
        return _ROTATIONS[operation.gate](operation.rotation)
    if operation.gate in _FIXED:
        return _FIXED[operation.gate]()
    phase = operation.phase
    match operation.gate:
        case "gpi" if phase is not None:
            return UnitaryGate(matrices.gpi(phase), label=f"GPI {phase:.3g}", check_input=False)
        case "gpi2" if phase is not None:
            return RGate(pi / 2, 2 * pi * phase)
        case "ms" if operation.phases is not None:
            phase0, phase1 = operation.phases
            angle = 0.25 if operation.angle is None else operation.angle
            return UnitaryGate(matrices.ms(phase0, phase1, angle), label="MS", check_input=False)
        case "zz":
            turns = operation.angle if operation.angle is not None else phase
            return RZZGate(2 * pi * (turns or 0.0))
        case _:
            return _pauli_exponential(operation)


def _pauli_exponential(operation: Operation) -> Gate:
    """Exact: a product of rotations where the terms commute, a matrix where they do not."""
    terms, coefficients = operation.terms or [], operation.coefficients or []
    qubits = len(operation.acts_on)
    time = operation.time or 0.0
    if _commute(terms):
        evolution = PauliEvolutionGate(SparsePauliOp(terms, np.array(coefficients)), time=time)
        gate: Gate = evolution.definition.to_gate(label="PAULIEXP")
        gate.name = "pauliexp"
        return gate
    if qubits > MAX_DENSE_PAULI_QUBITS:
        raise Problem(
            "pauliexp_too_wide",
            f"Terms that do not commute are exponentiated on up to {MAX_DENSE_PAULI_QUBITS} qubits, not {qubits}.",
            pointer="/terms",
            ways_out=[{"note": "Split the sum into commuting parts, one pauliexp each."}],
        )
    return UnitaryGate(matrices.pauli_exponential(terms, coefficients, time), label="PAULIEXP", check_input=False)


def _commute(terms: list[str]) -> bool:
    """Whether every two terms commute: they differ, neither being I, in an even number of places."""
    x = np.array([[letter in "XY" for letter in term] for term in terms], dtype=np.int32)
    z = np.array([[letter in "YZ" for letter in term] for term in terms], dtype=np.int32)
    return not ((x @ z.T + z @ x.T) % 2).any()
