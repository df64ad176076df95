"""What readout errors make of exact probabilities: Aer applies them to shots, not to a distribution."""

import numpy as np

from workers.circuits.program import Program, Reals


def misread(probabilities: Reals, program: Program) -> Reals:
    """Probabilities (2^qubits read,), the first qubit read the low bit, after each qubit's confusion matrix."""
    if not program.readout:
        return probabilities
    read = program.read
    whole = probabilities.reshape((2,) * len(read))
    for index, qubit in enumerate(read):
        if (matrix := program.readout.get(qubit)) is not None:
            axis = len(read) - 1 - index  # the first axis is the high bit
            whole = np.moveaxis(np.tensordot(matrix, whole, axes=([0], [axis])), 0, axis)
    return np.ascontiguousarray(whole).reshape(-1)
