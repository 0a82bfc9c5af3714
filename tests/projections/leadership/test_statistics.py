"""Our own statistics against scipy and statsmodels."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta
from statsmodels.stats.proportion import proportion_confint

from services.projections.leadership.statistics import beta_quantile, difference, incomplete_beta, jeffreys, rate

COUNTS = [0, 1, 2, 3, 5, 10, 47, 100, 999, 12_345, 100_000, 999_999, 1_000_000]
TOLERANCE = 1e-9


@pytest.mark.parametrize("kept", COUNTS)
@pytest.mark.parametrize("breached", COUNTS)
def test_the_jeffreys_interval_is_that_of_scipy(kept: int, breached: int) -> None:
    """For counts from none to a million, lopsided ones too, the quantiles agree with scipy's to 1e-9."""
    interval = jeffreys(kept, breached)
    if kept + breached == 0:
        assert interval is None
        return
    assert interval is not None
    low, high = (float(beta.ppf(p, kept + 0.5, breached + 0.5)) for p in (0.025, 0.975))
    assert interval.low == pytest.approx(low if kept else 0.0, abs=TOLERANCE)
    assert interval.high == pytest.approx(high if breached else 1.0, abs=TOLERANCE)


@pytest.mark.parametrize(("kept", "n"), [(1, 2), (3, 10), (19, 20), (250, 1000)])
def test_the_jeffreys_interval_is_that_of_statsmodels(kept: int, n: int) -> None:
    """statsmodels names the same interval "jeffreys"."""
    low, high = proportion_confint(kept, n, method="jeffreys")
    interval = jeffreys(kept, n - kept)
    assert interval == pytest.approx((low, high), abs=TOLERANCE)


@given(kept=st.integers(0, 2000), breached=st.integers(0, 2000))
def test_the_interval_holds_the_rate(kept: int, breached: int) -> None:
    """Whatever the counts, 0 ≤ low ≤ rate ≤ high ≤ 1, with the ends exact where a side is empty."""
    interval, share = jeffreys(kept, breached), rate(kept, breached)
    if interval is None or share is None:
        assert kept + breached == 0
        return
    assert 0 <= interval.low <= share <= interval.high <= 1
    assert (interval.low == 0) == (kept == 0)
    assert (interval.high == 1) == (breached == 0)


@given(p=st.floats(1e-6, 1 - 1e-6), a=st.floats(0.5, 1e5), b=st.floats(0.5, 1e5))
def test_quantile_and_distribution_are_each_others_inverse(p: float, a: float, b: float) -> None:
    """The distribution function at a quantile gives the probability back."""
    assert incomplete_beta(beta_quantile(p, a, b), a, b) == pytest.approx(p, abs=1e-7)


def test_a_difference_is_built_by_square_and_add() -> None:
    """The limits come from the two Jeffreys intervals, each at its own side (domain.md §4)."""
    found = difference(40, 10, 30, 20)
    l1, u1 = (float(beta.ppf(p, 40.5, 10.5)) for p in (0.025, 0.975))
    l2, u2 = (float(beta.ppf(p, 30.5, 20.5)) for p in (0.025, 0.975))
    assert found.value == pytest.approx(0.2)
    assert found.interval is not None
    assert found.interval.low == pytest.approx(0.2 - math.sqrt((0.8 - l1) ** 2 + (u2 - 0.6) ** 2), abs=TOLERANCE)
    assert found.interval.high == pytest.approx(0.2 + math.sqrt((u1 - 0.8) ** 2 + (0.6 - l2) ** 2), abs=TOLERANCE)


def test_a_difference_of_equal_halves_holds_no_change() -> None:
    """Equal rates differ by 0, and the interval lies evenly about it."""
    found = difference(7, 7, 7, 7)
    assert found.value == 0
    assert found.interval is not None
    assert found.interval.low == pytest.approx(-found.interval.high)


@pytest.mark.parametrize("counts", [(0, 0, 3, 4), (3, 4, 0, 0), (0, 0, 0, 0)])
def test_no_difference_without_signals(counts: tuple[int, int, int, int]) -> None:
    """With nothing on either side there is neither value nor interval."""
    assert difference(*counts) == (None, None)
