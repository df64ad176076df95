"""The given circuit and the short one over the strength of the noise, and where they are equal."""

from collections.abc import Callable
from math import sqrt

from qstill.contract.circuits.noise.model import Noise
from qstill.contract.circuits.noise.scaled import most_scaled, two_qubit_probability
from qstill.contract.distillations.circuits.job import BreakEven

SCALES = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # that are drawn
HALVINGS = 7  # of the interval between two of them, in the logarithm: to about two percent

Score = Callable[[float], float]  # a fidelity at a scale of the noise


def scales_of(noise: Noise) -> list[float]:
    """The strengths that are drawn; none where the noise cannot be scaled. 1 is the job's own."""
    most = most_scaled(noise)
    return [] if most is None else sorted({scale for scale in SCALES if scale <= most} | {1.0})


def break_even(noise: Noise, given: Score, short: Score) -> BreakEven | None:
    """The weakest noise at which the short circuit becomes the better one; None where it cannot be scaled."""
    scales = scales_of(noise)
    if not scales:
        return None
    better = [short(scale) > given(scale) for scale in scales]
    ends = [scales[0], scales[-1]]
    if better[0]:
        return _nowhere(ends, f"none in range: the short circuit is better from {ends[0]:g} of the noise on")
    if not any(better):
        return _nowhere(ends, f"none in range: the given circuit is better up to {ends[1]:g} of the noise")
    first = better.index(True)
    low, high = scales[first - 1], scales[first]
    for _ in range(HALVINGS):
        middle = sqrt(low * high)
        low, high = (low, middle) if short(middle) > given(middle) else (middle, high)
    scale, probability = sqrt(low * high), two_qubit_probability(noise)
    two_qubit = None if probability is None else probability * scale
    where = f"{scale:.2g} of the noise" if two_qubit is None else f"p2 = {two_qubit:.2g}, {scale:.2g} of the noise"
    return BreakEven(scale=scale, two_qubit=two_qubit, range=ends, said=f"equal at {where}; above, the short is better")


def _nowhere(ends: list[float], said: str) -> BreakEven:
    return BreakEven(scale=None, two_qubit=None, range=ends, said=said)
