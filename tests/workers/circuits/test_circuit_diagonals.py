"""Merged diagonal gates are the gates that they were merged from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Statevector

from tests.testing.examples import examples
from workers.circuits.engines import aer, diagonals
from workers.circuits.engines.diagonals import merged

WIDTH = 6
TWO = ("cp", "crz", "rzz", "cz", "cs", "csdg")
angles = st.floats(-3, 3, allow_nan=False)


@st.composite
def circuits(draw: st.DrawFn) -> QuantumCircuit:
    """Mostly diagonal gates on two and three qubits, some others between them."""
    circuit = QuantumCircuit(WIDTH)
    circuit.h(range(WIDTH))
    for kind in draw(st.lists(st.sampled_from([*TWO * 3, "ccz", "ccz", "ry", "cx", "rz"]), max_size=40)):
        a, b, c, *_ = draw(st.permutations(range(WIDTH)))
        match kind:
            case "cp" | "crz" | "rzz":
                getattr(circuit, kind)(draw(angles), a, b)
            case "cz" | "cs" | "csdg" | "cx":
                getattr(circuit, kind)(a, b)
            case "ccz":
                circuit.ccz(a, b, c)
            case _:
                getattr(circuit, kind)(draw(angles), a)
    return circuit


@settings(max_examples=examples(60))
@given(circuits(), st.integers(2, 6), st.integers(1, 5), st.integers(2, 9))
def test_merging_changes_no_state(circuit: QuantumCircuit, together: int, fewest: int, pending: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagonals, "MERGED_QUBITS", max(3, together))
        patch.setattr(diagonals, "FEWEST", fewest)
        patch.setattr(diagonals, "MAX_PENDING", pending)
        found = merged(circuit)
    np.testing.assert_allclose(Statevector(found).data, Statevector(circuit).data, atol=1e-12)


def test_a_fourier_transform_takes_about_one_diagonal_for_each_qubit() -> None:
    circuit = QuantumCircuit(24)
    for target in reversed(range(24)):
        circuit.h(target)
        for control in range(target):
            circuit.cp(np.pi / 2 ** (target - control), control, target)
    operations = aer.translate(merged(circuit)).count_ops()
    assert operations["diagonal"] <= 24
    assert operations.get("cp", 0) <= 2 * diagonals.FEWEST


def test_a_gate_that_waits_for_its_angle_stays() -> None:
    circuit = QuantumCircuit(2)
    for index in range(5):
        circuit.cp(Parameter(f"a{index}"), 0, 1)
    assert merged(circuit).count_ops() == {"cp": 5}
