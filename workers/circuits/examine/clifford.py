"""Whether a gate is Clifford, and what it is in Stim's gates. Each kind of gate is looked at once per process."""

from collections.abc import Hashable
from functools import lru_cache
from math import isclose, pi, remainder

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ControlledGate, Gate, Operation
from qiskit.circuit.library import UnitaryGate
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford, Operator

MAX_CLIFFORD_QUBITS = 4  # of one gate: whether a matrix is Clifford takes 4^n conjugations

MAX_MATRIX_QUBITS = 3  # of one whose definition leads nowhere: a matrix on four takes 20 ms

PRECISION = 1e-8  # of a matrix; Qiskit takes gates for Clifford that miss it by 10⁻⁴

Steps = tuple[tuple[str, tuple[int, ...]], ...]

_DIRECT = {
    "id": "I",
    "x": "X",
    "y": "Y",
    "z": "Z",
    "h": "H",
    "s": "S",
    "sdg": "S_DAG",
    "sx": "SQRT_X",
    "sxdg": "SQRT_X_DAG",
    "cx": "CX",
    "cy": "CY",
    "cz": "CZ",
    "swap": "SWAP",
    "iswap": "ISWAP",
}


def steps_of(operation: Operation) -> Steps | None:
    """The operation in Stim's gates, each on places among its qubits; None if it is not Clifford."""
    if operation.name in _DIRECT:
        return ((_DIRECT[operation.name], tuple(range(operation.num_qubits))),)
    if not isinstance(operation, Gate) or operation.num_qubits > MAX_CLIFFORD_QUBITS or operation.is_parameterized():
        return None
    if isinstance(operation, UnitaryGate):
        return _steps_of_matrix(operation.num_qubits, np.round(operation.to_matrix(), 12).tobytes())
    if all(isinstance(angle, int | float) for angle in operation.params):
        if operation.name in _TURNS and not _is_quarter_turn(operation.params[0]):
            return None
        return _steps_of_gate(_Key(operation))
    return _steps(operation)


_TURNS = {"rx", "ry", "rz", "p", "u1", "rxx", "ryy", "rzz", "rzx"}  # Clifford at multiples of π/2 alone


def _is_quarter_turn(angle: float) -> bool:
    return isclose(remainder(angle, pi / 2), 0.0, abs_tol=1e-9)


class _Key:
    """A gate by its name, angles and controls: gates of one key do the same."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate  # what is told apart by its address has to stay alive
        self._key = _identity(gate)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _identity(gate: Gate) -> Hashable:
    """Only Qiskit's standard gates are known by their parameters alone; a source may define others of the same name."""
    controls = gate.num_qubits, getattr(gate, "ctrl_state", None)
    if type(gate) is ControlledGate:
        return _identity(gate.base_gate), controls
    if gate.base_class.__module__.startswith(_STANDARD):
        return gate.base_class, controls, tuple(gate.params)
    return id(gate.definition) if type(gate) is Gate and gate.definition is not None else id(gate)


_STANDARD = "qiskit.circuit.library.standard_gates."


@lru_cache(4096)
def _steps_of_gate(key: _Key) -> Steps | None:
    return _steps(key.gate)


@lru_cache(1024)
def _steps_of_matrix(qubits: int, matrix: bytes) -> Steps | None:
    shape = (1 << qubits, 1 << qubits)
    return _steps(UnitaryGate(np.frombuffer(matrix, dtype=np.complex128).reshape(shape), check_input=False))


def _steps(gate: Gate) -> Steps | None:
    tableau = None if isinstance(gate, UnitaryGate) else _by_definition(gate)
    if tableau is None and (isinstance(gate, UnitaryGate) or gate.num_qubits <= MAX_MATRIX_QUBITS):
        tableau = _by_matrix(gate)  # a definition may lead through gates that are not
    if tableau is None:
        return None
    circuit: QuantumCircuit = tableau.to_circuit()
    if not _is_same(gate, circuit):
        return None
    found = []
    for instruction in circuit.data:
        places = tuple(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        found.append((_DIRECT[instruction.operation.name], places))
    return tuple(found)


def _by_definition(gate: Gate) -> Clifford | None:
    try:
        return Clifford(gate)
    except QiskitError:
        return None


def _by_matrix(gate: Gate) -> Clifford | None:
    try:
        return Clifford.from_matrix(Operator(gate).data)
    except (QiskitError, TypeError):  # no Clifford, no definition, or an angle without a value
        return None


def _is_same(gate: Gate, circuit: QuantumCircuit) -> bool:
    """Whether their matrices differ by no more than a phase."""
    wanted, found = Operator(gate).data, Operator(circuit).data
    phase = np.vdot(found, wanted) / len(wanted)
    return bool(np.allclose(wanted, found * phase, rtol=0, atol=PRECISION))
