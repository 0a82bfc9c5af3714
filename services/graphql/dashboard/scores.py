"""Scorecards as figures: one for each principle, and one table of them all. For the pages of teams and of persons."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.graphql.dashboard.answers import GuideIndex, Score, Scorecard
from services.graphql.dashboard.charts.drawing import Row
from services.graphql.dashboard.charts.rates import rate_axis, rate_chart
from services.graphql.dashboard.charts.trends import trend_chart
from services.graphql.dashboard.figures import NOTHING, Cell, Column, Figure, Link, Missing, Table
from services.graphql.dashboard.numbers import percent, short_day, signed_points, times
from services.graphql.dashboard.visiting import Visit
from services.graphql.dashboard.wording import (
    change_sentence,
    clear,
    guide_definition,
    guide_sentence,
    score_sentence,
    source_sentence,
)
from services.projections.leadership.policy import Policy

LEVELS = {"NONE": "none", "THIN": "thin", "FAIR": "fair", "SOLID": "solid"}
BUCKETS = {"DAY": "day", "WEEK": "week", "MONTH": "month"}
COLUMNS = (
    Column("Principle", "text"),
    Column("Kept", "number", "Signals that say that the principle was kept."),
    Column("Breached", "number", "Signals that say that it was not."),
    Column("Signals", "number", "Kept and breached together."),
    Column("Rate", "number", "Kept of all signals, in per cent."),
    Column("Low", "number", "Lower end of the 95 % interval of the rate, as if signals were independent (Jeffreys)."),
    Column("High", "number", "Its upper end."),
    Column("Evidence", "text"),
    Column("Not recorded", "number", "Occasions that are not judged: their source does not record what would tell."),
    Column("Before", "number", "The rate over as many days right before."),
    Column("Change", "number", "The rate less the one before, in percentage points."),
    Column("Change low", "number", "Lower end of its 95 % interval; no clear change where the interval holds 0."),
    Column("Change high", "number", "Its upper end."),
)

_BARE = tuple(column._replace(definition="") for column in COLUMNS)  # what they count, the table of all of them says
_WHO = (Column("Whose", "text"), *_BARE[1:9])
FEW = 5  # signals of a day, week or month, below which its rate is shown muted

DIMENSIONS: Sequence[tuple[str, Sequence[str], Callable[[GuideIndex], float | None]]] = (
    ("Trust", ("ACCEPT_DECISIONS", "FOLLOW_THROUGH"), lambda index: index.trust),
    ("Partnership", ("OWN_GOALS", "AIM_TO_SERVE", "RIGHT_SOLUTION"), lambda index: index.partnership),
    ("Capability", ("TWO_WAY", "RESPECT_TIME"), lambda index: index.capability),
    ("Inquiry", ("ASK_FIRST", "WELCOME_HESITATION", "NO_PRESSURE"), lambda index: index.inquiry),
)


class Beside(NamedTuple):
    """Whose score stands beside another: a leader's beside the team's."""

    name: str
    score: Score


def slug(principle: str) -> str:
    """A principle's name in addresses and in the catalogue: OWN_GOALS is own-goals."""
    return principle.lower().replace("_", "-")


def principle_id(name: str) -> str:
    """The same the other way round."""
    return name.upper().replace("-", "_")


def card_figures(
    visit: Visit,
    card: Scorecard,
    name: str,
    who: str,
    signals: Callable[[Score], str],
    links: Callable[[Score], Sequence[Link]],
    beside: Callable[[Score], Sequence[Beside]] = lambda _score: (),
) -> list[Figure]:
    """All principles in a table, each with its rates and its trend (`-trend` behind its name), and the guide index.

    `name` says in captions whose card it is, `who` in charts. Of a score, `signals` is where its signals are, `links`
    where else it leads, and `beside` whose stand beside it.
    """
    period = visit.period
    caption = f"{name}, {period.name}"
    table = _table(caption, card.scores, visit.policy, signals)
    figures = [Figure("principles", "All principles in numbers", table=table)]
    for score in card.scores:
        leads = [*([Link("The signals", signals(score))] if score.n else ()), *links(score)]
        figures += [_rates(score, who, beside(score), visit.policy, leads), _trend(score, period.bucket)]
    return [*figures, _guide(caption, card, visit.policy, signals)]


def card_context(scores: Sequence[Score]) -> dict[str, object]:
    """What the template of cards shows besides figures; `changes` are the scores that have clearly changed."""
    compared = [(score, score.change) for score in scores if score.change and score.change.value is not None]
    changes = [score for score, change in compared if clear(change)]
    return {"scores": scores, "changes": changes, "comparable": bool(compared), "slug": slug}


def nothing_judged(says: str) -> Missing:
    """What a card without signals says."""
    return Missing(
        "Nothing to show in this period",
        f"{says} Choose another period, or send acts.",
        ("contact.made", "question.asked", "meeting.held", "proposal.made", "decision.made"),
    )


def _rates(score: Score, who: str, beside: Sequence[Beside], policy: Policy, links: Sequence[Link]) -> Figure:
    title = score.principle.title
    rows = [Row(who, rate_chart(f"{title}: {who}", score), note(score))]
    rows += [Row(one.name, rate_chart(f"{title}: {one.name}", one.score, "leader"), note(one.score)) for one in beside]
    table = Table(title, _WHO, [_counts(one) for one in (Beside(who, score), *beside)])
    definition = (score.principle.description, source_sentence(score.principle))
    sentences = [score_sentence(score, policy), change_sentence(score)]
    thin = score.evidence_level == "THIN"
    return Figure(slug(score.principle.id), title, sentences, rows, rate_axis(), table, definition, links, thin)


def _counts(one: Beside) -> Sequence[Cell]:
    return (Cell(one.name), *score_row(one.score)[1:9])


def _trend(score: Score, bucket: str) -> Figure:
    """How a principle went over the period."""
    name = BUCKETS[bucket]
    title = f"{score.principle.title} by {name}"
    columns = (Column(f"{name.capitalize()} from", "text"), *_BARE[1:5])
    rows = [
        (
            Cell(short_day(point.start), point.start),
            number(point.kept),
            number(point.breached),
            number(point.n),
            share(point.kept / point.n if point.n else None, soft=point.n < FEW),
        )
        for point in score.trend
    ]
    chart = Row("", trend_chart(title, score.trend))
    return Figure(f"{slug(score.principle.id)}-trend", title, (), [chart], table=Table(title, columns, rows))


def _guide(caption: str, card: Scorecard, policy: Policy, link: Callable[[Score], str]) -> Figure:
    """The guide index and its dimensions, with the signals behind them; `caption` says whose it is, and of when."""
    index, scores = card.guide_index, {score.principle.id: score for score in card.scores}
    columns = (Column("Dimension", "text"), Column("Value"), Column("Mean of the rates of", "text"))
    rows = []
    for name, principles, read in DIMENSIONS:
        titles = [scores[id_].principle.title for id_ in principles if id_ in scores]
        rows.append((Cell(name), share(read(index)), Cell("; ".join(titles))))
    rows.append((Cell("Guide index"), share(index.value), Cell("the four dimensions")))
    return Figure(
        "guide-index",
        "Guiding rather than getting",
        [guide_sentence(index, policy)],
        table=Table(f"Guide index: {caption}", columns, rows),
        definition=[guide_definition(policy)],
        links=[
            Link(f"Signals: {scores[id_].principle.title}", link(scores[id_]))
            for _, principles, _ in DIMENSIONS
            for id_ in principles
            if id_ in scores and scores[id_].n
        ],
    )


def note(score: Score) -> str:
    """A score in as few words as there are: the rate, of how many, and whether that is thin."""
    if score.rate is None:
        return "no signals"
    return f"{percent(score.rate)} of {score.n}" + (", thin" if score.evidence_level == "THIN" else "")


def _table(caption: str, scores: Sequence[Score], policy: Policy, link: Callable[[Score], str]) -> Table:
    """All principles in their order."""
    fair, solid = policy.evidence.fair_customers, policy.evidence.solid_customers
    levels = f"By distinct customers: thin below {fair}, fair below {solid}, solid from {solid} on."
    columns = [column._replace(definition=levels) if column.heading == "Evidence" else column for column in COLUMNS]
    return Table(caption, columns, [score_row(score, link(score)) for score in scores])


def score_row(score: Score, href: str | None = None) -> Sequence[Cell]:
    """A score as the cells of COLUMNS."""
    thin = score.evidence_level in ("NONE", "THIN")
    interval, change = score.interval, score.change
    ends = change.interval if change else None
    return (
        Cell(score.principle.title, href=href),
        number(score.kept),
        number(score.breached),
        number(score.n),
        share(score.rate, soft=thin),
        share(interval.low if interval else None, soft=True),
        share(interval.high if interval else None, soft=True),
        Cell(LEVELS[score.evidence_level], soft=thin),
        number(score.not_recorded),
        share(score.previous.rate if score.previous else None),
        difference(change.value if change else None),
        difference(ends.low if ends else None),
        difference(ends.high if ends else None),
    )


def number(count: int) -> Cell:
    """A count."""
    return Cell(f"{count:,}", count, soft=not count)


def share(value: float | None, *, soft: bool = False) -> Cell:
    """A share of 1, for people in per cent."""
    return NOTHING if value is None else Cell(percent(value), value, soft=soft)


def difference(value: float | None) -> Cell:
    """A difference of two shares, for people in points."""
    return NOTHING if value is None else Cell(signed_points(value), value)


def ratio(value: float | None) -> Cell:
    """How many times as much or as many."""
    return NOTHING if value is None else Cell(times(value), value)
