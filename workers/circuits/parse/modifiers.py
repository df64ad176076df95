"""`inv`, `pow`, `ctrl` and `negctrl` of OpenQASM 3 on Qiskit's gates.

A power is that of the matrix, eigenvalues' angles in (-π, π], so that one matrix has one power whatever its name.
"""

from collections.abc import Sequence
from math import pi

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.circuit.library import CUGate, GlobalPhaseGate, PhaseGate, UGate, UnitaryGate
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator
from scipy.linalg import schur

from qstill.contract.circuits.openqasm3.classical.types import Fault
from qstill.contract.circuits.openqasm3.steps import Modifier
from workers.circuits.parse.own_gates import own_gate

MAX_POWER_QUBITS = 6  # a power is taken of the gate's matrix, 4^n numbers
MAX_REPEATED = 1_000  # times that a gate with free parameters, whose matrix is not known, is written out
_ADDITIVE = {"p", "u1", "rx", "ry", "rz", "rxx", "ryy", "rzz", "rzx", "global_phase"}  # G(a)·G(b) = G(a + b)


def modified(gate: Gate, modifiers: Sequence[Modifier]) -> Gate:
    """The gate with its modifiers, the last applied first. Raises `Fault`."""
    for kind, amount in reversed(modifiers):
        if kind == "inv":
            gate = gate.inverse()
        elif kind == "pow":
            gate = _power(gate, amount)
        else:
            gate = _controlled(gate, amount, negative=kind == "negctrl")
    return gate


def _controlled(gate: Gate, controls: int, *, negative: bool) -> Gate:
    if isinstance(gate, GlobalPhaseGate) and not negative:
        phase = PhaseGate(gate.params[0])
        return phase if controls == 1 else phase.control(controls - 1, annotated=False)
    if isinstance(gate, CUGate):
        return _controlled_cu(gate, controls, negative=negative)
    return gate.control(controls, ctrl_state=0 if negative else None, annotated=False)


def _controlled_cu(gate: CUGate, controls: int, *, negative: bool) -> Gate:
    """A phase and a U, each with all the controls: Qiskit 2.6 makes one gate of four angles that has no matrix."""
    theta, phi, lam, gamma = gate.params
    state = None if not negative else 0
    own = gate.ctrl_state
    definition = QuantumCircuit(controls + 2)
    if not own:
        definition.x(controls)
    definition.append(PhaseGate(gamma).control(controls, ctrl_state=state, annotated=False), range(controls + 1))
    outer = 0 if negative else (1 << controls) - 1
    both = UGate(theta, phi, lam).control(controls + 1, ctrl_state=outer | 1 << controls, annotated=False)
    definition.append(both, range(controls + 2))
    if not own:
        definition.x(controls)
    return own_gate("c" * controls + "cu", definition, list(gate.params))


def _power(gate: Gate, exponent: float) -> Gate:
    if exponent == 1:
        return gate
    if exponent == int(exponent) and gate.name in _ADDITIVE and abs(exponent) < 2**53:
        return type(gate)(gate.params[0] * int(exponent))
    if gate.is_parameterized():
        return _repeated(gate, exponent)
    if gate.num_qubits > MAX_POWER_QUBITS:
        raise Fault(f"powers are taken of gates on up to {MAX_POWER_QUBITS} qubits")
    matrix = Operator(gate).data
    triangle, vectors = schur(matrix, output="complex")  # of a unitary: its eigenvalues, and orthonormal eigenvectors
    angles = np.angle(np.diag(triangle))
    angles = np.where(np.isclose(angles, -pi, atol=1e-12), pi, angles)  # rounding must not choose the branch
    result = (vectors * np.exp(1j * exponent * angles)) @ vectors.conj().T
    if gate.num_qubits == 0:
        return GlobalPhaseGate(float(np.angle(result[0, 0])))
    return UnitaryGate(result, check_input=False)


def _repeated(gate: Gate, exponent: float) -> Gate:
    if exponent != int(exponent) or abs(exponent) > MAX_REPEATED:
        raise Fault(f"of a gate with a free parameter whole powers up to {MAX_REPEATED:,} are taken")
    definition = QuantumCircuit(gate.num_qubits)
    try:
        once = gate.inverse() if exponent < 0 else gate
    except QiskitError:
        raise Fault(f"{gate.name} has no inverse") from None
    for _ in range(abs(int(exponent))):
        definition.append(once, range(gate.num_qubits))
    return own_gate(f"{gate.name}^{int(exponent)}", definition, list(gate.params))
