"""Observables as submitted, over the qubits that are simulated: all others are in 0, where Z is 1, X and Y are 0."""

from collections import defaultdict
from collections.abc import Sequence

from qiskit import QuantumCircuit
from qiskit.circuit import Qubit
from qiskit.quantum_info import SparsePauliOp

from app.circuits.outputs import Observable
from app.errors import Problem


def lower(observable: Observable, circuit: QuantumCircuit, active: Sequence[Qubit], pointer: str) -> SparsePauliOp:
    """The observable as a sum over the active qubits, in their order. Raises Problem where it names other qubits."""
    place = {qubit: index for index, qubit in enumerate(active)}
    qubits = circuit.qubits
    sums: dict[str, float] = defaultdict(float)
    for number, term in enumerate(observable.terms):
        named = term.qubits if term.qubits is not None else range(len(qubits))[::-1]
        if len(named) != len(term.paulis):
            title = f"The term has {len(term.paulis)} letters for the circuit's {len(qubits)} qubits."
            raise Problem("term_length", title, pointer=f"{pointer}/terms/{number}/paulis")
        if max(named) >= len(qubits):
            title = f"There is no qubit {max(named)}: the circuit has {len(qubits)}, numbered from 0."
            raise Problem("no_such_qubit", title, pointer=f"{pointer}/terms/{number}/qubits")
        letters = ["I"] * max(1, len(active))
        vanishes = False
        for letter, index in zip(term.paulis, named, strict=True):
            where = place.get(qubits[index])
            if where is None:
                vanishes = vanishes or letter in "XY"
            else:
                letters[len(letters) - 1 - where] = letter
        if not vanishes:
            sums["".join(letters)] += term.coefficient
    return SparsePauliOp.from_list(list(sums.items()) or [("I" * max(1, len(active)), 0.0)])
