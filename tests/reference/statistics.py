"""The statistics of domain.md §5, left to statsmodels and scipy, so that no formula of ours is compared with itself.

A `reason` is True where the text wants one: whatever it says, it must be there when a figure is null, and only then.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest, spearmanr
from statsmodels.stats.contingency_tables import StratifiedTable

from tests.reference.scorecards import RefDifference, difference

Table = tuple[int, int, int, int]
"""a, b, c, d of a 2 × 2 table: example (breached, kept) × verdict (breached, kept), row by row."""


@dataclass(frozen=True)
class RefOddsRatio:
    """A pooled odds ratio; value and interval are None together, and then there is a reason."""

    value: float | None
    low: float | None
    high: float | None
    strata: int
    n: int
    reason: bool


@dataclass(frozen=True)
class RefRateRatio:
    """The rate after to the rate before; `days` are rep-days."""

    value: float | None
    low: float | None
    high: float | None
    before: int
    after: int
    before_days: float
    after_days: float
    reason: bool


@dataclass(frozen=True)
class RefRate:
    """A share of n; None where there is nothing to divide by."""

    kept: int
    n: int

    @property
    def rate(self) -> float | None:
        """kept / n."""
        return self.kept / self.n if self.n else None


@dataclass(frozen=True)
class RefRateComparison:
    """Two shares and the difference, the first minus the second."""

    one: RefRate
    other: RefRate

    @property
    def difference(self) -> RefDifference:
        """§4: Newcombe's square-and-add of the Jeffreys intervals."""
        one, other = self.one, self.other
        return difference(one.kept, one.n - one.kept, other.kept, other.n - other.kept)


@dataclass(frozen=True)
class RefCorrelation:
    """Spearman's rank correlation over n people."""

    value: float | None
    n: int


def pooled_odds_ratio(tables: Iterable[Table]) -> RefOddsRatio:
    """ "the Mantel–Haenszel pooled odds ratio with the 95 % Robins–Breslow–Greenland interval; strata = reps with a
    counted signal, n = counted signals. … Null, with the reason, when the sum of ad/n or of bc/n is 0."
    """
    counted = [table for table in tables if sum(table) > 0]
    n = sum(sum(table) for table in counted)
    ad = any(a * d for a, _, _, d in counted)
    bc = any(b * c for _, b, c, _ in counted)
    if not ad or not bc:
        return RefOddsRatio(None, None, None, len(counted), n, True)
    pooled = StratifiedTable([np.array([[a, b], [c, d]]) for a, b, c, d in counted])
    low, high = pooled.oddsratio_pooled_confint(alpha=0.05)
    return RefOddsRatio(float(pooled.oddsratio_pooled), float(low), float(high), len(counted), n, False)


def rate_ratio(before: int, after: int, before_days: float, after_days: float) -> RefRateRatio:
    """ "ratio of after to before with the exact conditional (binomial, Clopper–Pearson) 95 % interval. Nothing before:
    value and high null, low given; nothing at all or no days: all null; and the reason."

    Given how many there are in all, those after are binomial with p = ρ·A / (ρ·A + B), A and B the days; an end of the
    interval of p gives one of ρ = p / (1 − p) · B / A.
    """
    counts = (before, after, before_days, after_days)
    if before + after == 0 or before_days == 0 or after_days == 0:
        return RefRateRatio(None, None, None, *counts, True)
    of_p = binomtest(after, before + after).proportion_ci(0.95, method="exact")
    scale = before_days / after_days
    low = float(of_p.low) / (1 - float(of_p.low)) * scale
    if before == 0:
        return RefRateRatio(None, low, None, *counts, True)
    value = (after / after_days) / (before / before_days)
    return RefRateRatio(value, low, float(of_p.high) / (1 - float(of_p.high)) * scale, *counts, False)


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> RefCorrelation:
    """ "Spearman's rank correlation of the index with each, average ranks for ties; n shown; null with fewer than 5
    people or no variation."
    """
    if len(pairs) < 5 or len({one for one, _ in pairs}) == 1 or len({other for _, other in pairs}) == 1:
        return RefCorrelation(None, len(pairs))
    result: Any = spearmanr([one for one, _ in pairs], [other for _, other in pairs])
    return RefCorrelation(float(result.statistic), len(pairs))


def share(kept: int, n: int) -> float | None:
    """ "Null when there is nothing to divide by." """
    return kept / n if n else None


def median(numbers: Sequence[int]) -> float | None:
    """The median; the mean of the two in the middle of an even number of them."""
    return float(statistics.median(numbers)) if numbers else None
