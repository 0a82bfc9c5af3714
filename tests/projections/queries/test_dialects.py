"""Every query answers the same on SQLite and on PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection

from services.events.catalog.envelope import Catalogue
from services.kit.database import reading
from services.projections.leadership.periods import Days, Period
from services.projections.leadership.policy import DEFAULT_POLICY
from services.projections.leadership.signals import Principle, Verdict
from services.projections.queries import acts, examples, figures, leading, outcomes, people, position, reach, teams
from services.projections.queries.acts import ActFilter
from services.projections.queries.figures import SignalKey
from services.projections.queries.leading import ExampleKey
from services.projections.queries.teams import ALWAYS, Span, TeamCard
from tests.fixed_clock import FixedClock
from tests.projections.queries.test_against_reference import with_ascii_sources
from tests.projections.world import World, event_of
from tests.reference.histories import CUSTOMERS, LEADERS, REPS, TEAMS, random_world

CATALOGUE = Catalogue()
PERSONS = (*REPS, *LEADERS)
NOW = Period(date(2024, 1, 1), date(2026, 1, 1), 2**60)


def _cards(connection: Connection) -> list[Sequence[Span]]:
    spans = teams.rep_spans(connection, [TeamCard(team, deep) for team in TEAMS for deep in (False, True)], NOW.as_of)
    return [*spans, *([Span(person, -ALWAYS, ALWAYS)] for person in PERSONS)]


def _everything(connection: Connection) -> dict[str, Any]:
    """What each query function says of a random world."""
    cards, some = _cards(connection), acts.list_acts(connection, ActFilter(), None, 50, None).rows
    places, after = [act.place for act in some], some[20].order
    signal = figures.list_signals(connection, cards, NOW, list(Principle), None, 100, None)
    first = next(s for card in signal for page in card.values() for s in page.rows)
    key = SignalKey(first.at, first.id)
    return {
        "cards": cards,
        "tallies": [counted.card for counted in figures.count(connection, cards, NOW)],
        "days": [_sorted(counted.days) for counted in figures.count(connection, cards, NOW, reasons=False)],
        "signals": signal,
        "kept": figures.list_signals(connection, cards, NOW, [Principle.NO_PRESSURE], Verdict.KEPT, 2, key),
        "of relationships": figures.list_signals_of_relationships(connection, CUSTOMERS, REPS[:2], 2**60, 3, key),
        "resting": [figures.signals_resting_on(connection, act.subject, act.offset, 2**60) for act in some],
        "acts": acts.list_acts(connection, ActFilter(names={"contact.made"}), None, 5, after),
        "filtered": acts.list_acts(connection, ActFilter("c1", "r1", None, 0, 2**60), None, 5, None),
        "visible": acts.list_acts(connection, ActFilter(), [*REPS[:1], *LEADERS[:1]], 100, None),
        "acts of": acts.list_acts_of_relationships(connection, CUSTOMERS, 3, after),
        "places": acts.find_places(connection, places),
        "keys": acts.find_acts(connection, [act.key for act in some]),
        "visible keys": acts.find_acts(connection, [act.key for act in some], REPS[:1]),
        "disputes": acts.disputes(connection, CUSTOMERS),
        "retractions": [acts.retractions(connection, customer) for customer in CUSTOMERS],
        "pair": acts.find_pair(connection, some[0].source, some[0].act_id, None, None),
        "refused": [acts.find_refused(connection, act.source, act.act_id, act.subject) for act in some],
        "visible relationships": acts.relationships_visible_to(connection, CUSTOMERS, REPS[:1]),
        "exist": people.which_exist(connection, people.PERSON, [*PERSONS, "nobody"]),
        "naming": people.naming_acts(connection, people.PERSON, PERSONS),
        "knowing": people.knowing_acts(connection, CUSTOMERS),
        "reps": people.reps_of(connection, CUSTOMERS),
        "customers": people.list_customers_of(connection, PERSONS, 2, "c1"),
        "reach": [reach.reach(connection, person, 2**60) for person in PERSONS],
        "position": position.format_position(position.next_offsets(connection)),
        "teams": teams.find_teams(connection, [*TEAMS, "none"]),
        "all teams": teams.list_teams(connection, [*TEAMS, "none"], 2, "t1"),
        "children": teams.children(connection, TEAMS),
        "members": teams.members(connection, TEAMS, 2**60),
        "stays": teams.stays(connection, PERSONS, 2**60),
        **_examples(connection),
    }


def _sorted(days: Mapping[Principle, Days]) -> dict[Principle, list[list[int]]]:
    return {principle: [sorted(of) for of in both] for principle, both in days.items()}


def _examples(connection: Connection) -> dict[str, Any]:
    """What each question about leaders says of a random world, asked of everybody and every team."""
    wanted = [ExampleKey(person, team) for person in PERSONS for team in TEAMS]
    observed = examples.observe(connection, wanted, NOW, DEFAULT_POLICY)
    return {
        "leaders": leading.leaders(connection, TEAMS, NOW),
        "cards of examples": [(one.leader.card, one.team.card) for one in observed],
        "associations": [examples.associations(one, DEFAULT_POLICY) for one in observed],
        "month ends": [examples.pressure_at_month_ends(one, NOW, DEFAULT_POLICY) for one in observed],
        "goading": examples.goadings(connection, wanted, NOW, DEFAULT_POLICY, CATALOGUE),
        "attention": examples.attention(connection, wanted, NOW, DEFAULT_POLICY, CATALOGUE),
        "standards": examples.stated_standards(connection, wanted, NOW),
        "pushing": outcomes.pushings(connection, wanted, NOW, DEFAULT_POLICY),
        "guides": outcomes.guides(connection, observed, NOW, DEFAULT_POLICY),
        "equity": outcomes.equities(connection, TEAMS, NOW.end, DEFAULT_POLICY),
    }


@pytest.mark.postgres
def test_both_dialects_answer_the_same(tmp_path: Path, clock: FixedClock, fresh_postgres: URL) -> None:
    """Over the same log, row for row and in the same order."""
    first = World(tmp_path, clock)
    first.append([event_of(act, first.catalogue) for act in with_ascii_sources(random_world(8, 300))])
    first.post("team.joined", "t1", "2025-01-01", person="r1", role="rep", name="Ré")
    first.post("customer.known", "c1", "2025-01-01", name="Customer", segment="small")
    first.post("act.disputed", "c1", "2025-01-01", disputes_source="a", disputes_id="b", reason="no", by="r1")
    second = World(tmp_path, clock, database=fresh_postgres)  # of the same log and vault
    found = []
    for world in (first, second):
        world.fold()
        with reading(world.model) as connection:
            found.append(_everything(connection))
        world.close()
    for query, rows in found[0].items():
        assert found[1][query] == rows, query
        assert rows, f"nothing to compare: {query}"
