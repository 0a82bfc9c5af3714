"""What a page shows, as data: figures with their sentences, their chart and their table. No HTML, no request.

From the same figure come its place in the page, its table as CSV and its chart as SVG.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple

from services.graphql.dashboard.charts.drawing import Chart, Row, sheet

Value = str | int | float | date | None


class Link(NamedTuple):
    """Where something leads: an address of this server, made by `links`."""

    text: str
    href: str


class Cell(NamedTuple):
    """A cell: its text for people, its value for a spreadsheet (the text, unless given), and where it leads.

    `soft` is shown muted: thin evidence, or what there is none of.
    """

    text: str
    value: Value = None
    href: str | None = None
    soft: bool = False

    @property
    def exported(self) -> Value:
        """What a spreadsheet gets."""
        return self.text if self.value is None else self.value


NOTHING = Cell("–", "", soft=True)
"""There is no such value."""


class Column(NamedTuple):
    """A column; `definition` says on the spot what it counts, with its unit."""

    heading: str
    kind: Literal["text", "number"] = "number"
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the first cell of a row says what the row is about."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that a page shows. `name` is its name in addresses: lower-case letters, digits and hyphens.

    `sentences` say it in words, `rows` are its charts, over `axis`, that say it to the eye, `table` has the numbers.
    `definition` says what is counted, in which unit, and how to read it. `thin`: it rests on too little to compare
    anybody by. `open_table`: the table is the figure, and not folded away beside its charts. `key` is their legend.
    """

    name: str
    heading: str
    sentences: Sequence[str] = ()
    rows: Sequence[Row] = ()
    axis: Chart | None = None
    table: Table | None = None
    definition: Sequence[str] = ()
    links: Sequence[Link] = ()
    thin: bool = False
    open_table: bool = False
    key: Chart | None = None

    def drawing(self, about: str) -> str | None:
        """Its charts as an SVG of their own; `about` says whose they are, and of when. None if it has none."""
        return sheet(self.heading, about, self.rows, self.axis, self.key) if self.rows else None


def field_by_field(heading: str, caption: str, fields: Iterable[tuple[str, str]], hidden: str) -> Figure:
    """What something consists of; a value that is `hidden` is shown muted."""
    rows = [(Cell(name), Cell(value, soft=value == hidden)) for name, value in fields]
    table = Table(caption, (Column("Field", "text"), Column("Value", "text")), rows)
    return Figure("fields", heading, table=table, open_table=True)


class Missing(NamedTuple):
    """What an empty place says: that there is nothing, which acts would fill it, and how to send them."""

    title: str
    says: str
    acts: Sequence[str] = ()


class Paging(NamedTuple):
    """Where a list that is shown page by page begins, and where it goes on; None where this is that page."""

    begins: str | None
    further: str | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """As of when a page is, and how far the fold was behind the log then."""

    at: datetime
    position: str = ""
    lag_seconds: float = 0.0
    policy: str = ""

    @property
    def stale(self) -> bool:
        """Whether so much is missing that a reader should know before reading on."""
        return self.lag_seconds >= 60

    @property
    def sentence(self) -> str:
        """How fresh the page is, in words."""
        as_of = f"As of {self.at.day} {self.at:%b %Y, %H:%M} UTC"
        if self.lag_seconds < 2:
            return f"{as_of}, up to date"
        return f"{as_of}, {_duration(self.lag_seconds)} behind what was recorded"


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{round(seconds)} s"


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: its title, the way to it, its figures in their order, and what else its template shows.

    `live_team` is the team whose changes make the page new; `tabs` lead to the pages about the same, `tab` is this one.
    """

    title: str
    figures: Sequence[Figure] = ()
    context: Mapping[str, object] = field(default_factory=dict)
    trail: Sequence[Link] = ()
    tabs: Sequence[Link] = ()
    tab: str = ""
    missing: Missing | None = None
    live_team: str | None = None
