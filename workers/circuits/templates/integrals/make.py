"""How the shipped integrals were computed; needs pyscf. `python -m workers.circuits.templates.integrals.make`

Only for developers: run it after a change of the bond lengths, and commit the files that it writes.
"""

import json
from pathlib import Path
from typing import Any

from qstill.contract.circuits.templates.chemistry import BOND_LENGTHS

BASIS = "sto-3g"
DIGITS = 12  # after the decimal point, of a hartree
ATOMS = {"h2": "H 0 0 0; H 0 0 {}", "lih": "Li 0 0 0; H 0 0 {}"}
CORE_ORBITALS = {"h2": 0, "lih": 1}
SIGMA = {"A1", "A1g", "A1u"}  # irreducible representations of orbitals that are symmetric around the bond


def compute(molecule: str, bond_length: float) -> dict[str, Any]:
    """The integrals of one bond length (angstrom) over the σ orbitals outside the core, in hartree."""
    from pyscf import ao2mo, gto, mcscf, scf

    atoms = ATOMS[molecule].format(bond_length)
    built = gto.M(atom=atoms, basis=BASIS, unit="angstrom", symmetry=True, verbose=0)
    field = scf.RHF(built)
    field.conv_tol = 1e-12
    field.kernel()
    if not field.converged:
        raise SystemExit(f"{molecule} at {bond_length} angstrom: Hartree-Fock did not converge")
    core = CORE_ORBITALS[molecule]
    symmetric = [index for index, name in enumerate(field.get_orbsym(field.mo_coeff)) if _irrep(built, name) in SIGMA]
    left_out = [index for index in range(field.mo_coeff.shape[1]) if index not in symmetric]
    orbitals = field.mo_coeff[:, symmetric + left_out]
    space = mcscf.CASCI(field, len(symmetric) - core, built.nelectron - 2 * core)
    one, constant = space.get_h1eff(orbitals)
    two = ao2mo.restore(1, space.get_h2eff(orbitals), len(symmetric) - core)
    return {
        "bond_length": bond_length,
        "constant": round(float(constant), DIGITS),
        "one": one.round(DIGITS).tolist(),
        "two": two.round(DIGITS).tolist(),
    }


def _irrep(built: Any, number: int) -> str:
    from pyscf.symm import irrep_id2name

    name: str = irrep_id2name(built.groupname, number)
    return name


def main() -> None:
    import pyscf

    for molecule, lengths in BOND_LENGTHS.items():
        shipped = {
            "source": f"PySCF {pyscf.__version__}, restricted Hartree-Fock, basis {BASIS}; "
            f"{CORE_ORBITALS[molecule]} frozen core orbitals, σ orbitals only",
            "units": "hartree; bond lengths in angstrom; `two` is (pq|rs), in chemists' order",
            "electrons": 2,
            "points": [compute(molecule, length) for length in lengths],
        }
        text = json.dumps(shipped, ensure_ascii=False, separators=(",", ":")).replace('{"bond', '\n{"bond')
        (Path(__file__).parent / f"{molecule}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
