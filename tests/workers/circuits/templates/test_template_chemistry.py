"""Molecules: the shipped integrals are PySCF's, the Hamiltonian is qiskit-nature's, and VQE finds its ground state."""

from functools import reduce

import numpy as np
import pytest

from qstill.contract.circuits.templates.chemistry import BOND_LENGTHS
from tests.workers.circuits.templates.running import answer, prepared
from workers.circuits.templates import chemistry
from workers.circuits.templates.chemistry import CHEMICAL_ACCURACY
from workers.circuits.templates.integrals import Integrals, integrals
from workers.circuits.templates.integrals.make import compute
from workers.circuits.templates.molecules import (
    annihilators,
    exact_ground_energy,
    excitations,
    hamiltonian,
    one_of_each_spin,
)

MOLECULES = ["h2", "lih"]
KNOWN_H2 = -1.1373060  # hartree: full configuration interaction, STO-3G, 0.735 angstrom (arXiv:1704.05018)


@pytest.mark.parametrize("molecule", MOLECULES)
def test_there_are_integrals_for_every_bond_length_that_may_be_asked_for(molecule: str) -> None:
    assert tuple(each.bond_length for each in integrals(molecule)) == BOND_LENGTHS[molecule]
    assert chemistry.EQUILIBRIUM[molecule] in BOND_LENGTHS[molecule]


@pytest.mark.parametrize("molecule", MOLECULES)
def test_the_integrals_are_those_of_pyscf(molecule: str) -> None:
    for shipped in integrals(molecule)[::6]:
        made = compute(molecule, shipped.bond_length)
        again = Integrals(
            shipped.bond_length, 2, made["constant"], np.array(made["one"]), np.array(made["two"])
        )  # an orbital's sign is free, energies are not
        orbitals = len(again.one)
        expected = exact_ground_energy(hamiltonian(again), orbitals)
        assert exact_ground_energy(hamiltonian(shipped), orbitals) == pytest.approx(expected, abs=1e-8)
        assert shipped.constant == pytest.approx(again.constant, abs=1e-8)


def test_full_configuration_interaction_by_pyscf_agrees() -> None:
    from pyscf import fci, gto, scf

    for shipped in integrals("h2")[::6]:
        molecule = gto.M(atom=f"H 0 0 0; H 0 0 {shipped.bond_length}", basis="sto-3g", verbose=0)
        energy = fci.FCI(scf.RHF(molecule).run()).kernel()[0]
        assert exact_ground_energy(hamiltonian(shipped), 2) == pytest.approx(energy, abs=1e-8)


def test_hydrogen_has_the_energy_of_the_literature() -> None:
    found = answer("vqe")
    assert found.expected["energy"] == pytest.approx(KNOWN_H2, abs=1e-6)  # type: ignore[index, call-overload]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("molecule", MOLECULES)
def test_the_hamiltonian_is_that_of_qiskit_nature(molecule: str) -> None:
    from qiskit_nature.second_q.hamiltonians import ElectronicEnergy
    from qiskit_nature.second_q.mappers import JordanWignerMapper

    for shipped in integrals(molecule)[::6]:
        energy = ElectronicEnergy.from_raw_integrals(shipped.one, shipped.two)
        mapped = JordanWignerMapper().map(energy.second_q_op()).to_matrix()
        ours = hamiltonian(shipped)
        np.testing.assert_allclose(ours, mapped + shipped.constant * np.eye(len(ours)), atol=1e-9)


@pytest.mark.parametrize("spin_orbitals", [2, 4, 6])
def test_annihilators_anticommute(spin_orbitals: int) -> None:
    lower = annihilators(spin_orbitals)
    for i, a in enumerate(lower):
        for j, b in enumerate(lower):
            np.testing.assert_allclose(a @ b + b @ a, 0, atol=1e-12)
            np.testing.assert_allclose(a @ b.T + b.T @ a, np.eye(len(a)) * (i == j), atol=1e-12)


@pytest.mark.parametrize("orbitals", [2, 3])
def test_excitations_keep_the_number_of_electrons_of_each_spin(orbitals: int) -> None:
    allowed = set(one_of_each_spin(orbitals))
    for excitation in excitations(orbitals):
        generator = excitation.generator
        np.testing.assert_allclose(reduce(np.matmul, [generator] * 3), -generator, atol=1e-12)
        for start in allowed:
            assert set(np.flatnonzero(generator[:, start])) <= allowed


@pytest.mark.parametrize("molecule", MOLECULES)
def test_the_curve_is_exact_within_chemical_accuracy_and_variational(molecule: str) -> None:
    found = answer("vqe", molecule=molecule, bond_length=BOND_LENGTHS[molecule][-1])
    curve = {name: np.array(values) for name, values in found.figures["curve"].items()}  # type: ignore[union-attr]
    assert tuple(curve["bond_length"]) == BOND_LENGTHS[molecule]
    assert np.all(np.abs(curve["vqe"] - curve["exact"]) <= CHEMICAL_ACCURACY)
    assert np.all(curve["vqe"] >= curve["exact"] - 1e-9)
    assert np.all(curve["hartree_fock"] > curve["vqe"])
    minimum = curve["bond_length"][np.argmin(curve["exact"])]
    assert minimum == chemistry.EQUILIBRIUM[molecule]
    trace = np.array(found.figures["trace"])
    assert trace[0] == pytest.approx(curve["hartree_fock"][-1])
    assert np.all(np.diff(trace) <= 1e-12)


def test_the_pauli_strings_are_the_hamiltonian() -> None:
    from qiskit.quantum_info import SparsePauliOp

    terms = answer("vqe", molecule="lih").figures["hamiltonian"]
    strings = SparsePauliOp.from_list([(each["pauli"], each["coefficient"]) for each in terms])  # type: ignore[union-attr, index, call-overload]
    shipped = next(each for each in integrals("lih") if each.bond_length == chemistry.EQUILIBRIUM["lih"])
    np.testing.assert_allclose(strings.to_matrix(), hamiltonian(shipped), atol=1e-8)


def test_a_shot_that_loses_an_electron_is_noticed() -> None:
    ready = prepared("vqe")
    assert not ready.interpret({"0101": 999, "0100": 1}, 1000).agrees
