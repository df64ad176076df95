"""Noise as a job has it, and the density matrices that it leaves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator

from qstill.contract.circuits.noise.model import Noise
from workers.circuits.engines.aer import translate
from workers.circuits.noise.model import for_noise, noise_model

Matrix = NDArray[np.complex128]
NOISE: TypeAdapter[Noise] = TypeAdapter(Noise)
AER = AerSimulator(method="density_matrix")


def noise_of(**fields: Any) -> Noise:
    return NOISE.validate_python(fields)


def custom(*gates: dict[str, Any], readout: tuple[dict[str, Any], ...] = ()) -> Noise:
    return noise_of(model="custom", gates=list(gates), readout=list(readout))


def density(circuit: QuantumCircuit, noise: Noise, *, qubits: list[int] | None = None) -> Matrix:
    """The final density matrix, measurements left out, through everything that a job goes through."""
    located = for_noise(circuit, noise)
    model = noise_model(noise, located, qubits=range(circuit.num_qubits) if qubits is None else qubits)
    translated = translate(located.remove_final_measurements(inplace=False) or located)
    translated.save_density_matrix()
    result = AER.run(translated, noise_model=model).result()
    assert result.success, result.status
    return np.asarray(result.data()["density_matrix"].data)


def ideal(circuit: QuantumCircuit) -> Matrix:
    bare = circuit.remove_final_measurements(inplace=False)
    state = Operator(bare).data[:, 0]
    return np.outer(state, state.conj())


def close(actual: Matrix, expected: Matrix) -> None:
    np.testing.assert_allclose(actual, expected, atol=1e-7)


def depolarized(rho: Matrix, p: float) -> Matrix:
    return (1 - p) * rho + p * np.eye(len(rho)) / len(rho)
