"""The signals behind a figure, the newest first: each with the reason, and the acts that show it, in words."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from msgspec import Struct

from services.graphql.dashboard.acts import ShownAct, anchor, shown_act
from services.graphql.dashboard.answers import Person, Principle, Score, Signal, Team
from services.graphql.dashboard.figures import Cell, Column, Figure, Link, Missing, Shown, Table
from services.graphql.dashboard.naming import VERDICTS, reason_words
from services.graphql.dashboard.numbers import short_day
from services.graphql.dashboard.places import live_team, person_tabs, team_tabs, to_person, trail_below
from services.graphql.dashboard.scores import number, principle_id, slug
from services.graphql.dashboard.visiting import MALFORMED, Failure, Page, Visit
from services.graphql.dashboard.wording import SIGNAL, score_sentence

AT_ONCE = 25
FIRST_PRINCIPLE = "own-goals"
_NONE = Missing("No signals", "No act in this period says that the principle was kept, or breached, as chosen.")
_NOT_YOURS = Missing(
    "These signals are not yours to see", "Those who lead a team see its signals. Your own are on your own card."
)
_COLUMNS = (
    Column("Time", "text", "When, UTC: of the last act that shows it, or of the end of a silence."),
    Column("Verdict", "text"),
    Column("Reason", "text"),
    Column("Reason of the model", "text"),
    Column("Person", "text"),
    Column("Customer", "text"),
    Column("Acts", "text", "Source and id of each act that shows it."),
)


class OfTeam(Struct):
    """What the document about a team answers."""

    team: Team
    principles: tuple[Principle, ...]


class OfPerson(Struct):
    """What the document about a person answers."""

    person: Person
    principles: tuple[Principle, ...]


class ShownSignal(NamedTuple):
    """A signal. `person` and `customer` lead to the card and the relationship; there may be no customer.

    `anchor` is its own within a page, so that a page that is made anew knows it again.
    """

    anchor: str
    verdict: str
    reason: str
    when: str
    person: Link | None
    customer: Link | None
    acts: Sequence[ShownAct]


async def build(visit: Visit) -> Shown:
    """The page of a team's signals or of a person's. Raises Failure."""
    variables = {
        "period": visit.period.variable,
        "principle": principle_id(visit.query.get("principle") or FIRST_PRINCIPLE),
        "verdict": _verdict(visit),
        "first": AT_ONCE,
        "after": visit.query.get("after"),
    }
    if "person" in visit.query:
        of_person = await visit.ask("signals_person", OfPerson, person=visit.needed("person"), **variables)
        person = of_person.person
        score = person.scorecard.score if person.scorecard else None
        live = live_team(person)
        return _shown(visit, person.called, score, of_person.principles, (), person_tabs(visit, person), live)
    subteams = visit.chosen("subteams")
    of_team = await visit.ask("signals_team", OfTeam, team=visit.needed("team"), includeSubteams=subteams, **variables)
    team = of_team.team
    score = team.scorecard.score if team.scorecard else None
    trail = trail_below(visit, team)
    return _shown(visit, team.name, score, of_team.principles, trail, team_tabs(visit, team), team.key)


def _shown(
    visit: Visit,
    whose: str,
    score: Score | None,
    principles: Sequence[Principle],
    trail: Sequence[Link],
    tabs: Sequence[Link],
    live: str | None,
) -> Shown:
    if score is None:
        return Shown("Signals", (), {"signals": (), "score": None, "whose": whose}, trail, missing=_NOT_YOURS)
    found = score.signals.nodes
    context = {
        "whose": whose,
        "score": score,
        "sentence": score_sentence(score, visit.policy),
        "definition": SIGNAL,
        "reasons": [(reason_words(reason.reason), reason.count) for reason in score.reasons],
        "principles": [(slug(one.id), one.title) for one in principles],
        "chosen": slug(score.principle.id),
        "verdict": visit.query.get("verdict", ""),
        "signals": [_signal(visit, signal) for signal in found],
        "paging": visit.paging(after=score.signals.page_info.further),
    }
    title = f"{score.principle.title}: signals"
    figures = [_table(score, found), _reasons(score)]
    return Shown(title, figures, context, trail, tabs, whose, None if found else _NONE, live)


def _verdict(visit: Visit) -> str | None:
    asked = visit.query.get("verdict") or None
    if asked not in (None, "kept", "breached"):
        raise Failure(MALFORMED, "`verdict` is kept or breached")
    return asked.upper() if asked else None


def _signal(visit: Visit, signal: Signal) -> ShownSignal:
    person, customer = signal.person, signal.customer_key
    place = f"#{anchor(signal.evidence[-1])}" if signal.evidence else ""
    return ShownSignal(
        _anchor(signal),
        signal.verdict.lower(),
        reason_words(signal.reason),
        short_day(signal.at),
        to_person(visit, person) if person else None,
        Link(customer, visit.link("relationship", customer=customer) + place) if customer else None,
        [shown_act(visit, act) for act in signal.evidence],
    )


def _anchor(signal: Signal) -> str:
    places = [(act.partition, act.offset) for act in signal.evidence]
    told = (signal.person and signal.person.key, signal.customer_key, signal.reason, signal.at.isoformat(), places)
    return f"signal-{sha256(repr(told).encode()).hexdigest()[:16]}"


def _table(score: Score, found: Sequence[Signal]) -> Figure:
    rows = [
        (
            Cell(short_day(signal.at), signal.at.isoformat()),
            Cell(VERDICTS[signal.verdict]),
            Cell(reason_words(signal.reason)),
            Cell(signal.reason),
            Cell(signal.person.key if signal.person else ""),
            Cell(signal.customer_key or ""),
            Cell(" ".join(f"{act.source} {act.act_id}" for act in signal.evidence)),
        )
        for signal in found
    ]
    table = Table(f"{score.principle.title}, the newest first", _COLUMNS, rows)
    return Figure("signals", "Signals", table=table)


def _reasons(score: Score) -> Figure:
    columns = (Column("Reason", "text"), Column("Signals"))
    rows = [(Cell(reason_words(one.reason), one.reason), number(one.count)) for one in score.reasons]
    return Figure("reasons", "Reasons", table=Table(f"{score.principle.title}: why", columns, rows))


PAGE = Page("signals", build)
