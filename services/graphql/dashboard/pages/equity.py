"""A team's customer equity: what its customers are worth to it over a year, beside the year before."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from msgspec import Struct

from services.graphql.dashboard.answers import CustomerEquity, Team
from services.graphql.dashboard.figures import NOTHING, Cell, Column, Figure, Link, Missing, Shown, Table
from services.graphql.dashboard.numbers import short_day
from services.graphql.dashboard.pages.team import NOT_YOURS
from services.graphql.dashboard.places import team_tabs, trail_below
from services.graphql.dashboard.scores import number, ratio, share
from services.graphql.dashboard.visiting import Page, Visit
from services.graphql.dashboard.wording import equity_definition, equity_sentences
from services.kit import instants
from services.projections.leadership.policy import Policy

_NONE = Missing(
    "Nothing to show in this year",
    "No customer ordered from the team’s reps, or was in touch with them, in the year up to the day shown.",
    ("order.placed", "contact.made", "meeting.held", "decision.made", "referral.given"),
)
_BEHIND = (
    ("long-view", "Signals: who stays after an order"),
    ("follow-through", "Signals: who follows up"),
    ("qualify", "Signals: who sells to whom it fits"),
)


class EquityTeam(Team, frozen=True, kw_only=True, rename="camel"):
    """A team, with its equity a year before too."""

    year_before: CustomerEquity | None = None


class Asked(Struct):
    """What the document answers."""

    team: EquityTeam


class _Line(NamedTuple):
    """A figure of equity: its name, how it is read from an answer, and what it counts."""

    name: str
    read: Callable[[CustomerEquity], Cell]
    definition: str


async def build(visit: Visit) -> Shown:
    """The page, as of the end of the period or of now. Raises Failure."""
    as_of = _as_of(visit)
    year = timedelta(days=visit.policy.equity.year_days)
    asked = await visit.ask(
        "equity",
        Asked,
        team=visit.needed("team"),
        asOf=as_of.isoformat(),
        yearBefore=(as_of - year).isoformat(),
    )
    team = asked.team
    trail = trail_below(visit, team)
    context = {"team": team, "as_of": _said(as_of)}
    if team.equity is None:
        return Shown("Customers", (), context, trail, missing=NOT_YOURS)
    figures = [] if _nothing(team.equity) else [_figure(visit, team, team.equity, as_of)]
    missing = None if figures else _NONE
    return Shown("Customers", figures, context, trail, team_tabs(visit, team), team.name, missing, team.key)


def _nothing(equity: CustomerEquity) -> bool:
    return not (equity.active_customers or equity.lost_customers) and equity.touch_share_customers is None


def _as_of(visit: Visit) -> datetime:
    """The end of the period's last day, or now if that is still to come."""
    after = datetime.combine(visit.period.last + timedelta(days=1), time(), UTC)
    return min(after, instants.to_datetime(visit.now))


def _said(as_of: datetime) -> str:
    """The last day in the year shown."""
    return short_day(as_of - timedelta(microseconds=1))


def _figure(visit: Visit, team: EquityTeam, equity: CustomerEquity, as_of: datetime) -> Figure:
    year = timedelta(days=visit.policy.equity.year_days)
    columns = (
        Column("Figure", "text"),
        Column(f"Year to {_said(as_of)}"),
        Column(f"Year to {_said(as_of - year)}"),
        Column("What it is", "text"),
    )
    lines = _lines(visit.policy)
    before = team.year_before
    rows = [
        (Cell(line.name), line.read(equity), line.read(before) if before else NOTHING, Cell(line.definition))
        for line in lines
    ]
    table = Table(f"{team.name}: customer equity", columns, rows)
    return Figure(
        "equity",
        "What the customers are worth",
        equity_sentences(equity, visit.policy),
        table=table,
        definition=[equity_definition(visit.policy)],
        links=[Link(words, visit.link("signals", team=team.key, principle=principle)) for principle, words in _BEHIND],
        open_table=True,
    )


def _lines(policy: Policy) -> Sequence[_Line]:
    low, high = policy.equity.touches_at_least, policy.equity.touches_at_most
    return (
        _Line("Active customers", lambda e: number(e.active_customers), "Customers with an order in the year."),
        _Line("Ordered again", lambda e: share(e.repeat_share), "Share of them with two orders or more in it."),
        _Line("Lost", lambda e: number(e.lost_customers), "Customers of the year before without an order in this one."),
        _Line(
            "Referrals a customer",
            lambda e: ratio(e.referrals_per_customer_year),
            "Referrals by active customers, by their number. Who is served well may give one or two a year.",
        ),
        _Line(
            "Touches to a yes",
            lambda e: _median(e.touches_to_yes_median),
            "Contacts and meetings to sell before an accepted decision: half of them took as many or fewer.",
        ),
        _Line(
            f"Yeses after {low} to {high} touches",
            lambda e: share(e.share_at_five_to_seven),
            "Share of accepted decisions that took so many.",
        ),
        _Line(
            "Time with who does not fit",
            lambda e: share(e.touch_share_unfit),
            "Share of all contacts and meetings with customers whose latest verdict then was unfit.",
        ),
        _Line(
            "Time with customers",
            lambda e: share(e.touch_share_customers),
            "Share of all contacts and meetings with customers who had ordered before.",
        ),
    )


def _median(value: float | None) -> Cell:
    return NOTHING if value is None else Cell(f"{value:g}", value)


PAGE = Page("equity", build)
