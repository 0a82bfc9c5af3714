"""A rank correlation from -1 to 1, over the band that chance alone would mostly stay in."""

from services.graphql.dashboard.answers import Correlation
from services.graphql.dashboard.charts.drawing import Chart, Linear, across, area, label, legend, mark, upright
from services.graphql.dashboard.numbers import MINUS, correlation, many

ROW = 24
_SCALE = Linear(-1.0, 1.0)


def correlation_chart(title: str, found: Correlation, chance: float) -> Chart:
    """The correlation as a mark, hollow within the band of what `chance` alone seldom goes beyond."""
    body = "".join(upright(across(_SCALE.place(at)), 0, ROW) for at in (-1.0, -0.5, 0.5, 1.0))
    body += upright(across(0.5), 0, ROW, class_="even")
    if found.value is None:
        return Chart(ROW, title, "Cannot be said.", body, "correlation")
    band = area(_SCALE.place(-chance), _SCALE.place(chance), ROW)
    said = f"{correlation(found.value)} over {many(found.n, 'person', 'people')}."
    drawn = mark("team", _SCALE.place(found.value), ROW / 2, hollow=abs(found.value) <= chance)
    return Chart(ROW, title, said, band + body + drawn, "correlation")


def correlation_legend() -> Chart:
    """What the marks mean."""
    return legend(("team", "the team's reps; hollow: chance may be all"), ("band", "where chance alone mostly stays"))


def correlation_axis() -> Chart:
    """The scale of correlations, with what its ends mean."""
    body = [
        label("0", 12, f"{MINUS}1: guides have less"),
        label("50%", 12, "0", anchor="middle"),
        label("100%", 12, "+1: guides have more", anchor="end"),
    ]
    return Chart(16, "", "", "".join(body), "axis", decoration=True)
