"""A pure state that holds only the qubits that were touched and not measured since: each costs a factor of 2.

A qubit that was measured, reset or not touched yet is in a known state beside the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.circuits.engines.dynamic.computed_code import Apply, Matrix

Amplitudes = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class LiveState:
    """amplitudes: (2,) per live qubit, the last one first. live: in order. ones: the others that are 1; the rest are 0.

    Amplitudes are never changed in place: states may share them.
    """

    amplitudes: Amplitudes
    live: tuple[int, ...]
    ones: frozenset[int]

    def weight(self) -> float:
        """The squared norm."""
        return float(np.sum(self.amplitudes.real**2 + self.amplitudes.imag**2))

    def scaled(self, weight: float) -> "LiveState":
        """A state of this weight, made one of weight 1."""
        return LiveState(self.amplitudes / sqrt(weight), self.live, self.ones)

    def holding(self, qubits: Iterable[int]) -> "LiveState":
        """The same state, these qubits among the live ones."""
        missing = set(qubits).difference(self.live)
        if not missing:
            return self
        live = tuple(sorted({*self.live, *missing}))
        amplitudes = np.zeros((2,) * len(live), dtype=np.complex128)
        where = tuple(int(qubit in self.ones) if qubit in missing else slice(None) for qubit in reversed(live))
        amplitudes[where] = self.amplitudes
        return LiveState(amplitudes, live, self.ones - missing)

    def halves(self, qubit: int) -> tuple["LiveState", "LiveState"]:
        """What is left, weighted, where the qubit is found to be 0, and where it is found to be 1."""
        state = self.holding((qubit,))
        axis = len(state.live) - 1 - state.live.index(qubit)
        live = tuple(other for other in state.live if other != qubit)
        zero, one = np.moveaxis(state.amplitudes, axis, 0)
        return LiveState(zero, live, state.ones), LiveState(one, live, state.ones | {qubit})

    def without(self, qubit: int) -> "LiveState":
        """The state where a qubit that is not live is 0."""
        return LiveState(self.amplitudes, self.live, self.ones - {qubit})

    def probabilities(self, measured: Sequence[int]) -> NDArray[np.float64]:
        """Of the outcomes of these live qubits, the first the low bit: (2 ** len(measured),)."""
        likely: NDArray[np.float64] = self.amplitudes.real**2 + self.amplitudes.imag**2
        axes = tuple(axis for axis, qubit in enumerate(reversed(self.live)) if qubit not in measured)
        summed: NDArray[np.float64] = likely.sum(axis=axes)
        return summed.reshape(-1)


ZEROS = LiveState(np.ones((), dtype=np.complex128), (), frozenset())


def apply(state: LiveState, step: Apply) -> LiveState:
    """The state after a matrix. A control in a known state costs nothing."""
    controls = [(qubit, value) for qubit, value in step.controls if qubit in state.live]
    if any(value != (qubit in state.ones) for qubit, value in step.controls if qubit not in state.live):
        return state
    state = state.holding(step.targets)
    place = {qubit: index for index, qubit in enumerate(state.live)}
    last = len(state.live) - 1
    if not controls:
        changed = _transformed(state.amplitudes, step.matrix, [place[qubit] for qubit in step.targets])
        return LiveState(changed, state.live, state.ones)
    where: list[Any] = [slice(None)] * len(state.live)
    for qubit, value in controls:
        where[last - place[qubit]] = value
    index = tuple(where)
    lower = [place[target] - sum(control < target for control, _ in controls) for target in step.targets]
    changed = state.amplitudes.copy()
    changed[index] = _transformed(state.amplitudes[index], step.matrix, lower)
    return LiveState(changed, state.live, state.ones)


def _transformed(amplitudes: Amplitudes, matrix: Matrix, targets: Sequence[int]) -> Amplitudes:
    width = len(targets)
    axes = [amplitudes.ndim - 1 - place for place in reversed(targets)]  # the last target is the high bit
    tensor = matrix.reshape((2,) * (2 * width))
    product = np.tensordot(tensor, amplitudes, axes=(range(width, 2 * width), axes))
    result: Amplitudes = np.moveaxis(product, range(width), axes)
    return result
