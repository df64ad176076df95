"""Molecules, with the bond lengths for which integrals are shipped."""

from typing import Literal, Self

from pydantic import Field, model_validator

from qstill.contract.schemas import Strict, refuse

BOND_LENGTHS = {  # angstrom
    "h2": (0.4, 0.5, 0.6, 0.7, 0.735, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5),
    "lih": (0.9, 1.1, 1.3, 1.4, 1.5, 1.595, 1.7, 1.8, 2.0, 2.3, 2.6, 3.0, 3.5),
}


def _listed(molecule: str) -> str:
    return ", ".join(map(str, BOND_LENGTHS[molecule]))


class Vqe(Strict):
    """The ground state energy of a small molecule by the variational quantum eigensolver."""

    name: Literal["vqe"] = Field(description="A molecule's ground state.", examples=["vqe"])
    molecule: Literal["h2", "lih"] = Field(
        "h2",
        description="H2: 2 electrons in 2 orbitals, 4 qubits. LiH: 2 electrons in 3 orbitals, 6 qubits; lithium's core "
        "is frozen and its two empty π orbitals are left out.",
        examples=["h2"],
    )
    bond_length: float | None = Field(
        None,
        gt=0,
        le=10,
        description="Angstrom; null: near the minimum (0.735 and 1.595). Only lengths with integrals, nothing is "
        f"interpolated. h2: {_listed('h2')}; lih: {_listed('lih')}.",
        examples=[0.735],
    )

    @model_validator(mode="after")
    def _has_integrals(self) -> Self:
        lengths = BOND_LENGTHS[self.molecule]
        if self.bond_length is not None and self.bond_length not in lengths:
            wanted = self.bond_length
            nearest = min(lengths, key=lambda length: abs(length - wanted))
            reason = f"There are no integrals for {wanted} angstrom; the nearest with integrals is {nearest}."
            refuse(("bond_length",), "no_integrals", reason, wanted)
        return self
