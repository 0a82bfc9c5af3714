"""Comparing all that a server answers about a world with what the reference model says, value by value."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from tests.journeys import asking
from tests.journeys.asking import Owner
from tests.journeys.oracle import Oracle, card_json, sorted_signals
from tests.journeys.telling import EPOCH, instant, parse, written
from tests.reference.model import DAY, RefAct
from tests.serving import Server

TOLERANCE = 1e-9
_INSTANTS = ("at", "time", "from", "to", "asOf")


@dataclass
class Comparison:
    """One server against one oracle. `disagreements` tell where, what was shown and what was expected."""

    server: Server
    oracle: Oracle
    random: Random
    disagreements: list[str] = field(default_factory=list)
    cards: int = 0
    values: int = 0

    def everything(self, cards: int) -> None:
        """Compare all there is; of the cards so many for each person and team."""
        self.cards_of_all(cards)
        self.structure()
        self.relationships()
        self.acts()
        self.fates()

    # --- cards

    def cards_of_all(self, number: int) -> None:
        """Cards of each person and team, over periods and as of instants where something changes."""
        owners: list[Owner] = [("person", key, False) for key in self.oracle.persons()]
        owners += [("team", key, deep) for key in self.oracle.team_keys() for deep in (False, True)]
        for _ in range(number):
            (from_, to), as_of = self._period(), self._as_of()
            for owner in owners:
                self.card(owner, from_, to, as_of)

    def card(self, owner: Owner, from_: date, to: date, as_of: int | None) -> None:
        """One card with its previous; its signals page by page too."""
        self.cards += 1
        days = (to - from_).days < 100
        seen = instant(datetime.now(UTC)) if as_of is None else as_of
        period = {"from": str(from_), "to": str(to), **({} if as_of is None else {"asOf": written(as_of, 90)})}
        shown = asking.card(self.server, owner, period, days)
        where = f"{owner} {period}"
        expected = card_json(self.oracle.card(owner, from_, to, seen), days)
        self._same(f"{where} from", (shown.pop("from"), shown.pop("to")), (str(from_), str(to)))
        if as_of is not None:
            self._same(f"{where} asOf", parse(shown["asOf"]), as_of)
        shown = {name: value for name, value in shown.items() if name in expected}
        for score in shown["scores"]:
            for one in (score, score["previous"]):
                one["signals"] = self._signals(where, one["signals"])
        self._same(where, shown, expected)
        self._pages(owner, period, expected)

    def _signals(self, where: str, connection: Any) -> Any:
        nodes = [_read(edge["node"]) for edge in connection["edges"]]
        self._same(f"{where} all signals", connection["pageInfo"]["hasNextPage"], False)
        return self._newest_first(where, nodes)

    def _newest_first(self, where: str, nodes: list[Any]) -> list[Any]:
        self._same(f"{where} newest first", [n["at"] for n in nodes], sorted((n["at"] for n in nodes), reverse=True))
        return sorted_signals(nodes)

    def _pages(self, owner: Owner, period: dict[str, str], expected: Any) -> None:
        """The longest list of signals on a card, in small pages, of one verdict or both."""
        score = max(expected["scores"], key=lambda one: (one["n"], self.random.random()))
        verdict = self.random.choice((None, "KEPT", "BREACHED"))
        principle = score["principle"]["id"]
        wanted = [signal for signal in score["signals"] if verdict in (None, signal["verdict"])]
        first = self.random.choice((1, 2, 3, 7))
        shown = asking.signals_of_card(self.server, owner, period, principle, verdict, first)
        where = f"{owner} {period} {principle} {verdict} by {first}"
        self._same(where, self._newest_first(where, [_read(node) for node in shown]), wanted)

    def _period(self) -> tuple[date, date]:
        """Days on which signals lie, best at their first instant; or any length from a day to three years."""
        moments = [signal.at for signal in self.oracle.pool] or [0]
        on_the_edge = [at for at in moments if at % DAY == 0] or moments
        pick = self.random.choice
        one, other = sorted((_day(pick(on_the_edge)), _day(pick((*moments, *on_the_edge)))))
        to = pick((one + timedelta(days=pick((1, 7, 31, 90, 400, 1100))), other))
        return (one, to) if to > one and (to - one).days <= 1100 else (one, one + timedelta(days=90))

    def _as_of(self) -> int | None:
        """Now, ahead of all, in the middle, or exactly at a signal or act, or just before."""
        moments = [signal.at for signal in self.oracle.pool] + [act.time for act in self.oracle.counting]
        last = max(moments)
        exact = self.random.choice(moments)
        return self.random.choice((None, last + 400 * DAY, (min(moments) + last) // 2, exact, exact - 1))

    # --- teams, persons, relationships

    def structure(self) -> None:
        """All teams at several instants, and all persons."""
        keys = self.oracle.team_keys()
        self._same("teams", asking.teams(self.server, self.random.choice((1, 2, 100))), keys)
        for key in keys:
            for as_of in (None, self._as_of(), self._moment_of(key), self._moment_of(key)):
                seen = instant(datetime.now(UTC)) if as_of is None else as_of
                shown = asking.team(self.server, key, None if as_of is None else written(as_of))
                self._same(f"team {key} as of {as_of}", _read(shown), self.oracle.team(key, seen))
        for key in self.oracle.persons():
            shown = _read(asking.person(self.server, key))
            shown["relationships"] = [edge["node"]["customerKey"] for edge in shown["relationships"]["edges"]]
            self._same(f"person {key}", shown, self.oracle.person(key, instant(datetime.now(UTC))))

    def _moment_of(self, team: str) -> int:
        moments = [act.time for act in self.oracle.log if act.subject == team] or [0]
        return self.random.choice(moments) - self.random.choice((0, 0, 1))

    def relationships(self) -> None:
        """Each relationship with its acts, and its signals as of several instants."""
        for customer in self.oracle.customers():
            where, first = f"relationship {customer}", self.random.choice((1, 3, 20, 100))
            self._same(where, asking.relationship(self.server, customer), self.oracle.relationship(customer))
            shown = asking.relationship_acts(self.server, customer, max(first, 3))
            self._same(f"{where} acts", _acts(shown), self.oracle.relationship_acts(customer))
            for as_of in (None, self._as_of()):
                text = None if as_of is None else written(as_of, -60)
                found = asking.relationship_signals(self.server, customer, text, max(first, 3))
                nodes = self._newest_first(where, [_read(node) for node in found])
                seen = instant(datetime.now(UTC)) if as_of is None else as_of
                self._same(f"{where} as of {as_of}", nodes, self.oracle.relationship_signals(customer, seen))

    # --- acts

    def acts(self) -> None:
        """All acts, and those that match filters."""
        self._same("acts", _acts(asking.acts(self.server, None, 100)), self.oracle.acts({}))
        for _ in range(6):
            wanted = self._filter()
            shown = asking.acts(self.server, wanted, self.random.choice((2, 5, 100)))
            self._same(f"acts {wanted}", _acts(shown), self.oracle.acts(wanted))

    def _filter(self) -> dict[str, Any]:
        acts, pick = list(self.oracle.shown.values()), self.random.choice
        one, other = sorted((pick(acts).time, pick(acts).time))
        parts: dict[str, Any] = {
            "subject": pick(acts).subject,
            "rep": pick(self.oracle.persons()),
            "types": [f"exemplar.{pick(acts).name}.v1" for _ in range(3)],
            "from": written(one, 345),
            "to": written(other + 1, -600),
        }
        return {name: value for name, value in parts.items() if self.random.random() < 0.4}

    def fates(self) -> None:
        """What became of each act, and of one that never was."""
        for act in self.oracle.shown.values():
            self._fate(act)
        unknown = asking.explanation(self.server, "nobody", "nothing", None)
        self._same("unknown", (unknown["fate"], unknown["act"], unknown["signals"]), ("UNKNOWN", None, []))

    def _fate(self, act: RefAct) -> None:
        subject = self.random.choice((None, act.subject))
        shown = asking.explanation(self.server, act.source, act.id, subject)
        reason = shown.pop("reason")
        shown["act"] = _acts([shown["act"]])[0]
        shown["signals"] = self._newest_first(f"signals on {act.key}", [_read(signal) for signal in shown["signals"]])
        self._same(f"fate of {act.key}", shown, self.oracle.explanation(act, instant(datetime.now(UTC))))
        gives_reason = shown["fate"] != "FOLDED" or self.oracle.names_nothing(act)
        self._same(f"reason of {act.key}: {reason}", reason is not None, gives_reason)

    # --- values

    def _same(self, where: str, shown: Any, expected: Any) -> None:
        self.disagreements += self._differences(where, shown, expected)

    def _differences(self, where: str, shown: Any, expected: Any) -> Iterator[str]:
        if isinstance(expected, dict) and isinstance(shown, dict) and shown.keys() == expected.keys():
            for name in expected:
                yield from self._differences(f"{where}.{name}", shown[name], expected[name])
            return
        if isinstance(expected, list) and isinstance(shown, list) and len(shown) == len(expected):
            for place, (one, other) in enumerate(zip(shown, expected, strict=True)):
                yield from self._differences(f"{where}[{place}]", one, other)
            return
        self.values += 1
        if isinstance(expected, float) and isinstance(shown, int | float):
            if abs(shown - expected) > TOLERANCE:
                yield f"{where}: {shown}, expected {expected}"
        elif type(shown) is not type(expected) or shown != expected:
            yield f"{where}: {shown}, expected {expected}"


def _day(at: int) -> date:
    return (EPOCH + timedelta(microseconds=at)).date()


def _read(shown: Any) -> Any:
    """An answer with its instants as microseconds."""
    if isinstance(shown, list):
        return [_read(one) for one in shown]
    if not isinstance(shown, dict):
        return shown
    return {
        name: parse(value) if name in _INSTANTS and isinstance(value, str) else _read(value)
        for name, value in shown.items()
    }


def _acts(shown: list[Any]) -> list[Any]:
    """Acts with their instants as microseconds and without the fields of `data` that are null."""
    return [
        {**act, "time": parse(act["time"]), "data": {n: v for n, v in act["data"].items() if v is not None}}
        for act in shown
    ]
