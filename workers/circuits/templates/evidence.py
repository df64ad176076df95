"""Whether counts are what theory says. One criterion for all templates: what five standard deviations leave outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector
from scipy.special import betainc, betaincinv, gammaincc

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SIGMA = 5
DOUBT = erfc(SIGMA / sqrt(2))  # 5.7e-7: how often a right answer is called wrong
FEWEST_EXPECTED = 10  # shots of a cell; with fewer, counts are too far from normal for chi-square's tail
IMPOSSIBLE = 1e-12  # probability; theory's zeros are rounded, and one shot of such an outcome is beyond all doubt

FITS = (
    "The counts fit the theoretical distribution: `p_combined`, twice the smaller of `p_chi_square` and `p_binomial`, "
    f"is at least {DOUBT:.1e} ({SIGMA} sigma), and no shot read what theory excludes."
)


@dataclass(frozen=True, slots=True)
class Fit:
    """Two tests of counts against probabilities.

    Pearson's chi-square, with outcomes that are expected seldom taken together; and how many shots read one of the
    less probable outcomes, exactly: that test needs no number of shots.
    """

    chi_square: float
    degrees: int
    p_chi_square: float
    p_binomial: float
    impossible: int  # shots that read what theory excludes

    @property
    def p_combined(self) -> float:
        """Bonferroni: the smaller of the two p-values, doubled because there are two."""
        return min(1.0, 2 * self.p_chi_square, 2 * self.p_binomial)

    @property
    def good(self) -> bool:
        return self.impossible == 0 and self.p_combined >= DOUBT

    def figures(self) -> dict[str, JsonValue]:
        return {
            "chi_square": self.chi_square,
            "degrees_of_freedom": self.degrees,
            "p_chi_square": self.p_chi_square,
            "p_binomial": self.p_binomial,
            "p_combined": self.p_combined,
            "impossible_shots": self.impossible,
        }


def fit(counts: Mapping[str, int], shots: int, probabilities: Mapping[str, float]) -> Fit:
    """probabilities: of every outcome that is possible; all others are not."""
    possible = {key: value for key, value in probabilities.items() if value > IMPOSSIBLE}
    ascending = sorted(possible, key=lambda key: (possible[key], key))
    expected = np.array([possible[key] * shots for key in ascending])
    observed = np.array([counts.get(key, 0) for key in ascending])
    chi_square, degrees = _chi_square(expected, observed)
    p_chi_square = float(gammaincc(degrees / 2, chi_square / 2)) if degrees else 1.0
    unlikely = int(np.searchsorted(np.cumsum(expected), shots / 2))  # outcomes that together have less than half
    p_unlikely = _binomial(int(observed[:unlikely].sum()), shots, float(expected[:unlikely].sum()) / shots)
    impossible = shots - int(observed.sum())
    return Fit(chi_square, degrees, p_chi_square, p_unlikely, impossible)


def _chi_square(expected: Floats, observed: Integers) -> tuple[float, int]:
    """The statistic and its degrees of freedom. expected: ascending."""
    cells: list[tuple[float, float]] = []
    wanted = seen = 0.0
    for more_wanted, more_seen in zip(expected.tolist(), observed.tolist(), strict=True):
        wanted, seen = wanted + more_wanted, seen + more_seen
        if wanted >= FEWEST_EXPECTED:
            cells.append((wanted, seen))
            wanted = seen = 0.0
    return sum((seen - wanted) ** 2 / wanted for wanted, seen in cells), max(0, len(cells) - 1)


def _binomial(hits: int, shots: int, probability: float) -> float:
    """The probability of at most or at least so many hits, whichever is smaller, doubled."""
    if probability <= 0:
        return 1.0
    at_least = float(betainc(hits, shots - hits + 1, probability)) if hits > 0 else 1.0
    at_most = float(betainc(shots - hits, hits + 1, 1 - probability)) if hits < shots else 1.0
    return min(1.0, 2 * at_least, 2 * at_most)


def clopper_pearson(hits: int, shots: int, doubt: float) -> tuple[float, float]:
    """The interval that covers a binomial probability but for `doubt`."""
    low = float(betaincinv(hits, shots - hits + 1, doubt / 2)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, shots - hits, 1 - doubt / 2)) if hits < shots else 1.0
    return low, high


def within(observed: float, expected: float, deviation: float) -> bool:
    """Whether a mean lies within five of its standard deviations."""
    return abs(observed - expected) <= SIGMA * deviation + IMPOSSIBLE


def most_frequent(counts: Mapping[str, int]) -> str:
    """The first of them in order, where several are."""
    return min(counts, key=lambda key: (-counts[key], key))


def distribution(values: Floats, clbits: int) -> dict[str, float]:
    """Probabilities by outcome, from an array whose index is the outcome."""
    return {format(index, f"0{clbits}b"): float(value) for index, value in enumerate(values) if value > IMPOSSIBLE}


def exact_probabilities(circuit: QuantumCircuit) -> Floats:
    """Of each basis state of a circuit that is not measured yet."""
    probabilities: Floats = Statevector(circuit).probabilities()
    return probabilities
