"""Observables as submitted, over the qubits that are simulated: all others are in 0, where Z is 1, X and Y are 0."""

from collections import defaultdict
from collections.abc import Mapping

from qiskit.quantum_info import SparsePauliOp

from app.circuits.outputs import Observable
from app.errors import Problem


def lower(observable: Observable, qubits: int, places: Mapping[int, int], pointer: str) -> SparsePauliOp:
    """The observable as a sum over the simulated qubits. Raises Problem where it names qubits that do not exist.

    qubits: of the circuit as submitted. places: where among the simulated ones each of them stands, if it does.
    """
    width = max(1, len(places))
    sums: dict[str, float] = defaultdict(float)
    for number, term in enumerate(observable.terms):
        named = term.qubits if term.qubits is not None else range(qubits)[::-1]
        if len(named) != len(term.paulis):
            title = f"The term has {len(term.paulis)} letters for the circuit's {qubits} qubits."
            raise Problem("term_length", title, pointer=f"{pointer}/terms/{number}/paulis")
        if max(named) >= qubits:
            title = f"There is no qubit {max(named)}: the circuit has {qubits}, numbered from 0."
            raise Problem("no_such_qubit", title, pointer=f"{pointer}/terms/{number}/qubits")
        letters = ["I"] * width
        vanishes = False
        for letter, index in zip(term.paulis, named, strict=True):
            where = places.get(index)
            if where is None:
                vanishes = vanishes or letter in "XY"
            else:
                letters[width - 1 - where] = letter
        if not vanishes:
            sums["".join(letters)] += term.coefficient
    return SparsePauliOp.from_list(list(sums.items()) or [("I" * width, 0.0)])
