"""Teams whose example is plain to see: a few acts each, and figures that anyone can check by counting.

Each case has people, customers and a year of its own, so that all of them can lie in one log. What is expected is
written as GraphQL shows it, to four digits: a path into a `LeaderExample` (or `CustomerEquity`), an entry of a list
being named by its principle; of `undefinedBecause`, whether there is a reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.reference.model import RefAct, instant_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Expected = Mapping[str, float | None]


@dataclass
class PlainTeam:
    """A team, what its leader and reps did, and what their example or equity must be.

    `day(n)` of the acts is n days after the case's 1 January; `expected` holds paths into the example of `leader` over
    [from_, to) as of `as_of`, `equity` paths into the team's equity as of `as_of`.
    """

    name: str
    year: int
    story: str
    from_: date
    to: date
    as_of: str
    expected: Expected = field(default_factory=dict)
    equity: Expected = field(default_factory=dict)
    acts: list[RefAct] = field(default_factory=list)

    @property
    def team(self) -> str:
        """The key of the team."""
        return f"{self.name}-team"

    @property
    def leader(self) -> str:
        """The key of its leader."""
        return f"{self.name}-leader"

    def who(self, name: str) -> str:
        """The key of a person or customer of this case."""
        return f"{self.name}-{name}"

    def disagreements(self, example: Mapping[str, Any], equity: Mapping[str, Any]) -> list[str]:
        """Where an example and an equity, as JSON with lists by principle, differ from what is plain to see."""
        found = []
        for expected, shown in ((self.expected, example), (self.equity, equity)):
            for path, value in expected.items():
                seen = _at(shown, path)
                if path.endswith("undefinedBecause"):
                    seen = seen not in (None, False)
                same = seen is value if seen is None or value is None else math.isclose(seen, value, rel_tol=2e-4)
                if not same:
                    found.append(f"{self.name} {path}: {seen}, expected {value}")
        return found

    def add(self, day: float, name: str, subject: str, **data: Any) -> None:
        """An act so many days after 1 January, 00:00 UTC; `for_` stands for `for`."""
        time = datetime(self.year, 1, 1, tzinfo=UTC) + timedelta(days=day)
        named = {key.rstrip("_"): value for key, value in data.items()}
        instant = (time - EPOCH) // timedelta(microseconds=1)
        number = len(self.acts)
        self.acts.append(RefAct(0, number, name, "plain", f"{self.name}-{number}", subject, instant, named))

    def join(self, person: str, role: str, first: float = 0, last: float = 363, team: str | None = None) -> None:
        """A stay in the team from one day to another; nobody stays beyond the case's year."""
        self.add(first, "team.joined", team or self.team, person=self.who(person), role=role)
        self.add(last, "team.left", team or self.team, person=self.who(person))

    def press(self, day: float, person: str, customer: str) -> None:
        """One breach of `no-pressure`, and nothing else."""
        self.add(day, "urgency.pressed", self.who(customer), rep=self.who(person), tactic="deadline")

    def help_out(self, day: float, person: str, customer: str) -> None:
        """One kept `no-pressure`, and nothing else: a special that meets a need."""
        self.add(day - 0.01, "need.established", self.who(customer), rep=self.who(person), need="n")
        special = {"rep": self.who(person), "campaign": "x", "needs": ["n"]}
        self.add(day, "special.promoted", self.who(customer), **special)

    def meet(self, day: float, person: str, customer: str, minutes: int = 30) -> None:
        """One signal of `respect-time`: half an hour was asked for."""
        asked = {"rep": self.who(person), "channel": "video", "purpose": "other"}
        self.add(day, "meeting.held", self.who(customer), asked_minutes=30, actual_minutes=minutes, **asked)

    def decide(self, day: float, person: str, customer: str, outcome: str) -> None:
        """The customer says yes or no."""
        self.add(day, "decision.made", self.who(customer), rep=self.who(person), outcome=outcome)

    def order(self, day: float, person: str, customer: str) -> None:
        """The customer buys."""
        bought = {"rep": self.who(person), "amount": "1", "currency": "EUR", "items": []}
        self.add(day, "order.placed", self.who(customer), **bought)

    def contact(self, day: float, person: str, customer: str, purpose: str = "follow_up") -> None:
        """A call."""
        self.add(day, "contact.made", self.who(customer), rep=self.who(person), channel="call", purpose=purpose)


def _at(shown: Any, path: str) -> Any:
    """What lies at a path; None where something on the way is null."""
    for name in path.split("."):
        shown = None if shown is None else shown[name]
    return shown


def goaded() -> PlainTeam:
    """Pushing goads."""
    case = PlainTeam(
        "goaded",
        2010,
        "Two reps. The leader pushes on day 100. In the 14 days before, one of them presses twice; in the 14 days "
        "after, six times. Both windows are 14 days of two reps, so the ratio is 6 : 2. Of eight, six came after: the "
        "exact interval of 6/8 is 0.3491 to 0.9681, as odds 0.5364 to 30.39. A press on day 114 and a bit is outside.",
        date(2010, 4, 1),
        date(2010, 5, 1),
        "2010-06-01T00:00:00Z",
        {
            "goading.before": 2,
            "goading.after": 6,
            "goading.beforeDays": 28.0,
            "goading.afterDays": 28.0,
            "goading.value": 3.0,
            "goading.interval.low": 0.5364,
            "goading.interval.high": 30.39,
            "goading.undefinedBecause": False,
            "comparisons.NO_PRESSURE.leader.breached": 1,  # the push itself
            "comparisons.NO_PRESSURE.team.breached": 8,  # those of April: day 86 is 28 March
        },
    )
    case.join("leader", "leader")
    case.join("ann", "rep")
    case.join("bo", "rep")
    case.add(100, "push.directed", case.leader, team=case.team)
    for day in (86, 99, 101, 102, 103, 104, 105, 114, 114.5):
        case.press(day, "ann", "public-house")
    return case


def nothing_before() -> PlainTeam:
    """Nobody got before the push."""
    case = PlainTeam(
        "sudden",
        2011,
        "One rep presses three times after the push and never before: no ratio, but a lower end. Three of three after "
        "is at least 0.025^(1/3) = 0.2924 of them, as odds 0.4132; the days are the same on both sides.",
        date(2011, 1, 1),
        date(2011, 12, 1),
        "2011-12-01T00:00:00Z",
        {
            "goading.before": 0,
            "goading.after": 3,
            "goading.value": None,
            "goading.interval.low": 0.4132,
            "goading.interval.high": None,
            "goading.undefinedBecause": True,
        },
    )
    case.join("leader", "leader")
    case.join("ann", "rep")
    case.add(100, "push.directed", case.leader, team=case.team)
    for day in (101, 102, 103):
        case.press(day, "ann", "customer")
    return case


def month_end() -> PlainTeam:
    """The month's last days."""
    case = PlainTeam(
        "monthend",
        2012,
        "June has 30 days; its last five are the 26th to the 30th. One rep presses once on each of them and five times "
        "before: 5 in 5 days against 5 in 25, five times the rate.",
        date(2012, 6, 1),
        date(2012, 7, 1),
        "2012-08-01T00:00:00Z",
        {
            "monthEndPressure.before": 5,
            "monthEndPressure.after": 5,
            "monthEndPressure.beforeDays": 25.0,
            "monthEndPressure.afterDays": 5.0,
            "monthEndPressure.value": 5.0,
            "goading.value": None,
            "goading.beforeDays": 0.0,
        },
    )
    case.join("leader", "leader")
    case.join("ann", "rep")
    first_of_june = (date(2012, 6, 1) - date(2012, 1, 1)).days
    for day in (0, 5, 10, 15, 24.99, 25, 26, 27, 28, 29.99):
        case.press(first_of_june + day, "ann", "customer")
    return case


def copied() -> PlainTeam:
    """The team does what the leader does."""
    case = PlainTeam(
        "copied",
        2013,
        "In spring the leader presses, in autumn they help. Each of two reps breaches 4 of 5 times under the bad "
        "example and 1 of 5 under the good one: a table (4, 1, 1, 4) each, pooled (16/10 + 16/10) / (1/10 + 1/10) = "
        "16. There is no other leader to compare with, so the chance baseline is undefined.",
        date(2013, 1, 1),
        date(2013, 12, 1),
        "2013-12-31T00:00:00Z",
        {
            "comparisons.NO_PRESSURE.mirroring.value": 16.0,
            "comparisons.NO_PRESSURE.mirroring.strata": 2,
            "comparisons.NO_PRESSURE.mirroring.n": 20,
            "comparisons.NO_PRESSURE.mirroring.undefinedBecause": False,
            "comparisons.NO_PRESSURE.chanceBaseline.value": None,
            "comparisons.NO_PRESSURE.chanceBaseline.strata": 0,
            "comparisons.NO_PRESSURE.chanceBaseline.undefinedBecause": True,
            "comparisons.NO_PRESSURE.leader.rate": 0.5,
            "comparisons.NO_PRESSURE.team.rate": 0.5,
            "comparisons.NO_PRESSURE.difference.value": 0.0,
        },
    )
    case.join("leader", "leader")
    case.press(70, "leader", "own")
    case.help_out(270, "leader", "own")
    for rep in ("ann", "bo"):
        case.join(rep, "rep")
        _five_each(case, rep, pressing=4, day=71)
        _five_each(case, rep, pressing=1, day=271)
    return case


def _five_each(case: PlainTeam, rep: str, pressing: int, day: float) -> None:
    for number in range(5):
        if number < pressing:
            case.press(day + number, rep, f"{rep}-{number}")
        else:
            case.help_out(day + number, rep, f"{rep}-{number}")


def busy_month() -> PlainTeam:
    """Everybody breaches in the busy month."""
    case = PlainTeam(
        "busy",
        2014,
        "As before, but the leader of another team presses and helps on the same days: a busy spring breaches "
        "everywhere. Mirroring is 16 again, and so is its chance baseline: nothing speaks for this leader's example.",
        date(2014, 1, 1),
        date(2014, 12, 1),
        "2014-12-31T00:00:00Z",
        {
            "comparisons.NO_PRESSURE.mirroring.value": 16.0,
            "comparisons.NO_PRESSURE.chanceBaseline.value": 16.0,
            "comparisons.NO_PRESSURE.chanceBaseline.strata": 2,
            "comparisons.NO_PRESSURE.chanceBaseline.n": 20,
        },
    )
    case.join("leader", "leader")
    case.join("other", "leader", team=case.who("other-team"))
    for leader in ("leader", "other"):
        case.press(70, leader, f"{leader}s-own")
        case.help_out(270, leader, f"{leader}s-own")
    for rep in ("ann", "bo"):
        case.join(rep, "rep")
        _five_each(case, rep, pressing=4, day=71)
        _five_each(case, rep, pressing=1, day=271)
    return case


def words_and_deeds() -> PlainTeam:
    """Where words and deeds part."""
    case = PlainTeam(
        "words",
        2015,
        "The leader says on day 10 that others' time is theirs, and leads from day 20. Of the meetings since, two are "
        "on time and one overruns: a gap of 1/3. One overran before the statement and one before leading; they do not "
        "count. Saying it again on day 50 changes nothing. The call at the very instant of their second "
        "statement is not after it, the next one is.",
        date(2015, 3, 1),
        date(2015, 12, 1),
        "2015-12-31T00:00:00Z",
        {
            "standards.RESPECT_TIME.since": instant_of("2015-01-11"),
            "standards.RESPECT_TIME.gap": 1 / 3,
            "standards.RESPECT_TIME.score.kept": 2,
            "standards.RESPECT_TIME.score.breached": 1,
            "standards.RESPECT_TIME.score.previous": None,
            "standards.OWN_GOALS.score.kept": 1,
            "standards.OWN_GOALS.gap": 0.0,
            "comparisons.RESPECT_TIME.leader.kept": 2,
            "comparisons.RESPECT_TIME.leader.breached": 0,  # the one that overran was in February
            "comparisons.RESPECT_TIME.team.rate": None,
            "comparisons.RESPECT_TIME.difference.value": None,
        },
    )
    case.join("leader", "leader", first=20)
    for day in (10, 50):
        case.add(day, "standard.stated", case.leader, team=case.team, principle="respect-time")
    case.add(90, "standard.stated", case.leader, team=case.team, principle="own-goals")
    for called in (90, 91):
        case.contact(called, "leader", "customer-90")
    for day, minutes in ((5, 60), (15, 60), (40, 60), (70, 30), (80, 35)):
        case.meet(day, "leader", f"customer-{day}", minutes)
    return case


def imprint() -> PlainTeam:
    """What a newcomer sees first."""
    case = PlainTeam(
        "imprint",
        2016,
        "Two newcomers. The leader presses on day 0, and helps on days 60 and 75. In their first days each presses "
        "three times and helps once while the bad example is fresh, then presses once and helps three times: (3, 1, "
        "1, 3) twice, 9. The last of these is on day 89; the press on day 90 is no first impression any more. "
        "The period is a later one: what counts is that these days were over by its end.",
        date(2016, 6, 1),
        date(2016, 7, 1),
        "2016-12-31T00:00:00Z",
        {
            "comparisons.NO_PRESSURE.imprint.value": 9.0,
            "comparisons.NO_PRESSURE.imprint.strata": 2,
            "comparisons.NO_PRESSURE.imprint.n": 16,
            "comparisons.NO_PRESSURE.mirroring.n": 0,
            "comparisons.NO_PRESSURE.mirroring.value": None,
        },
    )
    case.join("leader", "leader")
    case.press(0.1, "leader", "own")
    case.help_out(60, "leader", "own")
    case.help_out(75, "leader", "own")
    for rep in ("ann", "bo"):
        case.join(rep, "rep")
        for day in (1, 2, 3, 80, 90):
            case.press(day, rep, f"{rep}-{day}")
        for late in (4, 81, 82, 89.99):
            case.help_out(late, rep, f"{rep}-{late}")
    return case


def pushing() -> PlainTeam:
    """Whether pushing pays."""
    case = PlainTeam(
        "pushing",
        2017,
        "Of four customers who were pressed one said yes, of four who were not three did: 1/4 against 3/4. The yes "
        "under pressure never bought again within the year; of the three others two did, one of them after exactly "
        "365 days, at the very instant of asking, and one within the first 24 hours only, which is the same purchase.",
        date(2017, 1, 1),
        date(2017, 4, 1),
        "2018-01-21T00:00:00Z",
        {
            "pushing.acceptance.with.kept": 1,
            "pushing.acceptance.with.n": 4,
            "pushing.acceptance.without.kept": 3,
            "pushing.acceptance.without.n": 4,
            "pushing.acceptance.difference.value": -0.5,
            "pushing.repeat.with.kept": 0,
            "pushing.repeat.with.n": 1,
            "pushing.repeat.without.kept": 2,
            "pushing.repeat.without.n": 3,
            "pushing.repeat.difference.value": -2 / 3,
        },
    )
    case.join("leader", "leader")
    case.join("ann", "rep")
    for number in range(8):
        customer, pressed = f"customer-{number}", number < 4
        case.contact(10, "ann", customer, "introduce")
        if pressed:
            case.press(11, "ann", customer)
        yes = number in (0, 4, 5, 6)
        case.decide(20, "ann", customer, "accepted" if yes else "declined")
    case.order(21, "ann", "customer-4")
    case.order(100, "ann", "customer-5")
    case.order(20 + 365, "ann", "customer-6")
    return case


def coaching() -> PlainTeam:
    """When one has learned better."""
    case = PlainTeam(
        "coached",
        2018,
        "Ann's meetings: three of four overrun in the four weeks before she is coached, one of four after. The meeting "
        "on day 72, more than 28 days before, and the one at the coaching's very instant are neither. Three of four "
        "recognitions are for behaviour; one of them names no principle, and Zoe's is left out: she is no rep here. A "
        "call between two coachings counts after the first, not before the second; what Zac left undone while he was "
        "a rep is his as a rep's, though it is said when he has gone.",
        date(2018, 1, 1),
        date(2018, 12, 1),
        "2018-12-31T00:00:00Z",
        {
            "afterCoaching.RESPECT_TIME.before.kept": 1,
            "afterCoaching.RESPECT_TIME.before.n": 4,
            "afterCoaching.RESPECT_TIME.after.kept": 3,
            "afterCoaching.RESPECT_TIME.after.n": 4,
            "afterCoaching.RESPECT_TIME.difference.value": 0.5,
            "afterCoaching.OWN_GOALS.after.n": 1,
            "afterCoaching.OWN_GOALS.before.n": 0,
            "afterCoaching.SERVE_CUSTOMERS.after.kept": 0,
            "afterCoaching.SERVE_CUSTOMERS.after.n": 1,
            "coaching.RESPECT_TIME.count": 1,
            "coaching.OWN_GOALS.count": 2,
            "recognition.ASK_FIRST.count": 2,
            "recognition.OWN_GOALS.count": 1,
            "behaviourRecognitionShare": 0.75,
        },
    )
    case.join("leader", "leader")
    case.join("ann", "rep")
    case.add(101, "coaching.given", case.leader, rep=case.who("ann"), principle="respect-time")
    case.add(101, "coaching.given", case.leader, rep=case.who("zoe"), principle="two-way")
    for day, minutes in ((72, 60), (73, 60), (80, 60), (90, 60), (100, 30), (101, 60)):
        case.meet(day, "ann", f"customer-{day}", minutes)
    for later, minutes in ((102, 60), (110, 30), (120, 30), (129, 30), (129.1, 60)):
        case.meet(later, "ann", f"customer-{later}", minutes)
    for coached in (200, 210):
        case.add(coached, "coaching.given", case.leader, rep=case.who("ann"), principle="own-goals")
    case.contact(205, "ann", "customer-205")
    case.join("zac", "rep", last=302)
    case.add(290, "coaching.given", case.leader, rep=case.who("zac"), principle="serve-customers")
    wanted = {"channel": "email", "asks": False, "wants_help": True}
    case.add(300, "contact.received", case.who("customer-300"), rep=case.who("zac"), **wanted)
    for day, for_, principle in (
        (10, "behaviour", "ask-first"),
        (11, "result", "ask-first"),
        (12, "behaviour", "own-goals"),
        (13, "behaviour", None),
    ):
        named = {} if principle is None else {"principle": principle}
        case.add(day, "recognition.given", case.leader, rep=case.who("ann"), for_=for_, **named)
    case.add(14, "recognition.given", case.leader, rep=case.who("zoe"), for_="result")
    return case


def guides() -> PlainTeam:
    """Whether guides win."""
    case = PlainTeam(
        "guides",
        2019,
        "Five reps who overrun none, one, two, three, four of their five meetings, and are alike otherwise. The better "
        "the guide, the more of their five customers say yes (+1) and, as it happens, the fewer refer others (−1). "
        "Nobody has a customer who buys twice: no variation.",
        date(2019, 1, 1),
        date(2019, 12, 1),
        "2020-01-31T00:00:00Z",
        {
            "guidesWin.acceptance.value": 1.0,
            "guidesWin.acceptance.n": 5,
            "guidesWin.referrals.value": -1.0,
            "guidesWin.referrals.n": 5,
            "guidesWin.repeatCustomers.value": None,
            "guidesWin.repeatCustomers.n": 5,
        },
    )
    case.join("leader", "leader")
    for place in range(5):
        rep = f"rep{place}"
        case.join(rep, "rep")
        for number in range(5):
            customer = f"{rep}-{number}"
            case.contact(10, rep, customer, "introduce")  # own-goals, kept
            case.meet(11, rep, customer, 60 if number < place else 30)  # respect-time
            case.press(12, rep, customer)  # no-pressure, breached
            case.decide(13, rep, customer, "accepted" if number < 5 - place else "declined")
        for number in range(place):
            case.add(14, "referral.given", case.who(f"{rep}-0"), rep=case.who(rep), referred=case.who(f"new-{number}"))
    return case


def tied() -> PlainTeam:
    """Guides alike."""
    case = PlainTeam(
        "tied",
        2009,
        "Each of five reps has five signals of three dimensions: how many of them are kept stands below. Two of them "
        "kept 1, 2 and 3 and 3, 2 and 1 of five: the same index, a tie, whatever order they are added in. With ranks 1 "
        "2 3.5 3.5 5 against 1 2 3 4 5 referrals, the correlation is 9.5 / √(9.5 · 10) = 0.9747. They had no deals.",
        date(2009, 1, 1),
        date(2009, 12, 1),
        "2010-01-31T00:00:00Z",
        {
            "guidesWin.referrals.value": 0.974679,
            "guidesWin.referrals.n": 5,
            "guidesWin.acceptance.value": None,
            "guidesWin.acceptance.n": 0,
        },
    )
    case.join("leader", "leader")
    for place, kept in enumerate(((0, 0, 0), (1, 1, 1), (1, 2, 3), (3, 2, 1), (5, 5, 5))):
        rep = f"rep{place}"
        case.join(rep, "rep")
        for number in range(5):
            customer = f"{rep}-{number}"
            if number < kept[0]:
                case.contact(10, rep, customer, "introduce")
            else:
                case.add(10, "goal.appealed", case.who(customer), rep=case.who(rep))
            case.meet(11, rep, customer, 30 if number < kept[1] else 60)
            if number < kept[2]:
                case.help_out(12, rep, customer)
            else:
                case.press(12, rep, customer)
        for number in range(place):
            case.add(14, "referral.given", case.who(f"{rep}-0"), rep=case.who(rep), referred=case.who(f"new-{number}"))
    return case


def equity() -> PlainTeam:
    """What the customer base is worth."""
    case = PlainTeam(
        "equity",
        2020,
        "Four customers. One bought twice this year and refers two others, one bought once, one only the year before "
        "last is forgotten, one bought the year before: lost. Two said yes, after five and after one touch, a "
        "redial not counted. Of all eleven touches this year two went to somebody known to be unfit, and one to "
        "somebody who had bought before.",
        date(2022, 1, 1),
        date(2022, 12, 1),
        "2022-12-31T00:00:00Z",
        equity={
            "activeCustomers": 2,
            "repeatShare": 0.5,
            "referralsPerCustomerYear": 1.0,
            "lostCustomers": 1,
            "touchesToYesMedian": 3.0,
            "shareAtFiveToSeven": 0.5,
            "touchShareUnfit": 2 / 11,
            "touchShareCustomers": 1 / 11,
        },
    )
    case.join("leader", "leader", last=1090)
    case.join("ann", "rep", last=1090)
    case.order(10, "ann", "forgotten")
    case.order(400, "ann", "lost")
    for number in range(5):
        case.contact(800 + number, "ann", "loyal")
    case.contact(804.01, "ann", "loyal")  # a quarter of an hour later
    case.decide(806, "ann", "loyal", "accepted")
    case.order(807, "ann", "loyal")
    case.contact(808, "ann", "loyal", "thank")
    case.order(900, "ann", "loyal")
    for number in range(2):
        case.add(901, "referral.given", case.who("loyal"), rep=case.who("ann"), referred=case.who(f"new-{number}"))
    case.contact(810, "ann", "single")
    case.decide(811, "ann", "single", "accepted")
    case.order(812, "ann", "single")
    case.contact(820, "ann", "unfit")
    case.add(821, "prospect.qualified", case.who("unfit"), rep=case.who("ann"), outcome="unfit", criteria=[])
    case.contact(822, "ann", "unfit", "serve")
    case.meet(823, "ann", "unfit")
    return case


def shared_customer() -> PlainTeam:
    """The same customer is no example, the public is."""
    case = PlainTeam(
        "shared",
        2008,
        "The leader presses the customer Max on day 100. That Ann then presses Max too proves nothing: it may be Max. "
        "What she does with Mia and towards the public follows the example, and so does the push to everyone: the "
        "leader's press of the public on day 200 counts for Ann's press of the public on day 201. One press exactly 28 "
        "days after the example follows it, one at its very instant does not.",
        date(2008, 1, 1),
        date(2009, 1, 1),
        "2008-12-31T00:00:00Z",
        {
            "comparisons.NO_PRESSURE.team.breached": 7,
            "comparisons.NO_PRESSURE.mirroring.n": 4,
            "comparisons.NO_PRESSURE.mirroring.strata": 1,
            "comparisons.NO_PRESSURE.mirroring.value": None,
            "comparisons.NO_PRESSURE.mirroring.undefinedBecause": True,
        },
    )
    case.join("leader", "leader")
    case.join("ann", "rep")
    case.press(100, "leader", "max")
    case.press(100, "ann", "mia")
    case.press(101, "ann", "max")
    case.press(102, "ann", "mia")
    case.press(128, "ann", "mia")
    case.press(128.1, "ann", "mia")
    for day, person in ((103, "ann"), (200, "leader"), (201, "ann")):
        case.add(day, "urgency.pressed", "public", rep=case.who(person), tactic="scarcity")
    return case


def handed_over() -> PlainTeam:
    """A rep becomes the leader."""
    case = PlainTeam(
        "handover",
        2007,
        "Until day 100 somebody else leads and the later leader is a rep; then they lead. What they did as a rep is "
        "not their example as a leader, and what Ann did until then is not theirs to answer for. She leaves from day "
        "200 to day 250: the one press in between is nobody's. The push comes on day 105: of its 14 days before, nine "
        "are days of two reps and five of Ann alone, 23: the windows go back to before the leader led.",
        date(2007, 1, 1),
        date(2008, 1, 1),
        "2008-02-01T00:00:00Z",
        {
            "comparisons.NO_PRESSURE.leader.breached": 2,  # a press and the push
            "comparisons.NO_PRESSURE.team.breached": 3,
            "goading.beforeDays": 9.0 * 2 + 5.0,
            "goading.afterDays": 14.0,
            "goading.before": 2,
            "goading.after": 1,
            "goading.value": (1 / 14) / (2 / 23),
        },
    )
    case.join("before", "leader", last=100)
    case.join("leader", "rep", last=100)
    case.join("leader", "leader", first=100)
    case.join("ann", "rep", last=200)
    case.join("ann", "rep", first=250)
    case.press(50, "ann", "customer-1")
    case.press(95, "leader", "customer-2")
    case.press(99, "ann", "customer-1")
    case.add(105, "push.directed", case.leader, team=case.team)
    case.press(106, "ann", "customer-1")
    case.press(150, "leader", "customer-3")
    case.press(150, "ann", "customer-1")
    case.press(225, "ann", "customer-1")
    case.press(260, "ann", "customer-1")
    return case


def gone_on() -> PlainTeam:
    """A leader who has gone on to another team."""
    case = PlainTeam(
        "gone",
        2006,
        "A customer asks Ann for help on day 98, and nobody helps: a breach on day 102 that belongs to day 98, when "
        "the leader still led her. Their own customer was left waiting on day 90, said on day 94: a bad example. Since "
        "day 100 they lead another team, but nobody is a chance leader in their own place.",
        date(2006, 1, 1),
        date(2007, 1, 1),
        "2006-12-31T00:00:00Z",
        {
            "comparisons.SERVE_CUSTOMERS.leader.breached": 1,
            "comparisons.SERVE_CUSTOMERS.team.breached": 1,
            "comparisons.SERVE_CUSTOMERS.mirroring.n": 1,
            "comparisons.SERVE_CUSTOMERS.chanceBaseline.n": 0,
            "comparisons.SERVE_CUSTOMERS.chanceBaseline.strata": 0,
        },
    )
    case.join("leader", "leader", last=100)
    case.join("leader", "leader", first=100, team=case.who("other-team"))
    case.join("ann", "rep")
    for day, person in ((90, "leader"), (98, "ann")):
        wanted = {"channel": "email", "asks": False, "wants_help": True}
        case.add(day, "contact.received", case.who(f"{person}s-own"), rep=case.who(person), **wanted)
    return case


def plain_teams() -> list[PlainTeam]:
    """All of them."""
    tellings = (
        goaded,
        nothing_before,
        month_end,
        copied,
        busy_month,
        words_and_deeds,
        imprint,
        pushing,
        coaching,
        guides,
        tied,
        equity,
        shared_customer,
        handed_over,
        gone_on,
    )
    return [telling() for telling in tellings]
