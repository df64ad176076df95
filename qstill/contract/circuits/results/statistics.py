"""How sure a count is, how far two distributions are apart, and whether chance alone explains it.

Distributions and counts are mappings from an outcome to its probability or its shots; what is not named has none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, inf, pi, sqrt

from qstill.contract.circuits.results.answers import IntervalMethod
from qstill.contract.circuits.results.tail_probabilities import beta_quantile, gamma_above

CONFIDENCE = 0.95
Z_95 = 1.959963984540054  # the normal quantile of a two-sided 95% interval
IMPOSSIBLE = 1e-12  # a computed probability up to this is what rounding left of 0
MIN_EXPECTED = 5  # shots; the chi-square distribution is no good approximation for bins that expect fewer


def wilson_interval(count: int, shots: int, *, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval (Wilson 1927) of a probability of which `count` of `shots` trials are known.

    Unlike p ± z·√(p(1-p)/n) it stays within [0, 1] and keeps its width where the count is 0 or all.
    """
    p = count / shots
    centre = p + z * z / (2 * shots)
    half = z * sqrt(p * (1 - p) / shots + z * z / (4 * shots * shots))
    scale = 1 + z * z / shots
    return max(0.0, min(p, (centre - half) / scale)), min(1.0, max(p, (centre + half) / scale))


def clopper_pearson_interval(count: int, shots: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact interval (Clopper & Pearson 1934), which holds the probability at least as often as it promises.

    Its ends are the probabilities that give `count` or more, and `count` or fewer, a chance of (1 - confidence)/2.
    """
    tail = (1 - confidence) / 2
    low, high = wilson_interval(count, shots)  # not far from it
    low = beta_quantile(tail, count, shots - count + 1, near=low) if count else 0.0
    high = beta_quantile(1 - tail, count + 1, shots - count, near=high) if count < shots else 1.0
    return low, high


INTERVALS: dict[IntervalMethod, Callable[[int, int], tuple[float, float]]] = {
    "wilson": wilson_interval,
    "clopper_pearson": clopper_pearson_interval,
}


def total_variation(p: Mapping[str, float], q: Mapping[str, float]) -> float:
    """½ Σ|p - q|, from 0 (the same) to 1 (no outcome in common): the largest difference in any event's probability."""
    return min(1.0, fsum(abs(a - b) for a, b in _pairs(p, q)) / 2)


def hellinger(p: Mapping[str, float], q: Mapping[str, float]) -> float:
    """√(½ Σ(√p - √q)²), the Hellinger distance, from 0 (the same) to 1 (no outcome in common)."""
    return min(1.0, sqrt(fsum((sqrt(a) - sqrt(b)) ** 2 for a, b in _pairs(p, q)) / 2))


def classical_fidelity(p: Mapping[str, float], q: Mapping[str, float]) -> float:
    """(Σ√(p·q))², from 0 (no outcome in common) to 1 (the same)."""
    return min(1.0, fsum(sqrt(probability * q[key]) for key, probability in p.items() if key in q) ** 2)


def expected_total_variation(outcomes: int, shots: float) -> float:
    """√(outcomes / 2π·shots): about what chance alone puts between a distribution and `shots` draws from it.

    It is reached where all outcomes are equally probable; other distributions stay below it.
    """
    return min(1.0, sqrt(outcomes / (2 * pi * shots)))


@dataclass(frozen=True)
class ChiSquareTest:
    """statistic: infinite where an impossible outcome was read. p_value: the chance of so large a statistic.

    bins: how many were compared, the pool included. impossible: what was read and cannot be, the commonest first.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    bins: int
    impossible: Sequence[str] = ()


def chi_square(counts: Mapping[str, int], exact: Mapping[str, float], shots: int) -> ChiSquareTest:
    """Pearson's test of counts against the distribution that they should come from, which adds up to 1.

    Outcomes that expect fewer than 5 shots are pooled. One impossible outcome settles it: p is 0.
    """
    bins = _Bins()
    for key, probability in exact.items():
        if probability > IMPOSSIBLE:
            expected = probability * shots
            bins.add(expected, (counts.get(key, 0), expected))
    impossible = [key for key, count in counts.items() if count and exact.get(key, 0) <= IMPOSSIBLE]
    pooled = bins.pooled()
    if impossible:
        impossible.sort(key=lambda key: (-counts[key], key))
        return ChiSquareTest(inf, max(0, len(pooled) - 1), 0.0, len(pooled), impossible)
    return _tested(fsum((read - expected) ** 2 / expected for read, expected in pooled), len(pooled))


def two_sample_chi_square(first: Mapping[str, int], second: Mapping[str, int]) -> ChiSquareTest:
    """The chi-square test that two jobs' counts come from one distribution, whatever it is.

    Outcomes of which either job expects fewer than 5 shots are pooled.
    """
    shots = sum(first.values()), sum(second.values())
    share = min(shots) / sum(shots)
    bins = _Bins()
    for a, b in _pairs(first, second):
        bins.add((a + b) * share, (a, b))
    pooled = bins.pooled()
    weight = sqrt(shots[1] / shots[0])
    return _tested(fsum((weight * a - b / weight) ** 2 / (a + b) for a, b in pooled), len(pooled))


class _Bins:
    """Pairs of figures by how many shots they expect: large ones stand alone, small ones are added up."""

    def __init__(self) -> None:
        self._large: list[tuple[float, tuple[float, float]]] = []
        self._small = 0.0
        self._pool = (0.0, 0.0)

    def add(self, expected: float, pair: tuple[float, float]) -> None:
        if expected >= MIN_EXPECTED:
            self._large.append((expected, pair))
        else:
            self._small += expected
            self._pool = self._pool[0] + pair[0], self._pool[1] + pair[1]

    def pooled(self) -> list[tuple[float, float]]:
        """The pairs to compare; a pool that is still too small joins the smallest of the others."""
        large = list(self._large)
        pool = self._pool
        if 0 < self._small < MIN_EXPECTED and large:
            smallest = min(range(len(large)), key=lambda index: large[index][0])
            _, pair = large.pop(smallest)
            pool = pool[0] + pair[0], pool[1] + pair[1]
        return [pair for _, pair in large] + ([pool] if self._small else [])


def _tested(statistic: float, bins: int) -> ChiSquareTest:
    if bins < 2:
        return ChiSquareTest(0.0, 0, 1.0, bins)  # one bin holds all shots on both sides
    return ChiSquareTest(statistic, bins - 1, gamma_above(statistic / 2, (bins - 1) / 2), bins)


def _pairs(p: Mapping[str, float], q: Mapping[str, float]) -> Iterable[tuple[float, float]]:
    """(p, q) of every outcome that either names."""
    yield from ((value, q.get(key, 0)) for key, value in p.items())
    yield from ((0, value) for key, value in q.items() if key not in p)
