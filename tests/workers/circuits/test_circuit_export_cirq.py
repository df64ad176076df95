"""Cirq, and our reader of its JSON, make of an exported circuit what Qiskit makes of the circuit."""

import json
from typing import Any

import cirq
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator

from qstill.contract.errors import Problem
from tests.testing.examples import examples
from workers.circuits.export import to_cirq
from workers.circuits.parse.cirq import parse_cirq

A, B = Parameter("a"), Parameter("b_1")


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """How far two unitaries are from being one up to a global phase."""
    return float(1 - abs(np.trace(one.conj().T @ other)) / len(one))


def of_cirq(circuit: cirq.Circuit, qubits: int) -> np.ndarray:
    """Its unitary, qubit 0 the lowest bit."""
    order = list(reversed(cirq.LineQubit.range(qubits)))
    return cirq.unitary(circuit) if qubits == 0 else circuit.unitary(qubit_order=order, dtype=np.complex128)


def parametrised() -> QuantumCircuit:
    circuit = QuantumCircuit(4)  # nothing acts on the last
    circuit.rx(2 * A - B / 3 + 0.5, 0)
    circuit.p(A * B, 1)
    circuit.rzz(-A, 0, 1)
    circuit.rxx(B, 1, 2)
    circuit.cry(A / (B + 2), 2, 0)
    circuit.ccx(0, 1, 2)
    circuit.u(A, 0.1, B, 1)
    circuit.ch(0, 2)
    circuit.barrier()
    circuit.cswap(0, 1, 2)
    circuit.csx(2, 1)
    return circuit


@settings(max_examples=examples(15))
@given(st.floats(-4, 4), st.floats(-1.5, 4))
def test_symbols_take_values_in_cirq(a: float, b: float) -> None:
    circuit, written = parametrised(), json.dumps(to_cirq(parametrised()))
    expected = Operator(circuit.assign_parameters({A: a, B: b})).data
    read = cirq.read_json(json_text=written)
    assert cirq.parameter_names(read) == {"a", "b_1"}
    found = of_cirq(cirq.resolve_parameters(read, {"a": a, "b_1": b}), 4)
    assert apart(found, expected) < 1e-12
    ours = parse_cirq(written)
    values = {each: {"a": a, "b_1": b}[each.name] for each in ours.parameters}
    assert apart(Operator(ours.assign_parameters(values)).data, expected) < 1e-12


@settings(max_examples=examples(15))
@given(st.integers(1, 4), st.integers(0, 10**6))
def test_random_circuits_are_the_same_in_cirq(qubits: int, seed: int) -> None:
    circuit = random_circuit(qubits, 4, max_operands=min(3, qubits), seed=seed)
    written: dict[str, Any] = to_cirq(circuit)
    assert apart(of_cirq(cirq.read_json(json_text=json.dumps(written)), qubits), Operator(circuit).data) < 1e-12
    assert apart(Operator(parse_cirq(written)).data, Operator(circuit).data) < 1e-12


def test_what_measures_is_not_written() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with pytest.raises(Problem, match="Only gates"):
        to_cirq(circuit)
