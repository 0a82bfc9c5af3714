"""A team week by week: a strip of cells for each principle, so that busy and bad weeks show across all of them."""

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from services.graphql.dashboard.answers import Score, Team, TrendPoint
from services.graphql.dashboard.charts.drawing import Row
from services.graphql.dashboard.charts.trends import heat_axis, heat_legend, heat_strip
from services.graphql.dashboard.figures import Cell, Column, Figure, Shown, Table
from services.graphql.dashboard.numbers import percent, short_day
from services.graphql.dashboard.pages.team import NO_SIGNALS, NOT_YOURS, signals_of
from services.graphql.dashboard.places import team_tabs, trail_below
from services.graphql.dashboard.scores import FEW, note
from services.graphql.dashboard.visiting import Page, Visit

_WEEK = timedelta(days=7)
_READING = (
    "A cell is a week from Monday, UTC, cut where the period begins and ends. Its colour says which share of the "
    f"week’s signals kept the principle. A low cell rests on fewer than {FEW} signals, a dash on none."
)
_ASKING = (
    "A column of strong cells is a week in which much was breached at once: ask what happened then. Read the signals "
    "before you ask who."
)


class Asked(Struct):
    """What the document answers."""

    team: Team


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    asked = await visit.ask(
        "heatmap",
        Asked,
        team=visit.needed("team"),
        period=visit.period.variable,
        includeSubteams=visit.chosen("subteams"),
    )
    team = asked.team
    trail = trail_below(visit, team)
    if team.scorecard is None:
        return Shown("Week by week", (), {"team": team, "strips": ()}, trail, missing=NOT_YOURS)
    scores = team.scorecard.scores
    some = any(score.n for score in scores)
    figure = _figure(visit, team, scores)
    links = [signals_of(visit, team, score) for score in scores]
    return Shown(
        "Week by week",
        [figure] if some else [],
        {"team": team, "strips": list(zip(figure.rows, links, strict=True))},
        trail,
        team_tabs(visit, team),
        team.name,
        None if some else NO_SIGNALS,
        team.key,
    )


def _figure(visit: Visit, team: Team, scores: Sequence[Score]) -> Figure:
    rows = [Row(score.principle.title, heat_strip(score.principle.title, score.trend), note(score)) for score in scores]
    weeks = scores[0].trend
    columns = [Column("Week from", "text"), *(Column(score.principle.title) for score in scores)]
    cells = [
        (
            Cell(short_day(week.start), week.start),
            *(_cell(visit, team, score, score.trend[place]) for score in scores),
        )
        for place, week in enumerate(weeks)
    ]
    table = Table(f"{team.name}: share kept, and of how many signals, by week", columns, cells)
    return Figure(
        "weeks",
        "Each principle, week by week",
        (),
        rows,
        heat_axis(weeks),
        table,
        (_READING, _ASKING),
        key=heat_legend(),
    )


def _cell(visit: Visit, team: Team, score: Score, point: TrendPoint) -> Cell:
    """A week of a principle; it leads to the signals of that week."""
    if not point.n:
        return Cell("–", "", soft=True)
    rate = point.kept / point.n
    href = signals_of(visit, team, score, **_days(visit, point.start))
    return Cell(f"{percent(rate)} of {point.n}", rate, href, point.n < FEW)


def _days(visit: Visit, monday: date) -> dict[str, str | None]:
    """The parameters of a period that is the days of a week which the period has."""
    first, last = max(monday, visit.period.first), min(monday + _WEEK - timedelta(days=1), visit.period.last)
    return {"on": None, "period": "free", "first": first.isoformat(), "last": last.isoformat()}


PAGE = Page("heatmap", build)
