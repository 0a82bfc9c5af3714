"""Rates from 0 to 100 %: a dot with its interval, the leader beside the team, with and without, before and after."""

from collections.abc import Sequence

from services.graphql.dashboard.answers import Difference, Interval, Rate, Score
from services.graphql.dashboard.charts.drawing import Chart, Linear, across, label, legend, mark, upright, whisker
from services.graphql.dashboard.numbers import many, percent, percents, points

_GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
_POINTS = Linear(-1.0, 1.0)
THIN_BELOW = 5
ROW = 22
NAME = 16  # the height of a name above a row


def rate_chart(title: str, score: Score, who: str = "team") -> Chart:
    """A rate and its interval; hollow where evidence is thin, nothing where there is none. `who`: team or leader."""
    return Chart(ROW, title, _said(score), _grid(0, ROW) + _score(who, score, ROW / 2), "rate")


def pair_chart(title: str, leader: Score, team: Score) -> Chart:
    """The example against its mirror: the leader's rate above the team's."""
    said = f"Leader: {_said(leader)} Team: {_said(team)}"
    body = _grid(0, 2 * ROW) + _score("leader", leader, ROW / 2) + _score("team", team, 3 * ROW / 2)
    return Chart(2 * ROW, title, said, body, "pair")


PAIR_KEY = (("leader", "the leader"), ("team", "the team's reps; a line is the likely range"))
"""What the marks of pairs mean."""


def pair_legend() -> Chart:
    """The same as a part of a file."""
    return legend(*PAIR_KEY)


def rates_chart(title: str, rates: Sequence[tuple[str, Rate]]) -> Chart:
    """Rates below one another, each with its name above it in words."""
    line = NAME + ROW
    height = line * len(rates)
    body: list[str] = []
    for place, (name, rate) in enumerate(rates):
        top = place * line
        body.append(_grid(top + NAME, top + line))
        body.append(label("0", top + 12, f"{name}: {in_words(rate)}", class_="name"))
        body.append(_rate("team", rate.rate, rate.interval, rate.n < THIN_BELOW, top + NAME + ROW / 2))
    return Chart(height, title, "; ".join(f"{name}: {in_words(rate)}" for name, rate in rates), "".join(body), "rates")


def in_words(rate: Rate) -> str:
    """A rate as a label: "6 of 29, 21 %"."""
    return f"{rate.kept} of {rate.n}, {percent(rate.rate)}" if rate.n else "none"


def rate_axis() -> Chart:
    """The scale of all these."""
    ends = {0.0: "start", 1.0: "end"}
    body = [
        label(
            across(at) if at not in ends else ("0" if at == 0 else "100%"),
            12,
            percent(at),
            anchor=ends.get(at, "middle"),
        )
        for at in (0.0, 0.5, 1.0)
    ]
    return Chart(16, "", "", "".join(body), "axis", decoration=True)


def difference_chart(title: str, found: Difference) -> Chart:
    """A difference of two rates in points, around a line that says no difference."""
    body = "".join(upright(across(_POINTS.place(at)), 0, ROW) for at in (-1.0, -0.5, 0.5, 1.0))
    body += upright(across(0.5), 0, ROW, class_="even")
    if found.value is None or found.interval is None:
        return Chart(ROW, title, "Nothing to compare.", body, "difference")
    low, high = _ends(found.interval, -1.0, 1.0)
    body += whisker("team", _POINTS.place(low), _POINTS.place(high), ROW / 2)
    body += mark("team", _POINTS.place(found.value), ROW / 2, hollow=found.interval.holds(0.0))
    way = "more" if found.value > 0 else "less"
    return Chart(ROW, title, f"{points(found.value)} {way}.", body, "difference")


def _said(score: Score) -> str:
    if score.rate is None:
        return "Nothing to judge."
    return f"{percent(score.rate)} of {many(score.n, 'signal')}, likely between {percents(score.interval)}."


def _grid(top: float, bottom: float) -> str:
    return "".join(upright(across(at), top, bottom) for at in _GRID)


def _score(who: str, score: Score, y: float) -> str:
    return _rate(who, score.rate, score.interval, score.evidence_level == "THIN", y)


def _rate(who: str, rate: float | None, interval: Interval | None, hollow: bool, y: float) -> str:
    if rate is None:
        return ""
    drawn = "" if interval is None else whisker(who, *_ends(interval, 0.0, 1.0), y)
    return drawn + mark(who, rate, y, hollow=hollow)


def _ends(interval: Interval, lowest: float, highest: float) -> tuple[float, float]:
    low, high = interval.low, interval.high
    return lowest if low is None else low, highest if high is None else high
