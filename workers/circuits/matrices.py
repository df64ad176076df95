"""The gates that Qiskit has no class for, as matrices: IonQ's native gates and exponentials of Pauli sums."""

from cmath import exp
from collections.abc import Sequence
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.complex128]

_PAULIS = {
    "I": np.eye(2, dtype=np.complex128),
    "X": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    "Z": np.array([[1, 0], [0, -1]], dtype=np.complex128),
}


def gpi(phase: float) -> Matrix:
    """[[0, e^-i2πφ], [e^i2πφ, 0]]. phase: φ, turns."""
    turn = exp(2j * pi * phase)
    return np.array([[0, turn.conjugate()], [turn, 0]], dtype=np.complex128)


def ms(phase0: float, phase1: float, angle: float) -> Matrix:
    """The Mølmer-Sørensen gate exp(-iπ·angle·GPI(φ0)⊗GPI(φ1)), (4, 4); target 0 is the high bit. All in turns."""
    c, s = cos(pi * angle), sin(pi * angle)
    total, difference = exp(2j * pi * (phase0 + phase1)), exp(2j * pi * (phase0 - phase1))
    return np.array(
        [
            [c, 0, 0, -1j * s * total.conjugate()],
            [0, c, -1j * s * difference.conjugate(), 0],
            [0, -1j * s * difference, c, 0],
            [-1j * s * total, 0, 0, c],
        ],
        dtype=np.complex128,
    )


def controlled(matrix: Matrix, controls: int) -> Matrix:
    """Where `controls` more qubits, the high bits of an index, are all 1."""
    full = np.eye(len(matrix) << controls, dtype=np.complex128)
    full[-len(matrix) :, -len(matrix) :] = matrix
    return full


def pauli_string(letters: str) -> Matrix:
    """The product of Pauli operators, (2^n, 2^n), the rightmost letter the low bit of an index."""
    product: Matrix = np.ones((1, 1), dtype=np.complex128)
    for letter in letters:
        product = np.kron(product, _PAULIS[letter]).astype(np.complex128)
    return product


def pauli_exponential(terms: Sequence[str], coefficients: Sequence[float], time: float) -> Matrix:
    """exp(-i·time·Σ c_k P_k), (2^n, 2^n), little-endian: a term's rightmost letter is the low bit of an index."""
    size = 1 << len(terms[0])
    hamiltonian = np.zeros((size, size), dtype=np.complex128)
    for term, coefficient in zip(terms, coefficients, strict=True):
        hamiltonian += coefficient * pauli_string(term)
    energies, states = np.linalg.eigh(hamiltonian)
    unitary: Matrix = (states * np.exp(-1j * time * energies)) @ states.conj().T
    return unitary
