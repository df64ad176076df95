"""IonQ's native gates: what its compiler would make of a circuit, `gpi` and `gpi2` around `ms` or `zz`.

Qiskit writes the circuit in rzz and u. Every gate on one qubit waits until one on two follows, as a matrix, and is then
at most three pulses: GPI2(c)·GPI(b)·GPI2(a) is Z(2πc)·Y(2π(a+c-2b))·Z(-2πa), which is Euler's form of any rotation.
"""

from cmath import phase
from collections.abc import Iterator, Sequence
from math import atan2, copysign, pi, remainder, sqrt
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import UGate

from qstill.contract.circuits.device import Device
from qstill.contract.circuits.formats import Circuit, JsonCircuit
from qstill.contract.circuits.gates import Operation
from qstill.contract.circuits.inspection import NativeTarget
from qstill.contract.errors import Problem
from workers.circuits.device import compile_for
from workers.circuits.examine.shape import examine
from workers.circuits.matrices import Matrix

_BASIS = Device(basis_gates=["rzz", "u"], optimization_level=1)
_OWN = {"gpi", "gpi2", "ms", "zz", "nop"}
_NOTHING = 1e-10  # radians, turns or amplitudes: what floating point leaves of 0
DIGITS = 14  # of a number of turns
_I: Matrix = np.eye(2, dtype=np.complex128)
_X: Matrix = np.array([[0, 1], [1, 0]], dtype=np.complex128)
_Z: Matrix = np.array([[1, 0], [0, -1]], dtype=np.complex128)
_H: Matrix = np.array([[1, 1], [1, -1]], dtype=np.complex128) / sqrt(2)

Gates = list[dict[str, Any]]


def to_native(source: Circuit, circuit: QuantumCircuit, target: NativeTarget) -> dict[str, Any]:
    """`ionq.native.v1`, equal up to a global phase; what is native already is left alone. source: as submitted.

    The measurements at the end are left out. Raises `Problem` where others decide what happens next.
    """
    if isinstance(source, JsonCircuit) and all(map(_is_native, source.operations)):
        gates = [each.model_dump(mode="json", exclude_none=True) for each in source.operations]
        return {"qubits": source.qubits, "circuit": gates}
    if examine(circuit).dynamic:
        title = "Native gates are written of circuits that are measured at the end; here a measurement decides."
        raise Problem("export_unsupported", title, pointer="/circuit", ways_out=[{"format": "openqasm3"}])
    compiled = compile_for(circuit, _BASIS, seed=0).circuit
    return {"qubits": circuit.num_qubits, "circuit": _written(compiled, ms=target == "native_ms")}


def _is_native(operation: Operation) -> bool:
    return operation.gate in _OWN and operation.rotation is None and not operation.controlled_by


def _written(compiled: QuantumCircuit, *, ms: bool) -> Gates:
    """ms: exp(-iπa X⊗X) between Hadamards, instead of exp(-iπa Z⊗Z)."""
    gates: Gates = []
    waiting: dict[int, Matrix] = {}

    def wait(qubit: int, matrix: Matrix) -> None:
        waiting[qubit] = matrix @ waiting.get(qubit, np.eye(2, dtype=np.complex128))

    for instruction in compiled.data:
        qubits = [compiled.find_bit(qubit).index for qubit in instruction.qubits]
        if instruction.operation.name == "u":
            wait(qubits[0], UGate(*instruction.operation.params).to_matrix())
        elif instruction.operation.name == "rzz":
            angle, both, first = _within_a_quarter(instruction.operation.params[0] / (2 * pi))
            for qubit in qubits:
                wait(qubit, both)
            if angle < _NOTHING:
                continue
            wait(qubits[0], first)
            for qubit in qubits:
                gates += _pulses(qubit, _H @ waiting.pop(qubit) if ms else waiting.pop(qubit))
                wait(qubit, _H if ms else _I)
            gates.append(_entangler(qubits, angle, ms=ms))
            wait(qubits[0], first)
    for qubit in sorted(waiting):
        gates += _pulses(qubit, waiting[qubit])
    return gates


def _within_a_quarter(turns: float) -> tuple[float, Matrix, Matrix]:
    """(a, B, F) with exp(-iπ·turns·Z⊗Z) = (F⊗1)·exp(-iπa Z⊗Z)·(F⊗1)·(B⊗B) and 0 ≤ a ≤ ¼."""
    angle = remainder(turns, 1.0)
    both = _I
    if abs(angle) > 0.25:
        angle -= copysign(0.5, angle)
        both = _Z
    return abs(angle), both, _X if angle < 0 else _I


def _entangler(qubits: Sequence[int], angle: float, *, ms: bool) -> dict[str, Any]:
    gate = {"gate": "ms" if ms else "zz", "targets": list(qubits), "angle": round(angle, DIGITS)}
    return gate | ({"phases": [0.0, 0.0]} if ms else {})


def _pulses(qubit: int, matrix: Matrix) -> Iterator[dict[str, Any]]:
    """At most three, in the order of time."""
    stays, turns = abs(matrix[0, 0]), abs(matrix[1, 0])
    if turns < _NOTHING:
        angle = phase(matrix[1, 1] / matrix[0, 0])
        if abs(angle) > _NOTHING:
            yield _pulse("gpi", qubit, 0.0)
            yield _pulse("gpi", qubit, angle / 2)
    elif stays < _NOTHING:
        yield _pulse("gpi", qubit, phase(matrix[1, 0] / matrix[0, 1]) / 2)
    else:
        first, last = -phase(-matrix[0, 1] / matrix[0, 0]), phase(matrix[1, 0] / matrix[0, 0])
        yield _pulse("gpi2", qubit, first)
        yield _pulse("gpi", qubit, (first + last) / 2 - atan2(turns, stays))
        yield _pulse("gpi2", qubit, last)


def _pulse(gate: str, qubit: int, radians: float) -> dict[str, Any]:
    return {"gate": gate, "target": qubit, "phase": round(radians / (2 * pi), DIGITS) % 1.0}
