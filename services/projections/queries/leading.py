"""Who leads whom, and what leaders do as leaders (domain.md §§4–5)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.events.catalog.envelope import Act, Catalogue
from services.projections.applying import stored_act
from services.projections.leadership.memberships import Stay
from services.projections.leadership.periods import Period
from services.projections.leadership.stretches import Stretch, Stretches, of_stays, overlap, without
from services.projections.queries.listing import keys
from services.projections.queries.teams import Span
from services.projections.tables import acts, memberships

DIRECTING = ("push.directed", "coaching.given", "recognition.given")
_LEADER, _REP = "leader", "rep"


class ExampleKey(NamedTuple):
    """Whose example, to which team."""

    leader: str
    team: str


class ExampleCard(NamedTuple):
    """Whose signals to count in an example: those of the leader while leading, or of the team's reps meanwhile."""

    leader: str
    team: str
    of_leader: bool


class Led(NamedTuple):
    """When somebody led a team, when each rep was in it, and when each first came."""

    leader: str
    stays: Stretches
    reps: Mapping[str, Stretches]
    first: Mapping[str, int]

    def counting(self, rep: str) -> list[Stretch]:
        """When the rep was a rep of the team while the leader led it."""
        return overlap(self.reps.get(rep, ()), self.stays)

    def is_counting(self, rep: str, at: int) -> bool:
        """Whether that was so at an instant."""
        return any(from_ <= at < to for from_, to in self.counting(rep))


def leaders(connection: Connection, teams: Sequence[str], period: Period) -> list[list[str]]:
    """For each team who led it in the period, as of its instant, by the first time they did."""
    stays = _stays_of(connection, teams, period.as_of)
    return [_leaders([stay for stay in stays[team] if stay.role == _LEADER], period) for team in teams]


def _leaders(stays: Iterable[Stay], period: Period) -> list[str]:
    first: dict[str, int] = {}
    overlapping = set()
    for stay in stays:
        first[stay.person] = min(first.get(stay.person, stay.from_), stay.from_)
        if stay.from_ < period.end and (stay.to is None or stay.to > period.start):
            overlapping.add(stay.person)
    return sorted(overlapping, key=lambda person: (first[person], person))


def led(connection: Connection, wanted: Sequence[ExampleKey], as_of: int) -> list[Led]:
    """For each leader and team, who was there when, as of an instant."""
    stays = _stays_of(connection, [key.team for key in wanted], as_of)
    return [_led(key.leader, stays[key.team]) for key in wanted]


def reps_of(connection: Connection, teams: Sequence[str], as_of: int) -> list[Mapping[str, Stretches]]:
    """For each team when each of its reps was in it, as of an instant."""
    stays = _stays_of(connection, teams, as_of)
    return [_led("", stays[team]).reps for team in teams]


def _led(leader: str, stays: Sequence[Stay]) -> Led:
    of_reps: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        if stay.role == _REP:
            of_reps[stay.person].append(stay)
    return Led(
        leader,
        of_stays(stay for stay in stays if stay.role == _LEADER and stay.person == leader),
        {rep: of_stays(its) for rep, its in of_reps.items()},
        {rep: min(stay.from_ for stay in its) for rep, its in of_reps.items()},
    )


def _stays_of(connection: Connection, teams: Sequence[str], as_of: int) -> Mapping[str, list[Stay]]:
    key = keys(connection, set(teams))
    query = select(
        memberships.c.team, memberships.c.person, memberships.c.role, memberships.c.from_us, memberships.c.to_us
    ).join(key, memberships.c.team == key.c.key)
    found: dict[str, list[Stay]] = defaultdict(list)
    for row in connection.execute(query.where(memberships.c.from_us <= as_of).order_by(*memberships.primary_key)):
        found[row.team].append(_seen(Stay(*row), as_of))
    return found


def _seen(stay: Stay, as_of: int) -> Stay:
    """The stay as it is seen then: a leaving later than that leaves it open."""
    return stay._replace(to=None) if stay.to is not None and stay.to > as_of else stay


def card_spans(connection: Connection, cards: Sequence[ExampleCard], as_of: int) -> list[list[Span]]:
    """For each card the stretches that its signals may belong to."""
    found = []
    for card, of in zip(cards, led(connection, [ExampleKey(*card[:2]) for card in cards], as_of), strict=True):
        if card.of_leader:
            found.append([Span(card.leader, *stretch) for stretch in of.stays])
        else:
            found.append([Span(rep, *stretch) for rep in sorted(of.reps) for stretch in of.counting(rep)])
    return found


def other_leaders(
    connection: Connection, wanted: Sequence[ExampleKey], period: Period
) -> list[list[tuple[str, Stretches]]]:
    """For each example who else may stand in the leader's place, and when: while leading another team and not this one.

    Only those who do so in the period.
    """
    query = select(
        memberships.c.team, memberships.c.person, memberships.c.role, memberships.c.from_us, memberships.c.to_us
    )
    query = query.where(memberships.c.role == _LEADER, memberships.c.from_us <= min(period.end - 1, period.as_of))
    by_person: dict[str, list[Stay]] = defaultdict(list)
    for row in connection.execute(query.order_by(memberships.c.person)):
        by_person[row.person].append(Stay(*row))
    return [_others(key, by_person, (period.start, period.end)) for key in wanted]


def _others(key: ExampleKey, by_person: Mapping[str, Sequence[Stay]], during: Stretch) -> list[tuple[str, Stretches]]:
    found: list[tuple[str, Stretches]] = []
    for person, stays in by_person.items():
        elsewhere = of_stays(stay for stay in stays if stay.team != key.team)
        here = of_stays(stay for stay in stays if stay.team == key.team)
        if person != key.leader and (leading := overlap(without(elsewhere, here), [during])):
            found.append((person, leading))
    return found


def directions(
    connection: Connection, wanted: Iterable[str], period: Period, catalogue: Catalogue
) -> Mapping[str, list[Act]]:
    """What each of these persons directed, coached and recognised in the period, as of its instant, that counts."""
    key = keys(connection, wanted)
    query = (
        select(acts.c.subject, acts.c.record)
        .join(key, acts.c.subject == key.c.key)
        .where(acts.c.name.in_(DIRECTING), acts.c.retracted.is_(False))
        .where(acts.c.time_us >= period.start, acts.c.time_us < min(period.end, period.as_of + 1))
        .order_by(acts.c.time_us, acts.c.partition, acts.c.log_offset)
    )
    found: dict[str, list[Act]] = defaultdict(list)
    for subject, record in connection.execute(query).all():
        found[subject].append(stored_act(record, catalogue))
    return found
