"""Pauli errors in Stim's words."""

from collections.abc import Sequence
from itertools import product

from qstill.contract.circuits.noise.channels import Depolarizing, GateError, PauliError

_STRINGS = {
    1: ["X", "Y", "Z"],
    2: ["".join(letters) for letters in product("IXYZ", repeat=2)][1:],  # the first letter acts on the first qubit
}


def error_lines(error: GateError, targets: Sequence[int]) -> list[str]:
    """The error of a gate on these qubits. One of a single qubit strikes each of them."""
    match error:
        case Depolarizing():
            every = 4 ** len(targets)  # the mixed state is all Pauli operators alike, the identity among them
            name, chances = f"DEPOLARIZE{len(targets)}", [error.probability * (every - 1) / every]
        case PauliError():
            scale = max(1.0, sum(error.terms.values()))  # decimals may add up to a little more than 1
            name = f"PAULI_CHANNEL_{error.qubits}"
            chances = [error.terms.get(string[::-1], 0.0) / scale for string in _STRINGS[error.qubits]]
        case _:
            raise AssertionError(error.kind)  # the route has looked
    return [f"{name}({', '.join(map(repr, chances))}) {' '.join(map(str, targets))}"]
