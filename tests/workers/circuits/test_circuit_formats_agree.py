"""One circuit in every format, in and out, is one unitary: ours, numpy's, Qiskit's and Cirq's."""

from math import pi
from typing import Any

import cirq
import cirq_ionq
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit import Gate
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator
from scipy.linalg import expm

from qstill.contract.circuits.formats import JsonCircuit
from tests.testing.circuits.circuit_strategies import circuits, small_matrix, unitary
from tests.testing.examples import examples
from workers.circuits.export import to_json, to_openqasm2, to_openqasm3
from workers.circuits.parse.cirq import parse_cirq
from workers.circuits.parse.json import parse_json
from workers.circuits.parse.openqasm2 import parse_openqasm2
from workers.circuits.parse.openqasm3 import parse_openqasm3

Circuit = tuple[int, list[dict[str, Any]]]
CLOSE = 1e-6  # how far the matrices of decomposed unitaries stray


def parsed(qubits: int, operations: list[dict[str, Any]]) -> QuantumCircuit:
    return parse_json(JsonCircuit.model_validate({"format": "json", "qubits": qubits, "operations": operations}))


def same(circuit: QuantumCircuit, matrix: Any) -> bool:
    return bool(Operator(circuit).equiv(Operator(matrix), atol=CLOSE, rtol=0))


def cirq_gate(operation: dict[str, Any]) -> Any:
    """The gate without its controls, by Cirq's own name where it has one, otherwise as a matrix."""
    name, turns = operation["gate"], operation.get("rotation", 0.0) / pi
    fixed = {"x": cirq.X, "not": cirq.X, "cnot": cirq.X, "y": cirq.Y, "z": cirq.Z, "h": cirq.H, "swap": cirq.SWAP}
    powers = {"s": cirq.Z**0.5, "si": cirq.Z**-0.5, "t": cirq.T, "ti": cirq.T**-1, "v": cirq.X**0.5, "vi": cirq.X**-0.5}
    rotations = {"rx": cirq.rx, "ry": cirq.ry, "rz": cirq.rz}
    ising = {"xx": cirq.XXPowGate, "yy": cirq.YYPowGate, "zz": cirq.ZZPowGate}
    if "rotation" in operation:
        if name in rotations:
            return rotations[name](operation["rotation"])
        return cirq.Z**turns if name == "z" else ising[name](exponent=turns, global_shift=-0.5)
    if name in fixed | powers:
        return (fixed | powers)[name]
    match name:
        case "gpi":
            return cirq_ionq.GPIGate(phi=operation["phase"])
        case "gpi2":
            return cirq_ionq.GPI2Gate(phi=operation["phase"])
        case "ms":
            phi0, phi1 = operation["phases"]
            return cirq_ionq.MSGate(phi0=phi0, phi1=phi1, theta=operation.get("angle", 0.25))
        case "zz":
            return cirq_ionq.ZZGate(theta=operation.get("angle", operation.get("phase")))
    matrix = QuantumCircuit(len(operation["terms"][0]))
    matrix.unitary(small_matrix(operation), range(matrix.num_qubits))
    return cirq.MatrixGate(Operator(matrix.reverse_bits()).data)  # Cirq's first qubit is the high bit


def cirq_circuit(qubits: int, operations: list[dict[str, Any]]) -> Any:
    line = cirq.LineQubit.range(qubits)
    circuit = cirq.Circuit(cirq.I.on_each(*line))
    for operation in operations:
        if operation["gate"] == "nop":
            continue
        targets = operation["targets"] if "targets" in operation else [operation["target"]]
        controls = operation.get("controls", [operation["control"]] if "control" in operation else [])
        gate = cirq_gate(operation)
        groups = [targets] if cirq.num_qubits(gate) == len(targets) else [[target] for target in targets]
        for group in groups:
            on = gate.on(*(line[qubit] for qubit in group))
            circuit.append(on.controlled_by(*(line[qubit] for qubit in controls)))
    return circuit


@settings(max_examples=examples(60))
@given(circuits())
def test_what_cirq_writes_for_it_is_the_same(circuit: Circuit) -> None:
    assert same(parse_cirq(cirq.to_json(cirq_circuit(*circuit))), unitary(*circuit))


@pytest.mark.filterwarnings("ignore:.*annotated.*:DeprecationWarning")  # in Qiskit's importer, by itself
@settings(max_examples=examples(30))
@given(circuits())
def test_openqasm_3_is_the_same_for_us_and_for_qiskit(circuit: Circuit) -> None:
    text = to_openqasm3(parsed(*circuit))
    assert same(parse_openqasm3(text), unitary(*circuit))
    assert same(qasm3.loads(text), unitary(*circuit))


@settings(max_examples=examples(40))
@given(circuits())
def test_openqasm_2_is_the_same_for_us_and_for_qiskit(circuit: Circuit) -> None:
    text = to_openqasm2(parsed(*circuit))
    assert same(parse_openqasm2(text), unitary(*circuit))
    assert same(qasm2.loads(text), unitary(*circuit))


@settings(max_examples=examples(40))
@given(circuits())
def test_json_comes_back_the_same(circuit: Circuit) -> None:
    body = JsonCircuit.model_validate(to_json(parsed(*circuit)))
    assert same(parse_json(body), unitary(*circuit))


@settings(max_examples=examples(40))
@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_a_circuit_of_qiskit_is_the_same_in_every_format(qubits: int, depth: int, seed: int) -> None:
    circuit = random_circuit(qubits, depth, max_operands=min(4, qubits), seed=seed)
    matrix = Operator(circuit).data
    assert same(parse_json(JsonCircuit.model_validate(to_json(circuit))), matrix)
    assert same(parse_openqasm3(to_openqasm3(circuit)), matrix)
    assert same(parse_openqasm2(to_openqasm2(circuit)), matrix)


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("qubits", [1, 2, 3])
def test_a_matrix_is_written_to_nine_digits_however_near_the_identity(qubits: int, size: float) -> None:
    random = np.random.default_rng(qubits)
    noise = random.normal(size=(2, 2**qubits, 2**qubits))
    hermitian = noise[0] + noise[0].T + 1j * (noise[1] - noise[1].T)
    circuit = QuantumCircuit(qubits)
    circuit.unitary(expm(1j * size * hermitian), range(qubits))
    again = parse_openqasm3(to_openqasm3(circuit))
    assert Operator(again).equiv(Operator(circuit), atol=3e-9, rtol=0)


STANDARD = {name: gate for name, gate in get_standard_gate_name_mapping().items() if isinstance(gate, Gate)}


@pytest.mark.parametrize("name", STANDARD)
@pytest.mark.parametrize("controls", [0, 1, 2])
def test_every_gate_of_qiskit_can_be_written(name: str, controls: int) -> None:
    angles = np.random.default_rng(len(name)).uniform(-3, 3, len(STANDARD[name].params)).tolist()
    gate = type(STANDARD[name])(*angles)
    if controls:
        gate = gate.control(controls, ctrl_state=1, annotated=False)
    circuit = QuantumCircuit(max(1, gate.num_qubits) + 1)
    circuit.h(range(circuit.num_qubits))
    circuit.append(gate, [*range(gate.num_qubits)][::-1])
    matrix = Operator(circuit).data
    assert same(parse_json(JsonCircuit.model_validate(to_json(circuit))), matrix)
    assert same(parse_openqasm3(to_openqasm3(circuit)), matrix)
    if controls < 2:
        assert same(parse_openqasm2(to_openqasm2(circuit)), matrix)
