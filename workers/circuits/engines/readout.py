"""What readout errors make of exact probabilities: Aer applies them to shots, not to a distribution."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.circuits.program import Program

Reals = NDArray[np.float64]


def misread(probabilities: Reals, program: Program) -> Reals:
    """Probabilities (2^qubits read,), the first qubit read the low bit, after each qubit's confusion matrix."""
    if program.noise is None:
        return probabilities
    place = {qubit: index for index, qubit in enumerate(program.shape.active)}
    errors = confusion(program.noise)
    read = program.read
    whole = probabilities.reshape((2,) * len(read))
    for index, qubit in enumerate(read):
        matrix = errors.get(place[qubit], errors.get(None))
        if matrix is not None:
            axis = len(read) - 1 - index  # the first axis is the high bit
            whole = np.moveaxis(np.tensordot(matrix, whole, axes=([0], [axis])), 0, axis)
    return np.ascontiguousarray(whole).reshape(-1)


def confusion(noise: Any) -> dict[int | None, Reals]:
    """[[P(0|0), P(1|0)], [P(0|1), P(1|1)]] of each qubit that has its own; None is all others."""
    found: dict[int | None, Reals] = {}
    for error in noise.to_dict()["errors"]:
        if error["type"] == "roerror":
            matrix = np.asarray(error["probabilities"])
            for (qubit,) in error.get("gate_qubits", ()):
                found[qubit] = matrix
            if not error.get("gate_qubits"):
                found[None] = matrix
    return found
