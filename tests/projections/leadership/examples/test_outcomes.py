"""What came of it: pushing, coaching, guides, and the customer base."""

import pytest

from services.kit.instants import DAY
from services.projections.leadership.examples.coaching import (
    Coached,
    Recognised,
    behaviour_share,
    coaching_windows,
    counted,
    effects,
)
from services.projections.leadership.examples.equity import Dealt, Touched, customer_equity
from services.projections.leadership.examples.guides import Achieved, guides_win
from services.projections.leadership.examples.pushing import Outcome, pushing
from services.projections.leadership.examples.rates import Rate
from services.projections.leadership.examples.signals import Marks
from services.projections.leadership.policy import Coaching, Equity, Policy
from services.projections.leadership.policy import Pushing as PushingFigures
from services.projections.leadership.signals import Principle
from services.projections.leadership.statistics import difference

ASK, LISTEN = Principle.ASK_FIRST, Principle.TWO_WAY
LATE = 2_000 * DAY


def test_pushing_that_does_not_pay() -> None:
    """One of four pressed customers said yes, three of four others; nobody pressed came back, two of the three did."""
    outcomes = [
        Outcome(accepted=True, pressed=True, ended=0, next_order=None),
        *[Outcome(accepted=False, pressed=True, ended=0, next_order=None)] * 3,
        *[Outcome(accepted=True, pressed=False, ended=0, next_order=30 * DAY)] * 2,
        Outcome(accepted=True, pressed=False, ended=0, next_order=366 * DAY),
        Outcome(accepted=False, pressed=False, ended=0, next_order=DAY),
    ]
    acceptance, repeat = pushing(outcomes, LATE, PushingFigures())
    assert acceptance == (Rate(1, 4), Rate(3, 4))
    assert acceptance.difference == difference(1, 3, 3, 1)
    assert repeat == (Rate(0, 1), Rate(2, 3))


@pytest.mark.parametrize(("as_of", "n"), [(365 * DAY - 1, 0), (365 * DAY, 1)])
def test_a_yes_must_be_a_year_old_to_have_been_repeated_or_not(as_of: int, n: int) -> None:
    """Before that nobody can say that the customer did not come back."""
    assert pushing([Outcome(True, False, 0, DAY + 1)], as_of, PushingFigures()).repeat.without.n == n


def test_nothing_decided_has_no_rate() -> None:
    """Without attempts rates and difference are None."""
    found = pushing([], LATE, PushingFigures())
    assert found.acceptance.with_.rate is None
    assert found.acceptance.difference == (None, None)


def test_a_rep_who_learned() -> None:
    """Kept one of four in the weeks before the coaching, three of four in those after."""
    windows = coaching_windows([Coached("rik", ASK, 100 * DAY)], LATE, Coaching())
    marks = Marks((80 * DAY, 85 * DAY, 90 * DAY, 101 * DAY, 140 * DAY), (99 * DAY, 102 * DAY, 110 * DAY, 128 * DAY))
    (effect,) = effects(windows, {("rik", ASK): marks, ("rosa", ASK): Marks((99 * DAY,), ())})
    assert effect == (ASK, Rate(3, 4), Rate(1, 4))
    assert effect.difference == difference(3, 1, 1, 3)


def test_what_is_after_one_coaching_is_not_before_the_next() -> None:
    """Days after any coaching are after, even if another follows; each rep's own coaching counts."""
    coachings = [Coached("rik", ASK, 100 * DAY), Coached("rik", ASK, 110 * DAY), Coached("rosa", LISTEN, 5 * DAY)]
    windows = coaching_windows(coachings, 120 * DAY, Coaching())
    assert windows["rik", ASK] == ([(100 * DAY + 1, 120 * DAY + 1)], [(72 * DAY, 100 * DAY + 1)])
    assert windows["rosa", LISTEN] == ([(5 * DAY + 1, 33 * DAY + 1)], [(-23 * DAY, 5 * DAY)])
    marks = Marks((), (105 * DAY,))
    assert [effect.principle for effect in effects(windows, {("rik", ASK): marks})] == [ASK, LISTEN]


def test_coaching_is_counted_by_principle_in_their_order() -> None:
    """Those that were coached; recognition without a principle counts in the share only."""
    assert counted([LISTEN, ASK, LISTEN, None]) == [(ASK, 1), (LISTEN, 2)]
    assert behaviour_share([Recognised(None, True), Recognised(ASK, False), Recognised(ASK, True)]) == 2 / 3
    assert behaviour_share([]) is None


def people(number: int, step: int = 1) -> list[Achieved]:
    """People of whom each guides better than the one before and, with `step` 1, achieves more."""
    return [Achieved(k / 10, Rate(k * step % 11, 20), k * step % 11, -k * step) for k in range(number)]


def test_guides_win() -> None:
    """Whoever guides more gets more acceptance and repeat customers, and fewer referrals."""
    found = guides_win(people(6), 5)
    assert list(found.acceptance) == pytest.approx([1, 6])
    assert list(found.repeat_customers) == pytest.approx([1, 6])
    assert list(found.referrals) == pytest.approx([-1, 6])


def test_four_people_make_no_correlation() -> None:
    """Fewer than five are too few, and it shows how many they are."""
    assert guides_win(people(4), Policy().guides_win.people_at_least).referrals == (None, 4)


def test_all_alike_make_no_correlation() -> None:
    """Where nobody differs there is none; who decided nothing is not among those with an acceptance."""
    alike = [Achieved(k / 10, Rate(0, k % 2), 3, 3) for k in range(10)]
    found = guides_win(alike, 5)
    assert found == ((None, 5), (None, 10), (None, 10))


def test_a_customer_base() -> None:
    """Two of three ordered twice, one who did last year did not, half of the touches went to who never will."""
    dealt = Dealt(
        orders={"acme": 2, "globex": 1, "initech": 3},
        ordered_before=("acme", "gone"),
        referrals={"acme": 2, "stranger": 5},
        touches_to_yes=(4, 5, 7, 8),
        touched=Touched(all=20, unfit=10, customers=5),
    )
    found = customer_equity(dealt, Equity())
    assert found == (3, 2 / 3, 2 / 3, 1, 6.0, 0.5, 0.5, 0.25)


def test_an_empty_base_divides_by_nothing() -> None:
    """Counts are 0 and shares None."""
    found = customer_equity(Dealt({}, (), {}, (), Touched(0, 0, 0)), Equity())
    assert found == (0, None, None, 0, None, None, None, None)


def test_referrals_are_told_by_the_year() -> None:
    """With a fifth of a year in the policy, one referral a customer is five a year."""
    dealt = Dealt({"a": 1, "b": 1}, (), {"a": 1, "b": 1}, (), Touched(0, 0, 0))
    assert customer_equity(dealt, Equity(year_days=73)).referrals_per_customer_year == pytest.approx(5)
