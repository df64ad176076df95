"""QAOA on exact states (Farhi, Goldstone, Gutmann 2014, arXiv:1411.4028; mixers of Hadfield and others, 1709.03489).

A layer turns each basis state's phase by γ times its cost, then mixes: exp(-iβ·Σ X) moves between all bit strings,
exp(-iβ·Σ (XX + YY)) around a ring between those with the same number of ones. Both rotate pairs of amplitudes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit.library import qaoa_ansatz
from qiskit.quantum_info import SparsePauliOp

from workers.circuits.templates.descent import descend

Floats = NDArray[np.float64]
State = NDArray[np.complex128]
Indices = NDArray[np.int64]

STARTS = 4  # the first is an annealing schedule, the others are drawn around it
RAMP = 0.75  # radians, of the schedule's steepest angles
GRADIENT = 1e-5


@dataclass(frozen=True, slots=True)
class Mixer:
    """operator: for the circuit. pairs: amplitudes that rotate into each other, by `factor`·β, one after another."""

    operator: SparsePauliOp
    pairs: list[tuple[Indices, Indices]]
    factor: float

    def apply(self, state: State, beta: float) -> State:
        stay, move = np.cos(self.factor * beta), -1j * np.sin(self.factor * beta)
        mixed = state.copy()
        for left, right in self.pairs:
            from_left, from_right = mixed[left], mixed[right]
            mixed[left] = stay * from_left + move * from_right
            mixed[right] = stay * from_right + move * from_left
        return mixed


def flip_mixer(qubits: int) -> Mixer:
    """Σ X over all qubits."""
    states = np.arange(1 << qubits)
    pairs = [(lower := states[states >> qubit & 1 == 0], lower | 1 << qubit) for qubit in range(qubits)]
    terms = [("X", [qubit], 1.0) for qubit in range(qubits)]
    return Mixer(SparsePauliOp.from_sparse_list(terms, qubits), pairs, 1.0)


def swap_mixer(qubits: int) -> Mixer:
    """Σ XX + YY over the neighbours on a ring."""
    states = np.arange(1 << qubits)
    ring = [(qubit, (qubit + 1) % qubits) for qubit in range(qubits if qubits > 2 else 1)]
    pairs = [
        (one := states[(states >> left & 1 == 1) & (states >> right & 1 == 0)], one ^ (1 << left | 1 << right))
        for left, right in ring
    ]
    terms = [(letters, list(pair), 1.0) for pair in ring for letters in ("XX", "YY")]
    return Mixer(SparsePauliOp.from_sparse_list(terms, qubits), pairs, 2.0)


@dataclass(frozen=True, slots=True)
class Problem:
    """costs: of each basis state, Σ linear_i x_i + Σ_(i<j) quadratic_ij x_i x_j. scale: what makes them of the order
    of 1. start: amplitudes; prepared: the circuit that makes them, None of all states alike.
    """

    costs: Floats
    linear: Floats
    quadratic: Floats
    scale: float
    mixer: Mixer
    start: Floats
    prepared: QuantumCircuit | None = None

    @property
    def qubits(self) -> int:
        return len(self.linear)

    def operator(self) -> SparsePauliOp:
        """The costs without their constant."""
        return cost_operator(self.linear, self.quadratic)

    def ansatz(self, layers: int) -> QuantumCircuit:
        """Its parameters, in their order: all β, then all γ, which turn by the costs over their scale."""
        turned = cost_operator(self.linear / self.scale, self.quadratic / self.scale)
        return qaoa_ansatz(turned, layers, initial_state=self.prepared, mixer_operator=self.mixer.operator)

    def optimise(self, *, layers: int, seed: int, between: Callable[[], None]) -> "Optimised":
        """Minimise the mean of the costs over their scale."""
        return optimise(self.costs / self.scale, self.start, self.mixer, layers=layers, seed=seed, between=between)


@dataclass(frozen=True, slots=True)
class Optimised:
    """angles: all β, then all γ, radians. trace: the mean cost after each iteration of the best start."""

    angles: list[float]
    probabilities: Floats
    mean_cost: float
    trace: list[float]


def optimise(
    costs: Floats, start: Floats, mixer: Mixer, *, layers: int, seed: int, between: Callable[[], None]
) -> Optimised:
    """Minimise the mean of `costs` (of each basis state, of the order of 1) over the angles."""
    generator = np.random.default_rng(seed)
    first = schedule(layers)
    guesses = [first, *(first + generator.normal(scale=RAMP / 2, size=(STARTS - 1, 2 * layers)))]

    def mean(angles: Floats) -> float:
        return float(np.abs(evolve(costs, start, mixer, angles)) ** 2 @ costs)

    descents = [descend(mean, guess, gradient=GRADIENT, between=between) for guess in guesses]
    best = min(descents, key=lambda descent: descent.value)
    probabilities = np.abs(evolve(costs, start, mixer, best.angles)) ** 2
    return Optimised(best.angles.tolist(), probabilities, best.value, best.trace)


def schedule(layers: int) -> Floats:
    """Angles as of an annealing, all β, then all γ."""
    fraction = (np.arange(layers) + 0.5) / layers
    angles: Floats = RAMP * np.concatenate([1 - fraction, -fraction])  # γ < 0: the start is the mixer's highest state
    return angles


def evolve(costs: Floats, start: Floats, mixer: Mixer, angles: Floats) -> State:
    """The state after all layers."""
    state = start.astype(complex)
    for beta, gamma in zip(*np.split(angles, 2), strict=True):
        state = mixer.apply(np.exp(-1j * gamma * costs) * state, beta)
    return state


def cost_operator(linear: Floats, quadratic: Floats) -> SparsePauliOp:
    """Σ linear_i x_i + Σ_(i<j) quadratic_ij x_i x_j with x = (1 - Z)/2, without its constant.

    quadratic: zero on and below the diagonal.
    """
    qubits = len(linear)
    both = quadratic + quadratic.T
    terms: list[tuple[str, list[int], float]] = [
        ("Z", [qubit], -linear[qubit] / 2 - both[qubit].sum() / 4) for qubit in range(qubits)
    ]
    terms += [("ZZ", [int(i), int(j)], quadratic[i, j] / 4) for i, j in zip(*np.nonzero(quadratic), strict=True)]
    return SparsePauliOp.from_sparse_list(terms, qubits)


def bits(qubits: int) -> Floats:
    """Row i: the bits of the number i, the lowest first."""
    return (np.arange(1 << qubits)[:, None] >> np.arange(qubits) & 1).astype(float)
