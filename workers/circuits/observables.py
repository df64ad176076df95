"""Observables as submitted, over the qubits that are simulated: all others are in 0, where Z is 1, X and Y are 0."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from qiskit.quantum_info import PauliList, SparsePauliOp

from qstill.contract.circuits.outputs import Observable, check_observable

MAX_VARIANCE_TERMS = 128  # the square of a sum of n terms has n² terms


@dataclass(frozen=True, slots=True)
class Measured:
    """O as a sum over the simulated qubits, and O², from which its variance follows; None where it is too large."""

    operator: SparsePauliOp
    square: SparsePauliOp | None


def lower(observable: Observable, qubits: int, places: Mapping[int, int], pointer: str) -> Measured:
    """The observable over the simulated qubits. Raises Problem where it names qubits that do not exist.

    qubits: of the circuit as submitted. places: where among the simulated ones each of them stands, if it does.
    """
    check_observable(observable, qubits, pointer)
    terms = []
    for term in observable.terms:
        named = term.qubits if term.qubits is not None else range(qubits)[::-1]
        terms.append((dict(zip(named, term.paulis, strict=True)), term.coefficient))
    support = sorted({qubit for letters, _ in terms for qubit in letters})
    labels = [("".join(letters.get(qubit, "I") for qubit in reversed(support)), c) for letters, c in terms]
    operator = SparsePauliOp.from_list(labels).simplify()
    square = (operator @ operator).simplify() if len(operator) <= MAX_VARIANCE_TERMS else None
    return Measured(
        _simulated(operator, support, places), None if square is None else _simulated(square, support, places)
    )


def _simulated(operator: SparsePauliOp, support: list[int], places: Mapping[int, int]) -> SparsePauliOp:
    """An operator on the qubits of `support` as one on the simulated qubits."""
    x, z = operator.paulis.x, operator.paulis.z
    idle = [column for column, qubit in enumerate(support) if qubit not in places]
    active = [column for column, qubit in enumerate(support) if qubit in places]
    there = [places[support[column]] for column in active]
    kept = ~x[:, idle].any(axis=1)
    shape = (int(kept.sum()), max(1, len(places)))
    x_there, z_there = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    x_there[:, there], z_there[:, there] = x[kept][:, active], z[kept][:, active]
    if not kept.any():
        return SparsePauliOp(["I" * shape[1]], [0.0])
    return SparsePauliOp(PauliList.from_symplectic(z_there, x_there), operator.coeffs[kept]).simplify()
