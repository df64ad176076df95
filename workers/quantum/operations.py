"""What a circuit is lowered to: turns, phases and shuffles of basis states.

RZ·RY·RZ is any gate on one qubit, and what entangles is diagonal or a permutation. So a circuit is, layer by layer,

- `Turns`: RY on some qubits, a real matrix;
- `Phases`: exp(-i Σ_k θ_k d_k), each d_k a real diagonal over the 2^n basis states;
- `Shuffle`: a permutation of basis states.

Angles are numbers of a list (`Lowered.angles`), in radians. Basis states are little-endian: qubit 0 is the lowest bit.
A global phase is dropped: nothing that is measured depends on it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Turns:
    """RY(θ) on each of some qubits. angles: by qubit, numbers of the angles."""

    angles: dict[int, int]

    @property
    def qubits(self) -> frozenset[int]:
        return frozenset(self.angles)


@dataclass(frozen=True)
class Phases:
    """exp(-i Σ_k θ_k d_k). angles: (K,), numbers of the angles. diagonals: (K, 2^n). qubits: those that it reads."""

    angles: tuple[int, ...]
    diagonals: Reals
    qubits: frozenset[int]


@dataclass(frozen=True)
class Shuffle:
    """A permutation: amplitude `source[z]` goes to basis state z. source: (2^n,)."""

    source: Integers
    qubits: frozenset[int]

    @property
    def inverse(self) -> Integers:
        return np.argsort(self.source)


Step = Turns | Phases | Shuffle


def bit(qubits: int, qubit: int) -> Integers:
    """(2^n,): 1 where the qubit is 1."""
    return (np.arange(1 << qubits, dtype=np.int64) >> qubit) & 1


def z(qubits: int, *which: int) -> Reals:
    """(2^n,): the diagonal of a product of Z."""
    product = np.ones(1 << qubits)
    for qubit in which:
        product *= 1.0 - 2.0 * bit(qubits, qubit)
    return product


def all_ones(qubits: int, *which: int) -> Reals:
    """(2^n,): 1 where all of these qubits are 1."""
    product = np.ones(1 << qubits)
    for qubit in which:
        product *= bit(qubits, qubit)
    return product
