"""QAOA on arrays is QAOA on circuits; a kernel is a kernel."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit.library import StatePreparation, qaoa_ansatz

from tests.testing.examples import examples
from tests.workers.circuits.templates.running import answer
from workers.circuits.templates.evidence import exact_probabilities
from workers.circuits.templates.qaoa import bits, cost_operator, evolve, flip_mixer, swap_mixer

angles = st.lists(st.floats(-3, 3), min_size=4, max_size=4)
seeds = st.integers(0, 2**32)


def costs(qubits: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    linear, quadratic = generator.normal(size=qubits), np.triu(generator.normal(size=(qubits, qubits)), 1)
    choices = bits(qubits)
    return linear, quadratic, choices @ linear + np.einsum("si,ij,sj->s", choices, quadratic, choices)


@settings(max_examples=examples(20))
@given(st.integers(1, 5), angles, seeds)
def test_flipping_circuits_and_arrays_agree(qubits: int, angles: list[float], seed: int) -> None:
    linear, quadratic, values = costs(qubits, seed)
    mixer = flip_mixer(qubits)
    circuit = qaoa_ansatz(cost_operator(linear, quadratic), 2, mixer_operator=mixer.operator).assign_parameters(angles)
    start = np.full(1 << qubits, 2 ** (-qubits / 2))
    ours = np.abs(evolve(values, start, mixer, np.array(angles))) ** 2
    np.testing.assert_allclose(ours, exact_probabilities(circuit), atol=1e-9)


@settings(max_examples=examples(20))
@given(st.integers(2, 5), angles, seeds)
def test_swapping_circuits_and_arrays_agree_and_keep_the_number_of_ones(
    qubits: int, angles: list[float], seed: int
) -> None:
    linear, quadratic, values = costs(qubits, seed)
    ones = bits(qubits).sum(axis=1) == 1
    start = np.where(ones, qubits**-0.5, 0.0)
    mixer = swap_mixer(qubits)
    initial = QuantumCircuit(qubits)
    initial.append(StatePreparation(start), range(qubits))
    ansatz = qaoa_ansatz(
        cost_operator(linear, quadratic), 2, initial_state=initial, mixer_operator=mixer.operator
    ).assign_parameters(angles)
    ours = np.abs(evolve(values, start, mixer, np.array(angles))) ** 2
    np.testing.assert_allclose(ours, exact_probabilities(ansatz), atol=1e-9)
    assert ours[ones].sum() == pytest.approx(1)


def test_the_largest_cut_is_that_of_counting_edges_by_hand() -> None:
    edges = [((0, 1), 1.0), ((1, 2), 2.5), ((2, 3), -1.0), ((3, 0), 0.5), ((0, 2), 3.0)]
    largest = max(sum(weight for (a, b), weight in edges if side[a] != side[b]) for side in product((0, 1), repeat=4))
    found = answer("maxcut", edges=[{"nodes": list(nodes), "weight": weight} for nodes, weight in edges])
    assert found.expected == {"cut": pytest.approx(largest)}
    assert found.found["cut"] == pytest.approx(largest)  # type: ignore[index, call-overload]
    side = found.found["partition"][::-1]  # type: ignore[index, call-overload]
    assert sum(weight for (a, b), weight in edges if side[a] != side[b]) == pytest.approx(largest)


def test_more_layers_cut_more() -> None:
    means = [answer("maxcut", layers=layers).figures["mean_cut_theory"] for layers in (1, 2, 3)]
    assert means == sorted(means)  # type: ignore[type-var]


def test_edges_that_cost_leave_the_graph_whole() -> None:
    found = answer("maxcut", edges=[{"nodes": [0, 1], "weight": -1.0}, {"nodes": [1, 2], "weight": -2.0}])
    assert (found.agrees, found.expected) == (True, {"cut": 0.0})


@pytest.mark.parametrize("dataset", ["iris", "wine", "breast_cancer"])
def test_a_kernel_is_symmetric_and_positive(dataset: str) -> None:
    figures = answer("quantum_kernel", dataset=dataset).figures
    kernel = np.array(figures["kernel_of_training_rows"])
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-12)
    np.testing.assert_allclose(np.diag(kernel), 1, atol=1e-12)
    assert np.linalg.eigvalsh(kernel)[0] > -1e-9
    accuracy = figures["accuracy"]
    assert min(accuracy["quantum_kernel"], accuracy["rbf_kernel"]) > 0.5  # type: ignore[index, call-overload, type-var, operator]
