"""VQE with unitary coupled cluster (Peruzzo and others 2014, arXiv:1304.3061; McArdle and others, arXiv:1808.10402)."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from pydantic import JsonValue
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp

from qstill.contract.circuits.templates.answer import Answer
from qstill.contract.circuits.templates.chemistry import Vqe
from workers.circuits.templates.descent import descend
from workers.circuits.templates.evidence import FITS, SIGMA, distribution, fit, within
from workers.circuits.templates.integrals import integrals
from workers.circuits.templates.molecules import (
    Excitation,
    Matrix,
    exact_ground_energy,
    excitations,
    hamiltonian,
    hartree_fock_state,
)
from workers.circuits.templates.prepared import Counts, Prepared

CHEMICAL_ACCURACY = 1.6e-3  # hartree, 1 kcal/mol
EQUILIBRIUM = {"h2": 0.735, "lih": 1.595}  # angstrom; near the minimum
GRADIENT = 1e-6  # hartree per radian; the energy is then off by far less than chemical accuracy


@dataclass(frozen=True, slots=True)
class _Point:
    """One bond length: energies in hartree, angles in radians, and the energy after each iteration."""

    bond_length: float
    matrix: Matrix
    hartree_fock: float
    vqe: float
    exact: float
    angles: Matrix
    trace: list[float]


def vqe(template: Vqe, *, between: Callable[[], None]) -> Prepared:
    """The whole curve on exact states; then the circuit of the wanted bond length, measured in the occupation basis.

    Occupations give the part of the energy that is diagonal there; the whole Hamiltonian is among the figures, as
    Pauli strings to be measured.
    """
    molecules = integrals(template.molecule)
    orbitals = len(molecules[0].one)
    pool = excitations(orbitals)
    curve = [_minimise(hamiltonian(molecule), molecule.bond_length, pool, between) for molecule in molecules]
    wanted = EQUILIBRIUM[template.molecule] if template.bond_length is None else template.bond_length
    point = next(point for point in curve if point.bond_length == wanted)

    qubits = range(2 * orbitals)
    circuit = QuantumCircuit(len(qubits), len(qubits))
    circuit.x((0, orbitals))
    for excitation, angle in zip(pool, point.angles.tolist(), strict=True):
        circuit.append(PauliEvolutionGate(excitation.hermitian(), time=angle, label="excite"), qubits)
    circuit.measure(qubits, qubits)

    occupied = _state(pool, point.angles, orbitals) ** 2
    expected = distribution(occupied, len(qubits))
    diagonal = np.diag(point.matrix)
    theory = float(occupied @ diagonal)
    spread = sqrt(max(0.0, float(occupied @ diagonal**2) - theory**2))

    def interpret(counts: Counts, shots: int) -> Answer:
        sampled = sum(diagonal[int(key, 2)] * count for key, count in counts.items()) / shots
        tested = fit(counts, shots, expected)
        above = round(1000 * (point.vqe - point.exact), 4) + 0.0  # which makes -0 a 0
        accurate = all(abs(each.vqe - each.exact) <= CHEMICAL_ACCURACY for each in curve)
        figures: dict[str, JsonValue] = {
            "molecule": template.molecule,
            "bond_length": wanted,
            "hartree_fock": point.hartree_fock,
            "vqe": point.vqe,
            "exact": point.exact,
            "error": point.vqe - point.exact,
            "chemical_accuracy": CHEMICAL_ACCURACY,
            "diagonal_energy": float(sampled),
            "diagonal_energy_theory": theory,
            "diagonal_energy_standard_error": spread / sqrt(shots),
            "trace": list[JsonValue](point.trace),
            "angles": dict(zip((each.name for each in pool), point.angles.tolist(), strict=True)),
            "hamiltonian": _pauli_terms(point.matrix),
            "curve": {
                "bond_length": [each.bond_length for each in curve],
                "hartree_fock": [each.hartree_fock for each in curve],
                "vqe": [each.vqe for each in curve],
                "exact": [each.exact for each in curve],
            },
            **tested.figures(),
        }
        return Answer(
            summary=f"{template.molecule.upper().replace('IH', 'iH')} at {wanted} angstrom: {point.vqe:.6f} hartree, "
            f"{above:.4f} millihartree above the exact energy; Hartree-Fock is "
            f"{1000 * (point.hartree_fock - point.exact):.2f} above.",
            found={"energy": point.vqe, "diagonal_energy": float(sampled)},
            expected={"energy": point.exact, "diagonal_energy": theory},
            agrees=tested.good and accurate and within(sampled, theory, spread / sqrt(shots)),
            criterion=f"{FITS} The energy of the occupations lies within {SIGMA} standard errors, and all energies of "
            f"the curve are within {CHEMICAL_ACCURACY} hartree of exact diagonalisation.",
            figures=figures,
        )

    return Prepared(circuit, interpret)


def _minimise(matrix: Matrix, bond_length: float, pool: list[Excitation], between: Callable[[], None]) -> _Point:
    """VQE at one bond length, from the Hartree-Fock state."""
    orbitals = len(matrix).bit_length() // 2

    def energy(angles: Matrix) -> float:
        state = _state(pool, angles, orbitals)
        return float(state @ matrix @ state)

    found = descend(energy, np.zeros(len(pool)), gradient=GRADIENT, between=between)
    return _Point(
        bond_length=bond_length,
        matrix=matrix,
        hartree_fock=found.trace[0],
        vqe=found.value,
        exact=exact_ground_energy(matrix, orbitals),
        angles=found.angles,
        trace=found.trace,
    )


def _state(pool: list[Excitation], angles: Matrix, orbitals: int) -> Matrix:
    state = hartree_fock_state(orbitals)
    for excitation, angle in zip(pool, angles.tolist(), strict=True):
        state = excitation.rotate(state, angle)
    return state


def _pauli_terms(matrix: Matrix) -> list[JsonValue]:
    """The Hamiltonian as Pauli strings; the rightmost letter is qubit 0."""
    terms = SparsePauliOp.from_operator(matrix).simplify(atol=1e-10)
    return [
        {"pauli": label, "coefficient": float(coefficient.real)}
        for label, coefficient in zip(terms.paulis.to_labels(), terms.coeffs, strict=True)
    ]
