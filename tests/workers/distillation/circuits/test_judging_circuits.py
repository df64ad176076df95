"""What a circuit is worth under noise is what density matrices by hand say, wherever a device moves its qubits."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, Statevector

from qstill.contract.circuits.device import Device
from qstill.contract.circuits.noise.model import CustomNoise, DepolarizingNoise
from qstill.contract.circuits.noise.scaled import most_scaled, scaled, two_qubit_probability
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.circuits.break_even import break_even
from workers.distillation.circuits.given import Target, gates_alone
from workers.distillation.circuits.judge import as_it_is, placed, score
from workers.quantum.ansatz import hardware_efficient

NOISE = DepolarizingNoise(model="depolarizing", one_qubit=0.01, two_qubit=0.05)
LINE = Device.model_validate({"coupling_map": {"shape": "line", "qubits": 4}, "optimization_level": 1})


def target_of(circuit: QuantumCircuit, keep: Any = "state") -> Target:
    return Target(keep, circuit.num_qubits, Statevector(circuit).data, Operator(circuit).data)


def some_circuit(qubits: int, seed: int) -> QuantumCircuit:
    ansatz = hardware_efficient(qubits, 2, "full")
    angles = np.random.default_rng(seed).uniform(-math.pi, math.pi, ansatz.num_parameters)
    return ansatz.assign_parameters(angles)


def by_hand(circuit: QuantumCircuit, noise: DepolarizingNoise, mixed: np.ndarray) -> np.ndarray:
    """Gate after gate on a density matrix: after each, its qubits are replaced by nothing known, with probability p."""
    for instruction in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
        alone = QuantumCircuit(circuit.num_qubits)
        alone.append(instruction.operation, qubits)
        gate = Operator(alone).data
        mixed = gate @ mixed @ gate.conj().T
        p = noise.one_qubit if len(qubits) == 1 else noise.two_qubit
        mixed = (1 - p) * mixed + p * forgotten(mixed, qubits, circuit.num_qubits)
    return mixed


def forgotten(mixed: np.ndarray, qubits: list[int], count: int) -> np.ndarray:
    """tr over some qubits, and the maximally mixed state in their place: the mean over all their Pauli strings."""
    paulis = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
    for qubit in qubits:
        whole = [np.kron(np.kron(np.eye(1 << (count - 1 - qubit)), one), np.eye(1 << qubit)) for one in paulis]
        mixed = sum((each @ mixed @ each.conj().T for each in whole), np.zeros_like(mixed)) / 4
    return mixed


@given(st.integers(2, 3), st.integers(0, 1000))
@settings(max_examples=examples(20), deadline=None)
def test_a_noisy_state_is_that_of_density_matrices_by_hand(qubits: int, seed: int) -> None:
    circuit = some_circuit(qubits, seed)
    zero = np.zeros((1 << qubits, 1 << qubits), dtype=complex)
    zero[0, 0] = 1
    target = target_of(circuit)
    expected = np.vdot(target.state, by_hand(circuit, NOISE, zero) @ target.state).real
    assert score(as_it_is(circuit), target, NOISE, threads=1) == pytest.approx(expected, abs=1e-10)


def test_a_noisy_process_is_that_of_density_matrices_by_hand() -> None:
    circuit = some_circuit(2, 1)
    wide = QuantumCircuit(4)  # the references are qubits 2 and 3
    wide.compose(circuit, [0, 1], inplace=True)
    pairs = np.zeros(16, dtype=complex)
    pairs[[0b0000, 0b0101, 0b1010, 0b1111]] = 0.5
    wanted = Operator(wide).data @ pairs
    expected = np.vdot(wanted, by_hand(wide, NOISE, np.outer(pairs, pairs.conj())) @ wanted).real
    found = score(as_it_is(circuit), target_of(circuit, "unitary"), NOISE, threads=1)
    assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("keep", ["state", "unitary"])
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_wherever_a_device_moves_qubits_the_circuit_is_itself(keep: str, level: int) -> None:
    circuit = some_circuit(3, 4)
    circuit.swap(0, 2)  # which compilers make a renaming of
    found = placed(circuit, LINE, seed=3, level=level)
    assert score(found, target_of(circuit, keep), None, threads=1) == pytest.approx(1.0, abs=1e-9)


def test_qubits_that_nothing_acts_on_are_as_they_were() -> None:
    circuit = QuantumCircuit(3)
    circuit.h(1)
    for place in (as_it_is(circuit), placed(circuit, LINE, seed=0, level=3)):
        for keep in ("state", "unitary"):
            assert score(place, target_of(circuit, keep), None, threads=1) == pytest.approx(1.0, abs=1e-9)


def test_noise_on_more_qubits_than_a_density_matrix_holds_is_refused() -> None:
    circuit = some_circuit(3, 0)
    wide = placed(hardware_efficient(11, 1, "line").assign_parameters([0.3] * 22), None, seed=0)
    refused = problem_of(score, wide, target_of(circuit), NOISE, threads=1)
    assert refused.code == "too_many_qubits"


@given(st.floats(0.0, 4.0))
@settings(max_examples=examples(40), deadline=None)
def test_noise_is_scaled_error_by_error(scale: float) -> None:
    rules: list[dict[str, Any]] = [
        {"gate": "any_two_qubit", "error": {"kind": "depolarizing", "probability": 0.02}},
        {"gate": "x", "error": {"kind": "pauli", "terms": {"X": 0.1, "Z": 0.05}}},
        {"gate": "h", "error": {"kind": "amplitude_damping", "gamma": 0.1}},
        {"gate": "h", "error": {"kind": "thermal", "t1": 50.0, "t2": 70.0, "time": 100.0}},
    ]
    noise = CustomNoise.model_validate({"model": "custom", "gates": rules})
    found = [rule.error.model_dump() for rule in scaled(noise, scale).gates]
    assert found[0]["probability"] == pytest.approx(0.02 * scale)
    assert (found[1]["terms"]["X"], found[1]["terms"]["Z"]) == pytest.approx((0.1 * scale, 0.05 * scale))
    assert (found[2]["gamma"], found[3]["time"]) == pytest.approx((0.1 * scale, 100.0 * scale))
    assert most_scaled(noise) == pytest.approx(1 / 0.15)
    assert CustomNoise.model_validate(scaled(noise, scale).model_dump())
    assert two_qubit_probability(noise) == 0.02


def test_noise_of_kraus_operators_has_no_weaker_and_stronger() -> None:
    kraus = {"gate": "h", "error": {"kind": "kraus", "operators": [[[[1, 0], [0, 0]], [[0, 0], [1, 0]]]]}}
    noise = CustomNoise.model_validate({"model": "custom", "gates": [kraus]})
    assert most_scaled(noise) is None
    assert break_even(noise, lambda scale: 1.0, lambda scale: 0.0) is None


@given(st.floats(0.002, 30.0))
@settings(max_examples=examples(40), deadline=None)
def test_break_even_is_where_both_are_equal(equal: float) -> None:
    noise = DepolarizingNoise(model="depolarizing", one_qubit=0.001, two_qubit=0.01)
    found = break_even(noise, lambda scale: 1 - scale / equal, lambda scale: 0.0)
    assert found is not None
    assert found.scale == pytest.approx(equal, rel=0.02)
    assert found.two_qubit == pytest.approx(0.01 * equal, rel=0.02)


@pytest.mark.parametrize(("short", "said"), [(2.0, "short circuit is better"), (-2.0, "given circuit is better")])
def test_break_even_may_lie_nowhere(short: float, said: str) -> None:
    found = break_even(NOISE, lambda scale: 0.0, lambda scale: short)
    assert found is not None
    assert found.scale is None
    assert said in found.said


def test_measurements_at_the_end_and_resets_at_the_beginning_are_left_out() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.reset(0)
    circuit.h(0)
    circuit.barrier()
    circuit.cx(0, 1)
    circuit.measure([0, 1], [1, 0])
    assert gates_alone(circuit).count_ops() == {"h": 1, "cx": 1}


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lambda circuit: (circuit.h(0), circuit.reset(0)), "reset"),
        (lambda circuit: (circuit.measure(0, 0), circuit.h(0)), "measure"),
        (lambda circuit: circuit.if_test((circuit.clbits[0], 1), QuantumCircuit(1), [0], []), "if_else"),
    ],
)
def test_what_is_no_gate_is_refused_by_name(spoil: Any, name: str) -> None:
    circuit = QuantumCircuit(2, 2)
    spoil(circuit)
    with pytest.raises(Problem, match=name) as refused:
        gates_alone(circuit)
    assert refused.value.code == "not_a_unitary"
    assert refused.value.ways_out
