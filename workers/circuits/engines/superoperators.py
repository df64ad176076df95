"""Errors as superoperators: matrices on the columns of a density matrix, set one below the other."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import SuperOp

from qstill.contract.circuits.noise.channels import Depolarizing, GateError
from workers.circuits.noise.model import ERRORS, channel

Array = NDArray[np.complex128]


def superoperator(error: GateError, qubits: int) -> Array:
    """(4^n, 4^n) of an error after a gate on n qubits; one of a single qubit strikes each of them."""
    return _superoperator(error.model_dump_json(), qubits)


@lru_cache(1024)
def _superoperator(error: str, qubits: int) -> Array:
    described: GateError = ERRORS.validate_json(error)
    if not isinstance(described, Depolarizing):
        found: Array = SuperOp(channel(error, qubits)).data
        return found
    mixed = np.eye(1 << qubits, dtype=np.complex128).reshape(-1)
    p = described.probability
    return (1 - p) * np.eye(4**qubits) + p / (1 << qubits) * np.outer(mixed, mixed)
