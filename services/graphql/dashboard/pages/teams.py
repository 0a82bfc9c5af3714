"""The first page: the teams that the viewer may look at, as a tree, each with who leads it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from services.graphql.dashboard.answers import Team, Viewer
from services.graphql.dashboard.figures import Cell, Column, Figure, Link, Missing, Shown, Table
from services.graphql.dashboard.links import TEAMS
from services.graphql.dashboard.places import team_tabs
from services.graphql.dashboard.visiting import Failure, Page, Visit
from services.graphql.errors import LIMIT

NONE = Missing(
    "No teams yet",
    "A team is here once an act names it. Then its reps’ acts with customers make its figures.",
    ("team.formed", "team.joined"),
)
NOT_YOURS = Missing(
    "No teams to look at", "Your key or token shows no team: you are in none, or it may not read cards."
)
_COLUMNS = (
    Column("Team", "text"),
    Column("Key", "text"),
    Column("Part of", "text"),
    Column("Led by", "text", "Who leads the team now."),
    Column("Reps", "number", "How many people are in the team as reps now."),
)


class Asked(Struct):
    """What the document answers beside the viewer and their teams."""


class Branch(NamedTuple):
    """A team in the tree. `leaders`, `reps`, `href` are None where they may not be seen; `links` lead to its pages."""

    name: str
    key: str
    href: str | None
    leaders: Sequence[Link] | None
    reps: int | None
    links: Sequence[Link]
    below: "Sequence[Branch]"


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    await _ask(visit)
    viewer = visit.viewer or Viewer()
    teams = viewer.teams
    if not teams:
        return Shown("Teams", context={"branches": ()}, missing=NONE if "admin" in viewer.scopes else NOT_YOURS)
    names = {team.key: team.name for team in teams}
    rows = [_row(visit, team, names) for team in teams]
    figure = Figure("teams", "All teams", table=Table("The teams that you may look at, by key", _COLUMNS, rows))
    return Shown("Teams", [figure], {"branches": _tree(visit, teams)})


async def _ask(visit: Visit) -> None:
    """Who may look at so many people that counting them is too much gets their teams without. Raises Failure."""
    try:
        await visit.ask("teams", Asked)
    except Failure as failure:
        if failure.code != LIMIT:
            raise
        await visit.ask("teams_alone", Asked)


def _tree(visit: Visit, teams: Sequence[Team]) -> Sequence[Branch]:
    """Each team below the one it is part of, once; the first where teams go round in a circle."""
    below: dict[str | None, list[Team]] = {}
    seen = {team.key for team in teams}
    for team in teams:
        parent = team.parent.key if team.parent and team.parent.key in seen else None
        below.setdefault(parent, []).append(team)
    placed: set[str] = set()
    tree = list(_branches(visit, None, below, placed))
    while left := [team for team in teams if team.key not in placed]:
        tree += _branches(visit, None, {**below, None: left[:1]}, placed)
    return tree


def _branches(
    visit: Visit, parent: str | None, below: Mapping[str | None, Sequence[Team]], placed: set[str]
) -> Iterator[Branch]:
    for team in below.get(parent, ()):
        if team.key not in placed:
            placed.add(team.key)
            yield _branch(visit, team, tuple(_branches(visit, team.key, below, placed)))


def _branch(visit: Visit, team: Team, below: Sequence[Branch]) -> Branch:
    href = None if team.leaders is None else visit.link("team", team=team.key)
    leaders = None
    if team.leaders is not None:
        leaders = [Link(one.called, visit.link("example", team=team.key, leader=one.key)) for one in team.leaders]
    links = () if href is None else team_tabs(visit, team)[1:]
    return Branch(team.name, team.key, href, leaders, _reps(team), links, below)


def _row(visit: Visit, team: Team, names: Mapping[str, str]) -> Sequence[Cell]:
    parent = team.parent.key if team.parent else ""
    leaders = ", ".join(leader.called for leader in team.leaders or ())
    reps = _reps(team)
    href = None if team.leaders is None else visit.link("team", team=team.key)
    return (
        Cell(team.name, href=href),
        Cell(team.key),
        Cell(names.get(parent, parent)),
        Cell(leaders),
        Cell("" if reps is None else str(reps), reps),
    )


def _reps(team: Team) -> int | None:
    if team.members is None:
        return None
    return len({member.person.key for member in team.members if member.role == "REP"})


PAGE = Page(TEAMS, build, periodic=False)
