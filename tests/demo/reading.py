"""Reading the made-up year by the reference model: its signals, and plain versions of some figures of domain.md §5.

The figures are counted here sentence by sentence from a list, because what is being tested is the story, not the model.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from services.demo.acts import kind_of
from services.demo.year import year
from tests.reference.model import DAY, RefAct, RefSignal, signals, walk_the_talk
from tests.reference.scorecards import Stay, belongs_to, stays

LEADERS = {"t-river": "p-002", "t-summit": "p-003", "t-harbour": "p-004"}
GETTING = ("own-goals", "no-pressure")


@dataclass(frozen=True)
class Reading:
    """A year, folded: its acts, the signals until its end (walk-the-talk among them) and who was where."""

    acts: list[RefAct]
    signals: list[RefSignal]
    memberships: list[Stay]

    def of_reps(self, team: str) -> list[RefSignal]:
        """The signals of the team's reps in their stays."""
        return [signal for signal in self.signals if belongs_to(signal, self.memberships, [team])]

    def getting(self, team: str) -> list[RefSignal]:
        """The breached signals on no-pressure and own-goals of the team's reps."""
        return [one for one in self.of_reps(team) if one.principle in GETTING and one.verdict == "breached"]

    def of(self, person: str) -> list[RefSignal]:
        """The signals of one person."""
        return [signal for signal in self.signals if signal.person == person]


def read(seed: int, until: date) -> Reading:
    """The year as the reference model reads it."""
    ends = instant(datetime(until.year, until.month, until.day, tzinfo=UTC))
    acts = [ref_act(offset, act) for offset, act in enumerate(year(seed, until))]
    stored = signals(acts)
    seen = [signal for signal in [*stored, *walk_the_talk(stored, acts)] if signal.at <= ends]
    return Reading(acts, seen, stays(acts))


def ref_act(offset: int, act: dict[str, object]) -> RefAct:
    """The reference model's form of an act."""
    data = act["data"]
    assert isinstance(data, dict)
    time = instant(datetime.fromisoformat(str(act["time"])))
    return RefAct(0, offset, kind_of(act), str(act["source"]), str(act["id"]), str(act["subject"]), time, data)


def instant(at: datetime) -> int:
    """Microseconds since the epoch."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def day_of(at: int) -> date:
    """The UTC date of an instant."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).date()


def rate(pool: Iterable[RefSignal], *principles: str) -> float:
    """The share kept of the signals on these principles."""
    verdicts = [signal.verdict == "kept" for signal in pool if signal.principle in principles]
    return sum(verdicts) / len(verdicts)


def tally(pool: Iterable[RefSignal], principle: str) -> tuple[int, int]:
    """How many of the signals on this principle are kept, and breached."""
    verdicts = Counter(signal.verdict for signal in pool if signal.principle == principle)
    return verdicts["kept"], verdicts["breached"]


def mirroring(reading: Reading, team: str, leaders: Iterable[str], principles: Iterable[str]) -> float:
    """The Mantel–Haenszel odds ratio of *Mirroring*, a table for each rep, leader and principle."""
    tables: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for leader in leaders:
        for principle in principles:
            own = [signal for signal in reading.of(leader) if signal.principle == principle]
            for signal in (signal for signal in reading.of_reps(team) if signal.principle == principle):
                seen = [one for one in own if signal.at - 28 * DAY <= one.at < signal.at]
                seen = [one for one in seen if one.customer != signal.customer or one.customer == "public"]
                if seen:
                    example_kept = all(one.verdict == "kept" for one in seen)
                    tables[signal.person, leader, principle][2 * example_kept + (signal.verdict == "kept")] += 1
    concordant = sum(a * d / (a + b + c + d) for a, b, c, d in tables.values())
    discordant = sum(b * c / (a + b + c + d) for a, b, c, d in tables.values())
    return concordant / discordant


def month_end_ratio(pool: Sequence[RefSignal]) -> float:
    """These signals a day in the last five days of calendar months, against those a day on the other days of a year."""
    at_end = sum(is_month_end(day_of(signal.at)) for signal in pool)
    return (at_end / (12 * 5)) / ((len(pool) - at_end) / (365 - 12 * 5))


def is_month_end(day: date) -> bool:
    """Whether the day is among the last five of its calendar month."""
    return (day + timedelta(days=5)).month != day.month


def goading_ratio(reading: Reading, team: str) -> float:
    """Getting signals in the 14 days after the leader's pushes, against those in the 14 days before."""
    pushes = [act.time for act in reading.acts if act.name == "push.directed" and act.data["team"] == team]
    times = [signal.at for signal in reading.getting(team)]
    after = sum(any(push < at <= push + 14 * DAY for push in pushes) for at in times)
    before = sum(any(push - 14 * DAY <= at < push for push in pushes) for at in times)
    return after / before


def attempts(reading: Reading, reps: Collection[str]) -> list[list[RefAct]]:
    """The acts of these reps, cut into attempts that ended in accepted or declined."""
    open_: defaultdict[tuple[str, object], list[RefAct]] = defaultdict(list)
    ended = []
    for act in reading.acts:
        if act.data.get("rep") in reps and act.subject != "public":
            open_[act.subject, act.deal].append(act)
            if act.name == "prospect.released":
                del open_[act.subject, act.deal]
            elif act.name == "decision.made" and act.data["outcome"] != "deferred":
                ended.append(open_.pop((act.subject, act.deal)))
    return ended
