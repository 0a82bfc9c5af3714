"""What a request reads of other people is on record before it is answered: one entry, naming all of them."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text

from services.events.credentials import ADMIN, Credential
from services.graphql.reads import ReadLog
from services.kit.errors import Unavailable
from services.projections.reads import Read
from services.projections.tables import reads
from tests.graphql.gateway import GRAPHQL, Asker

PERIOD = '{from: "2026-01-01", to: "2026-03-01"}'
CARD = "scorecard(period: " + PERIOD + ") { score(principle: OWN_GOALS) { n } }"


def card(person: str) -> str:
    """The query of a person's card."""
    return '{ person(key: "' + person + '") { ' + CARD + " } }"


def recorded(asker: Asker) -> list[Any]:
    """The entries made since the last time, each as (at, actor, person, persons, what)."""
    control = asker.world.stores.control
    with control.begin() as connection:
        rows = connection.execute(select(reads).order_by(reads.c.id)).all()
        connection.execute(delete(reads))
    return [(row.at_us, row.actor, row.person, json.loads(row.persons), json.loads(row.what)) for row in rows]


def of(asker: Asker, query: str, who: str | None) -> tuple[list[str], list[str]] | None:
    """Whom a query read, and what of them; None if there is no entry."""
    asker.data(query, who=who)
    entries = recorded(asker)
    if not entries:
        return None
    ((at, actor, person, persons, what),) = entries
    assert (at, actor, person) == (asker.world.clock(), who or "open", None if who in (None, "admin") else who)
    return persons, what


@pytest.fixture
def people(company: Asker) -> Asker:
    """The company, with credentials for its people."""
    for person in ("cleo", "ann", "bob", "rik", "rosa", "sam"):
        company.person(person)
    return company


@pytest.mark.parametrize(
    ("query", "who", "expected"),
    [
        # Cards of persons; one's own is nobody's business.
        ('{ person(key: "rik") { CARD } }', "ann", (["rik"], ["card"])),
        ('{ person(key: "rik") { CARD } }', "rik", None),
        ('{ person(key: "rik") { CARD } }', "admin", (["rik"], ["card"])),
        ('{ person(key: "rik") { CARD } }', None, (["rik"], ["card"])),
        ('{ a: person(key: "rosa") { CARD } b: person(key: "rik") { CARD } }', "ann", (["rik", "rosa"], ["card"])),
        # A team's figures are nobody's, unless they are one person's; its signals are their persons'.
        ('{ team(key: "north") { CARD } }', "ann", None),
        ('{ team(key: "south") { CARD } }', "bob", (["sam"], ["card"])),
        (
            '{ team(key: "north") { scorecard(period: PERIOD) { scores { signals { edges { cursor } } } } } }',
            "ann",
            (["rik", "rosa"], ["signals"]),
        ),
        (
            """{ person(key: "rosa") { scorecard(period: PERIOD) { score(principle: NO_PRESSURE) {
                signals { edges { node { evidence { actId } } } } } } } }""",
            "ann",
            (["rosa"], ["card", "evidence", "signals"]),
        ),
        # What a leader models is the leader's; what a team's customers are worth is nobody's, unless one rep's doing.
        ('{ team(key: "north") { examples(period: PERIOD) { goading { value } } } }', "cleo", (["ann"], ["example"])),
        ('{ team(key: "north") { examples(period: PERIOD) { comparisons { leader { n } } } } }', "ann", None),
        *(
            (f'{{ team(key: "south") {{ examples(period: PERIOD) {{ {field} }} }} }}', "bob", (["sam"], ["card"]))
            for field in ("goading { value }", "pushing { acceptance { with { n } } }", "afterCoaching { after { n } }")
        ),
        (
            '{ team(key: "south") { examples(period: PERIOD) { comparisons { team { n } } } } }',
            "bob",
            (["sam"], ["card"]),
        ),
        (
            '{ person(key: "ann") { example(team: "north", period: PERIOD) { policy } } }',
            "cleo",
            (["ann"], ["example"]),
        ),
        ('{ person(key: "rik") { example(team: "north", period: PERIOD) { policy } } }', "cleo", None),
        ('{ team(key: "north") { equity { activeCustomers } } }', "cleo", None),
        ('{ team(key: "company") { equity { activeCustomers } } }', "cleo", None),
        ('{ team(key: "south") { equity { activeCustomers } } }', "cleo", (["sam"], ["card"])),
        # Relationships: of what is shown, what is another person's.
        ('{ relationship(customer: "acme") { segment reps { key } } }', "rik", None),
        ('{ relationship(customer: "acme") { signals { edges { cursor } } } }', "rik", None),
        ('{ relationship(customer: "acme") { acts { edges { cursor } } } }', "rik", (["sam"], ["acts"])),
        ('{ relationship(customer: "globex") { acts { edges { node { time data } } } } }', "rosa", None),
        ('{ relationship(customer: "acme") { signals { edges { cursor } } } }', "cleo", (["rik", "sam"], ["signals"])),
        # Personal fields: of acts their reps', of those without a rep whom they are about; a name is one.
        ('{ acts(filter: {subject: "globex"}) { edges { node { data } } } }', "ann", (["rosa"], ["acts", "personal"])),
        ('{ relationship(customer: "acme") { customerName } }', "admin", (["acme"], ["personal"])),
        ('{ relationship(customer: "acme") { customerName } }', "rik", None),
        ('{ acts(filter: {subject: "ann"}) { edges { node { data } } } }', "admin", (["ann"], ["acts", "personal"])),
        ('{ person(key: "rik") { name } }', "ann", (["rik"], ["personal"])),
        ('{ person(key: "rik") { name } }', "rik", None),
        ('{ team(key: "north") { members { role } leaders { key } } }', "ann", None),
        ('{ team(key: "north") { leaders { name } } }', "cleo", (["ann"], ["personal"])),
        # Single acts.
        ('{ explainAct(source: "test", actId: "push") { signals { at } } }', "ann", (["rosa"], ["acts", "signals"])),
        ('{ explainAct(source: "test", actId: "push") { fate } }', "rosa", None),
        ('{ explainAct(source: "test", actId: "push") { fate } }', "rik", None),
        ("{ viewer { key teams { name } } principles { title } }", "ann", None),
        ('{ person(key: "rik") { memberships { from } relationships { edges { cursor } } } }', "ann", None),
    ],
)
def test_an_entry_names_whose_and_what(
    people: Asker, query: str, who: str | None, expected: tuple[list[str], list[str]] | None
) -> None:
    """All persons of whom the request read a card, signals, acts or personal fields, but the one who asks."""
    assert of(people, query.replace("CARD", CARD).replace("PERIOD", PERIOD), who) == expected


def test_what_is_forbidden_was_not_read(people: Asker) -> None:
    """A refused field leaves no entry; beside it, what was shown does."""
    assert people.codes(card("sam"), who="rik") == ["FORBIDDEN"]
    assert recorded(people) == []
    people.ask('{ a: person(key: "sam") { key } b: person(key: "rosa") { ' + CARD + " } }", who="ann")
    ((_, _, _, persons, what),) = recorded(people)
    assert (persons, what) == (["rosa"], ["card"])


def test_a_token_and_a_key_are_told_apart(people: Asker) -> None:
    """The entry has the name of the credential and the key of the person whose it is, if anybody's."""
    people.credentials["token"] = Credential("person:ann", frozenset({ADMIN}), (), "ann")
    people.data(card("rik"), who="token")
    assert [entry[1:3] for entry in recorded(people)] == [("person:ann", "ann")]


def test_without_the_record_there_is_no_answer(people: Asker) -> None:
    """Where it cannot be written: UNAVAILABLE, and nothing of what was read; who reads nothing of others goes on."""
    query = card("rik")
    with people.world.stores.control.begin() as connection:
        connection.execute(text("ALTER TABLE reads RENAME TO gone"))
    body = people.ask(query, who="ann")
    assert "data" not in body
    assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAVAILABLE"]
    assert people.data(query, who="rik") is not None


def test_a_record_that_is_not_to_be_had_now_is_told_as_such(clock: Any, tmp_path: Any) -> None:
    """503 where the database is away: the same request may be answered later."""

    def away(_entries: Sequence[Read]) -> None:
        raise Unavailable("the database does not answer")

    asker = Asker(tmp_path, clock, record_reads=away)
    asker.world.post("urgency.pressed", "globex", "2026-02-02", rep="rosa", tactic="guilt")
    asker.world.fold()
    response = asker.post(card("rosa"), accept=GRAPHQL)
    assert (response.status_code, "data" in response.json()) == (503, False)
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    asker.close()


def test_entries_of_many_requests_are_written_together() -> None:
    """While one transaction is on its way the next entries gather; each request goes on once its own is durable."""
    groups: list[list[str]] = []

    def write(entries: Sequence[Read]) -> None:
        groups.append([entry.actor for entry in entries])
        if len(groups) == 2:
            raise Unavailable("the database does not answer")

    async def record() -> list[object]:
        log = ReadLog(write)
        entries = [Read(0, str(number), None, ["rik"], ["card"]) for number in range(4)]
        first = asyncio.create_task(log.record(entries[0]))
        await asyncio.sleep(0)  # the first is on its way: the others find it so
        await asyncio.sleep(0)
        return await asyncio.gather(first, *map(log.record, entries[1:]), return_exceptions=True)

    outcomes = asyncio.run(record())
    assert groups == [["0"], ["1", "2", "3"]]
    assert [type(outcome) for outcome in outcomes] == [type(None), Unavailable, Unavailable, Unavailable]


def test_reads_are_counted_as_durable(people: Asker) -> None:
    """What was answered is in the table, for any other process to see."""
    for _ in range(3):
        people.data(card("rik"), who="ann")
    with people.world.stores.control.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(reads)) == 3
