"""Molecular integrals, as numbers with their source; `make.py` is how they were computed."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Integrals:
    """A molecule at one bond length, in its Hartree-Fock orbitals; energies in hartree.

    constant: the nuclei's repulsion, and the energy of the frozen core where there is one.
    one: h_pq. two: (pq|rs), in chemists' order. electrons: as many with spin up as with spin down.
    """

    bond_length: float  # angstrom
    electrons: int
    constant: float
    one: NDArray[np.float64]
    two: NDArray[np.float64]


@lru_cache
def integrals(molecule: str) -> list[Integrals]:
    """Of every bond length that is shipped, in their order."""
    shipped = json.loads((_FOLDER / f"{molecule}.json").read_text(encoding="utf-8"))
    return [
        Integrals(
            bond_length=point["bond_length"],
            electrons=shipped["electrons"],
            constant=point["constant"],
            one=np.array(point["one"]),
            two=np.array(point["two"]),
        )
        for point in shipped["points"]
    ]
