"""What the leader models, as the contract's types (domain.md §5), and a team's customer equity.

Persons, teams and examples show one another: this module uses the types of `schema`, which names these ones lazily.
"""

import asyncio
from typing import TypeVar

import strawberry
from strawberry import Private

from services.graphql.example_loaders import ExampleLoaders
from services.graphql.permissions import forbidden
from services.graphql.reads import What
from services.graphql.scalars import DateTime
from services.graphql.schema import (
    Difference,
    Figures,
    Info,
    Interval,
    Person,
    PrincipleNode,
    Score,
    Team,
    describe,
    difference_of,
    interval_of,
    principle_node,
    read_figures,
    score_of,
    team_node,
)
from services.projections.leadership import association, statistics
from services.projections.leadership.examples import coaching, guides, pushing, rates
from services.projections.leadership.periods import Period
from services.projections.queries import examples
from services.projections.queries.leading import ExampleCard, ExampleKey
from services.projections.queries.rows import TeamRow

Value = TypeVar("Value")

NOTHING_TO_COPY = "the leader did not act with customers: the team had nothing here to copy"
_ASSOCIATIONS = frozenset({"mirroring", "chanceBaseline", "imprint"})
_BEYOND = frozenset({"previous", "change", "trend"})


@strawberry.type
class Rate:
    """How many of `n` did so: accepted, ordered again, or kept the principle."""

    kept: int = strawberry.field(description="How many did so")
    n: int = strawberry.field(description="Of how many")
    rate: float | None = strawberry.field(description="kept / n, 0 to 1; null when n = 0")
    interval: Interval | None = strawberry.field(
        description="The 95 % Jeffreys interval of the rate, as if each were independent; null when n = 0"
    )


@strawberry.type
class RateComparison:
    """The rate of attempts with a getting act and of those without one.

    Getting acts are pressing, appealing to one's own goal, and specials that meet no need.
    """

    with_: Rate = strawberry.field(name="with", description="Those with a getting act")
    without: Rate = strawberry.field(description="Those without one")
    difference: Difference = strawberry.field(description="With less without; no clear difference if it holds 0")


@strawberry.type
class OddsRatio:
    """A Mantel–Haenszel odds ratio pooled over strata, with its 95 % interval (Robins, Breslow, Greenland).

    Above 1: breaches follow the leader's breaches, and keeping the leader's keeping, more than the other way round.
    """

    value: float | None = strawberry.field(description="The odds ratio, above 0; null where it is not defined")
    interval: Interval | None = strawberry.field(description="Its 95 % interval: nothing is shown if it holds 1")
    strata: int = strawberry.field(description="How many 2 × 2 tables with a counted signal are pooled: one a rep")
    n: int = strawberry.field(description="How many signals are counted; few of them show little")
    undefined_because: str | None = strawberry.field(description="Why there is no value, in plain words")


@strawberry.type
class RateRatio:
    """Getting signals (breaches of *no-pressure* or *own-goals*) a rep-day after, by those a rep-day before."""

    value: float | None = strawberry.field(description="The ratio; 2 is twice as often after as before")
    interval: Interval | None = strawberry.field(description="Its exact 95 % interval: nothing is shown if it holds 1")
    before: int = strawberry.field(description="Getting signals before")
    after: int = strawberry.field(description="Getting signals after")
    before_days: float = strawberry.field(description="Days of reps before, in days of 24 h")
    after_days: float = strawberry.field(description="Days of reps after, in days of 24 h")
    undefined_because: str | None = strawberry.field(description="Why there is no value, in plain words")


@strawberry.type
class PrincipleCount:
    """How often a principle was coached, or recognised."""

    principle: PrincipleNode = strawberry.field(description="Which")
    count: int = strawberry.field(description="How often, at least once")


@strawberry.type
class CoachingEffect:
    """How the coached kept the principle within 28 days after coaching on it, against the 28 days before."""

    principle: PrincipleNode = strawberry.field(description="What they were coached on")
    after: Rate = strawberry.field(description="Their signals in the days after any such coaching")
    before: Rate = strawberry.field(description="Their signals in the days before one, and after none")
    difference: Difference = strawberry.field(description="After less before; no clear effect if it holds 0")


@strawberry.type
class Correlation:
    """Spearman's rank correlation of the guide index of people with what they achieved."""

    value: float | None = strawberry.field(description="-1 to 1; null with fewer than 5 people, or if all are alike")
    n: int = strawberry.field(description="How many people it rests on")


@strawberry.type
class GuidesWin:
    """Whether those who guide more achieve more: the guide index of each rep against three results of theirs."""

    acceptance: Correlation = strawberry.field(
        description="With the share of their decided attempts that were accepted"
    )
    repeat_customers: Correlation = strawberry.field(
        description="With the number of customers who ordered twice of them"
    )
    referrals: Correlation = strawberry.field(description="With the number of referrals given to them")


@strawberry.type
class Pushing:
    """Whether pushing pays: what came of attempts that the team's reps began to sell in."""

    acceptance: RateComparison = strawberry.field(description="Of those decided, the share accepted")
    repeat: RateComparison = strawberry.field(
        description="Of those accepted a year ago or earlier, the share that ordered again within the year after"
    )


@strawberry.type
class CustomerEquity:
    """What a team's customer base is worth, over the 365 days up to `asOf`: acts of its reps, while they were that.

    Shares are 0 to 1, and null where there is nothing to divide by.
    """

    policy: str = strawberry.field(description="The policy that made it")
    active_customers: int = strawberry.field(description="Customers who ordered")
    repeat_share: float | None = strawberry.field(description="The share of active customers who ordered twice or more")
    referrals_per_customer_year: float | None = strawberry.field(
        description="Referrals by active customers, a customer and year; who serves customers may expect 1 to 2"
    )
    lost_customers: int = strawberry.field(description="Customers who ordered in the year before that, and not in this")
    touches_to_yes_median: float | None = strawberry.field(
        description="The median number of sales touches that an accepted attempt took"
    )
    share_at_five_to_seven: float | None = strawberry.field(
        description="The share of accepted attempts that took five to seven sales touches"
    )
    touch_share_unfit: float | None = strawberry.field(
        description="The share of all touches that went to customers who had been judged unfit"
    )
    touch_share_customers: float | None = strawberry.field(
        description="The share of all touches that went to customers who had ordered before"
    )


@strawberry.type
class ExampleComparison:
    """The leader beside the team on one principle, over the time in the period that the leader led the team."""

    principle: PrincipleNode = strawberry.field(description="What is compared")
    leader: Score = strawberry.field(description="The leader's own score")
    team: Score = strawberry.field(description="The score of the team's reps, sub-teams not included")
    found: Private[examples.Associations | None]

    @strawberry.field
    def difference(self) -> Difference:
        """The leader's rate less the team's. No clear difference if the interval holds 0."""
        return difference_of(_between(self.leader, self.team))

    @strawberry.field
    def mirroring(self) -> OddsRatio:
        """Does the team do what the leader does? Reps' signals by whether the leader, in the 28 days before each,
        breached the principle or kept it, with other customers. Read it beside `chanceBaseline`.
        """
        return _odds(self.found and self.found.mirroring)

    @strawberry.field
    def chance_baseline(self) -> OddsRatio:
        """The same with every leader of another team in the leader's place: what busy months alone would show."""
        return _odds(self.found and self.found.chance_baseline)

    @strawberry.field
    def imprint(self) -> OddsRatio:
        """Mirroring over the signals of each rep's first 90 days in the team, in the period or before it."""
        return _odds(self.found and self.found.imprint)


@strawberry.type
class StatedStandard:
    """A principle that the leader stated to the team as a standard, and the leader's own conduct since."""

    principle: PrincipleNode = strawberry.field(description="What was stated")
    since: DateTime = strawberry.field(description="When it was first stated to this team")
    score: Score = strawberry.field(
        description="The leader's own score after that, to the period's end; no previous one"
    )
    gap: float | None = strawberry.field(description="1 less the rate, 0 to 1: how far deeds are from words")


@strawberry.type
class LeaderExample:
    """What a leader models to a team over a period: their own conduct beside the team's, and what follows from it.

    A correlation is not a cause: read mirroring beside its chance baseline, and every figure with its n.
    """

    key: Private[ExampleKey]
    period: Private[Period]

    @strawberry.field
    def leader(self) -> Person:
        """Whose example it is."""
        return Person(key=self.key.leader)

    @strawberry.field
    async def team(self, info: Info) -> Team:
        """Whom it is given to."""
        found = await info.context.load.team.load(self.key.team)
        return team_node(found or TeamRow(self.key.team, self.key.team, None))

    @strawberry.field
    def policy(self, info: Info) -> str:
        """The policy that made it."""
        return info.context.sources.policy.identity

    @strawberry.field
    async def remark(self, info: Info) -> str | None:
        """Says so, where the leader has no signals at all in the period while leading the team; else null."""
        cards = await self._load(info).cards.load(self._asked)
        return None if any(tally.n for tally in cards.leader.values()) else NOTHING_TO_COPY

    @strawberry.field
    async def comparisons(self, info: Info) -> list[ExampleComparison]:
        """The leader beside the team on each principle but *walk-the-talk*, in their order."""
        asked = bool(_ASSOCIATIONS & info.context.fields)
        own, team, found = await asyncio.gather(
            self._figures(info, of_leader=True),
            self._figures(info, of_leader=False),
            self._load(info).associations.load(self._asked) if asked else _nothing(),
        )
        return [
            ExampleComparison(
                principle=principle_node(principle),
                leader=score_of(own, principle),
                team=score_of(team, principle),
                found=None if found is None else found[principle],
            )
            for principle in examples.JUDGED
        ]

    @strawberry.field
    async def standards(self, info: Info) -> list[StatedStandard]:
        """The principles that the leader stated to the team by the period's end, in their order: words and deeds."""
        found = await self._load(info).standards.load(self._asked)
        return [self._standard(info, standard) for standard in found]

    @strawberry.field
    async def goading(self, info: Info) -> RateRatio:
        """Do reps push customers after they were pushed? The 14 days after a directed push against those before."""
        return _ratio(await self._load(info).goading.load(self._asked))

    @strawberry.field
    async def month_end_pressure(self, info: Info) -> RateRatio:
        """Do reps push at the end of the month? The last 5 days of months (*after*) against the other days."""
        return _ratio(await self._load(info).month_ends.load(self._asked))

    @strawberry.field
    async def coaching(self, info: Info) -> list[PrincipleCount]:
        """How often the leader coached reps of the team on each principle, those that were, in their order."""
        return _counts((await self._load(info).attention.load(self._asked)).coaching)

    @strawberry.field
    async def recognition(self, info: Info) -> list[PrincipleCount]:
        """How often the leader recognised reps of the team for each principle, those that were, in their order."""
        return _counts((await self._load(info).attention.load(self._asked)).recognition)

    @strawberry.field
    async def behaviour_recognition_share(self, info: Info) -> float | None:
        """The share of recognition that went to behaviour rather than results, 0 to 1; null without any."""
        return (await self._load(info).attention.load(self._asked)).behaviour_share

    @strawberry.field
    async def guides_win(self, info: Info) -> GuidesWin:
        """Do those win who guide rather than get? Rank correlations over the team's reps."""
        found = await self._load(info).guides.load(self._asked)
        return GuidesWin(
            acceptance=_correlation(found.acceptance),
            repeat_customers=_correlation(found.repeat_customers),
            referrals=_correlation(found.referrals),
        )

    @strawberry.field
    async def pushing(self, info: Info) -> Pushing:
        """Does pushing pay? What came of attempts with a getting act and of those without."""
        found = await self._load(info).pushing.load(self._asked)
        return Pushing(acceptance=_comparison(found.acceptance), repeat=_comparison(found.repeat))

    @strawberry.field
    async def after_coaching(self, info: Info) -> list[CoachingEffect]:
        """What came of coaching, for each principle that was coached, in their order."""
        return [_effect(effect) for effect in (await self._load(info).attention.load(self._asked)).effects]

    @property
    def _asked(self) -> tuple[Period, ExampleKey]:
        return self.period, self.key

    def _card(self, *, of_leader: bool) -> ExampleCard:
        return ExampleCard(*self.key, of_leader)

    async def _figures(self, info: Info, *, of_leader: bool) -> Figures:
        """What the scores of a card are read from: by itself if more is asked for than the signals at hand tell."""
        card = self._card(of_leader=of_leader)
        if _BEYOND & info.context.fields:
            return await read_figures(info, card, self.period)
        cards = await self._load(info).cards.load(self._asked)
        tallies = cards.leader if of_leader else cards.team
        return Figures(card, self.period, tallies, info.context.sources.policy, {}, None)

    def _load(self, info: Info) -> ExampleLoaders:
        return info.context.load.example

    def _standard(self, info: Info, standard: examples.StatedStandard) -> StatedStandard:
        principle, period, tally, by_day = standard
        policy = info.context.sources.policy
        figures = Figures(self._card(of_leader=True), period, {principle: tally}, policy, {principle: by_day}, None)
        return StatedStandard(
            principle=principle_node(principle),
            since=DateTime(period.start - 1),
            score=score_of(figures, principle),
            gap=standard.gap,
        )


async def of_team(info: Info, team: str, period: Period) -> list[LeaderExample]:
    """The examples of those who led the team in the period, by the first time they did. Raises Forbidden.

    Left out are those whose own card may not be seen: who led the team once and is in none of the viewer's now.
    """
    access = info.context.access
    if not access.leads_team(team):
        raise forbidden()
    found = await info.context.load.example.leaders.load((period, team))
    shown = [ExampleKey(leader, team) for leader in found if access.sees_example(team, leader)]
    return await _examples(info, shown, period)


async def of_person(info: Info, person: str, team: str, period: Period) -> LeaderExample | None:
    """The example of a person to a team; None if they did not lead it in the period. Raises Forbidden."""
    if not info.context.access.sees_example(team, person):
        raise forbidden()
    found = await info.context.load.example.leaders.load((period, team))
    return (await _examples(info, [ExampleKey(person, team)], period))[0] if person in found else None


async def _examples(info: Info, keys: list[ExampleKey], period: Period) -> list[LeaderExample]:
    """The examples, which from here on count as read; to a team that is one person, as that person's card."""
    info.context.noted.note(What.EXAMPLE, [key.leader for key in keys])
    for reps in await info.context.load.example.lone_rep.load_many([(period, key) for key in keys]):
        info.context.noted.note(What.CARD, reps)
    return [LeaderExample(key=key, period=period) for key in keys]


async def equity_of(info: Info, team: str, as_of: int) -> CustomerEquity:
    """The customer equity of a team as of an instant; that of one rep's team counts as read as that person's card.

    Raises Forbidden.
    """
    if not info.context.access.leads_team(team):
        raise forbidden()
    found, reps = await info.context.load.example.equity.load((as_of, team))
    if len(reps) == 1:
        info.context.noted.note(What.CARD, reps)
    return CustomerEquity(policy=info.context.sources.policy.identity, **found._asdict())


async def _nothing() -> None:
    """What nobody asks for."""


def _between(leader: Score, team: Score) -> statistics.Difference:
    return leader.tally.since(team.tally)


def _odds(found: association.OddsRatio | None) -> OddsRatio:
    assert found is not None, "the document mentions no association"
    return OddsRatio(
        value=found.value,
        interval=interval_of(found.interval),
        strata=found.strata,
        n=found.n,
        undefined_because=found.undefined_because,
    )


def _ratio(found: association.RateRatio) -> RateRatio:
    value, low, high, before, after, before_days, after_days, why = found
    return RateRatio(
        value=value,
        interval=None if low is None else Interval(low=low, high=high),
        before=before,
        after=after,
        before_days=before_days,
        after_days=after_days,
        undefined_because=why,
    )


def _rate(found: rates.Rate) -> Rate:
    return Rate(kept=found.kept, n=found.n, rate=found.rate, interval=interval_of(found.interval))


def _comparison(found: pushing.RateComparison) -> RateComparison:
    return RateComparison(
        with_=_rate(found.with_), without=_rate(found.without), difference=difference_of(found.difference)
    )


def _effect(found: coaching.CoachingEffect) -> CoachingEffect:
    return CoachingEffect(
        principle=principle_node(found.principle),
        after=_rate(found.after),
        before=_rate(found.before),
        difference=difference_of(found.difference),
    )


def _counts(found: list[coaching.PrincipleCount]) -> list[PrincipleCount]:
    return [PrincipleCount(principle=principle_node(principle), count=number) for principle, number in found]


def _correlation(found: guides.Correlation) -> Correlation:
    return Correlation(value=found.value, n=found.n)


describe(
    *(CoachingEffect, Correlation, CustomerEquity, ExampleComparison, GuidesWin, LeaderExample, OddsRatio),
    *(PrincipleCount, Pushing, Rate, RateComparison, RateRatio, StatedStandard),
)
