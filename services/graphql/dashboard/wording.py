"""Figures in plain sentences, for readers without statistics: with their unit, honest about chance, and never more.

"Likely" is always the 95 % interval: of a hundred such ranges about 95 hold the truth, if signals are independent.
"""

from collections.abc import Mapping, Sequence

from services.graphql.dashboard.answers import (
    CustomerEquity,
    Difference,
    EvidenceLevel,
    GuideIndex,
    Interval,
    Principle,
    Score,
)
from services.graphql.dashboard.numbers import NOTHING, many, percent, points, times
from services.projections.leadership.policy import DEFAULT_POLICY, Policy

EVIDENCE: Mapping[EvidenceLevel, str] = {
    "NONE": "No evidence",
    "THIN": "Thin evidence",
    "FAIR": "Fair evidence",
    "SOLID": "Solid evidence",
}
SIGNAL = (
    "A signal is one judgement made from acts: somebody kept a principle or breached it, at a time, for a reason. A "
    "rate is the share of signals that say kept."
)
LIKELY = (
    "Likely: where the rate lies when chance is allowed for. Of a hundred such ranges about 95 hold the truth, if one "
    "signal does not depend on another."
)
NOT_RECORDED = (
    "Not recorded: an occasion that cannot be judged, since its source does not record the act whose absence would "
    "tell. It says nothing about anybody's conduct."
)


def evidence_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What thin, fair and solid evidence are."""
    fair, solid = policy.evidence.fair_customers, policy.evidence.solid_customers
    return (
        f"Evidence is counted in customers. Thin: signals with fewer than {fair}, too few to compare anybody by. Fair: "
        f"fewer than {solid}. Solid: {solid} or more."
    )


def likely(interval: Interval | None) -> str:
    """The ends of a rate's interval: "between 71 % and 92 %"; empty for None."""
    return "" if interval is None else f"between {percent(interval.low)} and {percent(interval.high)}"


def score_sentence(score: Score, policy: Policy = DEFAULT_POLICY) -> str:
    """How often a principle was kept, how sure that is, and what could not be judged."""
    said = [*_kept(score), *_thin(score, policy)]
    if score.not_recorded:
        occasion = "more occasion" if score.n else "occasion"
        said.append(f"{many(score.not_recorded, occasion)} could not be judged: not recorded.")
    return " ".join(said)


def _kept(score: Score) -> list[str]:
    if not score.n:
        return ["Nothing to judge in this time."]
    said = f"Kept in {score.kept:,} of {many(score.n, 'signal')}: {percent(score.rate)}."
    return [said] if score.interval is None else [said, f"Allowing for chance, likely {likely(score.interval)}."]


def _thin(score: Score, policy: Policy) -> list[str]:
    if score.evidence_level != "THIN":
        return []
    return [f"Thin evidence: fewer than {policy.evidence.fair_customers} customers."]


def short_score(score: Score) -> str:
    """A rate in a few words: "42 of 50 (84 %)"."""
    return f"{score.kept:,} of {score.n:,} ({percent(score.rate)})" if score.n else "nothing to judge"


def change_sentence(score: Score) -> str:
    """What has changed since the period before; empty if the document did not ask."""
    if score.change is None or score.previous is None:
        return ""
    if not score.n:
        return "Nothing to compare: there is nothing to judge in this time."
    if score.change.value is None:
        return "Nothing to compare with: there was nothing to judge in the period before."
    now_then = f"{percent(score.rate)} now, {percent(score.previous.rate)} then"
    if clear(score.change):
        more = "more" if score.change.value > 0 else "less"
        said = f"Kept {more} often than in the period before, by {by_points(score.change)}: {now_then}."
    else:
        said = f"No clear change since the period before: {now_then}."
    thin = "THIN" in (score.evidence_level, score.previous.evidence_level)
    return f"{said} Thin evidence." if thin else said


def clear(difference: Difference) -> bool:
    """Whether a difference is one: its interval does not hold 0."""
    return difference.value is not None and difference.interval is not None and not difference.interval.holds(0.0)


def by_points(difference: Difference) -> str:
    """How large a clear difference is, whichever way, with its likely range: "12 points (3 to 21)"."""
    if difference.value is None or difference.interval is None:
        return NOTHING
    low, high = difference.interval.low, difference.interval.high
    if low is None or high is None:
        return points(difference.value)
    nearer, further = sorted((abs(low), abs(high)))
    least = round(100 * nearer) or ("<1" if nearer else 0)
    return f"{points(difference.value)} ({least} to {round(100 * further)})"


def source_sentence(principle: Principle) -> str:
    """Where a principle comes from: "From S1 and S2."."""
    return f"From {' and '.join(principle.sources)}." if principle.sources else ""


# ---- guide index and equity ------------------------------------------------------------------------------------------


def guide_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What the guide index is."""
    figures = policy.guide_index
    return (
        "The guide index says how much of selling is guiding rather than getting, from 0 to 100 %. It is the mean of "
        "four dimensions: trust, partnership, capability and inquiry, each the mean of the rates of its principles "
        f"with at least {many(figures.signals_at_least, 'signal')}. It needs {figures.dimensions_at_least} of the "
        "dimensions."
    )


def guide_sentence(index: GuideIndex, policy: Policy = DEFAULT_POLICY) -> str:
    """The guide index, or why there is none."""
    if index.value is None:
        needed = policy.guide_index.dimensions_at_least
        return f"No guide index: fewer than {needed} of its four dimensions have enough signals."
    return f"Guide index {percent(index.value)}: {', '.join(_dimensions(index))}."


def _dimensions(index: GuideIndex) -> list[str]:
    named = {
        "trust": index.trust,
        "partnership": index.partnership,
        "capability": index.capability,
        "inquiry": index.inquiry,
    }
    return [f"{name} {'too few signals' if value is None else percent(value)}" for name, value in named.items()]


def equity_sentences(equity: CustomerEquity, policy: Policy = DEFAULT_POLICY) -> Sequence[str]:
    """What the customer base of a team is worth, a sentence a figure."""
    if not equity.active_customers and not equity.lost_customers and equity.touch_share_customers is None:
        return ["Nothing to show: the team has no order and no contact with a customer in the year."]
    return [
        _active(equity),
        _referrals(equity),
        f"{many(equity.lost_customers, 'customer')} of the year before ordered nothing in this one."
        if equity.lost_customers
        else "No customer of the year before was lost.",
        *_touches_to_yes(equity, policy),
        *_where_time_went(equity),
    ]


def _active(equity: CustomerEquity) -> str:
    said = f"{many(equity.active_customers, 'customer')} ordered in the year"
    return f"{said}." if equity.repeat_share is None else f"{said}; {percent(equity.repeat_share)} of them again."


def _referrals(equity: CustomerEquity) -> str:
    if equity.referrals_per_customer_year is None:
        return "Referrals a customer cannot be said: nobody ordered."
    if not equity.referrals_per_customer_year:
        return "None of them referred others; who is served well may refer one or two a year."
    found = times(equity.referrals_per_customer_year)
    return f"Each of them referred {found} others on average; who is served well may refer one or two a year."


def _touches_to_yes(equity: CustomerEquity, policy: Policy) -> list[str]:
    if equity.touches_to_yes_median is None:
        return ["How many contacts a yes takes cannot be said: nobody said yes."]
    low, high = policy.equity.touches_at_least, policy.equity.touches_at_most
    median, share = f"{equity.touches_to_yes_median:g}", percent(equity.share_at_five_to_seven)
    return [
        f"Half of the yeses came after {median} contacts or meetings to sell or fewer; {share} after {low} to {high}."
    ]


def _where_time_went(equity: CustomerEquity) -> list[str]:
    if equity.touch_share_customers is None or equity.touch_share_unfit is None:
        return []
    customers, unfit = percent(equity.touch_share_customers), percent(equity.touch_share_unfit)
    known = f"{customers} were with customers who had ordered before"
    return [f"Of all contacts and meetings, {known}, and {unfit} with customers judged not to fit."]


def equity_definition(policy: Policy = DEFAULT_POLICY) -> str:
    """What customer equity is, and over which time."""
    return (
        f"Over the {policy.equity.year_days} days up to the instant shown, acts of the team's reps while they were "
        "that. Lost: ordered in the year before and not in this one."
    )
