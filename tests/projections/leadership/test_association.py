"""Odds ratios, rate ratios and rank correlations against statsmodels and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binomtest, spearmanr
from statsmodels.stats.contingency_tables import StratifiedTable

from services.projections.leadership import association
from services.projections.leadership.association import Table, mantel_haenszel, rate_ratio, spearman

COUNT = st.integers(0, 40)
TABLES = st.lists(st.tuples(COUNT, COUNT, COUNT, COUNT), min_size=1, max_size=12)


@given(TABLES)
def test_the_pooled_odds_ratio_is_that_of_statsmodels(counts: list[tuple[int, int, int, int]]) -> None:
    """Value and Robins–Breslow–Greenland interval agree; where the ratio is 0 or has no bound there is none."""
    tables = [Table(*table) for table in counts]
    found = mantel_haenszel(tables)
    strata = [table for table in tables if table.n]
    assert (found.strata, found.n) == (len(strata), sum(table.n for table in strata))
    if not any(t[0] * t[3] for t in strata) or not any(t[1] * t[2] for t in strata):
        assert (found.value, found.interval) == (None, None)
        assert found.undefined_because
        return
    assert found.undefined_because is None
    oracle = StratifiedTable([np.array([[t[0], t[1]], [t[2], t[3]]], dtype=float) for t in strata])
    assert found.value == pytest.approx(oracle.oddsratio_pooled, rel=1e-9)
    assert found.interval == pytest.approx(oracle.oddsratio_pooled_confint(), rel=1e-7)


def test_one_table_gives_its_own_odds_ratio() -> None:
    """With a single stratum the pooled odds ratio is ad / bc."""
    assert mantel_haenszel([Table(6, 2, 3, 9)]).value == pytest.approx(6 * 9 / (2 * 3))


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ([], association.NOTHING_TO_COMPARE),
        ([Table(0, 0, 0, 0)], association.NOTHING_TO_COMPARE),
        ([Table(5, 0, 0, 5)], association.NEVER_UNLIKE),
        ([Table(0, 5, 5, 0)], association.NEVER_ALIKE),
        ([Table(5, 0, 5, 0), Table(0, 3, 0, 0)], association.NEITHER),
    ],
)
def test_what_has_no_odds_ratio_says_why(tables: list[Table], why: str) -> None:
    """Each way in which the ratio is not defined has words of its own."""
    assert mantel_haenszel(tables).undefined_because == why


@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.01, 4000), st.floats(0.01, 4000))
def test_the_rate_ratio_has_the_exact_interval_of_scipy(
    before: int, after: int, before_days: float, after_days: float
) -> None:
    """Its limits are those of scipy's exact binomial test, carried over to the ratio."""
    found = rate_ratio(before, after, before_days, after_days)
    assert found[3:7] == (before, after, before_days, after_days)
    if before + after == 0:
        assert found[:3] == (None, None, None)
        return
    limits = binomtest(after, before + after).proportion_ci(0.95, method="exact")
    scale = before_days / after_days
    assert found.low == pytest.approx(limits.low / (1 - limits.low) * scale, rel=1e-6)
    if before:
        assert found.value == pytest.approx(after / after_days / (before / before_days))
        assert found.high == pytest.approx(limits.high / (1 - limits.high) * scale, rel=1e-6)
        assert found.undefined_because is None
    else:
        assert (found.value, found.high) == (None, None)
        assert found.undefined_because


def test_the_limits_are_quantiles_of_beta_distributions() -> None:
    """Seven after and three before over as many days, computed by hand."""
    found = rate_ratio(3, 7, 10, 10)
    low, high = float(beta.ppf(0.025, 7, 4)), float(beta.ppf(0.975, 8, 3))
    assert (found.low, found.high) == pytest.approx((low / (1 - low), high / (1 - high)))


@pytest.mark.parametrize(("before_days", "after_days"), [(0, 5), (5, 0), (0, 0)])
def test_without_days_there_is_no_rate(before_days: float, after_days: float) -> None:
    """Where a side has no day at all, nothing is given but the counts and the reason."""
    found = rate_ratio(2, 3, before_days, after_days)
    assert (found.value, found.low, found.high, found.before, found.after) == (None, None, None, 2, 3)
    assert "no day" in str(found.undefined_because)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=40))
def test_the_rank_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    """With many ties too; None where one of the two does not vary."""
    xs, ys = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    found = spearman(xs, ys)
    if len(set(xs)) == 1 or len(set(ys)) == 1:
        assert found is None
        return
    assert found == pytest.approx(float(spearmanr(xs, ys).statistic), abs=1e-12)


def test_nobody_has_no_correlation() -> None:
    """An empty list is no variation."""
    assert spearman([], []) is None
