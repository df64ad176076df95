"""Each error is the channel of its formula."""

from math import exp, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import SuperOp, random_unitary
from qiskit_aer import AerSimulator

from qstill.contract.circuits.noise.model import IONQ_RATES
from qstill.contract.circuits.noise.named import as_custom
from tests.testing.circuits.circuit_strategies import pauli_string
from tests.testing.circuits.noisy import AER, Matrix, close, custom, density, depolarized, ideal, noise_of
from tests.testing.examples import examples
from workers.circuits.noise.model import channel, for_noise, noise_model, readout_matrix

PROBABILITIES = st.floats(0, 1) | st.sampled_from([0.0, 1.0])


def pauli_mixed(rho: Matrix, terms: dict[str, float]) -> Matrix:
    rest = (1 - sum(terms.values())) * rho
    return rest + sum(p * pauli_string(term) @ rho @ pauli_string(term) for term, p in terms.items())


def relaxed(rho: Matrix, *, t1: float, t2: float, nanoseconds: float, excited: float) -> Matrix:
    """One qubit: populations go to equilibrium with T1, coherences to 0 with T2 (microseconds)."""
    kept, coherent = exp(-nanoseconds / 1000 / t1), exp(-nanoseconds / 1000 / t2)
    one = excited + (rho[1, 1] - excited) * kept
    return np.array([[1 - one, rho[0, 1] * coherent], [rho[1, 0] * coherent, one]])


def amplitude_damped(rho: Matrix, gamma: float) -> Matrix:
    shrunk = rho[0, 1] * sqrt(1 - gamma)
    return np.array([[rho[0, 0] + gamma * rho[1, 1], shrunk], [shrunk.conjugate(), (1 - gamma) * rho[1, 1]]])


def phase_damped(rho: Matrix, gamma: float) -> Matrix:
    return rho * np.array([[1, sqrt(1 - gamma)], [sqrt(1 - gamma), 1]])


def one_gate(seed: int) -> QuantumCircuit:
    """One qubit in any pure state, by one gate."""
    circuit = QuantumCircuit(1)
    circuit.append(UnitaryGate(random_unitary(2, seed=seed)), [0])
    return circuit


def two_qubit_gate(seed: int) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.append(UnitaryGate(random_unitary(4, seed=seed)), [0, 1])
    return circuit


SEEDS = st.integers(0, 1000)


@settings(max_examples=examples(30))
@given(PROBABILITIES, PROBABILITIES, SEEDS)
def test_depolarizing_mixes_with_the_identity(one: float, two: float, seed: int) -> None:
    noise = noise_of(model="depolarizing", one_qubit=one, two_qubit=two)
    for circuit, p in ((one_gate(seed), one), (two_qubit_gate(seed), two)):
        close(density(circuit, noise), depolarized(ideal(circuit), p))


@settings(max_examples=examples(30))
@given(
    st.floats(0.001, 1000),
    st.floats(0.01, 2),
    st.floats(0, 1e6),
    PROBABILITIES,
    SEEDS,
)
def test_thermal_relaxation_follows_t1_and_t2(t1: float, ratio: float, time: float, excited: float, seed: int) -> None:
    t2 = min(ratio * t1, 2 * t1)
    fields = {"t1": t1, "t2": t2, "excited_population": excited}
    noise = noise_of(model="thermal_relaxation", **fields, one_qubit_time=time, two_qubit_time=0)
    circuit = one_gate(seed)
    expected = relaxed(ideal(circuit), t1=t1, t2=t2, nanoseconds=time, excited=excited)
    close(density(circuit, noise), expected)


def test_both_qubits_of_a_gate_relax_for_as_long_as_it_takes_and_a_measured_one_before_it_is_read() -> None:
    noise = noise_of(model="thermal_relaxation", t1=1, t2=1.5, one_qubit_time=0, two_qubit_time=300, measure_time=500)
    circuit = QuantumCircuit(2, 1)
    circuit.swap(0, 1)
    circuit.x(0)
    circuit.x(1)
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    kept, kept_longer = exp(-0.3), exp(-0.3 - 0.5)
    populations = np.kron([1 - kept_longer, kept_longer], [1 - kept, kept])
    close(density(circuit, noise), np.diag(populations))


@settings(max_examples=examples(30))
@given(PROBABILITIES, SEEDS)
def test_damping_shrinks_amplitudes_and_phases(gamma: float, seed: int) -> None:
    circuit = one_gate(seed)
    for kind, formula in (("amplitude_damping", amplitude_damped), ("phase_damping", phase_damped)):
        noise = custom({"gate": "any_one_qubit", "error": {"kind": kind, "gamma": gamma}})
        close(density(circuit, noise), formula(ideal(circuit), gamma))


@settings(max_examples=examples(30))
@given(st.dictionaries(st.text("IXYZ", min_size=2, max_size=2), st.floats(0, 1), min_size=1, max_size=5), SEEDS)
def test_pauli_errors_come_with_their_probability(weights: dict[str, float], seed: int) -> None:
    total = 1.2 * sum(weights.values()) + 1e-3
    terms = {term: weight / total for term, weight in weights.items() if term != "II"} or {"XY": 0.25}
    circuit = two_qubit_gate(seed)
    noise = custom({"gate": "unitary2", "error": {"kind": "pauli", "terms": terms}})
    close(density(circuit, noise), pauli_mixed(ideal(circuit), terms))


def test_the_rightmost_letter_acts_on_the_gates_first_qubit() -> None:
    circuit = QuantumCircuit(3)
    circuit.cx(2, 0)
    noise = custom({"gate": "cnot", "error": {"kind": "pauli", "terms": {"IX": 1}}})
    assert density(circuit, noise)[0b100, 0b100] == pytest.approx(1)


@st.composite
def kraus(draw: st.DrawFn) -> list[Matrix]:
    """Any channel on one or two qubits: an isometry cut into squares."""
    size, count = draw(st.sampled_from([2, 4])), draw(st.sampled_from([1, 2, 4]))
    isometry = random_unitary(size * count, seed=draw(SEEDS)).data[:, :size]
    return list(isometry.reshape(count, size, size))


def as_pairs(operators: list[Matrix], digits: int) -> list[list[list[list[float]]]]:
    return [
        [[[round(float(entry.real), digits), round(float(entry.imag), digits)] for entry in row] for row in operator]
        for operator in operators
    ]


@settings(max_examples=examples(30))
@given(kraus(), st.sampled_from([7, 17]), SEEDS)
def test_kraus_operators_are_applied_even_where_they_were_rounded(
    operators: list[Matrix], digits: int, seed: int
) -> None:
    circuit = one_gate(seed) if len(operators[0]) == 2 else two_qubit_gate(seed)
    gate = "any_one_qubit" if len(operators[0]) == 2 else "any_two_qubit"
    noise = custom({"gate": gate, "error": {"kind": "kraus", "operators": as_pairs(operators, digits)}})
    rho = ideal(circuit)
    expected = np.sum([k @ rho @ k.conj().T for k in operators], axis=0)
    np.testing.assert_allclose(density(circuit, noise), expected, atol=1e-6)


@settings(max_examples=examples(20))
@given(PROBABILITIES, PROBABILITIES, st.booleans())
def test_readings_are_wrong_with_their_probability(p01: float, p10: float, prepared: bool) -> None:
    shots = 4000
    noise = noise_of(model="readout", p01=p01, p10=p10)
    circuit = QuantumCircuit(1, 1)
    if prepared:
        circuit.x(0)
    circuit.measure(0, 0)
    located = for_noise(circuit, noise)
    model = noise_model(noise, located, qubits=[0])
    ones = AER.run(located, noise_model=model, shots=shots, seed_simulator=1).result().get_counts().get("1", 0)
    expected = 1 - p10 if prepared else p01
    assert abs(ones - shots * expected) <= 6 * sqrt(shots * expected * (1 - expected)) + 1
    matrix = readout_matrix(noise, 0)
    np.testing.assert_allclose(np.eye(2) if matrix is None else matrix, [[1 - p01, p01], [p10, 1 - p10]])


def test_readout_rules_of_a_qubit_follow_one_another() -> None:
    noise = custom(readout=({"p01": 0.1, "p10": 0.2}, {"qubits": [5], "matrix": [[0.9, 0.1], [0.3, 0.7]]}))
    first, second = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.9, 0.1], [0.3, 0.7]])
    assert readout_matrix(noise, 5) == pytest.approx(first @ second)
    assert readout_matrix(noise, 4) == pytest.approx(first)


MODELS = [
    *({"model": name} for name in IONQ_RATES),
    {"model": "depolarizing", "one_qubit": 1, "two_qubit": 1},
    {"model": "thermal_relaxation", "t1": 1, "t2": 2, "one_qubit_time": 10, "two_qubit_time": 1e15, "measure_time": 5},
    {"model": "thermal_relaxation", "t1": 1e-6, "t2": 1e-6, "one_qubit_time": 1e15, "two_qubit_time": 0},
    {"model": "thermal_relaxation", "t1": 1e12, "t2": 2e12 / 2, "one_qubit_time": 1, "two_qubit_time": 1},
]


@pytest.mark.parametrize("fields", MODELS, ids=str)
def test_every_models_channels_are_complete_and_positive(fields: dict[str, Any]) -> None:
    for rule in as_custom(noise_of(**fields)).gates:
        for width in (1, 2):
            assert SuperOp(channel(rule.error.model_dump_json(), width)).is_cptp()


@pytest.mark.parametrize("name", IONQ_RATES)
def test_ionqs_models_act_after_each_gate_at_the_published_rate(name: str) -> None:
    one, two = IONQ_RATES[name]  # type: ignore[index]
    noise = noise_of(model=name)
    circuit = QuantumCircuit(2)
    circuit.rxx(0.7, 0, 1)
    close(density(circuit, noise), depolarized(ideal(circuit), two))
    single = one_gate(1)
    close(density(single, noise), depolarized(ideal(single), one))


@pytest.mark.parametrize("method", ["statevector", "matrix_product_state"])
def test_trajectories_meet_the_same_errors_as_the_density_matrix(method: str) -> None:
    """Two-qubit gates of every name, those included that not every method of Aer knows."""
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.crx(0.7, 0, 1)
    circuit.csx(1, 2)
    circuit.cu(0.3, 0.2, 0.1, 0.4, 2, 0)
    circuit.iswap(0, 1)
    circuit.ch(1, 2)
    circuit.ccx(0, 1, 2)
    noise = custom(
        {"gate": "any_two_qubit", "error": {"kind": "depolarizing", "probability": 0.1}},
        {"gate": "measure", "qubits": [2], "error": {"kind": "amplitude_damping", "gamma": 0.3}},
    )
    circuit.measure(range(3), range(3))
    located = for_noise(circuit, noise)
    shots, model = 8000, noise_model(noise, located, qubits=range(3))
    result = AerSimulator(method=method).run(located, noise_model=model, shots=shots, seed_simulator=1).result()
    assert result.success, result.status
    counts = result.get_counts()
    for state, p in enumerate(np.diag(density(circuit, noise)).real):
        assert abs(counts.get(format(state, "03b"), 0) - shots * p) <= 6 * sqrt(shots * p * (1 - p)) + 1
