"""Preparing any real amplitudes by one circuit whose angles depend on them: compiled once, bound for every row.

    circuit = preparation(qubits=6)                 # 62 CX, 63 angles a_00 … a_62
    angles = preparation_angles(amplitudes)         # (63,) radians of (64,) amplitudes, of any length

Möttönen and others 2004 (quant-ph/0407010). Qiskit's StatePreparation takes some five CX fewer and a fifth of a second,
and prepares another state where amplitudes of 1e-9 stand beside those of 1.
"""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from workers.quantum.operations import Integers, Reals


def preparation(qubits: int, prefix: str = "a") -> QuantumCircuit:
    """From |0…0⟩. Parameters in the order of `preparation_angles`, which is that of their names."""
    count = (1 << qubits) - 1
    digits = len(str(count - 1))
    angles = iter([Parameter(f"{prefix}_{number:0{digits}}") for number in range(count)])
    circuit = QuantumCircuit(qubits)
    for level in range(qubits):
        target = qubits - 1 - level
        for step in range(1 << level):
            circuit.ry(next(angles), target)
            if level:
                circuit.cx(target + 1 + _changed(step, level), target)
    return circuit


def preparation_angles(amplitudes: Reals) -> Reals:
    """(…, 2^n - 1) radians of real amplitudes (…, 2^n), not all 0."""
    levels: list[Reals] = []
    lengths = amplitudes  # with their signs at the lowest level
    while lengths.shape[-1] > 1:
        lower, upper = lengths[..., 0::2], lengths[..., 1::2]
        levels.append(2 * np.arctan2(upper, lower))
        lengths = np.hypot(lower, upper)
    turned = [angles @ _mixing(angles.shape[-1]).T for angles in reversed(levels)]
    return np.concatenate(turned, axis=-1)


def _changed(step: int, level: int) -> int:
    """The bit in which a Gray code changes after a step; after the last it returns to where it began."""
    following = step + 1
    return level - 1 if following == 1 << level else (following & -following).bit_length() - 1


def _mixing(size: int) -> Reals:
    """Angles between CX that turn as much as those wanted for every value of the controls. (size, size)."""
    steps: Integers = np.arange(size, dtype=np.int64)
    gray = steps ^ (steps >> 1)
    shared = gray[:, None] & steps[None, :]
    parity = np.zeros_like(shared)
    while shared.any():
        parity ^= shared & 1
        shared = shared >> 1
    return (1.0 - 2.0 * parity) / size
