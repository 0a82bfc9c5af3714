"""The two intervals of domain.md §4, without a statistics library at run time: Jeffreys' for a rate, Newcombe's for a
difference of two rates. Tests compare both with scipy and statsmodels.
"""

import math
from functools import lru_cache
from typing import NamedTuple

LEVEL = 0.95
_TAIL = (1 - LEVEL) / 2
_TINY = 1e-300
_STEPS = 200  # Newton's method needs about ten, bisection alone about fifty


class Interval(NamedTuple):
    """A 95 % interval from `low` to `high`."""

    low: float
    high: float


class Difference(NamedTuple):
    """A difference of two rates with its interval; both None if there is nothing to compare."""

    value: float | None
    interval: Interval | None


def rate(kept: int, breached: int) -> float | None:
    """kept / n, None when n = 0."""
    n = kept + breached
    return kept / n if n else None


@lru_cache(maxsize=65536)
def jeffreys(kept: int, breached: int) -> Interval | None:
    """The quantiles 2.5 % and 97.5 % of Beta(kept + ½, breached + ½); 0 and 1 at the ends, None when n = 0 (§4)."""
    if kept + breached == 0:
        return None
    a, b = kept + 0.5, breached + 0.5
    low = beta_quantile(_TAIL, a, b) if kept else 0.0
    high = beta_quantile(1 - _TAIL, a, b) if breached else 1.0
    return Interval(low, high)


def difference(kept1: int, breached1: int, kept2: int, breached2: int) -> Difference:
    """p₁ − p₂ with the interval made of both Jeffreys intervals by Newcombe's square-and-add (§4)."""
    one, two = jeffreys(kept1, breached1), jeffreys(kept2, breached2)
    if one is None or two is None:
        return Difference(None, None)
    p1, p2 = kept1 / (kept1 + breached1), kept2 / (kept2 + breached2)
    low = p1 - p2 - math.hypot(p1 - one.low, two.high - p2)
    high = p1 - p2 + math.hypot(one.high - p1, p2 - two.low)
    return Difference(p1 - p2, Interval(low, high))


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p, for 0 < p < 1 and a, b > 0: Newton's method, kept inside a bracket that shrinks."""
    low, high, x = 0.0, 1.0, a / (a + b)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    for _ in range(_STEPS):
        error = incomplete_beta(x, a, b) - p
        low, high = (low, x) if error > 0 else (x, high)
        density = math.exp((a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - log_beta)
        step = x - error / density if density > _TINY else low
        following = step if low < step < high else (low + high) / 2
        if abs(following - x) <= 1e-15 * x:
            return following
        x = following
    return x


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta)
    if x > (a + 1) / (a + b + 2):  # there the fraction of the mirror image converges fast
        return 1 - front * _fraction(1 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction by Lentz's algorithm; about √max(a, b) terms are needed."""
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 200 + 20 * int(math.sqrt(max(a, b)))):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
