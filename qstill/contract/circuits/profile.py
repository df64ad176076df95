"""The methods there are, what of a circuit their cost depends on, and what is asked of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

MethodName = Literal[
    "auto",
    "stabilizer",
    "statevector",
    "density_matrix",
    "trajectories",
    "shot_branching",
    "matrix_product_state",
]  # what a client may write; strict validation takes no enumeration from a string


class Method(StrEnum):
    STABILIZER = "stabilizer"
    STATEVECTOR = "statevector"
    DENSITY_MATRIX = "density_matrix"
    TRAJECTORIES = "trajectories"
    SHOT_BRANCHING = "shot_branching"
    MATRIX_PRODUCT_STATE = "matrix_product_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What of a circuit its cost depends on. Only active qubits count: those that a gate touches.

    not_clifford: the first operation that is not Clifford, in words; None for a Clifford circuit.
    dynamic: a measurement or a reset decides what happens next. conditional: a classical bit does.
    branchings: measurements and resets before the last gate. bond_bits: 2 to its power bounds the bond dimension
    of the qubits in a row. computed: what is measured goes into
    classical variables or the angles of gates. locations: operations with noise.
    not_followed: the first condition or loop that is more than Pauli gates where one bit reads 0 or 1, in words.
    not_pauli: the first error that is no Pauli error, in words.
    """

    qubits: int
    clbits: int
    operations: int
    two_qubit: int
    bond_bits: int
    depth: int = 0
    not_clifford: str | None = None
    dynamic: bool = False
    conditional: bool = False
    branchings: int = 0
    computed: bool = False
    locations: int = 0
    not_followed: str | None = None
    not_pauli: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of a job's request bears on the method."""

    shots: int
    method: Method | None = None
    state: bool = False  # a statevector, a density matrix or exact probabilities: a state in memory
    pure: bool = False  # a statevector: no noise, no branches
    observables: bool = False
    max_bond_dimension: int | None = None  # the largest bond dimension that the client allows
