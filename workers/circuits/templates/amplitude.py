"""Iterative amplitude estimation (Grinko, Gacon, Zoufal, Woerner 2019, arXiv:1912.05559).

A|0⟩ = √(1-a)|bad⟩|0⟩ + √a|good⟩|1⟩ with a = sin²θ. After k Grover iterations the last qubit reads 1 with probability
sin²((2k+1)θ) = (1 - cos Kθ)/2, K = 4k + 2: a magnifying glass for θ, as long as it is known in which half turn Kθ lies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import acos, ceil, floor, log2, pi, sin, sqrt

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import StatePreparation, UCRYGate, grover_operator

from workers.circuits.templates.evidence import DOUBT, Floats, clopper_pearson, exact_probabilities

ROUND_SHOTS = 1_000
GROWTH = 2  # K grows at least so much from round to round, or the round is repeated


@dataclass(frozen=True, slots=True)
class Interval:
    """What is known of θ, radians."""

    low: float
    high: float

    @property
    def amplitudes(self) -> tuple[float, float]:
        """The same for a = sin²θ."""
        return sin(self.low) ** 2, sin(self.high) ** 2


@dataclass(frozen=True, slots=True)
class Estimation:
    """iterations: k of the last round. before: what was known before it. rounds: k and a's interval after each."""

    iterations: int
    before: Interval
    doubt: float  # per round
    rounds: list[tuple[int, float, float]]
    queries: int  # uses of A in all rounds

    def conclude(self, ones: int, shots: int) -> Interval:
        """The last round again, with counts of the caller's."""
        return narrow(self.before, self.iterations, ones, shots, self.doubt)


def loader(probabilities: Floats, shares: Floats) -> QuantumCircuit:
    """A: the distribution over the first qubits, and √share of each outcome on the last qubit's 1. All exact."""
    qubits = int(log2(len(probabilities)))
    circuit = QuantumCircuit(qubits + 1)
    circuit.append(StatePreparation(np.sqrt(probabilities)), range(qubits))
    angles = 2 * np.arcsin(np.sqrt(np.clip(shares, 0, 1)))
    circuit.append(UCRYGate(angles.tolist()), [qubits, *range(qubits)])
    return circuit


def amplitude(loading: QuantumCircuit) -> float:
    """a, from the circuit's exact state."""
    half = 1 << (loading.num_qubits - 1)
    return min(1.0, float(exact_probabilities(loading)[half:].sum()))


def amplified(loading: QuantumCircuit, iterations: int) -> QuantumCircuit:
    """A and k Grover iterations, all qubits measured; the last clbit says good."""
    qubits = loading.num_qubits
    basic = loading.decompose(reps=8)  # once, not once for each use
    good = QuantumCircuit(qubits)
    good.z(qubits - 1)
    step = grover_operator(good, basic)
    circuit = QuantumCircuit(qubits, qubits)
    circuit.compose(basic, inplace=True)
    for _ in range(iterations):
        circuit.compose(step, inplace=True)
    circuit.measure(range(qubits), range(qubits))
    return circuit


def amplified_probabilities(probabilities: Floats, shares: Floats, iterations: int) -> Floats:
    """Theory for all outcomes: iterations change how much is good, not what the good and the bad look like."""
    good, bad = probabilities * shares, probabilities * (1 - shares)
    exact = min(1.0, float(good.sum()))
    angle = np.arcsin(sqrt(exact))
    magnified = sin((2 * iterations + 1) * angle) ** 2
    return np.concatenate([bad * (1 - magnified) / (1 - exact or 1), good * magnified / (exact or 1)])


def estimate(exact: float, *, precision: float, seed: int, between: Callable[[], None]) -> Estimation:
    """Rounds until a is known to ± `precision`; shots are drawn from exact probabilities, DOUBT is for all rounds."""
    generator = np.random.default_rng(seed)
    angle = np.arcsin(sqrt(exact))
    doubt = DOUBT / ceil(log2(pi / (8 * precision)))
    iterations, known = 0, Interval(0.0, pi / 2)
    before, ones, shots, queries = known, 0, 0, 0
    rounds: list[tuple[int, float, float]] = []
    while True:
        between()
        chosen = next_iterations(iterations, known)
        if chosen != iterations:
            iterations, before, ones, shots = chosen, known, 0, 0
        ones += int(generator.binomial(ROUND_SHOTS, sin((2 * iterations + 1) * angle) ** 2))
        shots += ROUND_SHOTS
        queries += ROUND_SHOTS * (2 * iterations + 1)
        known = narrow(before, iterations, ones, shots, doubt)
        low, high = known.amplitudes
        rounds.append((iterations, low, high))
        if high - low <= 2 * precision:
            return Estimation(iterations, before, doubt, rounds, queries)


def next_iterations(iterations: int, known: Interval) -> int:
    """The largest k for which Kθ stays within one half turn; the same k if it would not grow enough."""
    current = 4 * iterations + 2
    factor = floor(pi / (known.high - known.low))
    factor -= (factor - 2) % 4
    while factor >= GROWTH * current:
        if _half_turn(factor, known) is not None:
            return (factor - 2) // 4
        factor -= 4
    return iterations


def _half_turn(factor: int, known: Interval) -> int | None:
    """The number of the half turn that holds all of factor·θ; None if there are two."""
    first, last = floor(factor * known.low / pi), ceil(factor * known.high / pi) - 1
    return max(first, last) if last <= first else None


def narrow(before: Interval, iterations: int, ones: int, shots: int, doubt: float) -> Interval:
    """What `ones` of `shots` after k iterations add to what is known (Clopper and Pearson, confidence 1 - doubt)."""
    factor = 4 * iterations + 2
    low, high = clopper_pearson(ones, shots, doubt)
    turn = _half_turn(factor, before)
    assert turn is not None, "the round was chosen so that the branch is known"
    phases = acos(1 - 2 * low), acos(1 - 2 * high)
    start, end = phases if turn % 2 == 0 else (pi - phases[1], pi - phases[0])
    return Interval(max(before.low, (turn * pi + start) / factor), min(before.high, (turn * pi + end) / factor))
