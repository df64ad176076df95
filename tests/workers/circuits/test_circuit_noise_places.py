"""Each error stands where its rule says, and nowhere else."""

from math import pi
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from qiskit import QuantumCircuit
from qiskit.circuit.library import RGate, UnitaryGate, XGate
from qiskit.quantum_info import Operator

from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.noise.model import ONE_QUBIT_GATES, TWO_QUBIT_GATES
from tests.testing.circuits.circuit_strategies import circuits
from tests.testing.circuits.noisy import AER, close, custom, density, ideal, noise_of
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.engines.aer import translate
from workers.circuits.noise import locations
from workers.circuits.noise.locations import MAX_DECOMPOSED_QUBITS, name_of
from workers.circuits.noise.model import for_noise, noise_cost, noise_model
from workers.circuits.parse import parse

FLIP = {"kind": "pauli", "terms": {"X": 1}}


def test_a_rule_for_a_qubit_finds_it_after_idle_qubits_were_dropped() -> None:
    noise = custom({"gate": "any_one_qubit", "qubits": [7], "error": FLIP})
    for kept, flipped in (([3, 7], 0b10), ([7, 9], 0b01), ([3, 9], 0b00)):
        circuit = QuantumCircuit(2)
        circuit.id(0)
        circuit.id(1)
        assert density(circuit, noise, qubits=kept)[flipped, flipped] == pytest.approx(1)


def test_a_rule_for_a_pair_holds_in_the_gates_order() -> None:
    noise = custom({"gate": "cx", "qubits": [4, 2], "error": {"kind": "pauli", "terms": {"XX": 1}}})
    for pair, populated in (((1, 0), 0b11), ((0, 1), 0b00)):
        circuit = QuantumCircuit(2)
        circuit.cx(*pair)
        assert density(circuit, noise, qubits=[2, 4])[populated, populated] == pytest.approx(1)


def test_a_readout_rule_finds_its_qubit_even_if_no_gate_does() -> None:
    noise = custom(readout=({"qubits": [6], "p01": 1, "p10": 0},))
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    located = for_noise(circuit, noise)
    assert located.count_ops()["unitary"] == 2  # or the qubits would be dropped as idle
    counts = AER.run(located, noise_model=noise_model(noise, located, qubits=[5, 6]), shots=10).result().get_counts()
    assert counts == {"10": 10}


def test_all_rules_that_fit_apply_in_order() -> None:
    raised, kept = [[[0, 0], [0, 0]], [[1, 0], [0, 0]]], [[[0, 0], [0, 0]], [[0, 0], [1, 0]]]
    reset_to_1 = {"kind": "kraus", "operators": [raised, kept]}
    circuit = QuantumCircuit(1)
    circuit.h(0)
    for rules, one in (
        (({"gate": "h", "error": reset_to_1}, {"gate": "any_one_qubit", "qubits": [0], "error": FLIP}), 0),
        (({"gate": "any_one_qubit", "qubits": [0], "error": FLIP}, {"gate": "h", "error": reset_to_1}), 1),
    ):
        assert density(circuit, custom(*rules))[1, 1] == pytest.approx(one)


def test_errors_of_measure_and_reset_stand_beside_them() -> None:
    noise = custom({"gate": "measure", "error": FLIP}, {"gate": "reset", "qubits": [1], "error": FLIP})
    circuit = QuantumCircuit(2, 2)
    circuit.reset([0, 1])
    circuit.measure([0, 1], [0, 1])
    located = for_noise(circuit, noise)
    counts = AER.run(located, noise_model=noise_model(noise, located, qubits=[0, 1]), shots=10).result().get_counts()
    assert counts == {"01": 10}


def test_errors_stand_in_branches_and_loops_too() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)), circuit.for_loop(range(3)):
        circuit.y(1)
    circuit.measure(1, 1)
    noise = custom({"gate": "y", "qubits": [9], "error": FLIP})
    located = for_noise(circuit, noise)
    model = noise_model(noise, located, qubits=[0, 9])
    counts = AER.run(translate(located), noise_model=model, shots=20).result().get_counts()
    assert counts == {"01": 20}
    assert noise_cost(noise, located) == 0  # here the second qubit is number 1
    assert noise_cost(custom({"gate": "y", "qubits": [1], "error": FLIP}), located) == 3


@pytest.mark.parametrize("strength", [0, 1])
@settings(max_examples=examples(25))
@given(circuit=circuits(max_qubits=4, max_operations=5))
def test_strength_0_is_ideal_and_strength_1_leaves_nothing(
    circuit: tuple[int, list[dict[str, Any]]], strength: float
) -> None:
    """Over all gates of the JSON format: no gate escapes, whatever it is called or how many qubits it has."""
    qubits, operations = circuit
    parsed = parse(
        CircuitJob.model_validate({"circuit": {"format": "json", "qubits": qubits, "operations": operations}}).circuit
    )
    noise = noise_of(model="depolarizing", one_qubit=strength, two_qubit=strength)
    actual = density(parsed, noise)
    if not strength:
        close(actual, ideal(parsed))
        return
    located = for_noise(parsed, noise)
    touched = {
        located.find_bit(qubit).index
        for instruction in located.data
        if name_of(instruction.operation) not in ("", "measure")
        for qubit in instruction.qubits
    }
    last_is_mixed = [np.eye(2) / 2 if qubit in touched else np.diag([1, 0]) for qubit in range(qubits)]
    expected = np.eye(1)
    for factor in last_is_mixed:
        expected = np.kron(factor, expected)
    close(actual, expected)
    assert touched == {
        parsed.find_bit(qubit).index
        for instruction in parsed.data
        if instruction.operation.name not in ("measure", "barrier")
        for qubit in instruction.qubits
    }


@settings(max_examples=examples(40))
@given(circuits(max_qubits=4, max_operations=6))
def test_naming_the_places_does_not_change_the_circuit(circuit: tuple[int, list[dict[str, Any]]]) -> None:
    qubits, operations = circuit
    parsed = parse(
        CircuitJob.model_validate({"circuit": {"format": "json", "qubits": qubits, "operations": operations}}).circuit
    )
    noise = noise_of(model="aria-1")
    located = for_noise(parsed, noise)
    before, after = (c.remove_final_measurements(inplace=False) for c in (parsed, located))
    assert Operator(before).equiv(Operator(after))
    gates = [instruction.operation for instruction in after.data if instruction.operation.name != "barrier"]
    assert all(name_of(gate) in (*ONE_QUBIT_GATES, *TWO_QUBIT_GATES) for gate in gates)
    assert noise_cost(noise, located) == len(gates)


def test_native_gates_stay_one_gate_each_and_labels_do_not_hide_a_gate() -> None:
    operations = [
        {"gate": "gpi", "target": 0, "phase": 0.3},
        {"gate": "gpi2", "target": 1, "phase": 0.1},
        {"gate": "ms", "targets": [0, 1], "phases": [0.1, 0.2]},
        {"gate": "zz", "targets": [0, 1], "angle": 0.1},
        {"gate": "h", "target": 0, "control": 1},
    ]
    circuit = parse(
        CircuitJob.model_validate({"circuit": {"format": "json", "qubits": 2, "operations": operations}}).circuit
    )
    circuit.append(XGate(label="barrier"), [0])
    circuit.append(RGate(pi, 0).control(1, ctrl_state=0, annotated=False), [0, 1])
    located = for_noise(circuit, noise_of(model="forte-1"))
    names = [name_of(instruction.operation) for instruction in located.data]
    assert [name for name in names if name not in ("", "measure")] == [
        *("gpi", "r", "ms", "rzz", "ch", "x", "unitary2")
    ]


def test_a_gate_on_three_qubits_is_its_one_and_two_qubit_gates() -> None:
    circuit = QuantumCircuit(3)
    circuit.ccx(0, 1, 2)
    located = for_noise(circuit, noise_of(model="aria-1"))
    assert located.count_ops() == {"cx": 6, "t": 4, "tdg": 3, "h": 2}


def test_a_gate_that_cannot_be_written_so_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    qubits = MAX_DECOMPOSED_QUBITS + 1
    circuit = QuantumCircuit(qubits)
    circuit.append(UnitaryGate(np.eye(1 << qubits)), range(qubits))
    refused = problem_of(for_noise, circuit, noise_of(model="aria-1"))
    assert (refused.code, refused.pointer) == ("gate_too_wide", "/circuit")
    monkeypatch.setattr(locations, "MAX_EXPANDED_OPERATIONS", 500)
    wide = QuantumCircuit(50)
    wide.append(XGate().control(49), range(50))
    assert problem_of(for_noise, wide, noise_of(model="aria-1")).code == "too_many_operations"


def test_no_noise_leaves_the_circuit_and_needs_no_model() -> None:
    circuit = QuantumCircuit(3)
    circuit.ccx(0, 1, 2)
    for noise in (noise_of(model="ideal"), custom()):
        assert for_noise(circuit, noise) is circuit
        assert noise_model(noise, circuit, qubits=range(3)) is None
        assert noise_cost(noise, circuit) == 0
    silent = noise_of(model="depolarizing", one_qubit=0, two_qubit=0)
    assert noise_model(silent, for_noise(circuit, silent), qubits=range(3)) is None
