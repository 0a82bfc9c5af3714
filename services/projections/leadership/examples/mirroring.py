"""Mirroring (S0: "I did it because it was modeled for me"): does the team do what its leader did shortly before?

The same function makes the mirroring of a leader, its chance baseline (other leaders in the leader's place) and the
imprint (a rep's first days): only the signals and the leaders differ.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from services.events.catalog.acts import PUBLIC
from services.projections.leadership.association import OddsRatio, Table, mantel_haenszel
from services.projections.leadership.examples.signals import Mark, Marks, Times, count
from services.projections.leadership.signals import Verdict
from services.projections.leadership.stretches import ALWAYS, EVER, Stretch, Stretches, merged, overlap, without

NOTHING_MODELLED = "the leader has no signal here: the team had nothing here to copy"
NOTHING_FOLLOWED = "no signal of the team's came within {days} days after one of the leader's"


class Example:
    """What a leader's signals on a principle model at an instant: *breached* if one in the `window` before it is, else
    *kept* if there is one, else nothing. `during`: when the leader counts as a leader at all.

    Asked of many signals at once by stretches of time. Of a signal with a customer whom the leader has signals with
    too, these do not count: such signals are asked about one by one.
    """

    def __init__(self, leader: str, signals: Sequence[Mark], window: int, during: Stretches = EVER) -> None:
        self.leader = leader
        self.empty = not signals
        self._window = window
        self._during = during
        self._breached = _Customers(signal for signal in signals if signal.verdict is Verdict.BREACHED)
        self._all = _Customers(signals)
        breached = merged(self._follows(at) for at in self._breached.times)
        shown = merged(self._follows(at) for at in self._all.times)
        self.breached = overlap(breached, during)
        self.kept = overlap(without(shown, breached), during)

    def corrections(self, shared: Iterable[Mark]) -> Iterable[tuple[Mark, Verdict | None, Verdict | None]]:
        """Of these signals those whose example is another one without their customer: what it would be, what it is."""
        for signal in shared:
            at, customer = signal.at, signal.customer
            if customer not in self._all.by_customer or not _holds(self._during, at):
                continue
            since = at - self._window
            with_customer = self._all.number_with(customer, since, at)
            if not with_customer:
                continue
            breached, all_ = self._breached.number(since, at), self._all.number(since, at)
            others_breached = breached - self._breached.number_with(customer, since, at)
            others = all_ - with_customer
            would_be, is_ = _said(breached, all_), _said(others_breached, others)
            if would_be is not is_:
                yield signal, would_be, is_

    def _follows(self, at: int) -> Stretch:
        """The instants t with `at` in [t − window, t)."""
        return at + 1, at + self._window + 1


def odds_of_mirroring(
    examples: Sequence[Example],
    signals: Mapping[str, Marks],
    shared: Mapping[str, Sequence[Mark]],
    window_days: int,
) -> OddsRatio:
    """The pooled odds ratio over a table for each rep and leader; nobody is their own example.

    `signals` are those of a principle by rep; `shared` are the single ones of these that are with customers with whom
    one of the leaders has signals too, or more.
    """
    tables = [
        _table(example, marks, shared.get(rep, ()))
        for example in examples
        if not example.empty
        for rep, marks in signals.items()
        if rep != example.leader
    ]
    found = mantel_haenszel(tables)
    if found.n:
        return found
    nothing = all(example.empty for example in examples)
    why = NOTHING_MODELLED if nothing else NOTHING_FOLLOWED.format(days=window_days)
    return found._replace(undefined_because=why)


def _table(example: Example, marks: Marks, shared: Sequence[Mark]) -> Table:
    counts = {
        (shown, verdict): count(times, stretches)
        for shown, stretches in ((Verdict.BREACHED, example.breached), (Verdict.KEPT, example.kept))
        for verdict, times in ((Verdict.BREACHED, marks.breached), (Verdict.KEPT, marks.kept))
    }
    for signal, would_be, is_ in example.corrections(shared):
        if would_be is not None:
            counts[would_be, signal.verdict] -= 1
        if is_ is not None:
            counts[is_, signal.verdict] += 1
    return Table(*counts.values())


def _said(breached: int, all_: int) -> Verdict | None:
    if breached:
        return Verdict.BREACHED
    return Verdict.KEPT if all_ else None


def _holds(stretches: Stretches, at: int) -> bool:
    place = bisect_right(stretches, (at, ALWAYS)) - 1
    return place >= 0 and at < stretches[place][1]


class _Customers:
    """The times of signals, of all and by customer; `public` is no one."""

    def __init__(self, signals: Iterable[Mark]) -> None:
        times: list[int] = []
        self.by_customer: dict[str | None, list[int]] = defaultdict(list)
        for at, _, customer in sorted(signals, key=lambda signal: signal.at):
            times.append(at)
            if customer is not None and customer != PUBLIC:
                self.by_customer[customer].append(at)
        self.times: Times = times

    def number(self, from_: int, to: int) -> int:
        """How many are in [from_, to)."""
        return bisect_left(self.times, to) - bisect_left(self.times, from_)

    def number_with(self, customer: str | None, from_: int, to: int) -> int:
        """How many of them are with the customer."""
        times = self.by_customer.get(customer, ())
        return bisect_left(times, to) - bisect_left(times, from_)
