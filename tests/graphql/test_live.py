"""Live answers: what wakes a subscription, what it may see at each event, and what ends it."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import ExitStack, aclosing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from services.events.credentials import Credential
from services.graphql.answering import Answer, Gateway, Question
from services.graphql.live import Live, LiveLimits, TooMany
from services.graphql.metrics import LiveMetrics
from services.graphql.schema import create_schema
from services.kit import instants
from services.kit.errors import Unavailable
from services.projections.changes import EVERYTHING
from tests.fixed_clock import FixedClock
from tests.graphql.company import found_company
from tests.graphql.gateway import Asker

WATCH = "subscription ($team: String!) { scorecardChanged(team: $team) { key name members { person { key } } } }"
SCORE = """subscription ($team: String!) { scorecardChanged(team: $team) {
  scorecard(period: {from: "2026-01-01", to: "2026-12-31"}, includeSubteams: true) {
    score(principle: NO_PRESSURE) { breached } } } }"""
CARDS = """subscription ($team: String!) { scorecardChanged(team: $team) { members { person {
  scorecard(period: {from: "2026-01-01", to: "2026-12-31"}) { score(principle: NO_PRESSURE) { breached } } } } } }"""
Answers = AsyncGenerator[Answer | None, None]


async def following(answers: Answers) -> Answer:
    """The next answer; keep-alives are passed over."""
    async with asyncio.timeout(20):
        while True:
            if (answer := await anext(answers)) is not None:
                return answer


def watching(
    asker: Asker,
    *steps: Callable[[Answers], Awaitable[None]],
    query: str = WATCH,
    team: str = "north",
    who: str = "ann",
) -> None:
    """Subscribe, and take the steps one after the other."""

    async def watch() -> None:
        question = Question(query, {"team": team}, None, f"Bearer {who}")
        async with aclosing(asker.live.answers(Gateway(create_schema(), asker.backing), question)) as answers:
            for step in steps:
                await step(answers)

    asyncio.run(watch())


def made_live(
    asker: Asker, limits: LiveLimits, ended: Callable[[Collection[str | None]], set[str | None]] = lambda _: set()
) -> Live:
    """Live connections over the asker's world, with limits of their own."""
    return Live(asker.world.stores.model, ended, LiveMetrics(CollectorRegistry()), limits)


def breached(answer: Answer) -> int:
    """What the answer to SCORE says."""
    found: int = answer.body["data"]["scorecardChanged"]["scorecard"]["score"]["breached"]
    return found


def codes(answer: Answer) -> list[str]:
    """The codes of an answer's errors."""
    return [error["extensions"]["code"] for error in answer.body["errors"]]


async def ends(answers: Answers) -> None:
    """There is nothing more to come."""
    with pytest.raises(StopAsyncIteration):
        await following(answers)


def press(asker: Asker, customer: str, rep: str) -> None:
    """Post and fold an act that breaches a principle of the rep's."""
    asker.world.post("urgency.pressed", customer, "2026-02-10", rep=rep, tactic="deadline")
    asker.world.fold()


@pytest.fixture
def people(company: Asker) -> Asker:
    """The company, whose leaders and a rep ask."""
    for person in ("ann", "bob", "cleo", "rik"):
        company.person(person)
    return company


def test_a_subscription_shows_what_is_and_then_what_changes(people: Asker) -> None:
    """At once the present state; then an answer for each commit that touches the team, here of one in a team below."""

    async def first(answers: Answers) -> None:
        assert breached(await following(answers)) == 1
        await asyncio.to_thread(press, people, "initech", "sam")
        assert breached(await following(answers)) == 2

    watching(people, first, query=SCORE, team="company", who="cleo")


def test_commits_that_touch_others_say_nothing(people: Asker) -> None:
    """What happens in the south is no news in the north; the next answer is of the north's own change."""

    async def first(answers: Answers) -> None:
        assert breached(await following(answers)) == 1
        await asyncio.to_thread(press, people, "umbrella", "sam")
        await asyncio.sleep(0)
        await asyncio.to_thread(press, people, "umbrella", "rosa")
        assert breached(await following(answers)) == 2

    watching(people, first, query=SCORE)
    assert _count(people, "exemplar_live_answers_total") == 2


def test_commits_are_told_together(people: Asker) -> None:
    """Who does not ask for the next answer meanwhile gets one, of all that has changed."""

    async def first(answers: Answers) -> None:
        assert breached(await following(answers)) == 1
        for number in range(5):
            await asyncio.to_thread(press, people, f"umbrella-{number}", "rosa")
        while breached(last := await following(answers)) < 6:
            assert codes(last) == []

    watching(people, first, query=SCORE)
    assert _count(people, "exemplar_live_answers_total") <= 4


@pytest.mark.parametrize(
    ("act", "subject", "data"),
    [
        ("team.joined", "north", {"person": "nora", "role": "rep", "name": "Nora"}),
        ("team.left", "north", {"person": "rik"}),
        ("team.formed", "north", {"name": "Norden", "parent": "company"}),
        ("team.formed", "nook", {"name": "Nook", "parent": "north"}),
        ("standard.stated", "ann", {"principle": "own-goals", "team": "north", "text": "listen"}),
        ("team.joined", "south", {"person": "rik", "role": "rep", "name": "Rik the Great"}),
        ("coaching.given", "ann", {"rep": "rosa", "principle": "no-pressure"}),
        ("recognition.given", "ann", {"rep": "rosa", "for": "result"}),
        ("push.directed", "ann", {"team": "north"}),
        ("question.asked", "globex", {"rep": "rosa", "topic": "problem"}),
        ("act.disputed", "acme", {"disputes_source": "test", "disputes_id": "hello", "reason": "no", "by": "rik"}),
        ("act.retracted", "acme", {"retracts_source": "test", "retracts_id": "hello", "reason": "no", "by": "rik"}),
    ],
)
def test_what_else_touches_a_team(people: Asker, act: str, subject: str, data: Any) -> None:
    """Stays, the name of the team or of one in it, a team below, what a leader says or gives, disputes, retractions.

    Each makes an answer, though of many no figure comes but when a field is asked for.
    """

    def post() -> None:
        people.world.post(act, subject, "2026-03-01", **data)
        people.world.fold()

    async def first(answers: Answers) -> None:
        await following(answers)
        await asyncio.to_thread(post)
        await following(answers)

    watching(people, first)


@pytest.mark.parametrize(
    ("who", "team"), [("rik", "south"), ("ann", "south"), ("ann", "nowhere"), ("admin", "nowhere")]
)
def test_only_who_leads_a_team_or_is_in_it_is_told_of_it(people: Asker, who: str, team: str) -> None:
    """Everyone else is refused at once, for a team that is not there too, and that is the end."""

    async def refused(answers: Answers) -> None:
        answer = await following(answers)
        assert ("data" in answer.body, codes(answer)) == (False, ["FORBIDDEN"])

    watching(people, refused, ends, team=team, who=who)


def test_who_is_in_a_team_is_told_of_what_is_their_own(people: Asker) -> None:
    """What a colleague does is no news to a rep; their own act is, and what they see of the team is its name."""

    async def first(answers: Answers) -> None:
        assert (await following(answers)).body["data"]["scorecardChanged"] == {"key": "north", "scorecard": None}
        await asyncio.to_thread(press, people, "umbrella", "rosa")
        await asyncio.sleep(0)
        await asyncio.to_thread(press, people, "umbrella", "rik")
        assert (await following(answers)).body["data"]["scorecardChanged"]["key"] == "north"

    query = SCORE.replace("scorecardChanged(team: $team) {", "scorecardChanged(team: $team) { key", 1)
    watching(people, first, query=query, who="rik")
    assert _count(people, "exemplar_live_answers_total") == 2


def test_who_no_longer_leads_a_team_is_told_so(people: Asker) -> None:
    """The commit by which a leader's stay ends is answered with FORBIDDEN, also on a team below the one they led."""

    def leave() -> None:
        people.world.post("team.left", "company", "2026-03-01", person="cleo")
        people.world.fold()

    async def first(answers: Answers) -> None:
        await following(answers)
        await asyncio.to_thread(leave)
        assert codes(await following(answers)) == ["FORBIDDEN"]

    watching(people, first, ends, who="cleo")


def test_a_revoked_credential_ends_it_even_if_nothing_happens(people: Asker) -> None:
    """It is checked again from time to time."""

    async def first(answers: Answers) -> None:
        await following(answers)
        del people.credentials["ann"]
        people.live.limits = people.live.limits._replace(keep_alive_seconds=0.05)

    async def second(answers: Answers) -> None:
        assert (await following(answers)).code == "UNAUTHENTICATED"

    people.live.limits = people.live.limits._replace(keep_alive_seconds=0.1)
    watching(people, first, second, ends)
    assert _count(people, "exemplar_live_dropped_total") == 1


def test_a_database_that_is_away_for_a_while_ends_nothing(tmp_path: Path, clock: FixedClock) -> None:
    """Where nobody can say whether a credential is still good, its subscription waits, and goes on afterwards."""
    away = threading.Event()
    asked = threading.Event()

    def model() -> Engine:
        if away.is_set():
            asked.set()
            raise Unavailable("the database does not answer")
        return asker.world.stores.model()

    async def first(answers: Answers) -> None:
        assert breached(await following(answers)) == 1
        away.set()
        following_one = asyncio.create_task(following(answers))
        assert await asyncio.to_thread(asked.wait, 20)
        away.clear()
        await asyncio.to_thread(press, asker, "initech", "rik")
        assert breached(await following_one) == 2

    asker = found_company(Asker(tmp_path, clock, model=model))
    asker.person("ann")
    asker.live.limits = LiveLimits(recheck_seconds=0.1, keep_alive_seconds=0.1)
    watching(asker, first, query=SCORE)
    asker.close()


def test_each_answer_puts_on_record_whose_cards_were_read(people: Asker) -> None:
    """An entry an answer, as for any request."""

    async def first(answers: Answers) -> None:
        await following(answers)
        await asyncio.to_thread(press, people, "umbrella", "rosa")
        await following(answers)

    watching(people, first, query=CARDS)
    with people.world.stores.control.connect() as connection:
        entries = connection.exec_driver_sql("SELECT actor, persons, what FROM reads").all()
    assert [tuple(entry) for entry in entries] == [("ann", '["rik","rosa"]', '["card"]')] * 2


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (
            "subscription { " + 'scorecardChanged(team: "north") { ' + "children { " * 10 + "key" + " }" * 11 + " }",
            "LIMIT",
        ),
        ("subscription { nothing }", "BAD_USER_INPUT"),
        ("mutation { nothing }", "BAD_USER_INPUT"),
    ],
)
def test_what_does_not_run_is_one_answer(people: Asker, query: str, code: str) -> None:
    """Documents are held to the limits of any other before anything runs."""

    async def refused(answers: Answers) -> None:
        assert codes(await following(answers)) == [code]

    watching(people, refused, ends, query=query)


def test_a_query_is_answered_once(people: Asker) -> None:
    """What is no subscription has one answer."""

    async def answered(answers: Answers) -> None:
        assert (await following(answers)).body["data"] == {"viewer": {"key": "ann"}}

    watching(people, answered, ends, query="query ($team: String) { viewer { key } }".replace("($team: String) ", ""))


def test_everything_ends_when_the_server_stops(people: Asker) -> None:
    """Streams end by themselves, and no new connection is taken."""

    async def first(answers: Answers) -> None:
        await following(answers)
        people.live.stop()

    watching(people, first, ends)
    with pytest.raises(TooMany), people.live.connection("sse"):
        pass


def test_connections_are_counted_in_all_and_by_credential(asker: Asker) -> None:
    """One more than the limit is refused, and taken once another has ended."""
    live = made_live(asker, LiveLimits(connections=2, each=1))
    ann, bob = (Credential(name, frozenset()) for name in ("ann", "bob"))
    with live.connection("sse") as first:
        live.take(first, ann)
        with live.connection("sse") as second, pytest.raises(TooMany):
            live.take(second, ann)
        with live.connection("sse") as second, live.connection("websocket") as third:
            live.take(second, bob)
            with pytest.raises(TooMany):
                live.take(third, Credential("cleo", frozenset()))
            with pytest.raises(TooMany), live.connection("websocket"):
                pass
        with live.connection("websocket"):
            pass
    with live.connection("sse") as again:
        live.take(again, ann)


def test_one_look_tells_of_all_connections_whose_credential_ended(asker: Asker) -> None:
    """However many there are, one question is asked for all; where it has no answer, it is asked again."""
    asked: list[Collection[str | None]] = []

    def ended(authorizations: Collection[str | None]) -> set[str | None]:
        if len(authorizations) == 1:
            return set()  # not everybody is there yet
        asked.append(authorizations)
        if len(asked) == 1:
            raise Unavailable("the database does not answer")
        return {"Bearer ann"}

    async def open_all() -> None:
        live = made_live(asker, LiveLimits(credentials_seconds=0.01), ended)
        gateway, told = Gateway(create_schema(), asker.backing), asyncio.Queue[str]()
        with ExitStack() as stack:
            for name in ("ann", "bob", "ann"):
                seat = stack.enter_context(live.connection("websocket"))
                seat.lapse = partial(told.put_nowait, name)
                await live.admit(seat, gateway, f"Bearer {asker.person(name)}", None)
            async with asyncio.timeout(20):
                assert [await told.get(), await told.get()] == ["ann", "ann"]

    asyncio.run(open_all())
    assert asked[:2] == [{"Bearer ann", "Bearer bob"}] * 2


def test_connections_of_nobody_take_no_place_of_others(asker: Asker) -> None:
    """However many there are, who says whose theirs is gets in; the oldest of the others has to go."""
    live = made_live(asker, LiveLimits(connections=2, arriving=3))
    ended: list[int] = []
    with ExitStack() as stack:
        seats = [stack.enter_context(live.connection("websocket")) for _ in range(3)]
        for number, seat in enumerate(seats):
            seat.end = partial(ended.append, number)
        seats += [stack.enter_context(live.connection("websocket")) for _ in range(2)]
        assert ended == [0, 1]
        live.take(seats[-1], Credential("ann", frozenset()))
        stack.enter_context(live.connection("websocket"))
        assert ended == [0, 1]
        live.take(stack.enter_context(live.connection("sse")), Credential("bob", frozenset()))
        with pytest.raises(TooMany), live.connection("websocket"):
            pass


def test_time_alone_makes_an_answer(people: Asker, clock: FixedClock) -> None:
    """A question that was left unanswered counts once its time is over, though nothing is posted then."""

    async def first(answers: Answers) -> None:
        assert breached(await following(answers)) == 0
        clock.advance(5 * instants.DAY)
        assert breached(await following(answers)) == 1

    asks: dict[str, Any] = {"rep": "rosa", "channel": "call", "asks": True, "wants_help": False}
    people.world.post("contact.received", "globex", "2026-03-01", **asks)
    people.world.fold()
    people.live.limits = people.live.limits._replace(clock_seconds=0.05)
    watching(people, first, query=SCORE.replace("NO_PRESSURE", "TWO_WAY"))


def test_an_answer_that_is_not_to_be_had_ends_nothing(tmp_path: Path, clock: FixedClock) -> None:
    """A change while the database is away is told once it is back."""
    away = threading.Event()
    asked = threading.Event()

    def model() -> Engine:
        if away.is_set():
            asked.set()
            raise Unavailable("the database does not answer")
        return asker.world.stores.model()

    async def first(answers: Answers) -> None:
        assert breached(await following(answers)) == 1
        later = asyncio.create_task(following(answers))
        away.set()
        asker.live.told(EVERYTHING)
        assert await asyncio.to_thread(asked.wait, 20)
        asker.world.post("urgency.pressed", "initech", "2026-02-10", rep="rik", tactic="deadline")
        await asyncio.to_thread(asker.world.fold)
        away.clear()
        assert breached(await later) == 2

    asker = found_company(Asker(tmp_path, clock, model=model))
    asker.person("ann")
    watching(asker, first, query=SCORE)
    asker.close()


def test_a_switch_of_generations_touches_all(people: Asker) -> None:
    """When everything may have changed, everybody is answered anew."""

    async def first(answers: Answers) -> None:
        await following(answers)
        await asyncio.to_thread(people.live.told, EVERYTHING)
        await following(answers)

    watching(people, first)


def _count(asker: Asker, name: str) -> float:
    return sum(sample.value for family in asker.registry.collect() for sample in family.samples if sample.name == name)
