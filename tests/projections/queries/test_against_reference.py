"""Scorecards read from the model against the reference model, over random small worlds."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from services.kit.database import reading
from services.projections.leadership.periods import NO_DAYS, Bucket, Period, trend
from services.projections.leadership.policy import Policy
from services.projections.leadership.scorecards import EMPTY, evidence_level, guide_index
from services.projections.leadership.signals import BY_SLUG, Principle, Verdict
from services.projections.queries.figures import Cards, count, list_signals
from services.projections.queries.teams import ALWAYS, Span, TeamCard, rep_spans
from tests.fixed_clock import FixedClock
from tests.projections.world import World, event_of
from tests.reference import scorecards as reference
from tests.reference.histories import LEADERS, REPS, START, TEAMS, random_not_recorded, random_world
from tests.reference.model import DAY, RefAct

PERIODS = [
    (date(2024, 1, 1), date(2024, 3, 1)),
    (date(2024, 2, 29), date(2024, 12, 1)),
    (date(2023, 1, 1), date(2026, 1, 1)),
]


def with_ascii_sources(acts: list[RefAct]) -> list[RefAct]:
    """The envelope takes ASCII sources alone; their order stays that of the bytes."""

    def plain(act: RefAct) -> RefAct:
        data = {k: quote(v) if k in ("retracts_source", "disputes_source") else v for k, v in act.data.items()}
        return replace(act, source=quote(act.source), data=data)

    return [plain(act) for act in acts]


@pytest.mark.parametrize("seed", range(4))
def test_scorecards_are_those_of_the_reference(seed: int, tmp_path: Path, clock: FixedClock) -> None:
    """Every figure of every person's and team's card is the one that a naive reading of domain.md gives."""
    acts = with_ascii_sources(random_world(seed, 70))
    missing = {quote(source): names for source, names in random_not_recorded(seed).items()}
    policy = Policy(not_recorded={source: frozenset(names) for source, names in missing.items()})
    world = World(tmp_path, clock, policy)
    world.append([event_of(act, world.catalogue) for act in acts])
    world.fold()
    last = max(act.time for act in acts)
    for (from_, to), as_of in zip(PERIODS, (last, (START + last) // 2, last + 400 * DAY), strict=True):
        _compare(world, acts, missing, Period(from_, to, as_of))
    world.close()


def _compare(world: World, acts: list[RefAct], missing: dict[str, set[str]], period: Period) -> None:
    owners: list[dict[str, Any]] = [{"person": person} for person in (*REPS, *LEADERS)]
    owners += [{"team": team, "include_subteams": deep} for team in TEAMS for deep in (False, True)]
    persons = [[Span(person, -ALWAYS, ALWAYS)] for person in (*REPS, *LEADERS)]
    with reading(world.model) as connection:
        cards: Cards = persons + rep_spans(
            connection, [TeamCard(t, d) for t in TEAMS for d in (False, True)], period.as_of
        )
        counted, earlier = count(connection, cards, period), count(connection, cards, period.previous)
        signals = list_signals(connection, cards, period, list(Principle), None, 100, None)
    for place, owner in enumerate(owners):
        expected = reference.scorecard(
            acts, **owner, from_date=period.from_, to_date=period.to, as_of=period.as_of, not_recorded=missing
        )
        now, days = counted[place]
        guide = guide_index(now, world.policy)
        assert guide.value == pytest.approx(expected.guide.value)
        assert guide._asdict() == pytest.approx({"value": expected.guide.value, **expected.guide.dimensions})
        for slug, score in expected.scores.items():
            principle = BY_SLUG[slug]
            tally = now.get(principle, EMPTY)
            assert (tally.kept, tally.breached, tally.not_recorded) == (score.kept, score.breached, score.not_recorded)
            assert evidence_level(tally.customers, world.policy.evidence).value.lower() == score.evidence_level
            assert [(reason.reason, reason.number) for reason in tally.reasons] == score.reasons
            assert tally.interval == (None if score.interval is None else pytest.approx(score.interval, abs=1e-9))
            change, was = tally.since(earlier[place].card.get(principle, EMPTY)), score.change
            assert was is not None
            assert change.value == pytest.approx(was.value)
            assert change.interval == (None if was.low is None else pytest.approx((was.low, was.high), abs=1e-9))
            for bucket in Bucket:
                points = trend(period, bucket, days.get(principle, NO_DAYS))
                assert [tuple(point) for point in points] == score.trend[bucket.value.lower()]
            found = [
                (s.at, s.person, s.customer, s.verdict is Verdict.KEPT, s.reason, s.evidence)
                for s in signals[place][principle].rows
            ]
            assert len(found) == min(100, score.n)
            assert [at for at, *_ in found] == [signal.at for signal in score.signals][:100]
            wanted = {(s.at, s.person, s.customer, s.verdict == "kept", s.reason) for s in score.signals}
            assert {signal[:5] for signal in found} <= wanted
