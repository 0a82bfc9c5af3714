"""Adversarial histories: lists of acts that tread on every boundary of domain.md §§2–4.

Times lie mostly on a grid of the rules' own windows, to the microsecond on either side; ids repeat across sources and
subjects; references, retractions, copies and conflicts name what exists, what does not and what is to come. Short
scenarios, each the beginning of some rule, are mixed with noise, so that every reason of §3 comes up.
Every act is valid by the catalogue (§1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.reference.model import CATALOGUE, CUSTOMER_FACING, DAY, HOUR, PRINCIPLES, REASONS, RefAct, instant_of

START = instant_of("2024-01-01")
WINDOWS = (0, HOUR, 24 * HOUR, 96 * HOUR, 14 * DAY, 28 * DAY, 30 * DAY, 90 * DAY, 180 * DAY)
SOURCES = ("crm", "mail", "\uff4dail", "\U0001f4de")  # the last two sort one way in UTF-8, the other in UTF-16
CUSTOMERS = ("c1", "c2", "c3")
REPS = ("r1", "r2", "r3")
LEADERS = ("l1", "l2")
TEAMS = ("t1", "t2", "t3")
DEALS = ("d1", "d2", "d3")
NEEDS = ("n1", "n2", "n3")
CHANNELS = ("call", "text", "email", "meeting", "video", "social", "calendar", "mail", "in_person", "other")
SELLING_PURPOSES = ("introduce", "explore", "follow_up", "propose", "promote")
PURPOSES = (*SELLING_PURPOSES, "serve", "thank", "other")
TOPICS = (
    "problem",
    "limitation",
    "concern",
    "performance_gap",
    "challenge",
    "motivation",
    "mechanism",
    "want",
    "none",
)
OPTIONAL = {
    "contact.made": ("text",),
    "contact.received": ("offered_channel", "text"),
    "question.asked": ("text",),
    "need.established": ("text",),
    "need.ruled_out": ("need",),
    "meeting.held": ("extended_by_customer",),
    "path.agreed": ("next_on",),
    "urgency.pressed": ("text",),
    "goal.appealed": ("goal", "text"),
    "hesitation.voiced": ("concern",),
    "decision.made": ("no_contact", "reason"),
    "prospect.released": ("reason",),
    "customer.known": ("name", "segment"),
    "standard.stated": ("text",),
    "push.directed": ("campaign", "text"),
    "recognition.given": ("principle",),
    "team.formed": ("parent",),
    "team.joined": ("name",),
}

Step = tuple[int, str, dict[str, Any]]


def _contact(purpose: str, channel: str = "call", **more: Any) -> dict[str, Any]:
    return {"channel": channel, "purpose": purpose, **more}


def _received(**more: Any) -> dict[str, Any]:
    return {"channel": "email", "asks": False, "wants_help": False, **more}


def _items(*needs_of_items: tuple[str, ...]) -> dict[str, Any]:
    return {"items": [{"item": f"i{place}", "needs": list(needs)} for place, needs in enumerate(needs_of_items)]}


def _touches(number: int, gap: int) -> list[Step]:
    return [(gap, "contact.made", _contact("follow_up")) for _ in range(number)]


def _meeting(asked: int, actual: int, **more: Any) -> dict[str, Any]:
    return {"asked_minutes": asked, "actual_minutes": actual, "channel": "video", "purpose": "explore", **more}


_NEED: Step = (0, "need.established", {"need": "n1"})
_FIT: Step = (HOUR, "prospect.qualified", {"outcome": "fit", "criteria": ["size"]})
_UNFIT: Step = (HOUR, "prospect.qualified", {"outcome": "unfit", "criteria": []})
_OFFER: Step = (0, "proposal.made", _items(("n1",)))
_INTRODUCED: Step = (0, "contact.made", _contact("introduce"))
_DECLINED: Step = (HOUR, "decision.made", {"outcome": "declined"})
_ACCEPTED: Step = (HOUR, "decision.made", {"outcome": "accepted"})
_ORDER: Step = (0, "order.placed", {"amount": "100.00", "currency": "EUR", "items": ["i0"]})
_DEFERRED: Step = (0, "decision.made", {"outcome": "deferred", "until": 14})
_SERVICE: Step = (0, "service.given", {"kind": "advice"})
_NO_NEED: Step = (0, "need.ruled_out", {})
_PRESSED: Step = (0, "urgency.pressed", {"tactic": "deadline"})

# Each step is (time since the one before, act, data); "@act" stands for the id of the last such act, {"until": n} for
# the date n days after the day of the act.
SCENARIOS: tuple[tuple[Step, ...], ...] = (
    # a sale as the articles want it
    (
        _INTRODUCED,
        _NEED,
        (0, "question.asked", {"topic": "problem"}),
        (0, "question.asked", {"topic": "motivation"}),
        (0, "question.asked", {"topic": "motivation"}),
        _FIT,
        (0, "path.agreed", {"steps": ["board"], "next_on": "2024-03-01"}),
        (180 * DAY, "solution.recommended", _items(("n1", "n2"))),
        (0, "proposal.made", _items(("n1",))),
        _ACCEPTED,
        _ORDER,
    ),
    # offers that meet some need, none, or nothing at all
    (_NEED, (0, "solution.recommended", {"items": []}), (0, "proposal.made", _items(("n1",), ("n2",))), _DECLINED),
    ((0, "solution.recommended", _items(("n3",), ())), _OFFER, _ACCEPTED),
    # walk-ins, on the edge
    ((0, "contact.received", _received()), _NEED, (24 * HOUR, "proposal.made", _items(("n1",))), _ORDER, _ACCEPTED),
    (
        (0, "contact.received", _received(asks=True)),
        _NEED,
        _OFFER,
        (23 * HOUR, "decision.made", {"outcome": "accepted"}),
    ),
    # falling silent, and keeping at it
    (_INTRODUCED, _OFFER, (30 * DAY, "customer.assigned", {})),
    (_INTRODUCED, _OFFER, *_touches(2, 24 * HOUR), (30 * DAY, "contact.made", _contact("other"))),
    (_NEED, _INTRODUCED, _OFFER, *_touches(4, HOUR)),
    (_INTRODUCED, _OFFER, *_touches(5, 14 * DAY)),
    (_INTRODUCED, *_touches(7, HOUR), *_touches(1, 30 * DAY)),
    (_INTRODUCED, _OFFER, *_touches(8, 24 * HOUR), (0, "hesitation.voiced", {})),
    (*_touches(9, HOUR), (0, "meeting.held", _meeting(30, 30)), *_touches(8, 96 * HOUR)),
    # deferrals
    (_INTRODUCED, _OFFER, (HOUR, "decision.made", {"outcome": "deferred", "until": 14})),
    (
        _INTRODUCED,
        _OFFER,
        *_touches(4, HOUR),
        (HOUR, "decision.made", {"outcome": "deferred", "until": 14}),
        (14 * DAY, "contact.made", _contact("follow_up")),
    ),
    # with another deal's act (or one of none) on its last day
    (_OFFER, _INTRODUCED, _DEFERRED, (14 * DAY, "path.agreed", {"steps": [], "deal": "d9"})),
    (_OFFER, _INTRODUCED, _DEFERRED, (14 * DAY, "contact.received", _received(deal=None))),
    (_OFFER, _INTRODUCED, _DEFERRED, (14 * DAY, "order.placed", {**_ORDER[2], "deal": "d9"})),
    (_OFFER, _INTRODUCED, _DEFERRED, (44 * DAY, "path.agreed", {"steps": [], "deal": "d9"})),
    (_OFFER, _DEFERRED, (14 * DAY, *_INTRODUCED[1:]), (0, "path.agreed", {"steps": [], "deal": "d9"})),
    (
        (0, "decision.made", {"outcome": "deferred", "until": 30}),
        (30 * DAY, "contact.received", _received()),
        _INTRODUCED,
    ),
    # not fit
    (_NEED, _UNFIT, _INTRODUCED, _OFFER, (180 * DAY, "special.promoted", {"campaign": "x", "needs": []})),
    (_NEED, _SERVICE, (30 * DAY, *_UNFIT[1:]), (0, "prospect.released", {}), (0, "prospect.released", {})),
    # a no, and after
    (_NEED, _INTRODUCED, _DECLINED, (30 * DAY, *_SERVICE[1:]), (0, "contact.made", _contact("promote"))),
    (
        _NEED,
        (0, "decision.made", {"outcome": "declined", "no_contact": True}),
        (30 * DAY, "contact.received", _received()),
    ),
    (_NEED, _DECLINED, (180 * DAY, "contact.made", _contact("explore"))),
    # meetings, questions and help
    (
        (0, "meeting.held", _meeting(50, 55)),
        (0, "meeting.held", _meeting(100, 110)),
        (0, "meeting.held", _meeting(30, 36)),
    ),
    ((0, "meeting.held", _meeting(100, 111)), (0, "meeting.held", _meeting(30, 90, extended_by_customer=True))),
    (
        (0, "contact.received", _received(asks=True, wants_help=True)),
        (96 * HOUR, "question.answered", {"answers": "@contact.received"}),
        (0, "question.answered", {"answers": "@contact.received"}),
        _SERVICE,
    ),
    ((0, "contact.received", _received(asks=True, wants_help=True)), (96 * HOUR, "customer.assigned", {})),
    (
        (0, "contact.received", _received(offered_channel="calendar")),
        (0, "contact.made", _contact("follow_up", "email")),
        (30 * DAY, "meeting.held", _meeting(30, 30)),
        (0, "contact.made", _contact("propose", "email")),
    ),
    (
        (0, "contact.received", _received(offered_channel="text")),
        (30 * DAY, "contact.made", _contact("introduce", "call")),
        (0, "contact.made", _contact("thank", "text")),
    ),
    # hesitation
    (
        (0, "hesitation.voiced", {"concern": "price"}),
        (0, "hesitation.explored", {"hesitation": "@hesitation.voiced"}),
        (0, "hesitation.voiced", {}),
        (0, "question.asked", {"topic": "none"}),
        (0, "contact.made", _contact("promote")),
    ),
    # goals, pressure and specials
    (_INTRODUCED, (0, "goal.appealed", {"during": "@contact.made"}), _PRESSED, _DECLINED),
    (_NEED, (0, "special.promoted", {"campaign": "x", "needs": ["n1", "n2"]}), _ACCEPTED),
    ((0, "special.promoted", {"campaign": "x", "needs": ["n3"]}), _ACCEPTED),
    # no need
    (_NEED, _NO_NEED, (30 * DAY, *_OFFER[1:]), (180 * DAY, *_PRESSED[1:])),
    (_NO_NEED, (30 * DAY, "need.established", {"need": "n1"}), _NO_NEED, _INTRODUCED, _OFFER),
    # orders
    (_ORDER, _SERVICE, (HOUR, "service.given", {"kind": "support"}), (0, "contact.made", _contact("thank"))),
    (_ORDER, (24 * HOUR, *_ORDER[1:]), (90 * DAY, *_SERVICE[1:]), (0, "referral.given", {"referred": "c9"})),
    (_ORDER, (90 * DAY, *_ORDER[1:]), (90 * DAY, "customer.assigned", {})),
)


class Composer:
    """Puts a history together, act by act, with all choices made by one source of randomness."""

    def __init__(self, random: Random, customers: tuple[str, ...]) -> None:
        self.random = random
        self.customers = customers
        self.acts: list[RefAct] = []

    # --- small choices

    def rarely(self, one_in: int) -> bool:
        """True once in so many times."""
        return self.random.randrange(one_in) == one_in - 1

    def rep(self) -> str:
        """Whoever deals with the customer: mostly a rep, now and then a leader or nobody in particular."""
        return self.random.choice((*REPS, *REPS, *LEADERS, "unattributed"))

    def jitter(self) -> int:
        """Mostly nothing, else a microsecond either way."""
        return self.random.choice((0, 0, 0, 0, 1, -1))

    def moment(self) -> int:
        """A time at one of the windows from some act's time (mostly a late one's)."""
        anchors = [act.time for act in self.acts] or [START]
        if self.rarely(4):
            anchors += [instant_of(act.data["until"]) for act in self.acts if act.data.get("until") is not None]
        anchor = self.random.choice(anchors[-6:] if self.rarely(2) else anchors)
        sign = -1 if self.rarely(4) else 1
        return max(START, anchor + sign * self.random.choice(WINDOWS) + self.jitter())

    def some_id(self) -> str:
        """The id of some act, or of none."""
        return self.random.choice([act.id for act in self.acts] + ["missing"])

    def until(self, time: int, days: int | None = None) -> str:
        """A date later than the UTC date of an instant."""
        day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)).date()
        return (day + timedelta(days=days or self.random.choice((1, 14, 28, 30, 90)))).isoformat()

    # --- acts

    def add(self, name: str, subject: str, time: int, data: dict[str, Any]) -> RefAct:
        """Adds an act under a key of its own; ids repeat in other sources and subjects."""
        source = self.random.choice((*SOURCES, SOURCES[0]))
        prefix = self.random.choice(("", "", "", "Z", "\uffee", "\U0001f600"))
        taken = {act.id for act in self.acts if (act.subject, act.source) == (subject, source)}
        number = next(number for number in range(len(taken) + 1) if f"{prefix}{number}" not in taken)
        act = RefAct(0, 0, name, source, f"{prefix}{number}", subject, time, data)
        self.acts.append(act)
        return act

    def scenario(self) -> None:
        """One of the scenarios, for one customer, mostly one rep and one deal, some of its gaps a microsecond off."""
        customer, rep, time = self.random.choice(self.customers), self.rep(), self.moment()
        deal = self.random.choice((None, None, *DEALS))
        if self.rarely(2):
            time -= time % DAY  # so that a deferral's date falls together with other windows
        last: dict[str, str] = {}
        for gap, name, given in self.random.choice(SCENARIOS):
            time = max(START, time + gap + (self.jitter() if self.rarely(2) else 0))
            data: dict[str, Any] = {"rep": self.rep() if self.rarely(6) else rep}
            if deal is not None and name in CUSTOMER_FACING and not self.rarely(8):
                data["deal"] = deal
            for field, value in given.items():
                named = isinstance(value, str) and value.startswith("@")
                data[field] = last.get(value[1:], "missing") if named else value
            if "until" in data:
                data["until"] = self.until(time, data["until"])
            last[name] = self.add(name, customer, time, data).id
            if self.rarely(12):
                self.noise()

    def noise(self) -> None:
        """Any customer-facing act, at any moment; rarely towards `public`."""
        name, time = self.random.choice(sorted(CUSTOMER_FACING)), self.moment()
        customer = "public" if self.rarely(12) else self.random.choice(self.customers)
        data = {"rep": self.rep(), **self.fields(name, time)}
        if self.rarely(2):
            data["deal"] = self.random.choice(DEALS)
        if self.rarely(4):
            data["during"] = self.some_id()
        self.add(name, customer, time, data)

    def fields(self, name: str, time: int) -> dict[str, Any]:
        """The fields of a customer-facing act, but for `rep`, `deal` and `during`."""
        pick = self.random.choice
        needs = [need for need in NEEDS if self.rarely(2)]
        items = [{"item": "i", "needs": [need for need in NEEDS if self.rarely(3)]} for _ in range(pick((1, 1, 2)))]
        bare: dict[str, Callable[[], dict[str, Any]]] = {
            "contact.made": lambda: _contact(pick(PURPOSES), pick(CHANNELS[:4])),
            "contact.received": lambda: _received(
                asks=pick((True, False)),
                wants_help=pick((True, False)),
                **({"offered_channel": pick(("call", "text", "meeting", "calendar"))} if self.rarely(3) else {}),
            ),
            "question.asked": lambda: {"topic": pick(TOPICS)},
            "question.answered": lambda: {"answers": self.some_id()},
            "need.established": lambda: {"need": pick(NEEDS)},
            "need.ruled_out": lambda: {"need": pick(NEEDS)} if self.rarely(2) else {},
            "prospect.qualified": lambda: {"outcome": pick(("fit", "unfit")), "criteria": ["size"]},
            "meeting.held": lambda: (
                _meeting(pick((10, 50, 100)), pick((10, 15, 16, 55, 56, 110, 111)))
                | {"channel": pick(CHANNELS), "purpose": pick(PURPOSES)}
            ),
            "path.agreed": lambda: {"steps": []},
            "solution.recommended": lambda: {"items": pick(([], items, items))},
            "proposal.made": lambda: {"items": items},
            "special.promoted": lambda: {"campaign": "x", "needs": needs},
            "urgency.pressed": lambda: {"tactic": pick(("deadline", "scarcity", "insistence", "guilt", "other"))},
            "hesitation.explored": lambda: {"hesitation": self.some_id()},
            "decision.made": lambda: self.decision(time),
            "order.placed": lambda: {"amount": "9.5", "currency": "USD", "items": ["i"]},
            "referral.given": lambda: {"referred": pick(CUSTOMERS)},
            "service.given": lambda: {"kind": pick(("resource", "connection", "support", "advice"))},
        }
        return bare[name]() if name in bare else {}

    def decision(self, time: int) -> dict[str, Any]:
        """The fields of a `decision.made`."""
        outcome = self.random.choice(("accepted", "declined", "deferred"))
        data: dict[str, Any] = {"outcome": outcome}
        if outcome == "deferred":
            data["until"] = self.until(time)
        if self.rarely(4):
            data["no_contact"] = self.random.choice((True, False))
        return data

    def administration(self) -> None:
        """An act about a customer that is not customer-facing."""
        customer = self.random.choice(self.customers)
        name = self.random.choice(("customer.known", "customer.assigned", "customer.assigned", "customer.assigned"))
        self.add(
            name, customer, self.moment(), {"rep": self.rep()} if name == "customer.assigned" else {"segment": "s"}
        )

    def leading(self) -> None:
        """An act of a leader."""
        name = self.random.choice(
            ("standard.stated", "standard.stated", "push.directed", "coaching.given", "recognition.given")
        )
        principle = self.random.choice(PRINCIPLES[:-1])
        data: dict[str, dict[str, Any]] = {
            "standard.stated": {"principle": principle, "team": self.random.choice(TEAMS)},
            "push.directed": {"team": self.random.choice(TEAMS), "campaign": "x"},
            "coaching.given": {"rep": self.rep(), "principle": principle},
            "recognition.given": {"rep": self.rep(), "for": self.random.choice(("behaviour", "result"))},
        }
        self.add(name, self.random.choice((*LEADERS, *LEADERS, REPS[0])), self.moment(), data[name])

    def membership(self) -> None:
        """A team is formed (parents may go round in circles), or someone comes, changes role or goes."""
        name = self.random.choice(("team.formed", "team.left", "team.joined", "team.joined", "team.joined"))
        team, time = self.random.choice(TEAMS), START if self.rarely(3) else self.moment()
        if name == "team.formed":
            parent = {"parent": self.random.choice((*TEAMS, "t9"))} if self.rarely(2) else {}
            self.add(name, team, time, {"name": f"Team {team}", **parent})
            return
        data = {"person": self.random.choice((*REPS, *LEADERS))}
        if name == "team.joined":
            data["role"] = self.random.choice(("rep", "rep", "leader"))
        self.add(name, team, time, data)

    def meddling(self) -> None:
        """A retraction, dispute, erasure, copy or conflict, mostly of an act that is there."""
        kind = self.random.choice(
            ("retract", "retract", "retract", "dispute", "erase", "copy", "copy", "conflict", "conflict")
        )
        act = self.random.choice(self.acts)
        subject = self.random.choice(self.customers) if self.rarely(6) else act.subject
        missing = self.rarely(6)
        if kind in ("retract", "dispute"):
            verb = "retracts" if kind == "retract" else "disputes"
            named = {f"{verb}_source": act.source, f"{verb}_id": "missing" if missing else act.id}
            name = "act.retracted" if kind == "retract" else "act.disputed"
            self.add(name, subject, self.moment(), {**named, "reason": "wrong", "by": "boss"})
        elif kind == "erase" and subject != "public":
            self.add("person.erased", subject, self.moment(), {"by": "boss", "reason": "asked"})
        elif kind == "copy":
            nulls = ["deal", "during"] if act.name in CUSTOMER_FACING else []
            nulls += [field for field in OPTIONAL.get(act.name, ()) if self.rarely(2)]
            self.acts.append(replace(act, data={**dict.fromkeys(nulls), **act.data}))
        elif kind == "conflict":
            self.acts.append(self.conflicting(act))

    def conflicting(self, act: RefAct) -> RefAct:
        """An act with the same key and other content: another time, rep or type."""
        if act.data.get("rep") is not None and self.rarely(3):
            return replace(act, data={**act.data, "rep": "r3" if act.data["rep"] != "r3" else "r2"})
        others = [other for other in self.acts if other.subject == act.subject and other.key != act.key]
        if others and self.rarely(2):
            other = self.random.choice(others)
            return replace(act, name=other.name, time=other.time, data=other.data)
        if act.data.get("until") is not None:
            return replace(act, data={**act.data, "until": self.until(act.time, 200)})
        return replace(act, time=act.time + 1)

    def log(self) -> list[RefAct]:
        """The acts as a log: shuffled or in the order of making, four partitions, offsets that rise with gaps."""
        acts = list(self.acts)
        if self.rarely(2):
            self.random.shuffle(acts)
        ends = dict.fromkeys(range(4), 0)
        placed = []
        for act in acts:
            partition = sum(act.subject.encode()) % 4
            ends[partition] += self.random.choice((1, 1, 3))
            placed.append(replace(act, partition=partition, offset=ends[partition]))
        return placed


def _compose(random: Random, size: int, world: bool) -> list[RefAct]:
    composer = Composer(random, CUSTOMERS if world else CUSTOMERS[:1])
    moves: list[Callable[[], None]] = [composer.scenario] * 3 + [composer.noise] * 4 + [composer.administration]
    if world:
        moves += [composer.leading, composer.membership] * 2
    quiet = composer.rarely(3)
    if quiet:
        moves = [composer.scenario]
    if world:
        for _ in range(6):
            composer.membership()
    while len(composer.acts) < size:
        random.choice(moves)()
        if not quiet and composer.rarely(5):
            composer.meddling()
    return composer.log()


def random_history(seed: int, size: int = 20) -> list[RefAct]:
    """About `size` acts of one relationship (and a few towards `public`), the same for the same seed."""
    return _compose(Random(seed), size, world=False)


def random_world(seed: int, size: int = 60) -> list[RefAct]:
    """About `size` acts of three customers, three reps, two leaders and three teams, the same for the same seed."""
    return _compose(Random(seed), size, world=True)


def _policy(random: Random) -> dict[str, set[str]]:
    absences = sorted({absent for _, _, absent in REASONS.values() if absent is not None})
    sources = [source for source in SOURCES if random.randrange(2)]
    return {source: {absent for absent in absences if random.randrange(2)} for source in sources}


def random_not_recorded(seed: int) -> dict[str, set[str]]:
    """What some of the sources do not record, the same for the same seed."""
    return _policy(Random(seed))


def histories(max_size: int = 25) -> st.SearchStrategy[list[RefAct]]:
    """Histories of one relationship; shrinks."""
    return st.builds(_compose, st.randoms(use_true_random=False), st.integers(1, max_size), st.just(False))


def worlds(max_size: int = 50) -> st.SearchStrategy[list[RefAct]]:
    """Small worlds of customers, reps, leaders and teams; shrinks."""
    return st.builds(_compose, st.randoms(use_true_random=False), st.integers(1, max_size), st.just(True))


def not_recorded_policies() -> st.SearchStrategy[dict[str, set[str]]]:
    """What the sources do not record."""
    return st.builds(_policy, st.randoms(use_true_random=False))


__all__ = [
    "CATALOGUE",
    "histories",
    "not_recorded_policies",
    "random_history",
    "random_not_recorded",
    "random_world",
    "worlds",
]
