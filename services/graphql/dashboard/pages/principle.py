"""A principle: what it asks, where it comes from, and how it is judged, with the policy's figures; and all of them."""

from collections.abc import Sequence

from msgspec import Struct

from services.graphql.dashboard.answers import Policy, Principle
from services.graphql.dashboard.figures import Cell, Column, Figure, Link, Shown, Table
from services.graphql.dashboard.links import path_of
from services.graphql.dashboard.naming import source_words
from services.graphql.dashboard.scores import slug
from services.graphql.dashboard.visiting import NOT_THERE, Failure, Page, Visit
from services.graphql.dashboard.wording import LIKELY, NOT_RECORDED, SIGNAL, evidence_definition

_COLUMNS = (
    Column("Principle", "text"),
    Column("What it asks", "text"),
    Column("From", "text"),
    Column("How it is judged", "text"),
)


class Asked(Struct):
    """What the document answers."""

    principles: tuple[Principle, ...]
    policy: Policy


async def build(visit: Visit) -> Shown:
    """The page of one principle, or of all where none is named. Raises Failure."""
    asked = await visit.ask("principle", Asked)
    by_name = {slug(principle.id): principle for principle in asked.principles}
    name = visit.query.get("principle")
    if name is None:
        return _all(visit, asked)
    if name not in by_name:
        raise Failure(NOT_THERE)
    chosen = by_name[name]
    context = {
        "principle": chosen,
        "sources": [source_words(source) for source in chosen.sources],
        "terms": [SIGNAL, LIKELY, evidence_definition(visit.policy), NOT_RECORDED],
        "policy": asked.policy,
        "signals": _signals(visit, name),
        "others": _links(visit, asked.principles),
    }
    return Shown(chosen.title, (), context, [Link("Principles", path_of("principle"))])


def _all(visit: Visit, asked: Asked) -> Shown:
    rows = [
        (
            Cell(principle.title, href=visit.link("principle", principle=slug(principle.id))),
            Cell(principle.description),
            Cell(", ".join(principle.sources)),
            Cell(" ".join(principle.judgement)),
        )
        for principle in asked.principles
    ]
    table = Table(f"The principles, under the policy {asked.policy.identity}", _COLUMNS, rows)
    figure = Figure("principles", "What the articles ask for", table=table, open_table=True)
    return Shown("Principles", [figure], {"principle": None})


def _signals(visit: Visit, name: str) -> str | None:
    """Where the signals on it are of whom the reader has come from."""
    whose = {of: visit.query[of] for of in ("person", "team") if visit.query.get(of)}
    return visit.link("signals", principle=name, **whose) if whose else None


def _links(visit: Visit, principles: Sequence[Principle]) -> Sequence[Link]:
    whose = {of: visit.query.get(of) for of in ("person", "team")}
    return [Link(one.title, visit.link("principle", **{**whose, "principle": slug(one.id)})) for one in principles]


PAGE = Page("principle", build, periodic=False)
