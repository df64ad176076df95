"""Circuits for qiskit-ionq, and what it reads of their jobs."""

from collections.abc import Callable
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

EXACT = 1e-9
Backends = Callable[..., Any]


def measured(circuit: QuantumCircuit) -> QuantumCircuit:
    made = QuantumCircuit(circuit.num_qubits, circuit.num_qubits)
    made.compose(circuit, inplace=True)
    made.measure(range(circuit.num_qubits), range(circuit.num_qubits))
    return made


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    return measured(circuit)


def raw(job: Any) -> Any:
    """What the client itself reads, before it samples."""
    return job._client.get_results(job._results_urls["probabilities"])


def must_be_exact(found: dict[str, float], circuit: QuantumCircuit) -> None:
    exact = Statevector(circuit.remove_final_measurements(inplace=False)).probabilities()
    given = np.zeros(len(exact))
    for outcome, probability in found.items():
        given[int(outcome)] = probability
    np.testing.assert_allclose(given, exact, rtol=0, atol=EXACT)
