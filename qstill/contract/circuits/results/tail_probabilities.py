"""Tail probabilities of the beta and the gamma distribution, to about ten digits. No scipy: the front door imports it.

Each is a continued fraction from the Digital Library of Mathematical Functions (dlmf.nist.gov) times a density. The
densities are written with Stirling's remainder: differences of ln Γ lose half of the digits for 10^7 shots.
"""

from collections.abc import Iterable
from math import exp, lgamma, log, log1p, pi, sqrt

_TINY = 1e-300  # stands for a denominator of 0
_CLOSE = 1e-15  # relative change at which a fraction or a series has converged
_MOST_TERMS = 1_000_000  # about the square root of a parameter is needed; this ends a loop that rounding keeps alive


def beta_below(x: float, a: float, b: float) -> float:
    """I_x(a, b) of a, b ≥ 1, the regularised incomplete beta function: P(Beta(a, b) < x)."""
    if not 0 < x < 1:
        return 0.0 if x <= 0 else 1.0
    if x <= a / (a + b):
        return _beta_tail(x, 1 - x, a, b)
    return 1 - _beta_tail(1 - x, x, b, a)  # the fraction converges fast on the near side of the mean only


def beta_density(x: float, a: float, b: float) -> float:
    """The density of Beta(a, b) at 0 < x < 1."""
    return _beta_weight(x, 1 - x, a, b) / (x * (1 - x))


def beta_quantile(p: float, a: float, b: float, *, near: float) -> float:
    """The x with I_x(a, b) = p: Newton's method from `near`, kept in a bracket."""
    low, high, x = 0.0, 1.0, near
    for _ in range(100):
        excess = beta_below(x, a, b) - p
        low, high = (low, x) if excess > 0 else (x, high)
        density = beta_density(x, a, b)
        following = x - excess / density if density > 0 else low
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) <= 1e-13 * x:
            break
        x = following
    return x


def gamma_above(x: float, a: float) -> float:
    """Q(a, x), the upper regularised incomplete gamma function; a chi-square tail is Q(degrees / 2, statistic / 2)."""
    if x <= 0:
        return 1.0
    density = sqrt(a / (2 * pi)) * exp(a * log1p((x - a) / a) - (x - a) - _stirling(a))  # x^a e^-x / Γ(a)
    if x < a + 1:
        return 1 - density * _gamma_series(x, a)
    return density * _fraction(_gamma_terms(x, a))


def _beta_tail(x: float, y: float, a: float, b: float) -> float:
    """I_x(a, b) where y = 1 - x, each to its own precision: one of them may be 10^-7."""
    return _fraction(_beta_terms(x, y, a, b)) * _beta_weight(x, y, a, b)


def _beta_weight(x: float, y: float, a: float, b: float) -> float:
    """x^a y^b / B(a, b) where y = 1 - x."""
    off = _off_mean(x, y, a, b)
    exponent = a * log1p(off / a) + b * log1p(-off / b) + _stirling(a + b) - _stirling(a) - _stirling(b)
    return sqrt(a * b / (2 * pi * (a + b))) * exp(exponent)


def _beta_terms(x: float, y: float, a: float, b: float) -> Iterable[tuple[float, float]]:
    """Equation 9 of Didonato and Morris (1992, doi:10.1145/131766.131776): the even part of DLMF 8.17.22."""
    lack = 1 - _off_mean(x, y, a, b)
    yield 1.0, a * lack / (a + 1)
    for n in range(1, _MOST_TERMS):
        middle = n * (b - n) * x / (a + 2 * n - 1)
        numerator = (a + n - 1) * (a + b + n - 1) * x / (a + 2 * n - 1) * middle
        yield numerator, n + middle + (a + n) * (lack + n * (1 + y)) / (a + 2 * n + 1)


def _off_mean(x: float, y: float, a: float, b: float) -> float:
    """(a + b)·x - a, from the smaller of x and y = 1 - x: next to 1 too few digits are left."""
    return (a + b) * x - a if x <= y else b - (a + b) * y


def _gamma_terms(x: float, a: float) -> Iterable[tuple[float, float]]:
    """DLMF 8.9.2, contracted to its even part."""
    yield 1.0, x + 1 - a
    for m in range(1, _MOST_TERMS):
        yield -m * (m - a), x + 2 * m + 1 - a


def _gamma_series(x: float, a: float) -> float:
    """DLMF 8.11.4 without its factor: the sum of x^k / (a (a + 1) … (a + k))."""
    term = total = 1 / a
    for k in range(1, _MOST_TERMS):
        term *= x / (a + k)
        total += term
        if term < _CLOSE * total:
            break
    return total


def _fraction(terms: Iterable[tuple[float, float]]) -> float:
    """a1 / (b1 + a2 / (b2 + …)) of the terms (a, b), by Lentz's method as Thompson and Barnett (1986) modified it."""
    value, numerator, denominator = _TINY, _TINY, 0.0
    for a, b in terms:
        denominator = 1 / ((b + a * denominator) or _TINY)
        numerator = (b + a / numerator) or _TINY
        value *= numerator * denominator
        if abs(numerator * denominator - 1) < _CLOSE:
            break
    return value


def _stirling(z: float) -> float:
    """What Stirling's formula leaves: ln Γ(z) = (z - ½) ln z - z + ½ ln 2π + this (DLMF 5.11.1)."""
    if z < 16:
        return lgamma(z) - ((z - 0.5) * log(z) - z + 0.5 * log(2 * pi))
    w = 1 / (z * z)
    return (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w / 1188)))) / z
