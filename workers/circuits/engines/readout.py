"""What readout errors make of exact probabilities: Aer applies them to shots, not to a distribution."""

import numpy as np

from workers.circuits.program import Program, Reals


def misread(probabilities: Reals, program: Program) -> Reals:
    """Probabilities (2^qubits measured,), the first of them the low bit, after each qubit's confusion matrix."""
    if not program.readout:
        return probabilities
    measured = program.measured
    whole = probabilities.reshape((2,) * len(measured))
    for index, qubit in enumerate(measured):
        if (matrix := program.readout.get(qubit)) is not None:
            axis = len(measured) - 1 - index  # the first axis is the high bit
            whole = np.moveaxis(np.tensordot(matrix, whole, axes=([0], [axis])), 0, axis)
    return np.ascontiguousarray(whole).reshape(-1)
