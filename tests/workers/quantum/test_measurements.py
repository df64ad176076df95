"""Strings that share a measurement are read from it: its outcomes have the sums' expectation values."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector, random_statevector

from tests.testing.examples import examples
from workers.distillation.quantum.on_engine import means_of
from workers.quantum.measurements import constants_of, estimated, measurements_of, rotated

QUBITS = 3
strings = st.text("IXYZ", min_size=QUBITS, max_size=QUBITS)
sums = st.lists(st.dictionaries(strings, st.floats(-2, 2), min_size=1, max_size=5), min_size=1, max_size=4)


@given(sums)
def test_every_string_is_read_once_by_as_many_measurements_as_strings_at_most(wanted: list[dict[str, float]]) -> None:
    measurements = measurements_of(wanted)
    read = [term for each in measurements for term in each.terms]
    numbers = sum("III" in terms for terms in wanted)
    assert len(read) == sum(map(len, wanted)) - numbers
    assert len(measurements) <= len({string for terms in wanted for string in terms} - {"III"})
    assert all(term.letters.items() <= each.basis.items() for each in measurements for term in each.terms)
    assert all(each.basis and set(each.basis.values()) <= set("XYZ") for each in measurements)


@settings(max_examples=examples(40), deadline=None)
@given(sums, st.integers(0, 999))
def test_outcomes_have_the_expectation_values_of_the_sums(wanted: list[dict[str, float]], seed: int) -> None:
    state = random_statevector(1 << QUBITS, seed)
    expected = [
        float(state.expectation_value(SparsePauliOp(list(terms), list(terms.values()))).real) for terms in wanted
    ]
    column = torch.from_numpy(np.asarray(state))[:, None]
    prepared = QuantumCircuit(QUBITS)
    found, whole = constants_of(wanted), []
    for each in measurements_of(wanted):
        outcomes = np.arange(1 << len(each.qubits))
        chances = each.probabilities(column).numpy()[0]
        found += each.worth(outcomes, len(wanted)) @ chances
        after: Statevector = state.evolve(rotated(prepared, each.basis))
        np.testing.assert_allclose(after.probabilities(each.qubits), chances, atol=1e-12)
        whole.append(after.probabilities())
    np.testing.assert_allclose(found, expected, atol=1e-9)
    distributions = np.array(whole).reshape(1, -1, 1 << QUBITS)
    np.testing.assert_allclose(means_of(distributions, wanted, None, 0)[0], expected, atol=1e-9)
    means_of(distributions, wanted, 10, seed)  # nothing to measure is no error either


@given(st.lists(st.integers(0, 50), min_size=2, max_size=8).filter(lambda counts: sum(counts) > 1))
def test_means_and_their_variances_are_those_of_the_single_shots(counts: list[int]) -> None:
    worth = np.random.default_rng(0).normal(size=(2, len(counts)))
    frequencies = np.array(counts)
    shots = np.repeat(worth, frequencies, axis=1)
    means, variances = estimated(worth, frequencies)
    np.testing.assert_allclose(means, shots.mean(1), atol=1e-12)
    np.testing.assert_allclose(variances, shots.var(1, ddof=1) / shots.shape[1], atol=1e-12)
