"""Each leader's story can be read off the figures of the made-up year; the causes put in come out again."""

from collections import Counter, defaultdict
from datetime import date

import pytest
from scipy.stats import spearmanr

from services.demo.cast import PEOPLE
from tests.demo.reading import (
    GETTING,
    LEADERS,
    Reading,
    attempts,
    goading_ratio,
    mirroring,
    month_end_ratio,
    rate,
    read,
    tally,
)
from tests.reference.model import DAY, PRINCIPLES, RefAct
from tests.reference.scorecards import difference

RIVER, SUMMIT, HARBOUR = LEADERS
GUIDE, PUSHER, TALKER = LEADERS.values()
STATED_BY_THE_TALKER = ("ask-first", "accept-decisions", "follow-through", "serve-customers", "two-way")
REPS = frozenset(person.key for person in PEOPLE if not person.leads)


@pytest.fixture(scope="module")
def reading() -> Reading:
    """The year as it comes by default."""
    return read(7, date(2026, 1, 1))


@pytest.mark.parametrize("principle", PRINCIPLES)
def test_every_principle_is_kept_and_breached(reading: Reading, principle: str) -> None:
    """There is something to see on every card, good and bad."""
    kept, breached = tally(reading.signals, principle)
    assert kept >= 20
    assert breached >= 5


@pytest.mark.parametrize(
    ("other", "principles"),
    [
        (SUMMIT, ("own-goals", "ask-first", "no-pressure", "right-solution", "respect-time", "accept-decisions")),
        (HARBOUR, ("ask-first", "no-pressure", "right-solution", "respect-time")),
    ],
)
def test_the_team_that_is_guided_guides(reading: Reading, other: str, principles: tuple[str, ...]) -> None:
    """River is clearly ahead where its leader sets the example: the interval of the difference is above 0."""
    for principle in principles:
        ours, theirs = (tally(reading.of_reps(team), principle) for team in (RIVER, other))
        low = difference(*ours, *theirs).low
        assert low is not None, principle
        assert low > 0, principle


def test_the_guide_sets_the_example(reading: Reading) -> None:
    """River's leader keeps nearly everything, and hardly ever gets her customers to do anything."""
    everything = [principle for principle in PRINCIPLES if principle != "walk-the-talk"]
    assert rate(reading.of(GUIDE), *everything) > 0.9
    assert rate(reading.of(GUIDE), *GETTING) > 0.98


def test_the_pusher_pushes_at_the_end_of_the_month(reading: Reading) -> None:
    """All of the pushes of Summit's leader and most of her own getting are in the last five days of a month."""
    pushes = [act for act in reading.acts if act.name == "push.directed"]
    assert {act.subject for act in pushes} == {PUSHER}
    own = [one for one in reading.of(PUSHER) if one.principle in GETTING and one.verdict == "breached"]
    assert month_end_ratio(own) > 5


def test_the_pushers_team_pushes_with_her(reading: Reading) -> None:
    """Summit's reps get more at the end of the month, and after her pushes, than at other times."""
    getting = reading.getting(SUMMIT)
    assert month_end_ratio(getting) > 1.5
    assert goading_ratio(reading, SUMMIT) > 2


@pytest.mark.parametrize("principle", GETTING)
def test_the_pusher_is_copied(reading: Reading, principle: str) -> None:
    """Summit's reps do as their leader did lately, and not as other leaders did."""
    hers = mirroring(reading, SUMMIT, [PUSHER], [principle])
    assert hers > 2
    assert hers > 1.5 * mirroring(reading, SUMMIT, [GUIDE, TALKER], [principle])


def test_the_talker_does_not_do_as_he_says(reading: Reading) -> None:
    """Harbour's leader keeps about half of his own standards or less; River's keeps hers."""
    his, hers = (tally(reading.of(leader), "walk-the-talk") for leader in (TALKER, GUIDE))
    assert his[0] / sum(his) < 0.6
    high = difference(*his, *hers).high
    assert high is not None
    assert high < -0.2


def test_the_talkers_team_drifts_towards_what_he_does(reading: Reading) -> None:
    """On the standards that he states, Harbour's reps do as he does rather than as others do."""
    his = mirroring(reading, HARBOUR, [TALKER], STATED_BY_THE_TALKER)
    assert his > 1.2
    assert his > mirroring(reading, HARBOUR, [GUIDE, PUSHER], STATED_BY_THE_TALKER)


def test_pushing_does_not_pay(reading: Reading) -> None:
    """Pressed attempts are accepted less often, and those who accepted come back less often."""
    orders: defaultdict[str, list[int]] = defaultdict(list)
    for act in reading.acts:
        if act.name == "order.placed":
            orders[act.subject].append(act.time)
    accepted, again = Counter[bool](), Counter[bool]()
    ended = attempts(reading, REPS)
    for attempt in ended:
        if attempt[-1].data["outcome"] == "accepted":
            accepted[is_pressed(attempt)] += 1
            # The order of the decision itself comes within some days of it.
            again[is_pressed(attempt)] += any(at > attempt[-1].time + 10 * DAY for at in orders[attempt[0].subject])
    number = Counter(is_pressed(attempt) for attempt in ended)
    assert accepted[True] / number[True] < 0.7 * accepted[False] / number[False]
    assert again[True] / accepted[True] < 0.7 * again[False] / accepted[False]


def is_pressed(attempt: list[RefAct]) -> bool:
    """Whether somebody pressed the customer or appealed to it for their own goal."""
    return any(act.name in ("urgency.pressed", "goal.appealed") for act in attempt)


@pytest.mark.parametrize("team", LEADERS)
def test_guides_win(reading: Reading, team: str) -> None:
    """In each team, those who keep the principles more often are accepted more often."""
    members = [person.key for person in PEOPLE if not person.leads and person.stays[-1].team.key == team]
    everything = [principle for principle in PRINCIPLES if principle != "walk-the-talk"]
    kept, accepted = [], []
    for member in members:
        outcomes = [attempt[-1].data["outcome"] == "accepted" for attempt in attempts(reading, {member})]
        kept.append(rate(reading.of(member), *everything))
        accepted.append(sum(outcomes) / len(outcomes))
    assert spearmanr(kept, accepted).statistic > 0.3


def test_recognition_goes_to_behaviour_where_a_leader_guides(reading: Reading) -> None:
    """River's leader recognises how people act, Summit's what they bring in."""
    given = [act for act in reading.acts if act.name == "recognition.given"]
    share = {
        leader: sum(act.data["for"] == "behaviour" for act in given if act.subject == leader)
        / sum(act.subject == leader for act in given)
        for leader in LEADERS.values()
    }
    assert share[GUIDE] > 0.6 > share[TALKER]
    assert share[PUSHER] < 0.3
