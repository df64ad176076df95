"""Any real amplitudes are prepared, however small some of them are, by a circuit that does not depend on them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Statevector

from tests.testing.examples import examples
from workers.quantum.prepare import preparation, preparation_angles

NUMBER = st.floats(-10, 10) | st.sampled_from([0.0, 1e-9, -1e-9, 1e-300])


@settings(max_examples=examples(60))
@given(st.integers(1, 7).flatmap(lambda n: st.lists(NUMBER, min_size=1 << n, max_size=1 << n)))
def test_it_prepares_the_amplitudes(drawn: list[float]) -> None:
    amplitudes = np.array(drawn)
    length = np.linalg.norm(amplitudes)
    if length < 1e-12:
        return
    circuit = preparation(len(drawn).bit_length() - 1)
    state = Statevector(circuit.assign_parameters(preparation_angles(amplitudes))).data
    np.testing.assert_allclose(state, amplitudes / length, atol=1e-12)


def test_it_takes_two_cx_less_than_amplitudes_and_one_angle_less() -> None:
    for qubits in range(1, 9):
        circuit = preparation(qubits)
        assert circuit.count_ops().get("cx", 0) == (1 << qubits) - 2
        assert circuit.num_parameters == (1 << qubits) - 1
        assert [each.params[0].name for each in circuit.data if each.params] == [p.name for p in circuit.parameters]


def test_rows_are_prepared_together() -> None:
    rows = np.random.default_rng(1).normal(size=(5, 16))
    together = preparation_angles(rows)
    assert together.shape == (5, 15)
    for row, angles in zip(rows, together, strict=True):
        np.testing.assert_allclose(preparation_angles(row), angles, atol=1e-12)
