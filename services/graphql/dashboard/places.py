"""Where pages about the same thing lie: the tabs of a team and of a person, and the way down to a team."""

from collections.abc import Sequence

from services.graphql.dashboard.answers import Person, Team
from services.graphql.dashboard.figures import Link
from services.graphql.dashboard.links import path_of
from services.graphql.dashboard.visiting import Visit

TEAMS = Link("Teams", path_of("teams"))


def team_tabs(visit: Visit, team: Team) -> Sequence[Link]:
    """The pages about a team, over the same period."""
    return [
        Link("Overview", visit.link("team", team=team.key)),
        Link("The leader’s example", visit.link("example", team=team.key)),
        Link("Week by week", visit.link("heatmap", team=team.key)),
        Link("Customers", visit.link("equity", team=team.key)),
        Link("Signals", visit.link("signals", team=team.key)),
    ]


def person_tabs(visit: Visit, person: Person) -> Sequence[Link]:
    """The pages about a person, over the same period."""
    return [
        Link("Card", visit.link("person", person=person.key)),
        Link("Signals", visit.link("signals", person=person.key)),
    ]


def live_team(person: Person) -> str | None:
    """A team whose changes may be the person's: one that they are in now, if possible one that the viewer leads."""
    now = [stay.team for stay in person.memberships or () if stay.to is None]
    led = [team for team in now if team.leaders is not None]
    return next((team.key for team in (*led, *now)), None)


def trail_to(visit: Visit, team: Team) -> Sequence[Link]:
    """The way down to a team, itself left out: all teams, and the one above."""
    return [TEAMS, *([_to_team(visit, team.parent)] if team.parent else ())]


def trail_below(visit: Visit, team: Team) -> Sequence[Link]:
    """The way down to the other pages about a team: through its own."""
    return [*trail_to(visit, team), _to_team(visit, team)]


def _to_team(visit: Visit, team: Team) -> Link:
    return Link(team.name, visit.link("team", team=team.key))


def to_person(visit: Visit, person: Person) -> Link:
    """To the card of a person, by name."""
    return Link(person.called, visit.link("person", person=person.key))
