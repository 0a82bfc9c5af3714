"""Counts as bars from 0: how often a leader coached on a principle, and recognised somebody for it."""

from collections.abc import Sequence

from services.graphql.dashboard.charts.drawing import COLOURS, Chart, element, label

_NAME, _BAR, _GAP = 16, 8, 6


def counts_chart(title: str, counts: Sequence[tuple[str, int]], most: int) -> Chart:
    """Bars below one another, each under its name and number. `most`: the count that is as long as the chart is wide.

    Charts of the same `most` can be held against one another.
    """
    line = _NAME + _BAR + _GAP
    body: list[str] = []
    for place, (name, count) in enumerate(counts):
        top = place * line
        body.append(label("0", top + 12, f"{name}: {count:,}", class_="name"))
        width = f"{100 * min(count / max(most, 1), 1):.2f}%"
        bar = element("rect", x=0, y=top + _NAME, width=width, height=_BAR, fill="currentColor")
        body.append(element("g", bar, class_="leader", color=COLOURS["leader"]))
    said = "; ".join(f"{name}: {count:,}" for name, count in counts)
    return Chart(line * len(counts), title, f"{said}.", "".join(body), "counts")
