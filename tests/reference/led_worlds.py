"""Adversarial worlds for domain.md §5: several teams, whose leaders and reps change places, push, preach and teach.

Ids are unique and sources ASCII, so that any ingress takes them; times lie on the windows of §5 from each other (14,
28, 90 and 365 days, midnights and month ends), to the microsecond on either side. Every act is valid by the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.reference.histories import SCENARIOS
from tests.reference.model import CUSTOMER_FACING, DAY, HOUR, PRINCIPLES, RefAct, instant_of
from tests.reference.worlds import day_of, midnight

START = instant_of("2024-01-01")
LENGTH = 240 * DAY
TEAMS = ("north", "south", "south-east")
CAREERS = (
    ("ada", ("north", "leader")),
    ("ben", ("south", "leader")),
    ("cyd", ("north", "rep"), ("north", "leader"), ("north", "rep")),
    ("dan", ("north", "leader"), ("south", "leader")),
    ("eve", ("north", "rep")),
    ("fay", ("north", "rep"), ("south", "rep")),
    ("gus", ("north", "rep")),
    ("hal", ("south", "rep"), ("south-east", "leader")),
    ("ivy", ("north", "rep")),
    ("joe", ("north", "rep")),
    ("kit", ("south-east", "rep"), ("north", "rep")),
)
PEOPLE = tuple(person for person, *_ in CAREERS)
STRANGERS = ("lou", "unattributed")
LEADERS = ("ada", "ada", "ben", "cyd", "dan", "hal")
CUSTOMERS = tuple(f"c{number}" for number in range(20))
SOURCES = ("crm", "mail")
GAPS = (0, HOUR, DAY, 5 * DAY, 14 * DAY, 28 * DAY, 90 * DAY)

# Short stories that end: attempts with and without a getting act, orders that follow or do not, and single signals of
# many principles. Gaps are as in `SCENARIOS`.
Step = tuple[int, str, dict[str, Any]]
_CALL: Step = (0, "contact.made", {"channel": "call", "purpose": "introduce"})
_AGAIN: Step = (HOUR, "contact.made", {"channel": "call", "purpose": "follow_up"})
_PRESS: Step = (HOUR, "urgency.pressed", {"tactic": "guilt"})
_APPEAL: Step = (HOUR, "goal.appealed", {})
_SPECIAL: Step = (HOUR, "special.promoted", {"campaign": "x", "needs": ["n1"]})
_NEED: Step = (0, "need.established", {"need": "n1"})
_YES: Step = (DAY, "decision.made", {"outcome": "accepted"})
_NO: Step = (DAY, "decision.made", {"outcome": "declined"})
_LATER: Step = (DAY, "decision.made", {"outcome": "deferred", "until": 28})
_ORDER: Step = (0, "order.placed", {"amount": "9.5", "currency": "USD", "items": []})
_REFER: Step = (HOUR, "referral.given", {"referred": "c99"})
_UNFIT: Step = (0, "prospect.qualified", {"outcome": "unfit", "criteria": []})
_FIT: Step = (0, "prospect.qualified", {"outcome": "fit", "criteria": []})


def _meeting(minutes: int) -> Step:
    data = {"asked_minutes": 30, "actual_minutes": minutes, "channel": "video", "purpose": "explore"}
    return (HOUR, "meeting.held", data)


STORIES: tuple[tuple[Step, ...], ...] = (
    (_CALL, _AGAIN, _YES, _ORDER, (28 * DAY, *_ORDER[1:])),
    (_CALL, _PRESS, _YES, _ORDER, (24 * HOUR, *_ORDER[1:])),
    (_CALL, _APPEAL, _NO),
    (_CALL, _SPECIAL, _YES, (24 * HOUR, *_ORDER[1:]), (365 * DAY - 24 * HOUR, *_ORDER[1:])),
    (_NEED, _CALL, _SPECIAL, _YES, (365 * DAY, *_ORDER[1:])),
    (_NEED, _SPECIAL, _NO, _AGAIN),
    (_PRESS, _CALL, _LATER, (28 * DAY, *_YES[1:])),
    (_UNFIT, _CALL, _meeting(30), (0, "prospect.released", {})),
    (_UNFIT, _CALL, _FIT, _AGAIN, _AGAIN, _AGAIN, _AGAIN, _YES),
    (_ORDER, _AGAIN, (0, "contact.made", {"channel": "call", "purpose": "thank"}), _REFER, _REFER),
    (_ORDER, _ORDER, _meeting(60), _REFER),
)
# Single signals, kept or breached, of principles in all four dimensions of the guide index.
SINGLES: tuple[tuple[Step, ...], ...] = (
    (_CALL,),
    (_APPEAL,),
    (_PRESS,),
    (_NEED, _SPECIAL),
    (_SPECIAL,),
    (_meeting(30),),
    (_meeting(60),),
    ((0, "question.asked", {"topic": "none"}),),
    (_CALL, _NO),  # let go, said a month later
    (_NO, _CALL),
    ((0, "solution.recommended", {"items": []}),),
    ((0, "contact.received", {"channel": "email", "asks": True, "wants_help": True}),),  # left waiting, said days later
)


class LedComposer:
    """Puts such a world together, with all choices made by one source of randomness."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.acts: list[RefAct] = []
        self.moments: list[int] = [START]
        self.recent: dict[str, list[int]] = {}
        self.theme = random.sample(SINGLES, 4)  # what this world is mostly about, so that examples meet their like

    def rarely(self, one_in: int) -> bool:
        """True once in so many times."""
        return self.random.randrange(one_in) == one_in - 1

    # --- times

    def moment(self, near: str | None = None) -> int:
        """Anywhere, or a window of §5 away from something that happened (mostly of those `near`: a kind of moment)."""
        if self.rarely(2):
            return self.nudged(START + self.random.randrange(LENGTH // HOUR) * HOUR)
        anchors = self.recent.get(near or "", []) or self.moments
        sign = self.random.choice((1, 1, 1, -1))
        return self.nudged(max(START, self.random.choice(anchors) + sign * self.random.choice(GAPS)))

    def nudged(self, time: int) -> int:
        """Sometimes the same day's midnight, or that of a month end; sometimes a microsecond off."""
        if self.rarely(8):
            time -= time % DAY
        if self.rarely(12):
            next_month = (day_of(time).replace(day=1) + timedelta(days=32)).replace(day=1)
            time = midnight(next_month) - self.random.choice((0, 5 * DAY, 5 * DAY))
        return max(START, time + self.random.choice((0, 0, 0, 0, 0, 1, -1)))

    def remember(self, kind: str, time: int) -> int:
        """Notes a moment that others may lie a window away from."""
        self.moments.append(time)
        self.recent.setdefault(kind, []).append(time)
        return time

    # --- acts

    def add(self, name: str, subject: str, time: int, data: dict[str, Any]) -> RefAct:
        """Adds an act with an id of its own."""
        act = RefAct(0, len(self.acts), name, self.random.choice(SOURCES), f"a{len(self.acts)}", subject, time, data)
        self.acts.append(act)
        return act

    def structure(self) -> None:
        """The teams, and everyone's career: stays one after another, with gaps, overlaps and returns."""
        for team in TEAMS:
            parent = {"parent": "south"} if team == "south-east" else {}
            self.add("team.formed", team, START, {"name": team, **parent})
        for person, *posts in CAREERS:
            time = START
            for place, (team, role) in enumerate(posts):
                if place > 0 or self.rarely(4):
                    time = self.remember("joined", self.nudged(time + self.random.randrange(10, 160) * DAY))
                    if self.rarely(2):  # left before, so that it is no change of role at one instant
                        self.leave(posts[place - 1][0], person, time - self.random.choice((0, 1, DAY, 20 * DAY)))
                self.join(team, person, role, time)
            if self.rarely(2):
                self.leave(posts[-1][0], person, away := self.moment("joined"))
                if self.rarely(2):
                    back = self.remember("joined", away + self.random.choice((0, 1, DAY, 28 * DAY)))
                    self.join(posts[-1][0], person, posts[-1][1], back)

    def join(self, team: str, person: str, role: str, time: int) -> None:
        """Someone comes."""
        self.add("team.joined", team, self.remember("joined", time), {"person": person, "role": role})

    def leave(self, team: str, person: str, time: int) -> None:
        """Someone goes."""
        self.add("team.left", team, self.remember("joined", max(START, time)), {"person": person})

    def story(self) -> None:
        """A story from its beginning, mostly of one rep and one deal, some of its gaps a microsecond off."""
        stories = SCENARIOS if self.rarely(4) else STORIES
        self.tell(self.random.choice(stories), self.random.choice((*PEOPLE, *PEOPLE, *STRANGERS)), self.moment())

    def single(self) -> None:
        """One signal of anyone, near a push, a coaching or somebody's arrival."""
        near = self.random.choice(("push", "coaching", "joined", "example", "example"))
        person = self.random.choice(self.random.choice((PEOPLE, LEADERS)))
        time = self.remember("example", self.moment(near))
        customer = "public" if self.rarely(6) else None
        self.tell(self.random.choice(SINGLES if self.rarely(4) else self.theme), person, time, customer)

    def season(self) -> None:
        """Some weeks in which the reps of one team do enough of everything to have a guide index, each in their way."""
        start = self.moment("joined")
        for person in ("cyd", "eve", "fay", "gus", "ivy", "joe", "kit"):
            share, time = self.random.choice((0, 0.2, 0.5, 0.5, 1)), start
            for _ in range(5):
                minutes = 60 if self.random.random() < share else 30
                for step in ((_CALL, self.random.choice((_NO, _YES))), (_meeting(minutes),), (_PRESS,)):
                    time += self.random.choice((HOUR, DAY))
                    self.tell(step, person, time)
            for step in self.random.choices(((_ORDER, _ORDER), (_REFER,)), k=self.random.randrange(4)):
                self.tell(step, person, time)

    def tell(self, steps: tuple[Step, ...], rep: str, time: int, customer: str | None = None) -> None:
        """The acts of a story."""
        customer = customer or self.random.choice(CUSTOMERS)
        deal = self.random.choice((None, *(f"d{number}" for number in range(20))))
        last: dict[str, str] = {}
        for place, (gap, name, given) in enumerate(steps):
            if place > 0:
                time += gap + (self.random.choice((0, 0, 0, 1, -1)) if self.rarely(3) else 0)
            data: dict[str, Any] = {"rep": self.random.choice(PEOPLE) if self.rarely(8) else rep}
            if deal is not None and name in CUSTOMER_FACING:
                data["deal"] = deal
            for field, value in given.items():
                named = isinstance(value, str) and value.startswith("@")
                data[field] = last.get(value[1:], "missing") if named else value
            if "until" in data:
                data["until"] = (day_of(time) + timedelta(days=data["until"])).isoformat()
            last[name] = self.add(name, customer, time, data).id
            if name in ("decision.made", "order.placed"):
                self.remember(name, time)

    def leading(self) -> None:
        """A standard, push, coaching or recognition, mostly of one who leads, for a team or rep that may be theirs."""
        leader = self.random.choice((*LEADERS, "eve"))
        team = self.random.choice(("north", "north", *TEAMS))
        rep = self.random.choice((*PEOPLE, *STRANGERS))
        principle = self.random.choice((*PRINCIPLES, *("no-pressure", "own-goals", "respect-time") * 5))
        name = self.random.choice(("standard.stated", "push.directed", "coaching.given", "recognition.given"))
        time = self.moment("joined") if name == "standard.stated" else self.moment()
        if name == "push.directed":
            self.add(name, leader, self.remember("push", time), {"team": team})
        elif name == "standard.stated":
            stated = "own-goals" if principle == "walk-the-talk" else principle
            self.add(name, leader, time, {"team": team, "principle": stated})
        elif name == "coaching.given":
            self.add(name, leader, self.remember("coaching", time), {"rep": rep, "principle": principle})
        else:
            named = {} if self.rarely(3) else {"principle": principle}
            data = {"rep": rep, "for": self.random.choice(("behaviour", "result")), **named}
            self.add(name, leader, time, data)

    def assignment(self) -> None:
        """A customer is given to someone, who then owns its silences."""
        self.add("customer.assigned", self.random.choice(CUSTOMERS), self.moment(), {"rep": self.random.choice(PEOPLE)})

    def retraction(self) -> None:
        """Some act was never done; or a copy of it is delivered again."""
        act = self.random.choice(self.acts)
        if self.rarely(2):
            self.acts.append(act)
        elif act.name != "act.retracted":
            named = {"retracts_source": act.source, "retracts_id": act.id, "reason": "wrong", "by": "boss"}
            self.add("act.retracted", act.subject, self.moment(), named)


def led_world(random: Random, size: int) -> list[RefAct]:
    """A world of about `size` acts, in shuffled order, with places in the log."""
    composer = LedComposer(random)
    composer.structure()
    moves: list[Callable[[], None]] = [composer.single] * 8 + [composer.leading] * 6 + [composer.story] * 2
    moves += [composer.assignment]
    if size >= 500:
        composer.season()
    while len(composer.acts) < size:
        random.choice(moves)()
        if composer.rarely(15):
            composer.retraction()
    over = [act for act in composer.acts if act.time < START + 700 * DAY]  # nothing may lie ahead
    acts = random.sample(over, len(over))
    return [replace(act, partition=sum(act.subject.encode()) % 4, offset=place) for place, act in enumerate(acts)]


def random_led_world(seed: int, size: int = 300) -> list[RefAct]:
    """The world of a seed."""
    return led_world(Random(seed), size)


def random_view(random: Random, acts: list[RefAct]) -> tuple[date, date, int]:
    """A period and an *as of* at which something changes: days of acts and windows, an instant or a microsecond off."""
    times = [act.time for act in acts]
    edges = [act.time for act in acts if act.name in ("team.joined", "team.left", "push.directed", "coaching.given")]
    one = day_of(random.choice((START, random.choice(edges))))
    to = one + timedelta(days=random.choice((1, 31, 90, 182, 366, 500, 500)))
    if random.randrange(4) == 0:
        to = max(day_of(random.choice(times)), one + timedelta(days=1))
    yes = [act.time for act in acts if act.name in ("decision.made", "order.placed")] or times
    exact = random.choice(
        (
            random.choice(times),
            random.choice(edges) + random.choice((0, 14, 28)) * DAY,
            random.choice(yes) + 365 * DAY,
            midnight(to),
        )
    )
    as_of = random.choice((max(times) + 800 * DAY, max(times) + 800 * DAY, exact, exact - 1, exact + 1))
    return one, to, as_of
