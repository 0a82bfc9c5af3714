"""Who is in the year: the teams, the people and when they come and go, and the customers' names.

Keys are pseudonyms, as the docs for integrations ask; names are personal fields. All of it is made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from services.demo.styles import GUIDE, GUIDED, PUSHED, PUSHER, TALKED_TO, TALKER, Style

DAYS = 365
COMPANY = "t-alder"
DIRECTOR = "p-001"


@dataclass(frozen=True, slots=True)
class Team:
    """A team: how its leader sells, and how people sell who work there."""

    key: str
    name: str
    leader: str
    leads: Style
    works: Style


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in a team, in days since the year began, the last one excluded."""

    team: Team
    first: int = 0
    last: int = DAYS + 1


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who sells. `temper` multiplies the odds of every breach: below 1 more careful than the team."""

    key: str
    name: str
    temper: float
    stays: tuple[Stay, ...]

    def stay_on(self, day: float) -> Stay:
        """The stay of this day; outside all of them, the nearest in time."""
        begun = [stay for stay in self.stays if stay.first <= day]
        return begun[-1] if begun else self.stays[0]

    @property
    def leads(self) -> bool:
        """Whether this person leads the team they are in."""
        return self.stays[0].team.leader == self.key


RIVER = Team("t-river", "River", "p-002", GUIDE, GUIDED)
SUMMIT = Team("t-summit", "Summit", "p-003", PUSHER, PUSHED)
HARBOUR = Team("t-harbour", "Harbour", "p-004", TALKER, TALKED_TO)
TEAMS = (RIVER, SUMMIT, HARBOUR)

DIRECTOR_NAME = "Ingrid Solheim"

PEOPLE = (
    Person("p-002", "Ana Ribeiro", 1.0, (Stay(RIVER),)),
    Person("p-003", "Victoria Lindqvist", 1.0, (Stay(SUMMIT),)),
    Person("p-004", "Marcus Bell", 1.0, (Stay(HARBOUR),)),
    Person("p-005", "Tomasz Nowak", 0.3, (Stay(RIVER),)),
    Person("p-006", "Leila Haddad", 0.5, (Stay(RIVER),)),
    Person("p-007", "Jonas Weber", 0.8, (Stay(RIVER),)),
    Person("p-008", "Priya Raman", 1.3, (Stay(RIVER),)),
    Person("p-009", "Owen Carrick", 2.2, (Stay(RIVER),)),
    Person("p-010", "Mei Tanaka", 3.6, (Stay(RIVER, first=121),)),
    Person("p-011", "Pieter de Vries", 0.25, (Stay(SUMMIT),)),
    Person("p-012", "Sofia Marchetti", 0.5, (Stay(SUMMIT),)),
    Person("p-013", "Callum Reid", 0.8, (Stay(SUMMIT),)),
    Person("p-014", "Nadia Petrova", 1.0, (Stay(SUMMIT, last=213), Stay(RIVER, first=213))),
    Person("p-015", "Hugo Lambert", 1.4, (Stay(SUMMIT),)),
    Person("p-016", "Bram Jacobs", 2.0, (Stay(SUMMIT),)),
    Person("p-017", "Yusuf Demir", 2.8, (Stay(SUMMIT),)),
    Person("p-018", "Chloe Martin", 1.2, (Stay(SUMMIT, first=152),)),
    Person("p-019", "Elif Kaya", 0.3, (Stay(HARBOUR),)),
    Person("p-020", "Diego Fuentes", 0.6, (Stay(HARBOUR),)),
    Person("p-021", "Hannah Brink", 0.9, (Stay(HARBOUR),)),
    Person("p-022", "Rory Ashdown", 1.3, (Stay(HARBOUR, last=244),)),
    Person("p-023", "Amara Okafor", 2.0, (Stay(HARBOUR),)),
    Person("p-024", "Lukas Meier", 3.2, (Stay(HARBOUR),)),
    Person("p-025", "Freya Nilsen", 1.0, (Stay(HARBOUR, first=91),)),
)

SEGMENTS = ("manufacturing", "logistics", "retail", "healthcare", "education", "hospitality")
_FIRST = (
    "Amber",
    "Birch",
    "Cedar",
    "Delta",
    "Elm",
    "Falcon",
    "Granite",
    "Heron",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lantern",
    "Maple",
    "North",
    "Orchard",
)
_SECOND = (
    "bridge",
    "field",
    "ford",
    "gate",
    "haven",
    "hill",
    "mark",
    "mere",
    "stone",
    "water",
    "well",
    "wick",
    "wood",
    "worth",
    "yard",
)
_LAST = ("Foods", "Freight", "Instruments", "Interiors", "Labs", "Media", "Mills", "Partners", "Press", "Works")


def company_names(rng: Random) -> Iterator[str]:
    """2,250 made-up company names, each once, in an order drawn from `rng`."""
    names = [f"{first}{second} {last}" for first in _FIRST for second in _SECOND for last in _LAST]
    rng.shuffle(names)
    yield from names
