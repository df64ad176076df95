"""Which gates are Clifford, and what they are in Stim's gates, against Qiskit's matrices and tableaus."""

from math import pi

import numpy as np
import pytest
import stim
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import (
    CPhaseGate,
    CRXGate,
    CUGate,
    RXXGate,
    RZGate,
    UGate,
    UnitaryGate,
    get_standard_gate_name_mapping,
)
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford, Operator, random_clifford, random_unitary

from tests.testing.examples import examples
from workers.circuits.examine.clifford import steps_of

EIGHTHS = [eighth * pi / 4 for eighth in range(-8, 9)]
STANDARD = [gate for gate in get_standard_gate_name_mapping().values() if isinstance(gate, Gate) and gate.num_qubits]


def tableau(gate: Gate) -> stim.Tableau | None:
    """By conjugating every generator with the matrix; None where one does not become a Pauli string."""
    try:
        matrix = Clifford.from_matrix(Operator(gate).data).to_matrix()
    except QiskitError:
        return None
    return stim.Tableau.from_unitary_matrix(matrix, endian="little")


def steps_as_tableau(gate: Gate) -> stim.Tableau | None:
    steps = steps_of(gate)
    if steps is None:
        return None
    circuit = stim.Circuit()
    circuit.append("I", range(gate.num_qubits))
    for name, places in steps:
        circuit.append(name, places)
    return circuit.to_tableau()


@pytest.mark.parametrize("gate", STANDARD, ids=lambda gate: gate.name)
@settings(max_examples=examples(25), deadline=None)
@given(data=st.data())
def test_gates_of_the_table(gate: Gate, data: st.DataObject) -> None:
    angles = [data.draw(st.sampled_from(EIGHTHS)) for _ in gate.params]
    bound = gate.base_class(*angles) if angles else gate
    assert steps_as_tableau(bound) == tableau(bound)


@settings(max_examples=examples(30))
@given(st.integers(1, 3), st.integers(0, 2**32 - 1), st.booleans())
def test_random_clifford_matrices_are_found(qubits: int, seed: int, with_phase: bool) -> None:
    clifford = random_clifford(qubits, seed=seed)
    matrix = clifford.to_matrix() * (np.exp(0.3j) if with_phase else 1)
    assert steps_as_tableau(UnitaryGate(matrix)) == stim.Tableau.from_unitary_matrix(
        clifford.to_matrix(), endian="little"
    )


@settings(max_examples=examples(30))
@given(st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_random_matrices_are_not(qubits: int, seed: int) -> None:
    assert steps_of(UnitaryGate(random_unitary(1 << qubits, seed=seed))) is None


@pytest.mark.parametrize(
    "gate",
    [
        RZGate(Parameter("a")),
        CPhaseGate(Parameter("a")),
        CUGate(0, Parameter("a"), 0, 0),
        RZGate(pi / 2 + 1e-6),
        CRXGate(1e-5),
        UnitaryGate(Operator(CRXGate(1e-5))),
    ],
    ids=lambda gate: gate.name,
)
def test_a_free_or_a_near_angle_is_not(gate: Gate) -> None:
    assert steps_of(gate) is None


def test_controlled_rotations_by_half_a_turn_are() -> None:
    for gate in (CRXGate(pi), CRXGate(2 * pi), CPhaseGate(pi), RXXGate(2 * pi).control(1, annotated=False)):
        assert steps_as_tableau(gate) == tableau(gate)
    assert steps_of(UGate(pi / 2, 0, pi)) is not None


def test_gates_of_one_name_are_told_apart() -> None:
    """Those that a source defines, and controlled ones of them, have no parameters to tell them by."""

    def defined(angle: float) -> Gate:
        circuit = QuantumCircuit(1, name="mine")
        circuit.rz(angle, 0)
        return circuit.to_gate()

    pairs = [
        [defined(angle) for angle in (pi / 2, 0.3)],
        [defined(angle).control(1, annotated=False) for angle in (2 * pi, 0.3)],
    ]
    for first, second in pairs:
        assert steps_as_tableau(first) == tableau(first)
        assert steps_as_tableau(second) == tableau(second) != tableau(first)
