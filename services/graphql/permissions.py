"""Who may see what (architecture.md, *Credentials* and *Fine print → Reading*).

It all follows from the credential and from whom its person leads now: `access_of` says it, for a request or for as
long as a subscriber may go on without being asked again. The rules are asked where rows are read.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection

from services.events.credentials import ADMIN, AUDIT_READ, CARDS_READ, OPEN, Credential
from services.kit.errors import Forbidden
from services.projections.queries.reach import NOBODY, Reach, reach


@dataclass(frozen=True)
class Access:
    """What a credential may see. `reach` is empty for whoever is nobody or may not read cards."""

    credential: Credential
    reach: Reach

    @property
    def all(self) -> bool:
        """Whether there is nothing that may not be seen."""
        return self.credential.has(ADMIN)

    @property
    def key(self) -> str | None:
        """The key of the person who is asking; None for a machine, and in open mode."""
        return None if self.credential is OPEN else self.credential.person

    @property
    def scopes(self) -> list[str]:
        """The scopes of the credential, sorted."""
        return sorted(self.credential.scopes)

    @cached_property
    def persons(self) -> frozenset[str]:
        """The persons whose cards may be seen, unless it is all of them: oneself and whom one leads."""
        return self.reach.led_persons | {self.key} if reads_cards(self.credential) and self.key else frozenset()

    @property
    def teams(self) -> frozenset[str]:
        """The teams that may be looked at, unless it is all of them: one's own, those one leads, and all below."""
        return self.reach.in_teams | self.reach.led_teams

    def sees_person(self, person: str) -> bool:
        """Whether this person's card, memberships, relationships and signals may be seen."""
        return self.all or person in self.persons

    def sees_team(self, team: str) -> bool:
        """Whether the team may be looked at: its key, name and teams below."""
        return self.all or team in self.teams

    def leads_team(self, team: str) -> bool:
        """Whether the team's card, equity, members and leaders may be seen, and told of when they change."""
        return self.all or team in self.reach.led_teams

    def watches_team(self, team: str) -> bool:
        """Whether the team may be subscribed to: by who leads it, and by who is in it, to be told of their own card."""
        return self.leads_team(team) or team in self.reach.in_teams

    def sees_example(self, team: str, leader: str) -> bool:
        """Whether a leader's example to a team may be seen: it holds the cards of both."""
        return self.leads_team(team) and self.sees_person(leader)

    def reads_personal(self, rep: str | None) -> bool:
        """Whether the personal fields of an act of this rep may be read: by the rep, and by who leads the rep now."""
        return self.all or (rep is not None and rep in self.persons)

    @property
    def audits(self) -> bool:
        """Whether the audit log may be seen."""
        return self.credential.has(AUDIT_READ)

    @property
    def within(self) -> Collection[str] | None:
        """The persons to confine what is looked for to; None if it need not be."""
        return None if self.all else self.persons

    def among(self) -> Collection[str] | None:
        """The same for a list of its own, of which there is none for who may see nobody. Raises Forbidden."""
        if not self.all and not self.persons:
            raise forbidden()
        return self.within


def access_of(connection: Connection, credential: Credential, now: int) -> Access:
    """What the credential may see at this instant. `connection` reads the live model."""
    if credential.person is None or not reads_cards(credential):
        return Access(credential, NOBODY)
    return Access(credential, reach(connection, credential.person, now))


def reads_cards(credential: Credential) -> bool:
    """Whether the credential may read cards at all: then it is asked whom its person leads."""
    return credential.has(CARDS_READ)


def forbidden() -> Forbidden:
    """What is said of everything that may not be seen or, for all one may know, does not exist."""
    return Forbidden("there is no such thing, or this credential may not see it")
