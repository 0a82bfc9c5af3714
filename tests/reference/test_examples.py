"""The statistics of the reference's §5 against other ways to have them, so that it can itself be trusted."""

from datetime import date, timedelta

import pytest
from scipy.stats import beta

from tests.reference.statistics import pooled_odds_ratio, rank_correlation, rate_ratio
from tests.reference.worlds import is_month_end


def test_an_odds_ratio_is_pooled_by_mantel_and_haenszel() -> None:
    """Two strata, worked out by hand: (8·7/20 + 6·9/22) / (2·3/20 + 4·3/22); an empty table is no stratum."""
    found = pooled_odds_ratio([(8, 2, 3, 7), (6, 4, 3, 9), (0, 0, 0, 0)])
    assert found.value == pytest.approx((56 / 20 + 54 / 22) / (6 / 20 + 12 / 22))
    assert (found.strata, found.n, found.reason) == (2, 42, False)


def test_an_odds_ratio_needs_both_sums() -> None:
    """Without any ad, or any bc, there is no ratio but a reason, and the counts are given all the same."""
    for tables in ([(3, 0, 0, 4)], [(0, 3, 4, 0)], []):
        found = pooled_odds_ratio([(a, b, c, d) for a, b, c, d in tables])
        assert (found.value, found.low, found.high, found.reason) == (None, None, None, True)
        assert found.n == sum(map(sum, tables))


def test_a_rate_ratio_has_the_exact_interval() -> None:
    """Six after in 20 days and two before in 40: ratio 6, between the beta quantiles of the share after."""
    found = rate_ratio(2, 6, 40, 20)
    assert found.value == pytest.approx(6)
    low, high = beta.ppf(0.025, 6, 3), beta.ppf(0.975, 7, 2)
    assert (found.low, found.high) == pytest.approx((low / (1 - low) * 2, high / (1 - high) * 2))


def test_a_rate_ratio_of_nothing_before_has_a_lower_end_alone() -> None:
    """Nothing before gives the lower end; nothing after gives 0 and both ends; nothing at all, or no days, nothing."""
    found = rate_ratio(0, 3, 10, 10)
    assert (found.value, found.high, found.reason) == (None, None, True)
    assert found.low == pytest.approx(0.025 ** (1 / 3) / (1 - 0.025 ** (1 / 3)))
    assert (rate_ratio(3, 0, 10, 10).value, rate_ratio(3, 0, 10, 10).low) == (0, 0)
    for nothing in (rate_ratio(0, 0, 10, 10), rate_ratio(1, 0, 10, 0), rate_ratio(0, 1, 0, 10)):
        assert (nothing.value, nothing.low, nothing.high, nothing.reason) == (None, None, None, True)


def test_a_rank_correlation_averages_ties() -> None:
    """By hand: ranks 1 2 3 4 5 against 1.5 1.5 3 4 5; four people or no variation give none."""
    pairs = [(1.0, 0.0), (2.0, 0.0), (3.0, 2.0), (4.0, 3.0), (5.0, 9.0)]
    assert rank_correlation(pairs).value == pytest.approx(9.5 / (10 * 9.5) ** 0.5)
    assert rank_correlation(pairs[:4]).value is None
    assert rank_correlation([(one, 1.0) for one, _ in pairs]).value is None


def test_the_last_five_days_of_a_month() -> None:
    """They are the last five of a month of any length."""
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(366)]
    ends = [day for day in days if is_month_end(day)]
    assert [day.day for day in ends[:10]] == [27, 28, 29, 30, 31, 25, 26, 27, 28, 29]
    assert len(ends) == 60
