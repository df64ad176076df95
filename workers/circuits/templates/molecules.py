"""Electrons on qubits: a molecule's Hamiltonian and its excitations through Jordan and Wigner.

Spin orbital i is qubit i: first all with spin up, then all with spin down. Bit i of a basis state's index says whether
spin orbital i is occupied. Everything is a dense matrix; these molecules have at most 64 basis states.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp

from workers.circuits.templates.integrals import Integrals

Matrix = NDArray[np.float64]


@lru_cache
def annihilators(spin_orbitals: int) -> tuple[Matrix, ...]:
    """a_i = (X_i + iY_i)/2 · Z_0 … Z_(i-1): the string of Z makes them anticommute (Jordan and Wigner 1928)."""
    matrices = (
        SparsePauliOp(
            [("I" * (spin_orbitals - 1 - i) + letter + "Z" * i) for letter in "XY"],
            [0.5, 0.5j],
        ).to_matrix()
        for i in range(spin_orbitals)
    )
    return tuple(np.array(matrix.real) for matrix in matrices)


def hamiltonian(molecule: Integrals) -> Matrix:
    """Σ h_pq E_pq + ½ Σ (pq|rs)(E_pq E_rs - δ_qr E_ps) + constant, with E_pq = Σ_σ a†_pσ a_qσ; hartree."""
    orbitals = len(molecule.one)
    lower = annihilators(2 * orbitals)
    moves = {
        (p, q): lower[p].T @ lower[q] + lower[p + orbitals].T @ lower[q + orbitals]
        for p, q in product(range(orbitals), repeat=2)
    }
    total: Matrix = molecule.constant * np.eye(len(lower[0]))
    for (p, q), move in moves.items():
        total += molecule.one[p, q] * move
        for (r, s), other in moves.items():
            exchanged = moves[p, s] if q == r else 0
            total += molecule.two[p, q, r, s] / 2 * (move @ other - exchanged)
    return total


@dataclass(frozen=True, slots=True)
class Excitation:
    """T - T†, real and antisymmetric; its third power is its negative. name: the orbitals left → those reached."""

    name: str
    generator: Matrix

    def rotate(self, state: Matrix, angle: float) -> Matrix:
        """exp(angle · (T - T†)) on a state, exactly."""
        once = self.generator @ state
        rotated: Matrix = state + np.sin(angle) * once + (1 - np.cos(angle)) * (self.generator @ once)
        return rotated

    def hermitian(self) -> SparsePauliOp:
        """O with exp(-i·angle·O) = exp(angle · (T - T†)). Its Pauli strings commute."""
        return SparsePauliOp.from_operator(1j * self.generator)


def excitations(orbitals: int) -> list[Excitation]:
    """Of one electron of each spin from the lowest orbital: all doubles, then all singles (coupled cluster)."""
    lower = annihilators(2 * orbitals)
    up, down = 0, orbitals
    doubles = [
        (f"{up},{down} → {p},{q}", lower[p].T @ lower[q].T @ lower[down] @ lower[up])
        for p in range(1, orbitals)
        for q in range(orbitals + 1, 2 * orbitals)
    ]
    singles = [
        (f"{start} → {end}", lower[end].T @ lower[start])
        for start in (up, down)
        for end in range(start + 1, start + orbitals)
    ]
    return [Excitation(name, excite - excite.T) for name, excite in doubles + singles]


def hartree_fock_state(orbitals: int) -> Matrix:
    """One electron of each spin in the lowest orbital."""
    state = np.zeros(4**orbitals)
    state[1 | 1 << orbitals] = 1
    return state


def one_of_each_spin(orbitals: int) -> list[int]:
    """The basis states with one electron of each spin."""
    return [1 << p | 1 << (q + orbitals) for p in range(orbitals) for q in range(orbitals)]


def exact_ground_energy(matrix: Matrix, orbitals: int) -> float:
    """The lowest eigenvalue among states with one electron of each spin: full configuration interaction, hartree."""
    determinants = one_of_each_spin(orbitals)
    return float(np.linalg.eigvalsh(matrix[np.ix_(determinants, determinants)])[0])
