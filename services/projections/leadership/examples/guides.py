"""Do guides win? (S1, the top producer who does not push): the guide index of each rep beside what they achieved."""

from collections.abc import Sequence
from typing import NamedTuple

from services.projections.leadership.association import spearman
from services.projections.leadership.examples.rates import Rate


class Achieved(NamedTuple):
    """A rep with a guide index, and what they achieved: attempts accepted, customers who came back, referrals."""

    guide_index: float
    acceptance: Rate
    repeat_customers: int
    referrals: int


class Correlation(NamedTuple):
    """Spearman's rank correlation over `n` people; None with too few of them, or if all are alike."""

    value: float | None
    n: int


class GuidesWin(NamedTuple):
    """The guide index against each of what was achieved. Who has no decided attempt is not in `acceptance`."""

    acceptance: Correlation
    repeat_customers: Correlation
    referrals: Correlation


def guides_win(people: Sequence[Achieved], people_at_least: int) -> GuidesWin:
    """The three correlations, each with its number of people."""
    accepted = [(one.guide_index, one.acceptance.rate) for one in people]
    return GuidesWin(
        _correlation([(index, rate) for index, rate in accepted if rate is not None], people_at_least),
        _correlation([(one.guide_index, one.repeat_customers) for one in people], people_at_least),
        _correlation([(one.guide_index, one.referrals) for one in people], people_at_least),
    )


def _correlation(pairs: Sequence[tuple[float, float]], people_at_least: int) -> Correlation:
    if len(pairs) < people_at_least:
        return Correlation(None, len(pairs))
    return Correlation(spearman([x for x, _ in pairs], [y for _, y in pairs]), len(pairs))
