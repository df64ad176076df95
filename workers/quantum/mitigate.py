"""Circuits folded for zero-noise extrapolation, near-Clifford variants, and what both say of values without noise.

found, variances = extrapolated(values, variances, mitigation)     # (scales, ...) of `folded` circuits
gains = gains_of(ideal, noisy, variances)                          # (variants, observables) of `near_clifford` ones
"""

import math

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Qubit

from qstill.contract.distillations.mitigation import ZeroNoise
from qstill.contract.errors import Problem
from workers.circuits.program import Reals

KEPT = 8  # angles of a variant that stay; each doubles what a simulator of Clifford circuits has to do
CANDIDATES = 4  # variants that are drawn for one that is run
SURE = 3.0  # standard errors from 0, below which a share is not known
SAME = 1e-9  # of a step: what rounding leaves

STEPS = {
    **dict.fromkeys(
        ("rx", "ry", "rz", "p", "r", "u", "u1", "u2", "u3", "rxx", "ryy", "rzz", "rzx"),
        math.pi / 2,
    ),
    **dict.fromkeys(("crx", "cry", "crz", "cp", "cu1"), math.pi),
}  # of each gate's angles, radians: at multiples of it the gate is a Clifford gate; others stay as they are


def folded(circuit: QuantumCircuit, scale: int) -> QuantumCircuit:
    """G·(G†·G)^k for a scale of 2k+1, its measurements at the end. An inverse costs what its gate does.

    Raises Problem not_a_unitary.
    """
    body, ending = circuit.copy_empty_like(), circuit.copy_empty_like()
    ending.global_phase = 0
    ended = set[Qubit]()
    for instruction in circuit.data:
        last = instruction.operation.name in ("measure", "barrier")
        if not last and (ended & {*instruction.qubits} or not isinstance(instruction.operation, Gate)):
            title = "Only gates can be mitigated, and this circuit measures, resets or decides before its end."
            raise Problem("not_a_unitary", title, pointer="/mitigation", ways_out=[{"mitigation": None}])
        if instruction.operation.name == "measure":
            ended.update(instruction.qubits)
        (ending if last else body)._append(instruction)
    back = body.inverse()
    found = body.copy()
    for _ in range(scale // 2):
        found = found.compose(back).compose(body)
    return found.compose(ending)


def extrapolated(values: Reals, variances: Reals, zne: ZeroNoise) -> tuple[Reals, Reals]:
    """(...) and its variances, at scale 0, of (scales, ...)."""
    degree = len(zne.scales) - 1 if zne.fit == "richardson" else 1
    weights = np.linalg.pinv(np.vander(np.array(zne.scales, dtype=float), degree + 1, increasing=True))[0]
    found, spread = np.tensordot(weights, values, 1), np.tensordot(weights**2, variances, 1)
    if zne.fit != "exponential":
        return found, spread
    known = (np.abs(values) > SURE * np.sqrt(variances)).all(0) & (np.abs(np.sign(values).sum(0)) == len(values))
    safe = np.where(known, values, 1.0)
    decayed = np.sign(safe[0]) * np.exp(np.tensordot(weights, np.log(np.abs(safe)), 1))
    uncertain = decayed**2 * np.tensordot(weights**2, variances / safe**2, 1)
    return np.where(known, decayed, found), np.where(known, uncertain, spread)


def near_clifford(circuit: QuantumCircuit, draw: np.random.Generator) -> QuantumCircuit:
    """The same gates; all angles but KEPT of them, and half at most, become one of the two Clifford ones beside them,
    the nearer the likelier.
    """
    found = circuit.copy()
    open_places = [
        (place, number)
        for place, instruction in enumerate(circuit.data)
        if (step := STEPS.get(instruction.operation.name))
        for number, angle in enumerate(instruction.operation.params)
        if abs(angle / step - round(angle / step)) > SAME
    ]
    stay = min(KEPT, len(open_places) // 2)
    for chosen in draw.permutation(len(open_places))[stay:]:
        place, number = open_places[chosen]
        operation = found.data[place].operation.to_mutable()
        step, angles = STEPS[operation.name], list(operation.params)
        angles[number] = step * math.floor(angles[number] / step + draw.random())
        operation.params = angles
        found.data[place] = found.data[place].replace(operation=operation)
    return found


def telling(ideal: Reals, count: int) -> list[int]:
    """Which of the variants (candidates, observables) to run: those of large values, shares of their observable's."""
    shares = ideal / np.maximum(np.abs(ideal).max(0), SAME)
    return sorted(np.argsort(-(shares**2).sum(1), kind="stable")[:count].tolist())


def gains_of(ideal: Reals, noisy: Reals, variances: Reals) -> Reals:
    """(observables,): what to multiply noisy values by; of all three (variants, observables).

    One over the least-squares share of the ideal values that is left. An observable whose share is not SURE standard
    errors above 0 gets that of all together; where that is not known either, 1.
    """
    every = _gains(ideal.reshape(-1, 1), noisy.reshape(-1, 1), variances.reshape(-1, 1))
    own = _gains(ideal, noisy, variances)
    return np.where(np.isnan(own), np.where(np.isnan(every), 1.0, every), own)


def _gains(ideal: Reals, noisy: Reals, variances: Reals) -> Reals:
    """Of each column; nan where it is not known."""
    squares = (ideal**2).sum(0)
    safe = np.where(squares > SAME, squares, 1.0)
    left = (ideal * noisy).sum(0) / safe
    error = np.sqrt((ideal**2 * variances).sum(0)) / safe
    known = (squares > SAME) & (left > np.maximum(SURE * error, SAME))
    return np.where(known, 1 / np.where(known, left, 1.0), np.nan)
