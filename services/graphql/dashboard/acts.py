"""An act as every page shows it: when, in words, in somebody's own words, taken back or disputed; and its signals."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.graphql.dashboard.answers import Act, Signal
from services.graphql.dashboard.figures import Link
from services.graphql.dashboard.naming import Personal, act_sentence, personal_text, reason_words
from services.graphql.dashboard.numbers import short_day
from services.graphql.dashboard.places import to_person
from services.graphql.dashboard.scores import slug
from services.graphql.dashboard.visiting import Visit

_NAMING = {"act.retracted": "retracts", "act.disputed": "disputes"}
"""The acts about another of the same subject, and what the fields that name it begin with."""


class Dispute(NamedTuple):
    """That somebody disputes an act, when, and why."""

    when: str
    by: str
    reason: str
    href: str


class ShownAct(NamedTuple):
    """An act. `personal` is in somebody's own words; `href` leads to its page, `about` to the act that it names.

    `anchor` is its place in a page that shows it once, `time` its time for programs.
    """

    day: str
    hour: str
    time: str
    says: str
    personal: Personal | None
    retracted: bool
    disputes: Sequence[Dispute]
    rep: str | None
    href: str
    anchor: str
    about: Link | None

    @property
    def when(self) -> str:
        """The day and the time of the day, UTC."""
        return f"{self.day}, {self.hour}"


def shown_act(visit: Visit, act: Act) -> ShownAct:
    """The act for a page of this visit."""
    return ShownAct(
        short_day(act.time),
        f"{act.time:%H:%M}",
        act.time.isoformat(),
        act_sentence(act),
        personal_text(act),
        act.retracted,
        [_dispute(visit, dispute) for dispute in act.disputes],
        act.rep,
        act_link(visit, act),
        anchor(act),
        _about(visit, act),
    )


class ShownSignal(NamedTuple):
    """A signal beside an act that it rests on; `acts` lead to those that it rests on besides."""

    verdict: str
    reason: str
    principle: Link
    person: Link | None
    day: str
    acts: Sequence[Link] = ()


def shown_signal(visit: Visit, signal: Signal, titles: Mapping[str, str]) -> ShownSignal:
    """The signal for a page of this visit; `titles` are those of principles."""
    of = slug(signal.principle)
    return ShownSignal(
        signal.verdict.lower(),
        reason_words(signal.reason),
        Link(titles.get(signal.principle, of), visit.link("principle", principle=of)),
        to_person(visit, signal.person) if signal.person else None,
        short_day(signal.at),
    )


def act_link(visit: Visit, act: Act) -> str:
    """The address of the act's page."""
    return visit.link("act", source=act.source, id=act.act_id, subject=act.subject)


def anchor(act: Act) -> str:
    """What the act is called within a page: its place in the log, which is its own."""
    return f"act-{act.partition}-{act.offset}"


def _dispute(visit: Visit, dispute: Act) -> Dispute:
    said = dispute.data
    return Dispute(short_day(dispute.time), str(said.get("by")), str(said.get("reason")), act_link(visit, dispute))


def _about(visit: Visit, act: Act) -> Link | None:
    """The act that a retraction or a dispute is about."""
    prefix = _NAMING.get(act.name)
    if prefix is None:
        return None
    source, id_ = str(act.data.get(f"{prefix}_source")), str(act.data.get(f"{prefix}_id"))
    return Link("The act that it is about", visit.link("act", source=source, id=id_, subject=act.subject))
