"""Qudits of Cirq, each on as many qubits as its levels take: the level is their number, the first qubit the low bit.

Levels beyond the last one are never reached: gates leave them alone.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate, product
from math import prod

import numpy as np
from qiskit.circuit.library import UnitaryGate

from qstill.contract.errors import Problem
from workers.circuits.matrices import Matrix
from workers.circuits.parse.cirq.gates import power
from workers.circuits.parse.cirq.json_fields import (
    MAX_MATRIX_QUBITS,
    Object,
    Symbols,
    constant,
    field,
    qubits_of,
    type_of,
    unitary_matrix,
)
from workers.circuits.parse.cirq.steps import Steps
from workers.circuits.parse.cirq.unitary import control_states, controlled, gate_steps

Shape = Sequence[int]  # the dimensions of the qudits that an operation acts on, 2 for a qubit


def steps_of(gate: Object, shape: Shape, path: str, symbols: Symbols) -> Steps:
    """What a gate on qudits does, on their qubits one after another. Raises `Problem`."""
    declared = gate.get("dimension", 2)
    if declared != 2 and list(shape) != [declared]:
        raise Problem("cirq_invalid", "The gate is of another dimension than what it acts on.", pointer=path)
    if all(dimension == 2 for dimension in shape):
        return gate_steps(gate, len(shape), path, symbols)
    kind = type_of(gate, path)
    if kind in ("IdentityGate", "WaitGate"):
        return Steps(sum(map(qubits_of, shape)))
    if kind == "ControlledGate":
        states = control_states(gate, None, path, shape)
        count = len(states[0])
        inside = steps_of(field(gate, "sub_gate", dict, path), shape[count:], f"{path}/sub_gate", symbols)
        return controlled(inside, in_bits(states, shape[:count]), path)
    if kind not in _MATRICES:
        refuse_qudits(shape, path)
    return _on_levels(_MATRICES[kind](gate, shape, path, symbols), shape, path)


def refuse_qudits(shape: Shape, path: str) -> None:
    """Raise `Problem` where an operation that acts on qubits alone is given others."""
    for dimension in shape:
        if dimension != 2:
            message = f"This acts on qubits, not on a qudit of dimension {dimension}."
            raise Problem("cirq_unsupported", message, pointer=path)


def in_bits(states: list[list[int]], shape: Shape) -> list[list[int]]:
    """States of qudits as those of their qubits."""
    return [
        [level >> bit & 1 for level, dimension in zip(state, shape, strict=True) for bit in range(qubits_of(dimension))]
        for state in states
    ]


def flip(dimension: int, path: str) -> Steps:
    """The levels 0 and 1 exchanged, as an inverted measurement reads them. Of a single level nothing is read."""
    if dimension == 1:
        return Steps(0)
    if dimension == 2:
        return power("x", 1)
    levels = np.eye(dimension, dtype=np.complex128)
    levels[:2] = levels[1::-1]
    return _on_levels(levels, [dimension], path)


def _on_levels(matrix: Matrix, shape: Shape, path: str) -> Steps:
    """A matrix on the levels, the first qudit the high digit, as one on the qubits."""
    widths = [qubits_of(dimension) for dimension in shape]
    width = sum(widths)
    if width > MAX_MATRIX_QUBITS:
        message = f"A gate on qudits acts on up to {MAX_MATRIX_QUBITS} qubits; these take {width}."
        raise Problem("cirq_unsupported", message, pointer=path)
    places = [0, *accumulate(widths)]
    levels = product(*map(range, shape))
    at = [sum(level << place for level, place in zip(state, places, strict=False)) for state in levels]
    whole = np.eye(1 << width, dtype=np.complex128)
    whole[np.ix_(at, at)] = matrix
    return Steps(width, ((UnitaryGate(whole, check_input=False), tuple(range(width))),))


def _shifted(gate: Object, shape: Shape, path: str, symbols: Symbols) -> Matrix:
    """X^t: level j goes to j+1, the last one to 0."""
    (dimension,) = _one(shape, path)
    levels = np.arange(dimension)
    waves = np.exp(-2j * np.pi * np.outer(levels, levels) / dimension) / np.sqrt(dimension)
    return np.asarray(waves * _turns(gate, dimension, path, symbols) @ waves.conj().T, dtype=np.complex128)


def _clocked(gate: Object, shape: Shape, path: str, symbols: Symbols) -> Matrix:
    """Z^t: level j turns by j/d of a turn."""
    (dimension,) = _one(shape, path)
    return np.diag(_turns(gate, dimension, path, symbols))


def _turns(gate: Object, dimension: int, path: str, symbols: Symbols) -> Matrix:
    """The eigenvalues, (d,)."""
    exponent = constant(gate.get("exponent", 1), f"{path}/exponent", symbols)
    shift = constant(gate.get("global_shift", 0), f"{path}/global_shift", symbols)
    turns = 2 * np.arange(dimension) / dimension + shift
    return np.asarray(np.exp(1j * np.pi * exponent * turns), dtype=np.complex128)


def _one(shape: Shape, path: str) -> Shape:
    if len(shape) != 1:
        raise Problem("cirq_invalid", f"The gate acts on one qudit, not on {len(shape)}.", pointer=path)
    return shape


def _given(gate: Object, shape: Shape, path: str, symbols: Symbols) -> Matrix:
    return unitary_matrix(gate.get("matrix"), f"{path}/matrix", needed=prod(shape))


_MATRICES: dict[str, Callable[[Object, Shape, str, Symbols], Matrix]] = {
    "XPowGate": _shifted,
    "ZPowGate": _clocked,
    "MatrixGate": _given,
}
