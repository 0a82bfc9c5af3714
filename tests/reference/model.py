"""The reference model of signals: domain.md §§2–3 written down sentence by sentence.

It exists to be compared with the production model, so it shares no code with it and is plain to a fault: every
question is asked of the whole list of acts again, whatever that costs. Each rule quotes the text it follows.
All instants are microseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

HOUR = 3_600 * 1_000_000
DAY = 24 * HOUR

# §1, the rows of the catalogue in their order.
CATALOGUE = (
    "contact.made",
    "contact.received",
    "question.asked",
    "question.answered",
    "need.established",
    "need.ruled_out",
    "prospect.qualified",
    "meeting.held",
    "path.agreed",
    "solution.recommended",
    "proposal.made",
    "special.promoted",
    "urgency.pressed",
    "goal.appealed",
    "hesitation.voiced",
    "hesitation.explored",
    "decision.made",
    "order.placed",
    "prospect.released",
    "referral.given",
    "service.given",
    "customer.known",
    "customer.assigned",
    "standard.stated",
    "push.directed",
    "coaching.given",
    "recognition.given",
    "team.formed",
    "team.left",
    "team.joined",
    "act.retracted",
    "act.disputed",
    "person.erased",
)
# "*Customer-facing* acts are the rows from `contact.made` to `service.given`."
CUSTOMER_FACING = frozenset(CATALOGUE[: CATALOGUE.index("service.given") + 1])

# §1: "A field marked † is personal". (`customer.known` and `team.joined` mark `name`.)
PERSONAL_FIELDS = ("text", "concern", "reason", "name")
NOT_PERSONAL = {
    ("act.retracted", "reason"),
    ("act.disputed", "reason"),
    ("person.erased", "reason"),
    ("team.formed", "name"),
}

PRINCIPLES = (
    "own-goals",
    "ask-first",
    "no-pressure",
    "qualify",
    "right-solution",
    "respect-time",
    "two-way",
    "long-view",
    "welcome-hesitation",
    "follow-through",
    "accept-decisions",
    "no-invented-need",
    "aim-to-serve",
    "serve-customers",
    "walk-the-talk",
)

# §3: reason -> (principle, verdict, the act named in "(…, no `act`)").
REASONS: dict[str, tuple[str, str, str | None]] = {
    "goal_appeal": ("own-goals", "breached", None),
    "sold_without_appeal": ("own-goals", "kept", "goal.appealed"),
    "asked_first": ("ask-first", "kept", None),
    "offered_unasked": ("ask-first", "breached", "question.asked"),
    "pressed": ("no-pressure", "breached", None),
    "special_met_need": ("no-pressure", "kept", None),
    "pushed_special": ("no-pressure", "breached", "need.established"),
    "unpressed_decision": ("no-pressure", "kept", "urgency.pressed"),
    "goaded": ("no-pressure", "breached", None),
    "qualified_first": ("qualify", "kept", None),
    "offered_unqualified": ("qualify", "breached", "prospect.qualified"),
    "chased_unfit": ("qualify", "breached", None),
    "released_unfit": ("qualify", "kept", None),
    "nothing_fits": ("right-solution", "kept", None),
    "fits": ("right-solution", "kept", None),
    "sold_what_they_could": ("right-solution", "breached", "need.established"),
    "sold_everything": ("right-solution", "breached", "need.established"),
    "on_time": ("respect-time", "kept", None),
    "overran": ("respect-time", "breached", None),
    "pointless_question": ("respect-time", "breached", None),
    "premature_proposal": ("respect-time", "breached", "need.established"),
    "timely_proposal": ("respect-time", "kept", None),
    "decision_process_unknown": ("respect-time", "breached", "question.asked"),
    "answered": ("two-way", "kept", None),
    "unanswered": ("two-way", "breached", "question.answered"),
    "other_channel": ("two-way", "breached", None),
    "offered_channel": ("two-way", "kept", None),
    "repeat_order": ("long-view", "kept", None),
    "referral": ("long-view", "kept", None),
    "stayed": ("long-view", "kept", None),
    "moved_on": ("long-view", "breached", "service.given"),
    "explored": ("welcome-hesitation", "kept", None),
    "pressed_on": ("welcome-hesitation", "breached", None),
    "followed_to_decision": ("follow-through", "kept", None),
    "gave_up_early": ("follow-through", "breached", "contact.made"),
    "persisted": ("follow-through", "kept", None),
    "crossed_the_line": ("follow-through", "breached", None),
    "pushed_after_no": ("accept-decisions", "breached", None),
    "let_go": ("accept-decisions", "kept", "contact.made"),
    "pushed_before_date": ("accept-decisions", "breached", None),
    "waited": ("accept-decisions", "kept", "contact.made"),
    "invented_need": ("no-invented-need", "breached", None),
    "left_alone": ("no-invented-need", "kept", "proposal.made"),
    "served_anyway": ("aim-to-serve", "kept", None),
    "missed_to_serve": ("aim-to-serve", "breached", "service.given"),
    "helped": ("serve-customers", "kept", None),
    "left_waiting": ("serve-customers", "breached", "service.given"),
}

# §3: "but a breach by silence (`gave_up_early`, `unanswered`, `left_waiting`, `moved_on`, `missed_to_serve`) is that of
# the rep of the latest `customer.assigned` strictly before its time, if there is one."
BREACHES_BY_SILENCE = frozenset({"gave_up_early", "unanswered", "left_waiting", "moved_on", "missed_to_serve"})


@dataclass(frozen=True)
class RefAct:
    """One record of the log. `name` is the type without `exemplar.` and `.v1`; a null in `data` counts as absent."""

    partition: int
    offset: int
    name: str
    source: str
    id: str
    subject: str
    time: int
    data: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        """§2: "An act is known by `subject`, `source` and `id`."."""
        return self.subject, self.source, self.id

    @property
    def deal(self) -> str | None:
        """The opportunity it belongs to, if it names one."""
        deal: str | None = self.data.get("deal")
        return deal

    @property
    def rep(self) -> str:
        """The person who acted or, for the customer's own acts, the rep they dealt with."""
        rep: str = self.data["rep"]
        return rep


@dataclass(frozen=True, order=True)
class RefSignal:
    """One judgement. `verdict` is kept, breached or not_recorded; `at` and `belongs` are instants.

    `belongs` is the time that decides the stay (§4 Membership); `evidence` is (source, id) of the acts in the order of
    §2, without repeats. Use `signal_order` to sort a mixed list: `customer` may be None.
    """

    subject: str
    person: str
    customer: str | None
    principle: str
    verdict: str
    reason: str
    at: int
    belongs: int
    evidence: tuple[tuple[str, str], ...]


def signal_order(signal: RefSignal) -> tuple[Any, ...]:
    """A total order of signals, for comparing two lists of them."""
    return (
        signal.subject,
        signal.person,
        signal.customer or "",
        signal.principle,
        signal.verdict,
        signal.reason,
        signal.at,
        signal.belongs,
        signal.evidence,
    )


# --- §2: the set of acts -------------------------------------------------------------------------------------------


def act_order(act: RefAct) -> tuple[int, int, bytes, bytes]:
    """§2: "(`time` as an instant, row of the table above, `source`, `id`), the last two compared as UTF-8 bytes."."""
    return act.time, CATALOGUE.index(act.name), act.source.encode(), act.id.encode()


def in_order(acts: Iterable[RefAct]) -> list[RefAct]:
    """§2: "Acts are taken in the order …"."""
    return sorted(acts, key=act_order)


def before(a: RefAct, b: RefAct) -> bool:
    """§2: ""After", "before", "first", "latest" mean in that order."."""
    return act_order(a) < act_order(b)


def within(a: RefAct, window: int, t: RefAct) -> bool:
    """§2: ""within W of T" means after it and at or before T + W"."""
    return before(t, a) and a.time <= t.time + window


def in_the_window_before(a: RefAct, window: int, t: RefAct) -> bool:
    """§2: ""in the W before T" before it and at or after T − W"."""
    return before(a, t) and a.time >= t.time - window


def first(acts: Iterable[RefAct]) -> RefAct | None:
    """The first of them in the order of §2, if any."""
    return min(acts, key=act_order, default=None)


def latest(acts: Iterable[RefAct]) -> RefAct | None:
    """The latest of them in the order of §2, if any."""
    return max(acts, key=act_order, default=None)


def _json(value: Any) -> Any:
    """A JSON value such that equal values are written alike: 1 and 1.0 are the same number, true and 1 are not."""
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _content(act: RefAct, without: Iterable[str] = ()) -> tuple[str, int, str]:
    """§2: "same `type`, instant and `data` as JSON values before encryption, absent and null alike"."""
    data = {field: value for field, value in act.data.items() if field not in without}
    return act.name, act.time, json.dumps(_json(data), sort_keys=True)


def is_copy(counting: RefAct, later: RefAct, erased: set[str]) -> bool:
    """Whether two acts of one key are copies; otherwise the later one is a conflict.

    §7: "A later † field of an erased person is accepted, kept as null and not compared."
    """
    person = later.data.get("person") if later.name == "team.joined" else later.subject
    not_compared = [
        field
        for field in PERSONAL_FIELDS
        if person in erased
        and (later.name, field) not in NOT_PERSONAL
        and field in later.data
        and later.data[field] is None
    ]
    return _content(counting, not_compared) == _content(later, not_compared)


def count_acts(acts: Iterable[RefAct]) -> tuple[list[RefAct], set[tuple[str, str, str]], list[RefAct]]:
    """The acts that count (in the order of §2, subject by subject), the keys of the retracted ones, and the conflicts.

    Retractions and erasures are themselves among the acts that count.
    """
    log = sorted(acts, key=lambda act: (act.partition, act.offset))
    erased = {act.subject for act in log if act.name == "person.erased"}
    counting: dict[tuple[str, str, str], RefAct] = {}
    conflicts: list[RefAct] = []
    for act in log:
        # "Copies of it … count once; of differing ones the first in the log counts (all are in one partition), the
        # others are conflicts and have no effect."
        if act.key not in counting:
            counting[act.key] = act
        elif not is_copy(counting[act.key], act, erased):
            conflicts.append(act)
    retracted = set()
    for act in counting.values():
        # "A retraction makes the act of its own subject that it names count as never done, whenever it arrives, before
        # its act too, and whatever its own time; retractions and erasures cannot be retracted."
        if act.name == "act.retracted":
            named = counting.get((act.subject, act.data["retracts_source"], act.data["retracts_id"]))
            if named is not None and named.name not in ("act.retracted", "person.erased"):
                retracted.add(named.key)
    left = [act for act in counting.values() if act.key not in retracted]
    return sorted(left, key=lambda act: (act.subject, act_order(act))), retracted, conflicts


# --- §2: definitions -----------------------------------------------------------------------------------------------


def instant_of(day: str) -> int:
    """A date's 00:00 UTC, in microseconds."""
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return int(midnight.timestamp()) * 1_000_000


def is_selling_act(act: RefAct) -> bool:
    """*selling act*: "`contact.made` with purpose introduce, explore, follow_up, propose or promote;
    `solution.recommended` with at least one item; `proposal.made`; `special.promoted`; `urgency.pressed`;
    `goal.appealed`."
    """
    if act.name == "contact.made":
        return act.data["purpose"] in ("introduce", "explore", "follow_up", "propose", "promote")
    if act.name == "solution.recommended":
        return len(act.data["items"]) >= 1
    return act.name in ("proposal.made", "special.promoted", "urgency.pressed", "goal.appealed")


def is_offer(act: RefAct) -> bool:
    """*offer*: "`solution.recommended` with at least one item, or `proposal.made`."."""
    return (act.name == "solution.recommended" and len(act.data["items"]) >= 1) or act.name == "proposal.made"


def is_touch(act: RefAct) -> bool:
    """*touch*: "`contact.made` or `meeting.held`."."""
    return act.name in ("contact.made", "meeting.held")


def is_sales_touch(act: RefAct) -> bool:
    """*Sales touch*: "a touch with purpose introduce, explore, follow_up, propose or promote."."""
    return is_touch(act) and act.data["purpose"] in ("introduce", "explore", "follow_up", "propose", "promote")


def is_no_need(act: RefAct) -> bool:
    """*no-need*: "a `need.ruled_out` without `need`"."""
    return act.name == "need.ruled_out" and act.data.get("need") is None


def is_decision(act: RefAct, *outcomes: str) -> bool:
    """A `decision.made` with one of these outcomes."""
    return act.name == "decision.made" and act.data["outcome"] in outcomes


def is_unfit(act: RefAct) -> bool:
    """A `prospect.qualified` that says unfit."""
    return act.name == "prospect.qualified" and act.data["outcome"] == "unfit"


def deals_concern(one: str | None, other: str | None) -> bool:
    """*concern*: "if they carry the same `deal`, or if one of them carries none."."""
    return one == other or one is None or other is None


def concern(a: RefAct, b: RefAct) -> bool:
    """*concern*: "two acts of a relationship concern each other if …"."""
    return deals_concern(a.deal, b.deal)


def ends_attempt(act: RefAct) -> bool:
    """*attempt*: "ends with (and includes) a `decision.made` with outcome accepted or declined, or a
    `prospect.released`".
    """
    return is_decision(act, "accepted", "declined") or act.name == "prospect.released"


@dataclass(frozen=True)
class Attempt:
    """Acts of one deal (or of none), in the order of §2, up to and with the act that ends it."""

    deal: str | None
    acts: list[RefAct]

    @property
    def end(self) -> RefAct | None:
        """The act that ends it, if it has ended."""
        return self.acts[-1] if ends_attempt(self.acts[-1]) else None


def divide_into_attempts(acts: list[RefAct]) -> list[Attempt]:
    """*attempt*: "the acts of a relationship with the same `deal`, and likewise those without one, divide into
    attempts. … the next of these acts begins the next one."
    """
    attempts = []
    for deal in {act.deal for act in acts}:
        current: list[RefAct] = []
        for act in in_order(act for act in acts if act.deal == deal):
            current.append(act)
            if ends_attempt(act):
                attempts.append(Attempt(deal, current))
                current = []
        if current:
            attempts.append(Attempt(deal, current))
    return attempts


def counted_sales_touches(attempt: Attempt) -> list[RefAct]:
    """ "Where sales touches are counted, one less than an hour after the last counted one of its attempt does not
    count (a redial), nor can it cross the line."
    """
    counted: list[RefAct] = []
    for act in attempt.acts:
        if is_sales_touch(act) and not (counted and act.time - counted[-1].time < HOUR):
            counted.append(act)
    return counted


class Relationship:
    """All counting customer-facing acts with one customer, and the questions §2 defines on them."""

    def __init__(self, customer: str, acts: Iterable[RefAct], assignments: Iterable[RefAct]) -> None:
        self.customer = customer
        self.acts = in_order(acts)
        self.assignments = in_order(assignments)
        self.attempts = divide_into_attempts(self.acts)

    def all(self, name: str) -> list[RefAct]:
        """The acts of this name."""
        return [act for act in self.acts if act.name == name]

    def attempt_of(self, act: RefAct) -> Attempt:
        """The attempt an act belongs to."""
        return next(attempt for attempt in self.attempts if any(other.key == act.key for other in attempt.acts))

    def names(self, act: RefAct, field: str) -> list[RefAct]:
        """§1: "A reference to another act by id (`during`, `answers`, `hesitation`) names the acts of the relationship
        with this id, of the same source if there are any, else of whatever source; their time does not matter."
        """
        reference = act.data.get(field)
        if reference is None:
            return []
        with_this_id = [other for other in self.acts if other.id == reference]
        return [other for other in with_this_id if other.source == act.source] or with_this_id

    def does_name(self, act: RefAct, field: str, other: RefAct) -> bool:
        """Whether an act names another in one of its fields."""
        return any(named.key == other.key for named in self.names(act, field))

    def live_needs(self, at: RefAct) -> set[str]:
        """*live needs* at an act: "those established before it in the relationship and not ruled out since (a
        `need.ruled_out` without `need`, a *no-need*, rules out all that were established before it and concern it)."
        """
        live = set()
        for established in self.all("need.established"):
            ruled_out = any(
                before(established, out)
                and before(out, at)
                and (concern(established, out) if is_no_need(out) else out.data["need"] == established.data["need"])
                for out in self.all("need.ruled_out")
            )
            if before(established, at) and not ruled_out:
                live.add(established.data["need"])
        return live

    def first_offer(self, attempt: Attempt) -> RefAct | None:
        """The first offer of an attempt."""
        return first(act for act in attempt.acts if is_offer(act))

    def is_walk_in(self, attempt: Attempt) -> bool:
        """*walk-in*: "an attempt whose first offer comes within 24 h after a `contact.received` that concerns it (the
        latest such), with no sales touch of the attempt before that offer, and with a `decision.made` or
        `order.placed` of the attempt within 24 h after that contact."
        """
        offer = self.first_offer(attempt)
        if offer is None:
            return False
        contact = latest(
            act
            for act in self.all("contact.received")
            if deals_concern(act.deal, attempt.deal) and within(offer, 24 * HOUR, act)
        )
        if contact is None:
            return False
        if any(is_sales_touch(act) and before(act, offer) for act in attempt.acts):
            return False
        return any(
            act.name in ("decision.made", "order.placed") and within(act, 24 * HOUR, contact) for act in attempt.acts
        )

    def reopening(self, decision: RefAct) -> RefAct | None:
        """*reopened*, after a decline or a deferral: "the first later act that concerns it and is a
        `contact.received`, `order.placed`, `need.established`, or `decision.made` of any outcome."
        """
        return first(
            act
            for act in self.acts
            if before(decision, act)
            and concern(act, decision)
            and act.name in ("contact.received", "order.placed", "need.established", "decision.made")
        )


@dataclass(frozen=True)
class Draft:
    """A signal before its person, time and recording are settled.

    `judged` is the act whose rep it is, `occasion` the act whose source decides whether the absence was recorded, `at`
    the time where it is not that of the last act in the evidence.
    """

    reason: str
    occasion: RefAct
    evidence: tuple[RefAct, ...]
    judged: RefAct
    at: int | None = None


def _on(o: RefAct, reason: str, *evidence: RefAct, at: int | None = None) -> Draft:
    """A signal of the rep of *o*: §3 "and of *o* otherwise"."""
    return Draft(reason, o, evidence or (o,), o, at)


def _by(o: RefAct, a: RefAct, reason: str) -> Draft:
    """A signal of the rep of *a*, with evidence [o, a]: §3 "the `rep` of *a* where *a* is the act judged"."""
    return Draft(reason, o, (o, a), a)


# --- §3: the principles --------------------------------------------------------------------------------------------


def own_goals(r: Relationship) -> Iterator[Draft]:
    """`own-goals`."""
    for o in r.all("goal.appealed"):
        # "each `goal.appealed` → breached (`goal_appeal`) [o]."
        yield _on(o, "goal_appeal")
    for o in r.all("contact.made"):
        # "Each `contact.made` that is a selling act and is not named in `during` by a `goal.appealed` of the
        # relationship → kept (`sold_without_appeal`, no `goal.appealed`) [o]."
        if is_selling_act(o) and not any(r.does_name(goal, "during", o) for goal in r.all("goal.appealed")):
            yield _on(o, "sold_without_appeal")


def ask_first(r: Relationship) -> Iterator[Draft]:
    """`ask-first`."""
    for attempt in r.attempts:
        # "the first offer of each attempt that is no walk-in"
        o = r.first_offer(attempt)
        if o is None or r.is_walk_in(attempt):
            continue
        # "→ kept (`asked_first`) [the latest such question on each of the two, o] if in the 180 days before it the
        # relationship has a `question.asked` on problem, limitation, concern, performance_gap or challenge, and one on
        # motivation;"
        questions = [act for act in r.all("question.asked") if in_the_window_before(act, 180 * DAY, o)]
        problems = ("problem", "limitation", "concern", "performance_gap", "challenge")
        problem = latest(act for act in questions if act.data["topic"] in problems)
        motivation = latest(act for act in questions if act.data["topic"] == "motivation")
        if problem is not None and motivation is not None:
            yield _on(o, "asked_first", problem, motivation, o)
        else:
            # "else breached (`offered_unasked`, no `question.asked`) [o]."
            yield _on(o, "offered_unasked")


def is_met_special(r: Relationship, special: RefAct) -> bool:
    """ "if one of its `needs` is live"."""
    return any(need in r.live_needs(special) for need in special.data["needs"])


def no_pressure(r: Relationship, recorded: Callable[[RefAct, str], bool]) -> Iterator[Draft]:
    """`no-pressure`, but for the leader's `push.directed`."""
    for o in r.all("urgency.pressed"):
        # "each `urgency.pressed` → breached (`pressed`) [o]."
        yield _on(o, "pressed")
    for o in r.all("special.promoted"):
        # "Each `special.promoted` → kept (`special_met_need`) [o] if one of its `needs` is live, else breached
        # (`pushed_special`, no `need.established`) [o]."
        yield _on(o, "special_met_need" if is_met_special(r, o) else "pushed_special")
    for attempt in r.attempts:
        # "Each `decision.made` accepted or declined, in an attempt with a selling act, no `urgency.pressed` and no
        # breaching `special.promoted` → kept (`unpressed_decision`, no `urgency.pressed`) [o]."
        # A special whose breach is not drawn because needs are not recorded is taken as not breaching.
        breaching = [
            act
            for act in attempt.acts
            if act.name == "special.promoted" and not is_met_special(r, act) and recorded(act, "need.established")
        ]
        for o in attempt.acts:
            if (
                is_decision(o, "accepted", "declined")
                and any(is_selling_act(act) for act in attempt.acts)
                and not any(act.name == "urgency.pressed" for act in attempt.acts)
                and not breaching
            ):
                yield _on(o, "unpressed_decision")


def qualify(r: Relationship) -> Iterator[Draft]:
    """`qualify`."""
    verdicts = r.all("prospect.qualified")
    for attempt in r.attempts:
        # "the first offer of each attempt that is no walk-in, in a relationship without an earlier `order.placed`"
        o = r.first_offer(attempt)
        if o is None or r.is_walk_in(attempt) or any(before(order, o) for order in r.all("order.placed")):
            continue
        # "→ kept (`qualified_first`) [the verdict, o] if the latest `prospect.qualified` before it that concerns it
        # says fit, else breached (`offered_unqualified`, no `prospect.qualified`) [o]."
        verdict = latest(act for act in verdicts if before(act, o) and concern(act, o))
        if verdict is not None and verdict.data["outcome"] == "fit":
            yield _on(o, "qualified_first", verdict, o)
        else:
            yield _on(o, "offered_unqualified")
    yield from _chased_unfit(r)
    for o in r.all("prospect.released"):
        # "A `prospect.released` while the latest verdict that concerns it is unfit and no other release that concerns
        # it came since → kept (`released_unfit`) [the verdict, o]."
        verdict = latest(act for act in verdicts if before(act, o) and concern(act, o))
        if verdict is None or not is_unfit(verdict):
            continue
        others = [act for act in r.all("prospect.released") if concern(act, o)]
        if not any(before(verdict, act) and before(act, o) for act in others):
            yield _on(o, "released_unfit", verdict, o)


def _chased_unfit(r: Relationship) -> Iterator[Draft]:
    for o in r.acts:
        if not is_unfit(o):
            continue
        # "Each `prospect.qualified` unfit: each selling act within 180 days that concerns it, before the next
        # `prospect.qualified` or `contact.received` that concerns it, and that is not the first offer of its attempt
        # → breached (`chased_unfit`) [o, a]."
        stop = first(
            act
            for act in r.acts
            if act.name in ("prospect.qualified", "contact.received") and before(o, act) and concern(act, o)
        )
        for a in r.acts:
            if not (is_selling_act(a) and within(a, 180 * DAY, o) and concern(a, o)):
                continue
            if stop is not None and not before(a, stop):
                continue
            offer = r.first_offer(r.attempt_of(a))
            if offer is None or offer.key != a.key:
                yield _by(o, a, "chased_unfit")


def right_solution(r: Relationship) -> Iterator[Draft]:
    """`right-solution`."""
    for o in r.all("solution.recommended"):
        # "each `solution.recommended` without items → kept (`nothing_fits`) [o]."
        if not o.data["items"]:
            yield _on(o, "nothing_fits")
    for o in r.acts:
        if not is_offer(o):
            continue
        # "Each offer: every item has a live need among its `needs` → kept (`fits`); no item has → breached
        # (`sold_what_they_could`, no `need.established`); only some have → breached (`sold_everything`, no
        # `need.established`) [o each]."
        live = r.live_needs(o)
        met = [any(need in live for need in item["needs"]) for item in o.data["items"]]
        yield _on(o, "fits" if all(met) else "sold_everything" if any(met) else "sold_what_they_could")


def respect_time(r: Relationship) -> Iterator[Draft]:
    """`respect-time`."""
    for o in r.all("meeting.held"):
        # "each `meeting.held` → kept (`on_time`) [o] if actual − asked ≤ 5 minutes or ≤ 10 % of asked, or with
        # `extended_by_customer`, else breached (`overran`) [o]."
        over = o.data["actual_minutes"] - o.data["asked_minutes"]
        on_time = over <= 5 or over * 10 <= o.data["asked_minutes"] or o.data.get("extended_by_customer") is True
        yield _on(o, "on_time" if on_time else "overran")
    for o in r.all("question.asked"):
        # "Each `question.asked` with topic none → breached (`pointless_question`) [o]."
        if o.data["topic"] == "none":
            yield _on(o, "pointless_question")
    for o in r.all("proposal.made"):
        # "Each `proposal.made`: no live need → breached (`premature_proposal`, no `need.established`) [o];"
        mechanism = latest(
            act
            for act in r.acts
            if before(act, o)
            and ((act.name == "question.asked" and act.data["topic"] == "mechanism") or act.name == "path.agreed")
        )
        if not r.live_needs(o):
            yield _on(o, "premature_proposal")
        elif mechanism is not None:
            # "else, with a `question.asked` on mechanism or a `path.agreed` before it in the relationship → kept
            # (`timely_proposal`) [the latest such, o];"
            yield _on(o, "timely_proposal", mechanism, o)
        elif not r.is_walk_in(r.attempt_of(o)):
            # "else, in a walk-in → no signal; else breached (`decision_process_unknown`, no `question.asked`) [o]."
            yield _on(o, "decision_process_unknown")


def two_way(r: Relationship) -> Iterator[Draft]:
    """`two-way`."""
    for o in r.all("contact.received"):
        # "each `contact.received` with `asks`: the first `question.answered` naming it within 96 h → kept (`answered`)
        # [o, a]; none → breached (`unanswered`, no `question.answered`) [o] at + 96 h."
        if o.data.get("asks") is True:
            a = first(
                act
                for act in r.all("question.answered")
                if r.does_name(act, "answers", o) and within(act, 96 * HOUR, o)
            )
            yield _on(o, "unanswered", at=o.time + 96 * HOUR) if a is None else _by(o, a, "answered")
        if o.data.get("offered_channel") is not None:
            yield from _offered_channel(r, o)


def _offered_channel(r: Relationship, o: RefAct) -> Iterator[Draft]:
    """ "Each `contact.received` with `offered_channel`, for 30 days, until the next such act or until the offer is met
    by a touch on the offered channel (an offered meeting or calendar is met by any `meeting.held`): each
    `contact.made` that is a selling act, on another channel → breached (`other_channel`) [o, a]; the touch that meets
    it → kept (`offered_channel`) [o, a]."
    """
    offered = o.data["offered_channel"]
    next_offer = first(
        act for act in r.all("contact.received") if before(o, act) and act.data.get("offered_channel") is not None
    )
    for a in r.acts:
        if not within(a, 30 * DAY, o) or (next_offer is not None and not before(a, next_offer)):
            continue
        by_meeting = offered in ("meeting", "calendar") and a.name == "meeting.held"
        if is_touch(a) and (a.data["channel"] == offered or by_meeting):
            yield _by(o, a, "offered_channel")
            return
        if a.name == "contact.made" and is_selling_act(a):
            yield _by(o, a, "other_channel")


def long_view(r: Relationship) -> Iterator[Draft]:
    """`long-view`."""
    orders = r.all("order.placed")
    for o in orders:
        # "each `order.placed` with another more than 24 h before it in the relationship → kept (`repeat_order`) [the
        # latest such, o]."
        earlier = latest(order for order in orders if order.time < o.time - 24 * HOUR)
        if earlier is not None:
            yield _on(o, "repeat_order", earlier, o)
    for o in r.all("referral.given"):
        # "Each `referral.given` → kept (`referral`) [o]."
        yield _on(o, "referral")
    for o in orders:
        # "Each `order.placed`, for 90 days or until the next `order.placed`: the first `service.given`, `meeting.held`
        # (any purpose), or `contact.made` with purpose serve, thank or follow_up → kept (`stayed`) [o, a]; the 90 days
        # over without one → breached (`moved_on`, no `service.given`) [o] at + 90 days; ended by the next order → no
        # signal."
        next_order = first(order for order in orders if within(order, 90 * DAY, o))
        a = first(
            act
            for act in r.acts
            if within(act, 90 * DAY, o)
            and (next_order is None or before(act, next_order))
            and (
                act.name in ("service.given", "meeting.held")
                or (act.name == "contact.made" and act.data["purpose"] in ("serve", "thank", "follow_up"))
            )
        )
        if a is not None:
            yield _by(o, a, "stayed")
        elif next_order is None:
            yield _on(o, "moved_on", at=o.time + 90 * DAY)


def is_pressing(act: RefAct) -> bool:
    """ "a *pressing* act (any offer, `special.promoted`, `urgency.pressed`, `goal.appealed`, `contact.made` to propose
    or promote)".
    """
    if act.name == "contact.made":
        return act.data["purpose"] in ("propose", "promote")
    return is_offer(act) or act.name in ("special.promoted", "urgency.pressed", "goal.appealed")


def welcome_hesitation(r: Relationship) -> Iterator[Draft]:
    """`welcome-hesitation`."""
    for o in r.all("hesitation.voiced"):
        # "each `hesitation.voiced`: of the acts after it that concern it, before the next `hesitation.voiced` that
        # does, the first among `hesitation.explored` naming it or `question.asked` not on none → kept (`explored`)
        # [o, a], or a *pressing* act … → breached (`pressed_on`) [o, a]. Neither → no signal."
        following = [act for act in r.acts if before(o, act) and concern(act, o)]
        for a in following:
            if a.name == "hesitation.voiced":
                break
            if (a.name == "hesitation.explored" and r.does_name(a, "hesitation", o)) or (
                a.name == "question.asked" and a.data["topic"] != "none"
            ):
                yield _by(o, a, "explored")
                break
            if is_pressing(a):
                yield _by(o, a, "pressed_on")
                break


@dataclass(frozen=True)
class Silence:
    """A silence of an attempt: when it begins, and all acts of the relationship up to its beginning."""

    begins: int
    so_far: list[RefAct]


def silences(r: Relationship, attempt: Attempt) -> list[Silence]:
    """*Silence*: "it begins at an act of an attempt, at or after its first sales touch but not the act that ends the
    attempt, or, if it has not ended by then, at the `until` of a deferral in it that was not reopened by then, with no
    act of the relationship in the 30 days after."
    """
    found = []
    first_touch = first(act for act in attempt.acts if is_sales_touch(act))
    if first_touch is None:
        return []
    for act in attempt.acts:
        quiet = not any(within(other, 30 * DAY, act) for other in r.acts)
        if quiet and not before(act, first_touch) and not ends_attempt(act):
            found.append(Silence(act.time, [other for other in r.acts if not before(act, other)]))
    for deferral in attempt.acts:
        if not is_decision(deferral, "deferred"):
            continue
        until = instant_of(deferral.data["until"])
        reopening = r.reopening(deferral)
        ended = attempt.end is not None and attempt.end.time <= until
        reopened = reopening is not None and reopening.time <= until
        quiet = not any(until < other.time <= until + 30 * DAY for other in r.acts)
        # A silence has a last sales touch before it, so the attempt's first one cannot come after `until`.
        if not ended and not reopened and quiet and first_touch.time <= until:
            found.append(Silence(until, [other for other in r.acts if other.time <= until]))
    return sorted(found, key=lambda silence: silence.begins)


def is_excused(r: Relationship, attempt: Attempt, silence: Silence) -> bool:
    """ "It is excused …" — each clause of the sentence in its order."""
    so_far = silence.so_far
    keys = {act.key for act in attempt.acts}
    own = [act for act in so_far if act.key in keys]
    concerning = [act for act in so_far if deals_concern(act.deal, attempt.deal)]

    def not_reopened(decision: RefAct) -> bool:
        reopening = r.reopening(decision)
        return reopening is None or all(act.key != reopening.key for act in so_far)

    verdict = latest(act for act in concerning if act.name == "prospect.qualified")
    return any(
        (
            # "while a decline that concerns the attempt is not reopened,"
            any(is_decision(act, "declined") and not_reopened(act) for act in concerning),
            # "until the `until` of a deferral that concerns it and is not reopened,"
            any(
                is_decision(act, "deferred") and silence.begins < instant_of(act.data["until"]) and not_reopened(act)
                for act in concerning
            ),
            # "while the latest `prospect.qualified` that concerns it says unfit,"
            verdict is not None and is_unfit(verdict),
            # "after a no-need that concerns it until the next `need.established`,"
            any(
                is_no_need(act) and not any(other.name == "need.established" and before(act, other) for other in so_far)
                for act in concerning
            ),
            # "if the attempt has an `order.placed` so far,"
            any(act.name == "order.placed" for act in own),
            # "in a relationship with an earlier `order.placed`,"
            any(act.name == "order.placed" for act in so_far),
            # "if the attempt has no offer so far,"
            not any(is_offer(act) for act in own),
            # "and after a `decision.made` accepted or a `prospect.released` that concerns it until the attempt's next
            # sales touch."
            any(
                (is_decision(act, "accepted") or act.name == "prospect.released")
                and not any(is_sales_touch(other) and before(act, other) for other in own)
                for act in concerning
            ),
        )
    )


def follow_through(r: Relationship) -> Iterator[Draft]:
    """`follow-through`."""
    for attempt in r.attempts:
        for o in attempt.acts:
            # "each `decision.made` accepted or declined, with at least one sales touch earlier in its attempt → kept
            # (`followed_to_decision`) [o]."
            earlier = [act for act in attempt.acts if is_sales_touch(act) and before(act, o)]
            if is_decision(o, "accepted", "declined") and earlier:
                yield _on(o, "followed_to_decision")
        yield from _first_silence(r, attempt)
        yield from _crossed_the_line(r, attempt)


def _first_silence(r: Relationship, attempt: Attempt) -> Iterator[Draft]:
    """ "At the first silence of an attempt that is not excused at its beginning: fewer than 5 sales touches in the
    attempt so far → breached (`gave_up_early`, no `contact.made`), else kept (`persisted`) [the last sales touch
    before the silence] at the silence's beginning + 30 days."
    """
    for silence in silences(r, attempt):
        if is_excused(r, attempt, silence):
            continue
        keys = {act.key for act in silence.so_far}
        counted = [act for act in counted_sales_touches(attempt) if act.key in keys]
        last = latest(act for act in attempt.acts if is_sales_touch(act) and act.key in keys)
        assert last is not None, "a silence begins at or after the attempt's first sales touch"
        reason = "gave_up_early" if len(counted) < 5 else "persisted"
        yield _on(last, reason, last, at=silence.begins + 30 * DAY)
        return


def _crossed_the_line(r: Relationship, attempt: Attempt) -> Iterator[Draft]:
    """ "Each `contact.made` that is a sales touch of an attempt and follows 7 or more of its sales touches made since
    it began, since the last 30 days without an act of the relationship, or since the customer last took part
    (`contact.received`, `meeting.held`, `hesitation.voiced`, `order.placed`, `referral.given` or a deferral, in the
    relationship), whichever is latest → breached (`crossed_the_line`) [o]."
    """
    counted = counted_sales_touches(attempt)
    for o in counted:
        if o.name != "contact.made":
            continue
        earlier = [act for act in r.acts if before(act, o)]
        since = [act for act in counted if before(act, o)]
        for act in earlier:
            # 30 days without an act after this one: what was done up to it is over.
            if not any(within(other, 30 * DAY, act) for other in r.acts):
                since = [touch for touch in since if before(act, touch)]
            took_part = ("contact.received", "meeting.held", "hesitation.voiced", "order.placed", "referral.given")
            if act.name in took_part or is_decision(act, "deferred"):
                since = [touch for touch in since if before(act, touch)]
        if len(since) >= 7:
            yield _on(o, "crossed_the_line")


def accept_decisions(r: Relationship) -> Iterator[Draft]:
    """`accept-decisions`."""
    for o in r.acts:
        if is_decision(o, "declined"):
            yield from _declined(r, o)
        if is_decision(o, "deferred"):
            yield from _deferred(r, o)


def _declined(r: Relationship, o: RefAct) -> Iterator[Draft]:
    reopening = r.reopening(o)
    pushes = [
        act
        for act in r.acts
        if is_selling_act(act) and concern(act, o) and before(o, act) and (reopening is None or before(act, reopening))
    ]
    for a in pushes:
        # "each `decision.made` declined: each selling act within 180 days that concerns it, before it is reopened →
        # breached (`pushed_after_no`) [o, a]."
        if within(a, 180 * DAY, o):
            yield _by(o, a, "pushed_after_no")
    # "If none comes within 30 days of it and before it is reopened → kept (`let_go`, no `contact.made`): [o, the
    # reopening act] if it was reopened within the 30 days, else [o] at + 30 days."
    if not any(within(a, 30 * DAY, o) for a in pushes):
        if reopening is not None and within(reopening, 30 * DAY, o):
            yield _on(o, "let_go", o, reopening)
        else:
            yield _on(o, "let_go", at=o.time + 30 * DAY)


def _deferred(r: Relationship, o: RefAct) -> Iterator[Draft]:
    until = instant_of(o.data["until"])
    reopening = r.reopening(o)
    pushes = [
        act
        for act in r.acts
        if is_selling_act(act)
        and concern(act, o)
        and before(o, act)
        and act.time < until
        and (reopening is None or before(act, reopening))
    ]
    for a in pushes:
        # "Each `decision.made` deferred: each selling act after it that concerns it, before `until` (00:00 UTC of that
        # date) and before it is reopened → breached (`pushed_before_date`) [o, a];"
        yield _by(o, a, "pushed_before_date")
    # "none → kept (`waited`, no `contact.made`): [o, the reopening act] if reopened before `until`, else [o] at
    # `until`."
    if not pushes:
        if reopening is not None and reopening.time < until:
            yield _on(o, "waited", o, reopening)
        else:
            yield _on(o, "waited", at=until)


def no_invented_need(r: Relationship) -> Iterator[Draft]:
    """`no-invented-need`."""
    for o in r.acts:
        if not is_no_need(o):
            continue
        next_act = first(
            act for act in r.acts if before(o, act) and (act.name == "need.established" or is_no_need(act))
        )
        inventions = [
            act
            for act in r.acts
            if (is_offer(act) or act.name in ("special.promoted", "urgency.pressed"))
            and concern(act, o)
            and before(o, act)
            and (next_act is None or before(act, next_act))
        ]
        for a in inventions:
            # "each no-need: each offer, `special.promoted` or `urgency.pressed` within 180 days that concerns it,
            # before the next `need.established` or no-need → breached (`invented_need`) [o, a];"
            if within(a, 180 * DAY, o):
                yield _by(o, a, "invented_need")
        # "none within 30 days and before that next act → kept (`left_alone`, no `proposal.made`): [o, that act] if it
        # came within the 30 days, else [o] at + 30 days."
        if not any(within(a, 30 * DAY, o) for a in inventions):
            if next_act is not None and within(next_act, 30 * DAY, o):
                yield _on(o, "left_alone", o, next_act)
            else:
                yield _on(o, "left_alone", at=o.time + 30 * DAY)


def aim_to_serve(r: Relationship) -> Iterator[Draft]:
    """`aim-to-serve`."""
    for attempt in r.attempts:
        # "the first `decision.made` declined without `no_contact`, or `prospect.qualified` unfit, of each attempt, if a
        # need is live there:"
        o = first(
            act
            for act in attempt.acts
            if (is_decision(act, "declined") and act.data.get("no_contact") is not True) or is_unfit(act)
        )
        if o is None or not r.live_needs(o):
            continue
        # "a `service.given` in the 30 days before it → kept (`served_anyway`) [the latest such, o], person = its rep,
        # at o; else the first within 30 days → kept (`served_anyway`) [o, a]; none → breached (`missed_to_serve`, no
        # `service.given`) [o] at + 30 days."
        services = r.all("service.given")
        earlier = latest(act for act in services if in_the_window_before(act, 30 * DAY, o))
        a = first(act for act in services if within(act, 30 * DAY, o))
        if earlier is not None:
            yield Draft("served_anyway", o, (earlier, o), earlier, o.time)
        elif a is not None:
            yield _by(o, a, "served_anyway")
        else:
            yield _on(o, "missed_to_serve", at=o.time + 30 * DAY)


def serve_customers(r: Relationship) -> Iterator[Draft]:
    """`serve-customers`."""
    for o in r.all("contact.received"):
        # "each `contact.received` with `wants_help`: first `service.given` within 96 h → kept (`helped`) [o, a]; none →
        # breached (`left_waiting`, no `service.given`) [o] at + 96 h."
        if o.data.get("wants_help") is True:
            a = first(act for act in r.all("service.given") if within(act, 96 * HOUR, o))
            yield _on(o, "left_waiting", at=o.time + 96 * HOUR) if a is None else _by(o, a, "helped")


def towards_public(r: Relationship) -> Iterator[Draft]:
    """ "Acts towards `public` are judged each alone: `goal.appealed` → `own-goals` breached, `urgency.pressed` →
    `no-pressure` breached, nothing else."
    """
    for o in r.all("goal.appealed"):
        yield _on(o, "goal_appeal")
    for o in r.all("urgency.pressed"):
        yield _on(o, "pressed")


def _drafts(r: Relationship, recorded: Callable[[RefAct, str], bool]) -> Iterator[Draft]:
    if r.customer == "public":
        yield from towards_public(r)
        return
    yield from no_pressure(r, recorded)
    for rule in (
        own_goals,
        ask_first,
        qualify,
        right_solution,
        respect_time,
        two_way,
        long_view,
        welcome_hesitation,
        follow_through,
        accept_decisions,
        no_invented_need,
        aim_to_serve,
        serve_customers,
    ):
        yield from rule(r)


def _finish(draft: Draft, r: Relationship, recorded: Callable[[RefAct, str], bool]) -> RefSignal:
    """Settles person, time, evidence and whether it is drawn."""
    principle, verdict, absent = REASONS[draft.reason]
    evidence = in_order({act.key: act for act in draft.evidence}.values())
    # "A signal's time is that of the last act in its evidence unless another is given."
    at = evidence[-1].time if draft.at is None else draft.at
    person, belongs = draft.judged.rep, evidence[-1].time
    if draft.reason in BREACHES_BY_SILENCE:
        assigned = latest(act for act in r.assignments if act.time < at)
        if assigned is not None:
            person = assigned.rep
            # §4: "A signal belongs to the stays of its person at the time of the last act in its evidence, or of the
            # `customer.assigned` that made it theirs if that is later".
            belongs = max(belongs, assigned.time)
    # "A signal that rests on the absence of such an act … is not drawn from an occasion of this source (of a silence:
    # the last sales touch before it), nor anything in its stead; the score counts it as not recorded."
    if absent is not None and not recorded(draft.occasion, absent):
        verdict = "not_recorded"
    shown = tuple((act.source, act.id) for act in evidence)
    return RefSignal(r.customer, person, r.customer, principle, verdict, draft.reason, at, belongs, shown)


def signals(acts: Iterable[RefAct], not_recorded: dict[str, set[str]] | None = None) -> list[RefSignal]:
    """All stored signals of these acts, sorted, whatever their time (a reader applies *as of*).

    `not_recorded` is, by source, the names of the acts that it does not record. What is not drawn because of it comes
    with the verdict `not_recorded`. Walk-the-talk is not stored: see `walk_the_talk`.
    """
    policy = not_recorded or {}

    def recorded(occasion: RefAct, absent: str) -> bool:
        return absent not in policy.get(occasion.source, set())

    counting, _, _ = count_acts(acts)
    found = []
    for subject in sorted({act.subject for act in counting}):
        of_subject = [act for act in counting if act.subject == subject]
        facing = [act for act in of_subject if act.name in CUSTOMER_FACING]
        relationship = Relationship(subject, facing, [act for act in of_subject if act.name == "customer.assigned"])
        found += [_finish(draft, relationship, recorded) for draft in _drafts(relationship, recorded)]
        for o in of_subject:
            # "A leader's `push.directed` → breached (`goaded`) [o], person = the leader, no customer."
            if o.name == "push.directed":
                shown = ((o.source, o.id),)
                found.append(
                    RefSignal(subject, subject, None, "no-pressure", "breached", "goaded", o.time, o.time, shown)
                )
    # §1: "`unattributed` is a reserved rep, whose acts count and whose signals are dropped."
    return sorted((signal for signal in found if signal.person != "unattributed"), key=signal_order)


def walk_the_talk(stored: Iterable[RefSignal], acts: Iterable[RefAct]) -> list[RefSignal]:
    """ "each signal of a person on a principle that this person has stated as a standard (`standard.stated`, to any
    team) strictly before the signal's time is also a signal of `walk-the-talk`: same verdict, reason, customer,
    evidence and time. Once stated, always stated."

    What is not recorded is no signal, so it is not repeated here.
    """
    counting, _, _ = count_acts(acts)
    standards = [act for act in counting if act.name == "standard.stated"]
    found = []
    for signal in stored:
        stated = any(
            standard.subject == signal.person
            and standard.data["principle"] == signal.principle
            and standard.time < signal.at
            for standard in standards
        )
        if stated and signal.verdict != "not_recorded":
            found.append(
                RefSignal(
                    signal.subject,
                    signal.person,
                    signal.customer,
                    "walk-the-talk",
                    signal.verdict,
                    signal.reason,
                    signal.at,
                    signal.belongs,
                    signal.evidence,
                )
            )
    return sorted(found, key=signal_order)
