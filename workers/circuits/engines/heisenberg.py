"""Expectation values of stabilizer circuits, exact: every Pauli string is followed from the end of the circuit to its
beginning, through noise, measurements, resets and feedback alike, and read off in the state of all zeros.

A Clifford gate turns a Pauli string into another; a Pauli error, and a measurement it does not commute with, shrink it.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np
import stim
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp

from workers.circuits.observables import Measured
from workers.circuits.program import Mean, Reals

Codes = NDArray[np.uint8]  # of Pauli letters: I, X, Y, Z are 0 to 3

_Z = 3


def means(circuit: stim.Circuit, observables: Sequence[Measured], places: Sequence[int]) -> list[Mean]:
    """places: the circuit's qubit of each of the observables' qubits."""
    operators = [observable.operator for observable in observables]
    operators += [observable.square for observable in observables if observable.square is not None]
    letters = np.concatenate([_codes(operator) for operator in operators])
    codes = np.zeros((max([circuit.num_qubits, *(place + 1 for place in places)]), len(letters)), dtype=np.uint8)
    codes[list(places)] = letters.T[: len(places)]
    strings = np.split(_expectations(circuit, codes), np.cumsum([len(operator) for operator in operators])[:-1])
    sums = [float(np.real(operator.coeffs) @ found) for operator, found in zip(operators, strings, strict=True)]
    squares = iter(sums[len(observables) :])
    return [
        Mean(value, variance=None if observable.square is None else max(0.0, next(squares) - value**2))
        for observable, value in zip(observables, sums[: len(observables)], strict=True)
    ]


def _codes(observable: SparsePauliOp) -> Codes:
    """(terms, qubits)."""
    x, z = observable.paulis.x.astype(np.uint8), observable.paulis.z.astype(np.uint8)
    codes: Codes = x + 3 * z - 2 * (x & z)
    return codes


def _expectations(circuit: stim.Circuit, codes: Codes) -> Reals:
    """Of Pauli strings (qubits, terms), which are overwritten."""
    weights = np.ones(codes.shape[1])
    records: dict[int, NDArray[np.bool_]] = {}  # the strings that hold the Z of what was measured
    measurements = circuit.num_measurements
    for instruction in reversed(circuit):
        name, arguments = instruction.name, tuple(instruction.gate_args_copy())
        for targets in reversed(instruction.target_groups()):
            qubit = targets[-1].value
            if name == "M":
                measurements -= 1
                weights[(codes[qubit] != 0) & (codes[qubit] != _Z)] = 0
                if (held := records.pop(measurements, None)) is not None:
                    weights[held] *= 1 - 2 * sum(arguments)
                    codes[qubit, held] = _Z - codes[qubit, held]  # times Z; what is neither I nor Z counts no more
            elif name == "R":
                weights[(codes[qubit] != 0) & (codes[qubit] != _Z)] = 0
                codes[qubit] = 0
            elif targets[0].is_measurement_record_target:
                pauli = "IXYZ".index(name[1])
                turned = (codes[qubit] != 0) & (codes[qubit] != pauli)
                record = measurements + targets[0].value
                records[record] = records.get(record, np.zeros_like(turned)) ^ turned
            elif arguments:
                weights *= _shrunk(name, arguments, len(targets))[_joined(codes, targets)]
            else:
                images, signs = _before(name, len(targets))
                joined = _joined(codes, targets)
                weights *= signs[joined]
                for target, image in zip(targets, images, strict=True):
                    codes[target.value] = image[joined]
    weights[((codes != 0) & (codes != _Z)).any(axis=0)] = 0
    return weights


def _joined(codes: Codes, targets: Sequence[stim.GateTarget]) -> Codes:
    """A number for the letters on the targets, the first the highest digit in base 4."""
    joined: Codes = codes[targets[0].value]
    if len(targets) > 1:
        joined = 4 * joined + codes[targets[1].value]
    return joined


@lru_cache
def _before(name: str, qubits: int) -> tuple[list[Codes], NDArray[np.int8]]:
    """By number of a Pauli string: the letters before a gate that leads to it, and the sign."""
    gate = stim.Circuit(" ".join([name, *map(str, range(qubits))]))
    earlier = [stim.PauliString(letters).before(gate) for letters in product(range(4), repeat=qubits)]
    images = [np.array([string[qubit] for string in earlier], dtype=np.uint8) for qubit in range(qubits)]
    return images, np.array([np.real(string.sign) for string in earlier], dtype=np.int8)


@lru_cache(1024)
def _shrunk(name: str, chances: tuple[float, ...], qubits: int) -> Reals:
    """By number of a Pauli string: what an error leaves of it."""
    count = 4**qubits - 1
    each = np.array(chances if name.startswith("PAULI") else [chances[0] / count] * count)
    strings = [*product(range(4), repeat=qubits)]
    anticommute = np.array([[_anticommute(a, b) for b in strings[1:]] for a in strings])
    shrunk: Reals = 1 - 2 * anticommute @ each
    return shrunk


def _anticommute(a: Sequence[int], b: Sequence[int]) -> bool:
    return sum(0 not in pair and pair[0] != pair[1] for pair in zip(a, b, strict=True)) % 2 == 1
