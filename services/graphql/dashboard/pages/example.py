"""The leader's example: what a leader models, what the team mirrors, and where to talk with whom.

A sentence first, a chart beside it, a table under it. A leader who hardly sells sees coaching, standards and pushes
first: there is little of their own selling that the team could copy.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from services.graphql.dashboard.answers import (
    Correlation,
    ExampleComparison,
    Interval,
    LeaderExample,
    OddsRatio,
    Rate,
    RateComparison,
    RateRatio,
    Score,
    Team,
)
from services.graphql.dashboard.charts.correlations import correlation_axis, correlation_chart, correlation_legend
from services.graphql.dashboard.charts.counts import counts_chart
from services.graphql.dashboard.charts.drawing import Row, sign
from services.graphql.dashboard.charts.rates import (
    PAIR_KEY,
    pair_chart,
    pair_legend,
    rate_axis,
    rate_chart,
    rates_chart,
)
from services.graphql.dashboard.charts.ratios import (
    MIRRORING_KEY,
    mirroring_axis,
    mirroring_chart,
    mirroring_legend,
    ratio_axis,
    ratio_chart,
)
from services.graphql.dashboard.figures import NOTHING, Cell, Column, Figure, Link, Missing, Shown, Table
from services.graphql.dashboard.modelling import (
    STANDARDS_DEFINITION,
    Short,
    attention_sentences,
    chance_correlation,
    coaching_definition,
    coaching_sentence,
    comparison_sentence,
    goading_definition,
    goading_sentence,
    guides_definition,
    guides_sentence,
    imprint_definition,
    imprint_sentence,
    mirroring_definition,
    mirroring_in_short,
    month_end_definition,
    month_end_sentence,
    pushing_definition,
    pushing_sentence,
    repeat_sentence,
    standard_sentence,
)
from services.graphql.dashboard.numbers import correlation, percent, short_day, times
from services.graphql.dashboard.places import team_tabs, trail_below
from services.graphql.dashboard.scores import difference, note, number, ratio, share, slug
from services.graphql.dashboard.standing_out import few_sales, stands_out
from services.graphql.dashboard.visiting import Page, Visit
from services.graphql.dashboard.wording import LIKELY, evidence_definition

NOT_YOURS = Missing("This example is not yours to see", "Those who lead the team, or a team above it, see it.")
NOBODY_LED = Missing(
    "Nobody led this team in this period",
    "An example is what somebody shows a team while leading it. Choose another period, or send who leads the team.",
    ("team.joined",),
)
AS_OFTEN = ("less often", "as often", "more often")
PRINCIPLES = "principles"  # the place of the principles among the sections
SOLD_FIRST = (
    *(PRINCIPLES, "standards", "goading", "month-end", "pushing"),
    *("attention", "after-coaching", "guides-win"),
)
SOLD_LITTLE = (
    *("attention", "after-coaching", "standards", "goading"),
    *(PRINCIPLES, "month-end", "pushing", "guides-win"),
)


class Asked(Struct):
    """What the document answers."""

    team: Team


class Compared(NamedTuple):
    """A principle as the page shows it: both charts, what is said of them, and where they lead.

    `mirror` is None where there is neither mirroring nor a chance baseline to draw; `badge` says what evidence lacks.
    """

    name: str
    title: str
    says: str
    mirrored: Short | None
    pair: Row
    mirror: Row | None
    more: Sequence[str]
    links: Sequence[Link]
    badge: str


class About(NamedTuple):
    """What every figure of the page is about."""

    visit: Visit
    team: Team
    example: LeaderExample

    @property
    def leader(self) -> str:
        """The leader's name."""
        return self.example.leader.called

    def signals_of_team(self, principle: str, verdict: str | None = None) -> str:
        """The address of the team's signals on a principle."""
        return self.visit.link("signals", team=self.team.key, principle=slug(principle), verdict=verdict)

    def signals_of_leader(self, principle: str, verdict: str | None = None) -> str:
        """The address of the leader's own signals on a principle."""
        return self.visit.link("signals", person=self.example.leader.key, principle=slug(principle), verdict=verdict)

    def getting(self) -> Sequence[Link]:
        """Where the signals of getting are that pressure is counted in."""
        return [
            Link("Who pressed or pushed", self.signals_of_team("NO_PRESSURE", "breached")),
            Link("Who appealed to a goal", self.signals_of_team("OWN_GOALS", "breached")),
        ]


def _how_to_send(*acts: str) -> Sequence[Link]:
    """Where somebody reads how the acts come here that a figure is made of, and of which there is none."""
    return [Link(f"How to send {' and '.join(acts)}", "/docs/integrating")]


async def build(visit: Visit) -> Shown:
    """The page. Raises Failure."""
    asked = await visit.ask("example", Asked, team=visit.needed("team"), period=visit.period.variable)
    team, examples = asked.team, asked.team.examples
    trail = trail_below(visit, team)
    if not examples:
        missing = NOT_YOURS if examples is None else NOBODY_LED
        tabs = () if examples is None else team_tabs(visit, team)
        return Shown("The leader’s example", (), {"example": None, "team": team}, trail, tabs, team.name, missing)
    about = About(visit, team, _chosen(visit, examples))
    return Shown(
        f"{about.leader}’s example",
        [figure(about) for figure in _FIGURES],
        _context(about, examples),
        trail,
        team_tabs(visit, team),
        team.name,
        None,
        team.key,
    )


def _chosen(visit: Visit, examples: Sequence[LeaderExample]) -> LeaderExample:
    """The example of the leader that the address names; else of who led last."""
    named = visit.query.get("leader")
    return next((one for one in examples if one.leader.key == named), examples[-1])


def _context(about: About, examples: Sequence[LeaderExample]) -> dict[str, object]:
    example, visit = about.example, about.visit
    little = few_sales(example)
    others = [one.leader for one in examples if one.leader.key != example.leader.key]
    return {
        "example": example,
        "team": about.team,
        "leader": about.leader,
        "others": [Link(other.called, visit.again(leader=other.key)) for other in others],
        "talks": stands_out(example, visit.policy),
        "own": visit.viewer is not None and visit.viewer.key == example.leader.key,
        "compared": [_compared(about, one) for one in example.comparisons if one.leader.n or one.team.n],
        "unseen": [one.principle.title for one in example.comparisons if not one.leader.n and not one.team.n],
        "longer": _longer(about),
        "keys": [
            (name, [(sign(who), words) for who, words in key])
            for name, key in (("Kept", PAIR_KEY), ("Same as the leader?", MIRRORING_KEY))
        ],
        "few_sales": little,
        "sections": SOLD_LITTLE if little else SOLD_FIRST,
        "pair_axis": rate_axis(),
        "mirroring_axis": mirroring_axis(),
    }


def _longer(about: About) -> str | None:
    """Where mirroring can rather be told: over a year, if this period tells little of it."""
    tried = [one.mirroring for one in about.example.comparisons if one.leader.n and one.team.n]
    told = [found for found in tried if found.value is not None]
    period = about.visit.period
    if period.kind == "year" or 2 * len(told) >= len(tried):
        return None
    return about.visit.again(period="year", on=period.first.isoformat(), first=None, last=None)


# ---- example and mirror ----------------------------------------------------------------------------------------------


def _compared(about: About, one: ExampleComparison) -> Compared:
    principle, policy, leader = one.principle, about.visit.policy, about.leader
    links = [
        *([Link("The leader’s signals", about.signals_of_leader(principle.id))] if one.leader.n else ()),
        *([Link("The team’s signals", about.signals_of_team(principle.id))] if one.team.n else ()),
        Link("What it asks", about.visit.link("principle", principle=slug(principle.id))),
    ]
    short = mirroring_in_short(one, leader, policy) if one.leader.n else None
    return Compared(
        slug(principle.id),
        principle.title,
        comparison_sentence(one, leader),
        short,
        _pair(one),
        None if one.mirroring.value is None and one.chance_baseline.value is None else _mirror(one),
        [*(short.more if short else ()), imprint_sentence(one, leader, policy)],
        links,
        _badge(one),
    )


def _badge(one: ExampleComparison) -> str:
    if not one.leader.n:
        return "no example"
    return "thin" if "THIN" in (one.leader.evidence_level, one.team.evidence_level) else ""


def _pair(one: ExampleComparison) -> Row:
    title = f"{one.principle.title}: the leader and the team"
    rates = f"leader {percent(one.leader.rate)}, team {percent(one.team.rate)}"
    return Row(one.principle.title, pair_chart(title, one.leader, one.team), rates)


def _mirror(one: ExampleComparison) -> Row:
    title = f"{one.principle.title}: does the team do what the leader does?"
    return Row(one.principle.title, mirroring_chart(title, one.mirroring, one.chance_baseline), _odds(one.mirroring))


def _odds(found: OddsRatio) -> str:
    if found.value is None or found.interval is None:
        return "cannot be said"
    return f"{times(found.value)} ({times(found.interval.low)} to {times(found.interval.high)})"


def _example(about: About) -> Figure:
    columns = (
        Column("Principle", "text"),
        *(Column(f"{who} {what}", "number", says) for who in ("Leader", "Team") for what, says in _SCORE),
        Column("Difference", "number", "The leader's rate less the team's, in percentage points."),
        *_ITS_ENDS,
    )
    rows = [
        (
            Cell(one.principle.title, href=about.visit.link("principle", principle=slug(one.principle.id))),
            *_score_cells(one.leader, about.signals_of_leader(one.principle.id)),
            *_score_cells(one.team, about.signals_of_team(one.principle.id)),
            *(difference(end) for end in _ends(one.difference.value, one.difference.interval)),
        )
        for one in about.example.comparisons
    ]
    return Figure(
        "example",
        "The example against its mirror",
        rows=[_pair(one) for one in about.example.comparisons],
        axis=rate_axis(),
        key=pair_legend(),
        table=Table(f"{about.leader} and the reps of {about.team.name}", columns, rows),
        definition=(LIKELY, evidence_definition(about.visit.policy)),
    )


_ITS_ENDS = (
    Column("Low", "number", "The lower end of its 95 % interval; no clear difference where it holds 0."),
    Column("High", "number", "Its upper end."),
)
_SCORE = (
    ("kept", "Signals that say that the principle was kept."),
    ("signals", "Kept and breached together."),
    ("rate", "Kept of all signals, in per cent."),
    ("low", "Lower end of the 95 % interval of the rate."),
    ("high", "Its upper end."),
)


def _score_cells(score: Score, href: str) -> Sequence[Cell]:
    rate, low, high = _ends(score.rate, score.interval)
    counted = Cell(f"{score.n:,}", score.n, href if score.n else None, soft=not score.n)
    return number(score.kept), counted, share(rate), share(low, soft=True), share(high, soft=True)


def _mirroring(about: About) -> Figure:
    columns = [Column("Principle", "text")]
    for name, says in _ASSOCIATIONS:
        columns += [
            Column(name, "number", says),
            Column(f"{name}: low", "number", "The lower end of its 95 % interval."),
            Column(f"{name}: high", "number", "Its upper end."),
            Column(f"{name}: signals", "number", "How many signals are counted."),
            Column(f"{name}: tables", "number", "How many tables are pooled: one a rep and leader."),
            Column(f"{name}: why there is none", "text"),
        ]
    rows = [
        (
            Cell(one.principle.title),
            *(cell for found in (one.mirroring, one.chance_baseline, one.imprint) for cell in _odds_cells(found)),
        )
        for one in about.example.comparisons
    ]
    return Figure(
        "mirroring",
        "Does the team do what the leader does?",
        rows=[_mirror(one) for one in about.example.comparisons],
        axis=mirroring_axis(),
        key=mirroring_legend(),
        table=Table("Odds ratios by principle", columns, rows),
        definition=(mirroring_definition(about.visit.policy), imprint_definition(about.visit.policy)),
    )


_ASSOCIATIONS = (
    ("Mirroring", "The odds of a breach after the leader's breach, by those after the leader kept to it."),
    ("Chance", "The same with every leader of another team in the leader's place."),
    ("Imprint", "Mirroring over each rep's first days in the team."),
)


def _odds_cells(found: OddsRatio) -> Sequence[Cell]:
    return (
        *(ratio(end) for end in _ends(found.value, found.interval)),
        number(found.n),
        number(found.strata),
        Cell(found.undefined_because) if found.undefined_because else NOTHING,
    )


def _ends(value: float | None, interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    return (value, None, None) if interval is None else (value, interval.low, interval.high)


# ---- words and deeds, pressure ---------------------------------------------------------------------------------------


def _standards(about: About) -> Figure:
    standards = about.example.standards
    said = [f"{one.principle.title}: {standard_sentence(one, about.leader)}" for one in standards]
    columns = (
        Column("Standard", "text"),
        Column("Since", "text", "When it was first stated to this team."),
        *(Column(what.capitalize(), "number", says) for what, says in _SCORE),
        Column("Gap", "number", "100 % less the rate: how far deeds are from words."),
    )
    rows = [
        (
            Cell(one.principle.title, href=about.signals_of_leader(one.principle.id)),
            Cell(short_day(one.since), one.since.date()),
            number(one.score.kept),
            number(one.score.n),
            *(share(end) for end in _ends(one.score.rate, one.score.interval)),
            share(one.gap),
        )
        for one in standards
    ]
    charts = [
        Row(one.principle.title, rate_chart(f"{one.principle.title}: kept since", one.score, "leader"), note(one.score))
        for one in standards
    ]
    return Figure(
        "standards",
        "Words and deeds",
        said or [f"{about.leader} stated no standard to the team by the end of this period."],
        charts,
        rate_axis() if charts else None,
        table=Table(f"What {about.leader} stated, and kept since", columns, rows) if rows else None,
        definition=(STANDARDS_DEFINITION, LIKELY),
        links=[
            Link(f"The leader’s signals: {one.principle.title}", about.signals_of_leader(one.principle.id))
            for one in standards
            if one.score.n
        ]
        or ([] if standards else _how_to_send("standard.stated")),
    )


def _goading(about: About) -> Figure:
    found, policy = about.example.goading, about.visit.policy
    windows = (f"{policy.goading.after_days} days after a push", f"{policy.goading.before_days} days before one")
    return _pressure(
        about,
        "goading",
        "After the leader pushes",
        goading_sentence(found, about.leader, policy),
        found,
        windows,
        goading_definition(policy),
        "push.directed",
    )


def _month_end(about: About) -> Figure:
    found, policy = about.example.month_end_pressure, about.visit.policy
    windows = (f"last {policy.month_end.last_days} days of a month", "other days")
    return _pressure(
        about,
        "month-end",
        "At the end of the month",
        month_end_sentence(found, policy),
        found,
        windows,
        month_end_definition(policy),
        "urgency.pressed",
    )


def _pressure(
    about: About,
    name: str,
    heading: str,
    says: str,
    found: RateRatio,
    windows: tuple[str, str],
    definition: str,
    act: str,
) -> Figure:
    """`act` is what would have to be recorded for there to be anything."""
    columns = (
        Column("When", "text"),
        Column("Times", "number", "Signals of pressing, of specials that met no need, and of appeals to a goal."),
        Column("Rep-days", "number", "Days of 24 hours that reps of the team had in that time, added up."),
        Column("A rep-day", "number", "How often in a rep-day."),
    )
    rows = [
        _pressure_row(when, count, days)
        for when, count, days in zip(
            windows, (found.after, found.before), (found.after_days, found.before_days), strict=True
        )
    ]
    shown = found.interval is not None
    return Figure(
        name,
        heading,
        [says],
        [Row("", ratio_chart(heading, found))] if shown else (),
        ratio_axis(*AS_OFTEN) if shown else None,
        table=Table(f"{heading}: how often reps press", columns, rows),
        definition=[definition],
        links=about.getting() if found.after or found.before else _how_to_send(act),
    )


def _pressure_row(when: str, count: int, days: float) -> Sequence[Cell]:
    often = NOTHING if not days else Cell(f"{count / days:.3f}", count / days)
    return Cell(when.capitalize()), number(count), Cell(f"{days:,.0f}", round(days, 3)), often


def _pushing(about: About) -> Figure:
    found, policy = about.example.pushing, about.visit.policy
    decided = found.acceptance.with_.n + found.acceptance.without.n
    compared = (
        ("Accepted", found.acceptance),
        (f"Ordered again within {policy.pushing.repeat_days} days", found.repeat),
    )
    return Figure(
        "pushing",
        "Does pushing pay?",
        [pushing_sentence(found.acceptance), repeat_sentence(found.repeat, policy)],
        [row for name, one in compared for row in _rate_rows(name, _with_and_without(one))],
        rate_axis(),
        table=_rates_table("Attempts with pushing and without", "With", "Without", compared),
        definition=[pushing_definition(policy)],
        links=about.getting() if decided else _how_to_send("decision.made"),
    )


def _with_and_without(one: RateComparison) -> Sequence[tuple[str, Rate]]:
    return ("With pushing", one.with_), ("Without", one.without)


def _rate_rows(name: str, rates: Sequence[tuple[str, Rate]]) -> list[Row]:
    if not any(rate.n for _, rate in rates):
        return []
    return [Row(name, rates_chart(name, rates))]


def _rates_table(caption: str, one: str, other: str, compared: Sequence[tuple[str, RateComparison]]) -> Table:
    columns = (
        Column("What", "text"),
        *(
            Column(f"{side}: {what}", "number", says)
            for side in (one, other)
            for what, says in (("did", "How many did so."), ("of", "Of how many."), ("rate", "Their share."))
        ),
        Column("Difference", "number", f"{one} less {other.lower()}, in percentage points."),
        *_ITS_ENDS,
    )
    rows = [
        (
            Cell(name),
            *(cell for rate in (found.with_, found.without) for cell in _rate_cells(rate)),
            *(difference(end) for end in _ends(found.difference.value, found.difference.interval)),
        )
        for name, found in compared
    ]
    return Table(caption, columns, rows)


def _rate_cells(rate: Rate) -> Sequence[Cell]:
    return number(rate.kept), number(rate.n), share(rate.rate)


# ---- attention, and who wins -----------------------------------------------------------------------------------------


def _attention(about: About) -> Figure:
    example = about.example
    coached = {one.principle.id: one.count for one in example.coaching}
    recognised = {one.principle.id: one.count for one in example.recognition}
    titles = {one.principle.id: one.principle.title for one in (*example.coaching, *example.recognition)}
    most = max((*coached.values(), *recognised.values()), default=0)
    columns = (
        Column("Principle", "text"),
        Column("Coached", "number", "How often the leader coached a rep of the team on it."),
        Column("Recognised", "number", "How often the leader recognised a rep of the team for it."),
    )
    both = [(id_, title, coached.get(id_, 0), recognised.get(id_, 0)) for id_, title in titles.items()]
    rows = [(Cell(title), number(given), number(praised)) for _, title, given, praised in both]
    return Figure(
        "attention",
        "Coaching and recognition",
        attention_sentences(example, about.leader),
        [
            Row(title, counts_chart(title, (("Coached", given), ("Recognised", praised)), most))
            for _, title, given, praised in both
        ],
        table=Table("Coaching and recognition by principle", columns, rows) if rows else None,
        definition=[
            "Coaching and recognition of people who were reps of the team then, by the leader, in this period."
        ],
        links=[Link(f"The team’s signals: {title}", about.signals_of_team(id_)) for id_, title, _, _ in both]
        or _how_to_send("coaching.given", "recognition.given"),
    )


def _after_coaching(about: About) -> Figure:
    effects, policy = about.example.after_coaching, about.visit.policy
    compared = [
        (one.principle.title, RateComparison(with_=one.after, without=one.before, difference=one.difference))
        for one in effects
    ]
    said = [coaching_sentence(one) for one in effects]
    rows = [
        row
        for name, one in compared
        for row in _rate_rows(name, (("After coaching", one.with_), ("Before", one.without)))
    ]
    return Figure(
        "after-coaching",
        "After coaching",
        said or ["Nobody of the team was coached in this period: there is nothing to look at."],
        rows,
        rate_axis() if rows else None,
        table=_rates_table("Signals of those coached", "After", "Before", compared) if compared else None,
        definition=[coaching_definition(policy)],
        links=[Link(f"Signals: {one.principle.title}", about.signals_of_team(one.principle.id)) for one in effects]
        or _how_to_send("coaching.given"),
    )


def _guides_win(about: About) -> Figure:
    found, policy = about.example.guides_win, about.visit.policy
    three: Sequence[tuple[str, Correlation, str]] = (
        ("Attempts accepted", found.acceptance, "more of their attempts accepted"),
        ("Customers who ordered again", found.repeat_customers, "more customers who order again"),
        ("Referrals", found.referrals, "more referrals"),
    )
    columns = (
        Column("With", "text"),
        Column("Correlation", "number", "Spearman's rank correlation with the guide index, −1 to 1."),
        Column("People", "number", "How many people it rests on."),
    )
    rows = [
        (Cell(name), NOTHING if one.value is None else Cell(correlation(one.value), one.value), number(one.n))
        for name, one, _ in three
    ]
    charts = [
        Row(name, correlation_chart(name, one, chance_correlation(one.n)), correlation(one.value))
        for name, one, _ in three
        if one.value is not None
    ]
    return Figure(
        "guides-win",
        "Do guides win?",
        [guides_sentence(one, what, policy) for _, one, what in three],
        charts,
        correlation_axis() if charts else None,
        table=Table("The guide index of reps, with what they achieved", columns, rows),
        definition=[guides_definition(policy)],
        links=[Link("The cards of the team", about.visit.link("team", team=about.team.key) + "#people-heading")],
        key=correlation_legend() if charts else None,
    )


_FIGURES: Sequence[Callable[[About], Figure]] = (
    *(_example, _mirroring, _standards, _goading, _month_end),
    *(_pushing, _attention, _after_coaching, _guides_win),
)
PAGE = Page("example", build)
