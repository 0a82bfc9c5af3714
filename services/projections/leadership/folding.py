"""Everything that the acts of one subject say, as one pure function of their set (domain.md §2)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.events.catalog.acts import (
    PUBLIC,
    ROWS,
    UNATTRIBUTED,
    ActData,
    ActDisputed,
    ActRetracted,
    CoachingGiven,
    CustomerAct,
    CustomerAssigned,
    CustomerKnown,
    GoalAppealed,
    PersonErased,
    PushDirected,
    RecognitionGiven,
    ReferralGiven,
    StandardStated,
    TeamFormed,
    TeamJoined,
    TeamLeft,
    UrgencyPressed,
    personal_fields,
)
from services.events.catalog.envelope import Act, same_content
from services.projections.leadership.bench import Bench
from services.projections.leadership.dealings import Dealing, Decided, dealings_of, decided_in
from services.projections.leadership.history import History
from services.projections.leadership.memberships import Stay, Team, stays_of, team_of
from services.projections.leadership.policy import Policy
from services.projections.leadership.principles import RULES, no_pressure
from services.projections.leadership.signals import BY_SLUG, Principle, Signal

_PERSONAL = {model: personal_fields(model) for model in ROWS}
_SUBJECT_IS: Mapping[str, tuple[type[ActData], ...]] = {
    "relationship": (CustomerAct, CustomerKnown, CustomerAssigned),
    "person": (StandardStated, PushDirected, CoachingGiven, RecognitionGiven),
    "team": (TeamFormed, TeamJoined, TeamLeft),
}
_FIELD_IS: Mapping[tuple[str, str], tuple[type[ActData], ...]] = {
    ("person", "rep"): (CustomerAct, CustomerAssigned, CoachingGiven, RecognitionGiven),
    ("person", "person"): (TeamJoined, TeamLeft),
    ("person", "by"): (ActRetracted, ActDisputed, PersonErased),
    ("team", "team"): (StandardStated, PushDirected),
    ("team", "parent"): (TeamFormed,),
    ("relationship", "referred"): (ReferralGiven,),
}
# By kind of act, what its subject is, and the fields that name entities: looked up for every act that is kept.
_NAMED = {
    model: (
        tuple(kind for kind, models in _SUBJECT_IS.items() if issubclass(model, models)),
        tuple(named for named, models in _FIELD_IS.items() if issubclass(model, models)),
    )
    for model in ROWS
}


class Standard(NamedTuple):
    """The earliest time (microseconds) at which a leader stated a principle to a team."""

    leader: str
    team: str
    principle: Principle
    stated: int


class GivenName(NamedTuple):
    """The latest act of this subject that gives a person or a customer a name (personal), or a customer a segment."""

    kind: str  # person, customer, segment
    key: str
    act: Act


class Fold(NamedTuple):
    """What the acts of one subject amount to. `retracted` holds (source, id) of acts that count as never done."""

    signals: list[Signal]
    stays: list[Stay]
    team: Team | None
    standards: list[Standard]
    names: list[GivenName]
    dealings: list[Dealing]
    decided: list[Decided]
    retracted: set[tuple[str, str]]


def fold(subject: str, acts: Sequence[Act], policy: Policy) -> Fold:
    """Fold the acts of one subject. `acts` holds each act once (see `distinct`), in any order; retractions are applied.

    Silences carry the time at which their window closes, which may lie ahead: *as of* is applied when read.
    """
    retracted = retracted_by(acts)
    counting = sorted((act for act in acts if (act.source, act.id) not in retracted), key=order)
    history = _history(subject, counting, policy)
    with_customer = None if subject == PUBLIC else history
    return Fold(
        signals=[signal for signal in _signals(counting, history, policy) if signal.person != UNATTRIBUTED],
        stays=list(stays_of(subject, counting)),
        team=team_of(subject, counting),
        standards=_standards(subject, counting),
        names=_names(subject, counting),
        dealings=[] if with_customer is None else list(dealings_of(with_customer)),
        decided=[] if with_customer is None else list(decided_in(with_customer, policy)),
        retracted=retracted,
    )


def order(act: Act) -> tuple[int, int, bytes, bytes]:
    """The order of §2: time, row of the catalogue, source and id as UTF-8 bytes."""
    return act.time, ROWS[type(act.data)], act.source.encode(), act.id.encode()


def distinct(acts: Iterable[Act]) -> tuple[list[Act], list[tuple[Act, Act]]]:
    """Of acts in the order of the log, those that count (the first of each key), and conflicts as (refused, counting).

    Copies of an act that counts are in neither list.
    """
    first: dict[tuple[str, str, str], Act] = {}
    conflicts: list[tuple[Act, Act]] = []
    for act in acts:
        counting = first.setdefault(act.key, act)
        if counting is not act and not same_content(counting, act, _PERSONAL[type(act.data)]):
            conflicts.append((act, counting))
    return list(first.values()), conflicts


def retracted_by(acts: Iterable[Act]) -> set[tuple[str, str]]:
    """The (source, id) of the acts of one subject that a retraction among them names.

    Retractions and erasures cannot be retracted.
    """
    acts = list(acts)
    named = {(act.data.retracts_source, act.data.retracts_id) for act in acts if isinstance(act.data, ActRetracted)}
    if not named:
        return named
    lasting = {(act.source, act.id) for act in acts if isinstance(act.data, ActRetracted | PersonErased)}
    return {(act.source, act.id) for act in acts} & named - lasting


def named(act: Act) -> Iterator[tuple[str, str]]:
    """The entities that an act names, as (kind, key) with kind person, team or relationship; a retracted act's too."""
    subject_is, fields = _NAMED[type(act.data)]
    for kind in subject_is:
        yield kind, act.subject
    for kind, field in fields:
        if (key := getattr(act.data, field)) is not None:
            yield kind, key


def _history(subject: str, acts: Sequence[Act], policy: Policy) -> History | None:
    """The history of the relationship, if there is one."""
    facing = [act for act in acts if isinstance(act.data, CustomerAct)]
    if not facing:
        return None
    return History(subject, facing, [act for act in acts if isinstance(act.data, CustomerAssigned)], policy)


def _signals(acts: Sequence[Act], history: History | None, policy: Policy) -> Iterator[Signal]:
    yield from (no_pressure.goaded(act) for act in acts if isinstance(act.data, PushDirected))
    if history is None:
        return
    if history.customer == PUBLIC:
        yield from _towards_everyone(history)
        return
    for rule in RULES:
        yield from rule(history, policy)


def _towards_everyone(history: History) -> Iterator[Signal]:
    """Acts towards `public` are judged each alone: an appeal and pressing breach, nothing else says anything."""
    for appeal, _ in history.each(GoalAppealed):
        yield Bench(history, Principle.OWN_GOALS).breached("goal_appeal", appeal)
    for urgency, _ in history.each(UrgencyPressed):
        yield Bench(history, Principle.NO_PRESSURE).breached("pressed", urgency)


def _standards(subject: str, acts: Iterable[Act]) -> list[Standard]:
    first: dict[tuple[str, str], Standard] = {}
    for act in acts:
        if isinstance(act.data, StandardStated):
            team, slug = act.data.team, act.data.principle
            first.setdefault((team, slug), Standard(subject, team, BY_SLUG[slug], act.time))
    return list(first.values())


def _names(subject: str, acts: Iterable[Act]) -> list[GivenName]:
    latest: dict[tuple[str, str], Act] = {}
    for act in acts:
        if isinstance(act.data, CustomerKnown):
            if isinstance(act.data.name, str):
                latest["customer", subject] = act
            if act.data.segment is not None:
                latest["segment", subject] = act
        elif isinstance(act.data, TeamJoined) and isinstance(act.data.name, str):
            latest["person", act.data.person] = act
    return [GivenName(kind, key, act) for (kind, key), act in latest.items()]
