"""What charts are made of: elements, marks, scales, and a sheet of charts as one file."""

import math
import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

INK = "#1a1d21"
FAINT = "#c9ced6"
MUTED = "#5b6470"
PAPER = "#ffffff"
COLOURS = {"leader": INK, "team": "#0b5cab", "kept": "#0b5cab", "breached": "#b04a00", "chance": "#8a93a0"}

BAND = 0.28  # how opaque the band of the chance baseline is
MARGIN = 0.04  # of the width on both sides, so that marks at the ends of a scale are whole
_LABEL, _GAP = 18, 8
_WIDE, _EDGE, _HEAD = 640, 24, 64  # a file's chart is so wide, with so much around it and above
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def text(content: str) -> str:
    """Any text as the content of an element or of an attribute; what XML has no sign for becomes U+FFFD."""
    return escape(_NOT_XML.sub("\ufffd", content))


def element(tag: str, /, *children: str, **attributes: str | float | None) -> str:
    """An element; `class_` is the attribute class, `stroke_width` stroke-width; None leaves one out."""
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{given}>{''.join(children)}</{tag}>" if children else f"<{tag}{given}/>"


def _value(value: str | float) -> str:
    return text(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def across(share: float) -> str:
    """A place along the chart, 0 to 1 from the left margin to the right one, as a percentage of the width."""
    return f"{100 * (MARGIN + min(max(share, 0.0), 1.0) * (1 - 2 * MARGIN)):.2f}%"


def label(x: str, y: float, content: str, *, anchor: str = "start", class_: str = "label") -> str:
    """A line of text."""
    colour = INK if class_ == "name" else MUTED
    return element("text", text(content), class_=class_, x=x, y=y, text_anchor=anchor, fill=colour)


def upright(x: str, top: float, bottom: float, *, class_: str = "grid", dashed: bool = False) -> str:
    """A vertical line."""
    colour = INK if class_ == "even" else FAINT
    dash = "3 3" if dashed else None
    return element("line", class_=class_, x1=x, x2=x, y1=top, y2=bottom, stroke=colour, stroke_dasharray=dash)


def whisker(who: str, low: float, high: float, y: float, *, left: bool = False, right: bool = False) -> str:
    """An interval at the height `y`, from 0 to 1; `left`, `right`: it goes on beyond the chart, an arrow says so."""
    ends = [
        _arrow(across(low), y, -1) if left else _cap(across(low), y),
        _arrow(across(high), y, 1) if right else _cap(across(high), y),
    ]
    line = element("line", x1=across(low), x2=across(high), y1=y, y2=y, stroke="currentColor", stroke_width=2)
    return element("g", line, *ends, class_=f"whisker {who}", color=COLOURS[who])


def _cap(x: str, y: float) -> str:
    return element("line", x1=x, x2=x, y1=y - 4, y2=y + 4, stroke="currentColor", stroke_width=2)


def _arrow(x: str, y: float, way: int) -> str:
    path = element("path", d=f"M0 -5L{7 * way} 0L0 5Z", fill="currentColor")
    return element("svg", path, class_="arrow", x=x, y=y, width=1, height=1, overflow="visible")


_SHAPES = {
    "leader": "M0 -7L7 0L0 7L-7 0Z",
    "team": "M-5.5 0A5.5 5.5 0 1 1 5.5 0A5.5 5.5 0 1 1 -5.5 0Z",
    "kept": "M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0Z",
    "breached": "M-5 -5L5 5M-5 5L5 -5",
    "chance": "M0 -6V6",
}


def mark(who: str, share: float, y: float, *, hollow: bool = False, says: str | None = None) -> str:
    """The mark of `who` at a place: a diamond is the leader, a disc the team; hollow where evidence is thin."""
    shape = element("path", d=_SHAPES[who], class_="paper" if hollow else None, **_paint(who, hollow))
    title = [] if says is None else [element("title", text(says))]
    held = element("svg", *title, shape, x=across(share), y=y, width=1, height=1, overflow="visible")
    return element("g", held, class_=f"mark {who}", color=COLOURS[who])


def _paint(who: str, hollow: bool) -> dict[str, str | float]:
    if who in ("breached", "chance"):
        return {"fill": "none", "stroke": "currentColor", "stroke_width": 2.5}
    return {"fill": PAPER if hollow else "currentColor", "stroke": "currentColor", "stroke_width": 2}


def area(low: float, high: float, height: float) -> str:
    """The band of what chance would show, from one place to another."""
    left, right = (float(across(place).removesuffix("%")) for place in (low, high))
    band = element(
        "rect",
        x=f"{left:.2f}%",
        y=2,
        width=f"{max(right - left, 0.5):.2f}%",
        height=height - 4,
        fill="currentColor",
        fill_opacity=BAND,
    )
    return element("g", band, class_="band chance", color=COLOURS["chance"])


class Linear(NamedTuple):
    """A scale from `low` to `high`, to 0 to 1; what is beyond is at the end."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Where a value is."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


class Logarithmic(NamedTuple):
    """A scale of ratios from 1 / `most` to `most`, 1 in the middle: twice and half are equally far from it."""

    most: float

    def place(self, ratio: float) -> float:
        """Where a ratio is; what is beyond, 0 and infinity too, is at the end."""
        if ratio <= 1 / self.most:
            return 0.0
        return 1.0 if ratio >= self.most else (math.log(ratio) / math.log(self.most) + 1) / 2


class Chart(NamedTuple):
    """A chart: its height in pixels, what it shows in words, its marks. `decoration`: words elsewhere say all of it."""

    height: float
    title: str
    description: str
    body: str
    kind: str
    decoration: bool = False

    def __html__(self) -> str:
        """The chart as a part of a page, as wide as what holds it; templates take it as it is."""
        return self.placed(width="100%")

    def placed(self, **place: str | float) -> str:
        """The chart with a place and a width of its own, in a page or in a sheet."""
        words = [] if self.decoration else [element("title", text(self.title)), element("desc", text(self.description))]
        said: dict[str, str] = {"aria_hidden": "true"} if self.decoration else {"role": "img"}
        return element(
            "svg",
            *words,
            self.body or "<g/>",
            xmlns="http://www.w3.org/2000/svg",
            class_=f"chart {self.kind}",
            font_family=_FONT,
            font_size=12,
            height=self.height,
            **said,
            **place,
        )


def sign(who: str) -> Chart:
    """A mark by itself, for a legend in words beside it; as wide as what holds it, so 16 pixels."""
    return Chart(16, "", "", _swatch(8) if who == "band" else _in_legend(who, 8), "sign", decoration=True)


def legend(*entries: tuple[str, str]) -> Chart:
    """What marks mean: (mark, words), a line each; the mark `band` is the shaded one."""
    body: list[str] = []
    for place, (who, words) in enumerate(entries):
        y = 9 + 18 * place
        body.append(_swatch(y) if who == "band" else _in_legend(who, y))
        body.append(label("20", y + 4, words, class_="name"))
    return Chart(18 * len(entries), "", "", "".join(body), "legend", decoration=True)


def _swatch(y: float) -> str:
    band = element("rect", x=1, y=y - 6, width=14, height=12, fill="currentColor", fill_opacity=BAND)
    return element("g", band, class_="band chance", color=COLOURS["chance"])


def _in_legend(who: str, y: float) -> str:
    shape = element("path", d=_SHAPES[who], transform=f"translate(8 {y})", **_paint(who, hollow=False))
    return element("g", shape, class_=f"mark {who}", color=COLOURS[who])


class Row(NamedTuple):
    """A chart among others of its scale: what it is about, the chart, and its figure in a few words."""

    label: str
    chart: Chart
    note: str = ""


def sheet(
    title: str, description: str, rows: Sequence[Row], axis: Chart | None = None, key: Chart | None = None
) -> str:
    """Charts of one scale below one another as a file of its own, which needs no style sheet and no colour.

    Each row stands under its label and its note, all over their axis and under the `key`, their legend.
    """
    body: list[str] = []
    y: float = _HEAD
    if key is not None:
        body.append(key.placed(x=_EDGE, y=y, width=_WIDE))
        y += key.height + _GAP
    for row in rows:
        body.append(label(f"{_EDGE}", y + 13, row.label, class_="name"))
        body.append(label(f"{_EDGE + _WIDE}", y + 13, row.note, anchor="end"))
        body.append(row.chart.placed(x=_EDGE, y=y + _LABEL, width=_WIDE))
        y += _LABEL + row.chart.height + _GAP
    if axis is not None:
        body.append(axis.placed(x=_EDGE, y=y, width=_WIDE))
        y += axis.height
    return _file(title, description, "".join(body), y + _EDGE)


def _file(title: str, description: str, body: str, height: float) -> str:
    width = _WIDE + 2 * _EDGE
    return element(
        "svg",
        element("title", text(title)),
        element("desc", text(description)),
        element("style", f"text{{font-family:{_FONT};font-size:12px}}.heading{{font-size:16px}}"),
        element("rect", width=width, height=height, fill=PAPER),
        element("text", text(title), class_="heading", x=_EDGE, y=28, font_weight="bold", fill=INK),
        element("text", text(description), x=_EDGE, y=48, fill=MUTED),
        body,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        viewBox=f"0 0 {width} {_value(height)}",
        width=width,
        height=height,
        font_family=_FONT,
        font_size=12,
        color=INK,
    )
