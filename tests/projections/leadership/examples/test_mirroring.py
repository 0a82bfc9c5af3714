"""Mirroring, its chance baseline and the imprint: one function, on plain teams and against a naive reading."""

from collections import defaultdict
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.instants import DAY
from services.projections.leadership.association import Table, mantel_haenszel
from services.projections.leadership.examples.mirroring import (
    NOTHING_FOLLOWED,
    NOTHING_MODELLED,
    Example,
    odds_of_mirroring,
)
from services.projections.leadership.examples.signals import Mark, Marks
from services.projections.leadership.signals import Verdict
from services.projections.leadership.stretches import EVER, Stretches

KEPT, BREACHED = Verdict.KEPT, Verdict.BREACHED
WINDOW = 28 * DAY
TeamSignals = dict[str, list[Mark]]


def marks_of(signals: Sequence[Mark]) -> Marks:
    """The times of signals by verdict."""
    return Marks(*(sorted(at for at, said, _ in signals if said is verdict) for verdict in (BREACHED, KEPT)))


def naive(leaders: dict[str, tuple[list[Mark], Stretches]], team: TeamSignals, window: int) -> tuple[list[Table], int]:
    """The tables by the words of domain.md §5, signal by signal."""
    tables = []
    for leader, (own, during) in leaders.items():
        for rep, signals in team.items():
            cells: dict[tuple[Verdict, Verdict], int] = defaultdict(int)
            for t, verdict, customer in signals:
                if rep == leader or not any(from_ <= t < to for from_, to in during):
                    continue
                before = [
                    one.verdict
                    for one in own
                    if t - window <= one.at < t
                    and (one.customer is None or one.customer == "public" or one.customer != customer)
                ]
                if before:
                    cells[BREACHED if BREACHED in before else KEPT, verdict] += 1
            tables.append(Table(*(cells[shown, said] for shown in (BREACHED, KEPT) for said in (BREACHED, KEPT))))
    return tables, sum(table.n for table in tables)


def test_a_team_that_does_what_its_leader_does() -> None:
    """In the weeks after a breach the reps breach, after a keeping they keep: the odds ratio is far above 1."""
    leader = [Mark(0, BREACHED, "a"), Mark(40 * DAY, KEPT, "b")]
    follows = {
        rep: [Mark(day * DAY, BREACHED, "x") for day in (1, 2, 3, 4)]
        + [Mark(5 * DAY, KEPT, "x"), Mark(41 * DAY, BREACHED, "x")]
        + [Mark(day * DAY, KEPT, "x") for day in (42, 43, 44, 45)]
        for rep in ("rik", "rosa")
    }
    found = odds_of_mirroring([Example("ann", leader, WINDOW)], {r: marks_of(s) for r, s in follows.items()}, {}, 28)
    assert found.value == pytest.approx(4 * 4 / (1 * 1))
    assert (found.strata, found.n) == (2, 20)
    assert found.interval is not None
    assert found.interval.low > 1


@pytest.mark.parametrize(
    ("after", "counted"), [(0, 0), (1, 1), (WINDOW, 1), (WINDOW + 1, 0)], ids=["at once", "next", "last", "over"]
)
def test_an_example_lasts_the_window_to_the_microsecond(after: int, counted: int) -> None:
    """A signal of the leader is an example from the next instant to exactly the window's end."""
    example = Example("ann", [Mark(1_000, BREACHED, None)], WINDOW)
    found = odds_of_mirroring([example], {"rik": Marks((1_000 + after,), ())}, {}, 28)
    assert found.n == counted


def test_one_breach_among_the_last_signals_is_the_example() -> None:
    """A leader who kept often and breached once in the window showed a breach."""
    leader = [Mark(day * DAY, KEPT, None) for day in range(10)] + [Mark(3 * DAY, BREACHED, None)]
    assert Example("ann", leader, WINDOW).breached == [(3 * DAY + 1, 31 * DAY + 1)]
    assert Example("ann", leader, WINDOW).kept == [(1, 3 * DAY + 1), (31 * DAY + 1, 37 * DAY + 1)]


def test_the_same_customer_is_no_example() -> None:
    """What happened with one customer cannot be its own example; `public` is no customer."""
    example = Example("ann", [Mark(0, BREACHED, "acme"), Mark(1, KEPT, "other"), Mark(2, BREACHED, "public")], DAY)
    team = {"rik": [Mark(2, KEPT, "acme"), Mark(2, KEPT, "x"), Mark(3, KEPT, "public")]}
    assert [(s.at, was, is_) for s, was, is_ in example.corrections(team["rik"])] == [(2, BREACHED, KEPT)]
    only = Example("ann", [Mark(0, BREACHED, "acme")], DAY)
    assert [(was, is_) for _, was, is_ in only.corrections(team["rik"])] == [(BREACHED, None)]


def test_what_cannot_be_compared_says_why() -> None:
    """A leader without signals modelled nothing; one whose signals nobody followed has nothing to compare."""
    team = {"rik": Marks((5 * DAY,), ())}
    nothing = odds_of_mirroring([Example("ann", [], WINDOW)], team, {}, 28)
    assert (nothing.value, nothing.undefined_because) == (None, NOTHING_MODELLED)
    late = odds_of_mirroring([Example("ann", [Mark(9 * DAY, KEPT, None)], WINDOW)], team, {}, 28)
    assert (late.n, late.undefined_because) == (0, NOTHING_FOLLOWED.format(days=28))


def test_nobody_is_their_own_example() -> None:
    """Another team's leader who is a rep here has no table for their own signals."""
    example = Example("rik", [Mark(0, BREACHED, None)], WINDOW)
    assert odds_of_mirroring([example], {"rik": Marks((DAY,), ()), "rosa": Marks((DAY,), ())}, {}, 28).n == 1


@given(st.integers(0, 10**9))
def test_the_tables_are_those_of_a_naive_reading(seed: int) -> None:
    """Whatever the signals, customers in common and times of leading, counting by stretches is counting one by one."""
    random = Random(seed)
    window = random.choice((3, 10))

    def made(number: int) -> list[Mark]:
        customers = ("a", "b", "c", "public", None)
        return [
            Mark(random.randrange(40), random.choice((KEPT, BREACHED)), random.choice(customers))
            for _ in range(random.randrange(number))
        ]

    leaders: dict[str, tuple[list[Mark], Stretches]] = {
        leader: (made(9), random.choice((EVER, ((5, 20), (25, 30)), ()))) for leader in ("ann", "bob", "rik")
    }
    team = {rep: made(20) for rep in ("rik", "rosa")}
    tables, n = naive(leaders, team, window)
    expected = mantel_haenszel(tables)
    examples = [Example(leader, own, window, during) for leader, (own, during) in leaders.items()]
    found = odds_of_mirroring(examples, {rep: marks_of(signals) for rep, signals in team.items()}, team, 28)
    assert found.n == n
    assert found[:4] == expected[:4]
