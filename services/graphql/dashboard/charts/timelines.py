"""The time line of a relationship: a lane for each deal, or rep, with acts above and signals below.

Who acted is told by shape: a disc is ours, a square the customer's. So is the verdict: a ring with its middle filled
was kept, a cross was breached.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from services.graphql.dashboard.answers import Verdict
from services.graphql.dashboard.charts.drawing import (
    COLOURS,
    FAINT,
    INK,
    PAPER,
    Chart,
    Linear,
    across,
    element,
    label,
    mark,
    text,
)
from services.graphql.dashboard.numbers import many, short_day

LANE = 52
_ACTS = 13
_SIGNALS: Mapping[Verdict, int] = {"KEPT": 31, "BREACHED": 44}


class ShownAct(NamedTuple):
    """An act on a lane: when, in words, whether it was the customer's own, and whether it was taken back."""

    at: datetime
    says: str
    by_customer: bool = False
    retracted: bool = False


class ShownSignal(NamedTuple):
    """A signal on a lane."""

    at: datetime
    says: str
    verdict: Verdict


class Span(NamedTuple):
    """What the time line goes from and to; all lanes of a relationship have the same."""

    first: datetime
    last: datetime

    def place(self, at: datetime) -> float:
        """Where an instant is, 0 to 1."""
        first, last = self.first.timestamp(), self.last.timestamp()
        return Linear(first, last).place(at.timestamp()) if last > first else 0.5


def span_of(acts: Sequence[ShownAct], signals: Sequence[ShownSignal]) -> Span | None:
    """From the first to the last of these; None without any."""
    times = [act.at for act in acts] + [signal.at for signal in signals]
    return Span(min(times), max(times)) if times else None


def lane_chart(title: str, span: Span, acts: Sequence[ShownAct], signals: Sequence[ShownSignal]) -> Chart:
    """A lane: its acts on a line, its signals below them, the breached ones lowest."""
    body = [element("line", class_="grid", x1="0", x2="100%", y1=_ACTS, y2=_ACTS, stroke=FAINT, stroke_width=2)]
    body += [_act(span, act) for act in acts]
    for signal in signals:
        body.append(mark(signal.verdict.lower(), span.place(signal.at), _SIGNALS[signal.verdict], says=_dated(signal)))
    kept = sum(signal.verdict == "KEPT" for signal in signals)
    said = f"{many(len(acts), 'act')}; {many(len(signals), 'signal')}, {kept} kept, {len(signals) - kept} breached."
    return Chart(LANE, title, said, "".join(body), "lane")


def time_axis(span: Span) -> Chart:
    """The first and the last day."""
    body = label("0", 12, short_day(span.first))
    if _days(span):
        body += label("100%", 12, short_day(span.last), anchor="end")
    return Chart(16, "", "", body, "axis", decoration=True)


def _act(span: Span, act: ShownAct) -> str:
    who = "customer" if act.by_customer else "ours"
    path = "M-5 -5H5V5H-5Z" if act.by_customer else "M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0Z"
    fill = PAPER if act.by_customer or act.retracted else "currentColor"
    shape = element(
        "path",
        d=path,
        class_="paper" if fill == PAPER else None,
        fill=fill,
        stroke="currentColor",
        stroke_width=2,
        stroke_dasharray="2 2" if act.retracted else None,
    )
    title = element("title", text(_dated(act)))
    held = element("svg", title, shape, x=across(span.place(act.at)), y=_ACTS, width=1, height=1, overflow="visible")
    return element("g", held, class_=f"act {who}", color=INK if act.by_customer else COLOURS["team"])


def _dated(shown: ShownAct | ShownSignal) -> str:
    return f"{short_day(shown.at)}: {shown.says}"


def _days(span: Span) -> int:
    first: date = span.first.date()
    return (span.last.date() - first).days
