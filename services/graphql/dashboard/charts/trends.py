"""Figures over time: how often a principle was kept and breached by day, week or month, as bars and as a heat strip."""

from collections.abc import Sequence

from services.graphql.dashboard.answers import TrendPoint
from services.graphql.dashboard.charts.drawing import COLOURS, FAINT, INK, PAPER, Chart, element, label, text
from services.graphql.dashboard.numbers import many, month, percent, short_day

BARS = 64
STRIP = 22
THIN_BELOW = 5
HEAT = ("#7a2c00", "#b85410", "#e39a5b", "#f3cfa9", "#dfe6ee")
EDGE = "#8a93a0"  # around the palest cells, which paper would swallow
_FIRST_LINE, _LAST_LINE = 4, BARS - 16


def trend_chart(title: str, points: Sequence[TrendPoint]) -> Chart:
    """Bars: kept upwards, breached downwards and hatched; a bucket without signals is a gap."""
    most = max((max(point.kept, point.breached) for point in points), default=0)
    middle = (_FIRST_LINE + _LAST_LINE) / 2
    unit = (_LAST_LINE - _FIRST_LINE) / 2 / most if most else 0.0
    body = [element("line", class_="even", x1="0", x2="100%", y1=middle, y2=middle, stroke=INK, stroke_opacity=0.5)]
    for place, point in enumerate(points):
        body.append(_bars(place, len(points), point, middle, unit))
    body += _ends(points, BARS - 3)
    return Chart(BARS, title, _said(points), "".join(body), "trend")


def _bars(place: int, count: int, point: TrendPoint, middle: float, unit: float) -> str:
    if not point.n:
        return ""
    x, width = f"{100 * (place + 0.12) / count:.2f}%", f"{76 / count:.2f}%"
    up, down = point.kept * unit, point.breached * unit
    drawn = [element("title", text(_of(point)))]
    if point.kept:
        drawn.append(_bar("kept", x, middle - up, width, up, COLOURS["kept"]))
    if point.breached:
        drawn.append(_bar("breached", x, middle, width, down, PAPER))
    return element("g", *drawn)


def _bar(verdict: str, x: str, y: float, width: str, height: float, fill: str) -> str:
    colour = COLOURS[verdict]
    return element("rect", class_=f"bar {verdict}", x=x, y=y, width=width, height=height, fill=fill, stroke=colour)


def heat_strip(title: str, points: Sequence[TrendPoint]) -> Chart:
    """A cell for each bucket: the more was breached, the stronger; small with few signals, a dash with none."""
    body = "".join(_cell(place, len(points), point) for place, point in enumerate(points))
    return Chart(STRIP, title, _said(points), body, "heat")


def heat_axis(points: Sequence[TrendPoint]) -> Chart:
    """The months, or the first and the last day of a short strip."""
    firsts = [
        (place, point)
        for place, point in enumerate(points)
        if place == 0 or point.start.month != points[place - 1].start.month
    ]
    firsts = firsts[:: max(1, -(-len(firsts) // 6))]
    body = "".join(label(f"{100 * at / len(points):.2f}%", 12, month(point.start)) for at, point in firsts)
    return Chart(16, "", "", body, "axis", decoration=True)


def heat_legend() -> Chart:
    """What the cells of a heat strip mean."""
    cells = [
        element("rect", class_=f"cell h{level}", x=f"{20 * level}%", y=0, width="19%", height=14, fill=HEAT[level])
        for level in range(5)
    ]
    words = [label(f"{20 * level}%", 28, f"{20 * level}–{20 * level + 20}") for level in range(5)]
    words.append(label("0", 46, "% of signals kept"))
    words.append(label("0", 62, f"low: under {THIN_BELOW} signals; dash: none"))
    return Chart(66, "", "", "".join(cells + words), "legend", decoration=True)


def heat_level(point: TrendPoint) -> int | None:
    """How strong a cell is: 0 the strongest, where next to nothing was kept, to 4, all or nearly; None: no signals."""
    return min(int(5 * point.kept / point.n), 4) if point.n else None


def _cell(place: int, count: int, point: TrendPoint) -> str:
    left, width = 100 * place / count, 100 / count
    title = element("title", text(_of(point)))
    level = heat_level(point)
    if level is None:
        x1, x2 = f"{left + 0.35 * width:.2f}%", f"{left + 0.65 * width:.2f}%"
        nothing = element("line", class_="none", x1=x1, x2=x2, y1=STRIP / 2, y2=STRIP / 2, stroke=FAINT, stroke_width=2)
        return element("g", title, nothing)
    inset, top = (0.3, 7) if point.n < THIN_BELOW else (0.05, 1)
    cell = element(
        "rect",
        class_=f"cell h{level}",
        x=f"{left + inset * width:.2f}%",
        y=top,
        width=f"{(1 - 2 * inset) * width:.2f}%",
        height=STRIP - 2 * top,
        fill=HEAT[level],
        stroke=EDGE if level == len(HEAT) - 1 else None,
        stroke_width=0.75,
        stroke_opacity=0.6,
    )
    return element("g", title, cell)


def _ends(points: Sequence[TrendPoint], y: float) -> list[str]:
    if not points:
        return []
    first, last = short_day(points[0].start), short_day(points[-1].start)
    return [label("0", y, first), label("100%", y, last, anchor="end")] if len(points) > 1 else [label("0", y, first)]


def _of(point: TrendPoint) -> str:
    if not point.n:
        return f"From {short_day(point.start)}: no signals"
    return f"From {short_day(point.start)}: kept {point.kept} of {point.n} ({percent(point.kept / point.n)})"


def _said(points: Sequence[TrendPoint]) -> str:
    shown = [point for point in points if point.n]
    if not shown:
        return "No signals."
    kept = sum(point.kept for point in shown)
    n = sum(point.n for point in shown)
    return f"Kept in {kept} of {many(n, 'signal')}, in {len(shown)} of {len(points)} parts of the period."
