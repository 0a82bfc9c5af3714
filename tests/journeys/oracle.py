"""What a server ought to answer about a log, worked out by the reference model (tests/reference), as JSON values.

Instants are microseconds; signals of the same instant, whose order domain.md leaves open, are sorted.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from tests.journeys.asking import Owner
from tests.journeys.telling import parse
from tests.reference.model import (
    CUSTOMER_FACING,
    NOT_PERSONAL,
    PERSONAL_FIELDS,
    RefAct,
    RefSignal,
    act_order,
    count_acts,
    is_copy,
    latest,
    signals,
    walk_the_talk,
)
from tests.reference.scorecards import (
    RefDifference,
    RefScore,
    RefScorecard,
    Stay,
    belongs_to,
    figures,
    stays,
    teams_below,
)

_ABOUT_OTHERS = ("standard.stated", "push.directed", "coaching.given", "recognition.given")
_ABOUT_TEAMS = ("team.formed", "team.left", "team.joined")


class Oracle:
    """Everything there is to know about a log."""

    def __init__(self, log: Sequence[RefAct], not_recorded: Mapping[str, set[str]]) -> None:
        self.log = sorted(log, key=lambda act: (act.partition, act.offset))
        self.counting, self.retracted, conflicts = count_acts(self.log)
        self.conflicts = {act.key: act for act in reversed(conflicts)}  # the first of each key
        self.shown = {act.key: act for act in reversed(self.log)}
        stored = signals(self.log, dict(not_recorded))
        self.drawn = [signal for signal in stored if signal.verdict != "not_recorded"]
        self.pool = stored + walk_the_talk(stored, self.log)
        self.erased = {act.subject for act in self.log if act.name == "person.erased"}

    # --- cards

    def card(self, owner: Owner, from_: date, to: date, as_of: int) -> RefScorecard:
        """A scorecard."""
        kind, key, deep = owner
        pool = [signal for signal in self.pool if signal.at <= as_of]
        if kind == "person":
            return figures([signal for signal in pool if signal.person == key], from_, to)
        below = teams_below(self.log, key) if deep else [key]
        its_stays = stays(self.log, as_of)
        return figures([signal for signal in pool if belongs_to(signal, its_stays, below)], from_, to)

    # --- teams and persons

    def team_keys(self) -> list[str]:
        """The teams that some act names, by key."""
        acts = self.shown.values()
        named = {act.subject for act in acts if act.name in _ABOUT_TEAMS}
        return sorted(named | _named_in(acts, "team", "parent"))

    def team(self, key: str, as_of: int) -> Any:
        """A team, and who was in it at an instant."""
        formed = {subject: self._formed(subject) for subject in self.team_keys()}
        own = formed[key]
        inside = sorted((stay for stay in stays(self.log, as_of) if _holds(stay, key, as_of)), key=lambda s: s.person)
        parent = None if own is None else own.data.get("parent")
        return {
            "key": key,
            "name": key if own is None else own.data["name"],
            "parent": None if parent is None else {"key": parent},
            "children": [
                {"key": other} for other, act in formed.items() if act is not None and act.data.get("parent") == key
            ],
            "members": [_stay(stay) for stay in inside],
            "leaders": [{"key": stay.person} for stay in inside if stay.role == "leader"],
        }

    def _formed(self, team: str) -> RefAct | None:
        return latest(act for act in self.counting if act.name == "team.formed" and act.subject == team)

    def persons(self) -> list[str]:
        """Those whom some act names as who acted, led or joined."""
        acts = self.shown.values()
        named = {act.subject for act in acts if act.name in _ABOUT_OTHERS}
        return sorted((named | _named_in(acts, "rep", "person")) - {"unattributed"})

    def person(self, key: str, now: int) -> Any:
        """A person's stays and customers."""
        own = sorted((stay for stay in stays(self.log, now) if stay.person == key), key=lambda s: (s.from_, s.team))
        return {
            "key": key,
            "name": self._name("team.joined", "person", key),
            "memberships": [_stay(stay) for stay in own],
            "relationships": sorted({act.subject for act in self._facing() if act.rep == key}),
        }

    def _name(self, name: str, field: str | None, key: str) -> str | None:
        """The name that the latest such act gave someone who was not erased."""
        giving = latest(
            act
            for act in self.counting
            if act.name == name
            and (act.subject if field is None else act.data[field]) == key
            and act.data.get("name") is not None
        )
        return None if giving is None or key in self.erased else giving.data["name"]

    # --- relationships and acts

    def _facing(self) -> list[RefAct]:
        return [act for act in self.shown.values() if act.name in CUSTOMER_FACING]

    def customers(self) -> list[str]:
        """Those with customer-facing acts."""
        return sorted({act.subject for act in self._facing()})

    def relationship(self, customer: str) -> Any:
        """What a relationship says of itself."""
        known = [act for act in self.counting if act.name == "customer.known" and act.subject == customer]
        last = latest(act for act in known if act.data.get("segment") is not None)
        reps = {act.rep for act in self._facing() if act.subject == customer} - {"unattributed"}
        return {
            "customerKey": customer,
            "customerName": self._name("customer.known", None, customer),
            "segment": None if last is None else last.data["segment"],
            "reps": [{"key": rep} for rep in sorted(reps)],
        }

    def relationship_acts(self, customer: str) -> list[Any]:
        """All acts that concern a customer, the newest first."""
        others = (*_ABOUT_OTHERS, *_ABOUT_TEAMS)
        return self._acts(act for act in self.shown.values() if act.subject == customer and act.name not in others)

    def relationship_signals(self, customer: str, as_of: int) -> list[Any]:
        """A relationship's signals but for walk-the-talk."""
        found = [signal for signal in self.drawn if signal.customer == customer and signal.at <= as_of]
        return sorted_signals([signal_json(signal) for signal in found])

    def acts(self, wanted: Mapping[str, Any]) -> list[Any]:
        """The acts that match a filter, the newest first."""

        def matches(act: RefAct) -> bool:
            return (
                wanted.get("subject") in (None, act.subject)
                and wanted.get("rep") in (None, act.data.get("rep"))
                and (wanted.get("types") is None or f"exemplar.{act.name}.v1" in wanted["types"])
                and ("from" not in wanted or parse(wanted["from"]) <= act.time)
                and ("to" not in wanted or act.time < parse(wanted["to"]))
            )

        return self._acts(act for act in self.shown.values() if matches(act))

    def _acts(self, acts: Iterable[RefAct]) -> list[Any]:
        return [self.act(act) for act in sorted(acts, key=lambda a: (act_order(a), a.subject.encode()), reverse=True)]

    def act(self, act: RefAct) -> Any:
        """An act as it is shown."""
        disputes = sorted(
            (
                other
                for other in self.counting
                if other.name == "act.disputed"
                and (other.subject, other.data["disputes_source"], other.data["disputes_id"]) == act.key
            ),
            key=act_order,
        )
        return {
            "source": act.source,
            "actId": act.id,
            "type": f"exemplar.{act.name}.v1",
            "subject": act.subject,
            "rep": act.data.get("rep"),
            "time": act.time,
            "partition": act.partition,
            "offset": act.offset,
            "data": self._data(act),
            "retracted": act.key in self.retracted,
            "disputes": [{"source": other.source, "actId": other.id} for other in disputes],
        }

    def _data(self, act: RefAct) -> Any:
        """The act's fields, without those that are null or can be read no more."""
        whose = act.data.get("person") if act.name == "team.joined" else act.subject
        hidden = [f for f in PERSONAL_FIELDS if whose in self.erased and (act.name, f) not in NOT_PERSONAL]
        return {field: value for field, value in act.data.items() if value is not None and field not in hidden}

    def explanation(self, act: RefAct, now: int) -> Any:
        """What became of an act; `act` is the one that counts."""
        conflict = self.conflicts.get(act.key)
        place = conflict or act
        fate = "CONFLICT" if conflict else "RETRACTED" if act.key in self.retracted else "FOLDED"
        resting = [
            signal
            for signal in self.drawn
            if signal.subject == act.subject and (act.source, act.id) in signal.evidence and signal.at <= now
        ]
        return {
            "fate": fate,
            "partition": place.partition,
            "offset": place.offset,
            "act": self.act(act),
            "signals": sorted_signals([signal_json(signal) for signal in resting]),
        }

    def names_nothing(self, act: RefAct) -> bool:
        """Whether an act is a retraction or dispute of an act that is not there."""
        verb = {"act.retracted": "retracts", "act.disputed": "disputes"}.get(act.name)
        return verb is not None and (act.subject, act.data[f"{verb}_source"], act.data[f"{verb}_id"]) not in self.shown

    def is_conflict(self, act: RefAct) -> bool:
        """Whether an act that was refused differs from one of its key: the one that counts or, as long as the fold
        lags behind what went into the log beside the ingress, another one.
        """
        return any(one.key == act.key and not is_copy(one, act, self.erased) for one in self.log)


# --- as JSON -------------------------------------------------------------------------------------------------------


def _named_in(acts: Iterable[RefAct], *fields: str) -> set[str]:
    """What these fields of the acts hold."""
    return {act.data[field] for act in acts for field in fields if act.data.get(field) is not None}


def _holds(stay: Stay, team: str, at: int) -> bool:
    return stay.team == team and stay.from_ <= at and (stay.to is None or at < stay.to)


def _stay(stay: Stay) -> Any:
    return {
        "role": stay.role.upper(),
        "from": stay.from_,
        "to": stay.to,
        "person": {"key": stay.person},
        "team": {"key": stay.team},
    }


def signal_json(signal: RefSignal) -> Any:
    """A signal as GraphQL shows it."""
    return {
        "person": {"key": signal.person},
        "customerKey": signal.customer,
        "principle": enum(signal.principle),
        "verdict": signal.verdict.upper(),
        "reason": signal.reason,
        "at": signal.at,
        "evidence": [{"source": source, "actId": id_, "subject": signal.subject} for source, id_ in signal.evidence],
    }


def sorted_signals(found: list[Any]) -> list[Any]:
    """The newest first; those of one instant in an order of our own."""
    return sorted(found, key=lambda signal: (-signal["at"], str(sorted(signal.items()))))


def enum(slug: str) -> str:
    """The GraphQL name of a principle."""
    return slug.upper().replace("-", "_")


def card_json(card: RefScorecard, days: bool) -> Any:
    """A scorecard as GraphQL shows it, without its head."""
    scores = []
    for score in card.scores.values():
        assert score.previous is not None
        assert score.change is not None
        previous = {**score_json(score.previous, days), "previous": None, "change": None}
        scores.append({**score_json(score, days), "change": difference_json(score.change), "previous": previous})
    return {"guideIndex": {"value": card.guide.value, **card.guide.dimensions}, "scores": scores}


def score_json(score: RefScore, days: bool) -> Any:
    """A score as GraphQL shows it, without its previous one and the change; the trend by day by request."""
    buckets = ("day", "week", "month") if days else ("week", "month")
    low, high = score.interval or (None, None)
    return {
        "principle": {"id": enum(score.principle)},
        "kept": score.kept,
        "breached": score.breached,
        "n": score.n,
        "notRecorded": score.not_recorded,
        "rate": score.rate,
        "interval": None if score.interval is None else {"low": low, "high": high},
        "evidenceLevel": score.evidence_level.upper(),
        "reasons": [{"reason": reason, "count": count} for reason, count in score.reasons],
        **{
            bucket: [{"start": str(start), "kept": k, "breached": b} for start, k, b in score.trend[bucket]]
            for bucket in buckets
        },
        "signals": sorted_signals([signal_json(signal) for signal in score.signals]),
    }


def difference_json(change: RefDifference) -> Any:
    """A difference as GraphQL shows it."""
    interval = None if change.low is None else {"low": change.low, "high": change.high}
    return {"value": change.value, "interval": interval}
