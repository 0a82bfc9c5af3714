"""Ratios around 1: mirroring with its chance baseline, and how often reps push after and before.

1 stands in the middle as "no relation"; twice as much and half as much are equally far from it.
"""

from services.graphql.dashboard.answers import Interval, OddsRatio, RateRatio
from services.graphql.dashboard.charts.drawing import (
    Chart,
    Logarithmic,
    across,
    area,
    label,
    legend,
    mark,
    upright,
    whisker,
)
from services.graphql.dashboard.numbers import times

RATIOS = Logarithmic(16.0)
ROW = 30
THIN_BELOW = 20
_TICKS = ((1 / 16, "1/16"), (1 / 4, "1/4"), (1.0, "1"), (4.0, "4"), (16.0, "16"))


def mirroring_chart(title: str, found: OddsRatio, baseline: OddsRatio) -> Chart:
    """The odds ratio of a leader with its interval, over the band of what other leaders would show in their place."""
    body = _band(baseline) + _grid() + _odds(found)
    ours, others = _said(found.value, found.interval), _said(baseline.value, baseline.interval)
    said = f"With this leader {ours}; with other leaders in their place {others}."
    return Chart(ROW, title, said, body, "mirroring")


def ratio_chart(title: str, found: RateRatio) -> Chart:
    """A ratio of two rates with its interval: without a mark where only a lower bound is known."""
    body = _grid() + _interval(found.interval)
    if found.value is not None:
        body += mark("team", RATIOS.place(found.value), ROW / 2, hollow=found.before + found.after < THIN_BELOW)
    return Chart(ROW, title, f"{_said(found.value, found.interval).capitalize()}.", body, "ratio")


def mirroring_axis() -> Chart:
    """The scale of mirroring, with what its ends mean."""
    return ratio_axis("does the opposite", "no relation", "does the same")


MIRRORING_KEY = (
    ("team", "with this leader; a line is the likely range"),
    ("band", "with other leaders: chance and busy months"),
)
"""What the marks of mirroring mean."""


def mirroring_legend() -> Chart:
    """The same as a part of a file."""
    return legend(*MIRRORING_KEY)


def ratio_axis(less: str, even: str, more: str) -> Chart:
    """The scale of ratios: 1 is `even`; words at both ends."""
    ends = {0: "start", len(_TICKS) - 1: "end"}
    figures = [
        label(_tick(place), 12, f"1: {even}" if ratio == 1 else shown, anchor=ends.get(place, "middle"))
        for place, (ratio, shown) in enumerate(_TICKS)
    ]
    words = [label("0", 30, f"← {less}"), label("100%", 30, f"{more} →", anchor="end")]
    return Chart(36, "", "", "".join(figures + words), "axis", decoration=True)


def _tick(place: int) -> str:
    if place in (0, len(_TICKS) - 1):
        return "0" if place == 0 else "100%"
    return across(RATIOS.place(_TICKS[place][0]))


def _grid() -> str:
    lines = [
        upright(across(RATIOS.place(ratio)), 0, ROW, class_="even" if ratio == 1 else "grid") for ratio, _ in _TICKS
    ]
    return "".join(lines)


def _band(baseline: OddsRatio) -> str:
    if baseline.value is None or baseline.interval is None:
        return ""
    return area(*_places(baseline.interval), ROW) + mark("chance", RATIOS.place(baseline.value), ROW / 2)


def _odds(found: OddsRatio) -> str:
    if found.value is None:
        return ""
    return _interval(found.interval) + mark("team", RATIOS.place(found.value), ROW / 2, hollow=found.n < THIN_BELOW)


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = _places(interval)
    left = interval.low is None or interval.low < 1 / RATIOS.most
    right = interval.high is None or interval.high > RATIOS.most
    return whisker("team", low, high, ROW / 2, left=left, right=right)


def _places(interval: Interval) -> tuple[float, float]:
    low = 0.0 if interval.low is None else RATIOS.place(interval.low)
    return low, 1.0 if interval.high is None else RATIOS.place(interval.high)


def _said(value: float | None, interval: Interval | None) -> str:
    if interval is None:
        return "not known"
    if value is None:
        return f"at least {times(interval.low)} times"
    return f"{times(value)} times, between {times(interval.low)} and {times(interval.high)}"
