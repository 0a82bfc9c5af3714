"""Measures of association in domain.md §5, with their exact or usual intervals and, where there is none, why.

The pooled odds ratio of Mantel and Haenszel, the ratio of two rates, Spearman's rank correlation. Tests compare them
with statsmodels and scipy.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.projections.leadership.statistics import LEVEL, Interval, beta_quantile

_NORMAL = 1.959963984540054  # the quantile 97.5 % of the standard normal distribution
_TAIL = (1 - LEVEL) / 2


class Table(NamedTuple):
    """A 2 × 2 table, example × verdict: the first word is the leader's example, the second the rep's verdict."""

    breached_breached: int
    breached_kept: int
    kept_breached: int
    kept_kept: int

    @property
    def n(self) -> int:
        """The signals in it."""
        return sum(self)


class OddsRatio(NamedTuple):
    """A pooled odds ratio with its 95 % interval; of both None, `undefined_because` says why, in plain words."""

    value: float | None
    interval: Interval | None
    strata: int
    n: int
    undefined_because: str | None = None


class RateRatio(NamedTuple):
    """A rate after by a rate before, with its 95 % interval. Its `high` is None where nothing came before."""

    value: float | None
    low: float | None
    high: float | None
    before: int
    after: int
    before_days: float
    after_days: float
    undefined_because: str | None = None


NOTHING_TO_COMPARE = "there is no signal to compare"
NEVER_ALIKE = (
    "no rep both breached after a breach of the leader's and kept after the leader kept: the ratio would be 0, without "
    "an interval"
)
NEVER_UNLIKE = (
    "no rep both kept after a breach of the leader's and breached after the leader kept: the ratio would have no bound"
)
NEITHER = "no rep has signals after both examples, or all of theirs are alike: no odds can be compared"


def mantel_haenszel(tables: Iterable[Table]) -> OddsRatio:
    """The Mantel–Haenszel odds ratio pooled over strata, with the 95 % interval of Robins, Breslow and Greenland.

    Biometrics 42 (1986). Strata without a signal do not count. None, with the reason, where the sum of ad/n or of bc/n
    is 0.
    """
    strata = [table for table in tables if table.n]
    n = sum(table.n for table in strata)
    alike = [t.breached_breached * t.kept_kept / t.n for t in strata]
    unlike = [t.breached_kept * t.kept_breached / t.n for t in strata]
    r, s = math.fsum(alike), math.fsum(unlike)
    if not r or not s:
        return OddsRatio(None, None, len(strata), n, _why(n, bool(r), bool(s)))
    agreeing = [(t.breached_breached + t.kept_kept) / t.n for t in strata]
    variance = math.fsum(
        p * ad / (2 * r * r) + (p * bc + (1 - p) * ad) / (2 * r * s) + (1 - p) * bc / (2 * s * s)
        for p, ad, bc in zip(agreeing, alike, unlike, strict=True)
    )
    spread = math.exp(_NORMAL * math.sqrt(variance))
    return OddsRatio(r / s, Interval(r / s / spread, r / s * spread), len(strata), n)


def _why(n: int, alike: bool, unlike: bool) -> str:
    if not n:
        return NOTHING_TO_COMPARE
    if alike:
        return NEVER_UNLIKE
    return NEVER_ALIKE if unlike else NEITHER


def rate_ratio(before: int, after: int, before_days: float, after_days: float) -> RateRatio:
    """(after / after_days) / (before / before_days), with the exact conditional 95 % interval.

    Given before + after, `after` is binomial; the Clopper–Pearson limits of its probability p become those of the
    ratio by p / (1 − p) · before_days / after_days.
    """
    counts = (before, after, before_days, after_days)
    if not before_days or not after_days:
        why = "there was no day of a rep " + ("before" if not before_days else "after")
        return RateRatio(None, None, None, *counts, why)
    if not before and not after:
        return RateRatio(None, None, None, *counts, "there was no such signal, before or after")
    scale = before_days / after_days
    low = _odds(beta_quantile(_TAIL, after, before + 1)) * scale if after else 0.0
    if not before:
        return RateRatio(None, low, None, *counts, "there was no such signal before: the ratio has no upper bound")
    high = _odds(beta_quantile(1 - _TAIL, after + 1, before)) * scale
    return RateRatio(after / before * scale, low, high, *counts)


def _odds(p: float) -> float:
    return p / (1 - p)


def spearman(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Spearman's rank correlation, average ranks for ties; None where either does not vary."""
    ranks, others = _ranks(xs), _ranks(ys)
    middle = (len(ranks) + 1) / 2
    products = [
        ((x - middle) * (y - middle), (x - middle) ** 2, (y - middle) ** 2) for x, y in zip(ranks, others, strict=True)
    ]
    covariance, one, other = (math.fsum(column) for column in zip(*products, strict=True)) if products else (0, 0, 0)
    return covariance / math.sqrt(one * other) if one and other else None


def _ranks(values: Sequence[float]) -> list[float]:
    """The rank of each value, from 1; equal ones share the mean of theirs."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values), 1):
        places.setdefault(value, []).append(place)
    return [(places[value][0] + places[value][-1]) / 2 for value in values]
