"""A gate that a program defines means its definition, whatever its name and whoever knows another gate of that name."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator

from workers.circuits.engines import aer
from workers.circuits.examine.clifford import steps_of
from workers.circuits.labels import gate_label
from workers.circuits.parse.own_gates import is_own, name_in_program, own_gate

KNOWN = sorted(
    {
        *get_standard_gate_name_mapping(),
        *AerSimulator().configuration().basis_gates,
        *AerSimulator().configuration().custom_instructions,
    }
)


def definition() -> QuantumCircuit:
    circuit = QuantumCircuit(2, global_phase=0.3)
    circuit.rx(0.7, 0)
    circuit.cx(0, 1)
    return circuit


@pytest.mark.parametrize("name", KNOWN)
def test_an_own_gate_is_its_definition_under_every_name_that_qiskit_or_aer_knows(name: str) -> None:
    gate = own_gate(name, definition(), [0.7])
    circuit, controlled = QuantumCircuit(2), QuantumCircuit(3)
    circuit.append(gate, [0, 1])
    controlled.append(gate.control(1, annotated=False), [0, 1, 2])
    wanted = Operator(definition())
    np.testing.assert_allclose(Operator(aer.translate(circuit)).data, wanted.data, atol=1e-12)
    np.testing.assert_allclose(Operator(gate.inverse()).data, wanted.adjoint().data, atol=1e-12)
    expected = np.eye(8, dtype=complex)
    expected[1::2, 1::2] = wanted.data
    np.testing.assert_allclose(Operator(aer.translate(controlled)).data, expected, atol=1e-12)


def test_people_recognise_an_own_gate() -> None:
    gate = own_gate("iswap", definition())
    for each in (gate, gate.control(2, annotated=False), gate.inverse()):
        assert is_own(each)
    assert not is_own(QuantumCircuit(2).iswap(0, 1)[0].operation)
    assert name_in_program(gate) == "iswap"
    assert gate_label(gate) == "iswap′"


def test_an_own_gate_is_clifford_where_its_definition_is() -> None:
    clifford = QuantumCircuit(2)
    clifford.s(0)
    assert steps_of(own_gate("t", clifford)) is not None
    assert steps_of(own_gate("cx", definition())) is None
