"""Asking a server over GraphQL, as a client does that reads everything."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.serving import Server

Owner = tuple[str, str, bool]
"""person or team, its key, with sub-teams."""

ACT = (
    "fragment A on Act { source actId type subject rep time partition offset data retracted disputes { source actId } }"
)
SIGNAL = """fragment S on Signal {
  person { key } customerKey principle verdict reason at evidence { source actId subject }
}"""
SCORE = """fragment F on Score {
  principle { id } kept breached n notRecorded rate interval { low high } evidenceLevel reasons { reason count }
  day: trend(by: DAY) @include(if: $days) { start kept breached }
  week: trend { start kept breached }
  month: trend(by: MONTH) { start kept breached }
  signals(first: 100) { edges { node { ...S } } pageInfo { hasNextPage } }
}"""
CARD = """fragment C on Scorecard {
  from to asOf policy guideIndex { value trust partnership capability inquiry }
  scores { ...F change { value interval { low high } } previous { ...F previous { n } change { value } } }
}"""
CARD_OF = {
    "person": "query($key: String!, $period: PeriodInput!, $days: Boolean!) {"
    " of: person(key: $key) { scorecard(period: $period) { ...C } } }",
    "team": "query($key: String!, $period: PeriodInput!, $days: Boolean!, $deep: Boolean!) {"
    " of: team(key: $key) { scorecard(period: $period, includeSubteams: $deep) { ...C } } }",
}
PAGE = "edges { cursor node { ...%s } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


def ask(server: Server, document: str, **variables: Any) -> Any:
    """The data of an answer without errors; `None` for an argument leaves it out."""
    given = {name: value for name, value in variables.items() if value is not None}
    body = json.dumps({"query": document, "variables": given}).encode()
    answer = server.ask("POST", "/graphql", body, content_type="application/json").json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def pages(ask_page: Callable[[str | None], Any]) -> Iterator[Any]:
    """The nodes of all pages of a connection, one after another; each page says truly where it stands."""
    after = None
    while True:
        connection = ask_page(after)
        edges, info = connection["edges"], connection["pageInfo"]
        assert info["hasPreviousPage"] is (after is not None)
        cursors = [edge["cursor"] for edge in edges]
        assert (info["startCursor"], info["endCursor"]) == ((cursors[0], cursors[-1]) if edges else (None, None))
        yield from (edge["node"] for edge in edges)
        if not info["hasNextPage"]:
            return
        assert edges
        after = info["endCursor"]


def card(server: Server, owner: Owner, period: dict[str, str], days: bool) -> Any:
    """The scorecard of (person or team, key, with sub-teams)."""
    kind, key, deep = owner
    more = {"deep": deep} if kind == "team" else {}
    documents = (CARD_OF[kind], CARD, SCORE, SIGNAL)
    return ask(server, "\n".join(documents), key=key, period=period, days=days, **more)["of"]["scorecard"]


def signals_of_card(
    server: Server,
    owner: tuple[str, str, bool],
    period: dict[str, str],
    principle: str,
    verdict: str | None,
    first: int,
) -> list[Any]:
    """All signals of one principle on a card, page by page."""
    kind, key, deep = owner
    subteams = f", includeSubteams: {str(deep).lower()}" if kind == "team" else ""
    document = f"""query($key: String!, $period: PeriodInput!, $principle: PrincipleId!, $verdict: Verdict,
      $first: Int, $after: String) {{
      of: {kind}(key: $key) {{ scorecard(period: $period{subteams}) {{ score(principle: $principle) {{
        signals(verdict: $verdict, first: $first, after: $after) {{ {PAGE % "S"} }} }} }} }} }} {SIGNAL}"""
    asked = {"key": key, "period": period, "principle": principle, "verdict": verdict, "first": first}
    return list(pages(lambda after: ask(server, document, **asked, after=after)["of"]["scorecard"]["score"]["signals"]))


def acts(server: Server, wanted: dict[str, Any] | None, first: int) -> list[Any]:
    """All acts that match a filter, page by page."""
    document = f"""query($filter: ActFilter, $first: Int, $after: String) {{
      acts(filter: $filter, first: $first, after: $after) {{ {PAGE % "A"} }} }} {ACT}"""
    return list(pages(lambda after: ask(server, document, filter=wanted, first=first, after=after)["acts"]))


def relationship(server: Server, customer: str) -> Any:
    """What a relationship says of itself, without its lists."""
    document = "query($key: String!) { relationship(customer: $key) { customerKey customerName segment reps { key } } }"
    return ask(server, document, key=customer)["relationship"]


def relationship_acts(server: Server, customer: str, first: int) -> list[Any]:
    """All acts of a relationship, page by page."""
    document = f"""query($key: String!, $first: Int, $after: String) {{
      relationship(customer: $key) {{ acts(first: $first, after: $after) {{ {PAGE % "A"} }} }} }} {ACT}"""
    asked = {"key": customer, "first": first}
    return list(pages(lambda after: ask(server, document, **asked, after=after)["relationship"]["acts"]))


def relationship_signals(server: Server, customer: str, as_of: str | None, first: int) -> list[Any]:
    """All signals of a relationship, page by page."""
    document = f"""query($key: String!, $asOf: DateTime, $first: Int, $after: String) {{
      relationship(customer: $key) {{ signals(asOf: $asOf, first: $first, after: $after) {{ {PAGE % "S"} }} }} }}
      {SIGNAL}"""
    asked = {"key": customer, "asOf": as_of, "first": first}
    return list(pages(lambda after: ask(server, document, **asked, after=after)["relationship"]["signals"]))


def explanation(server: Server, source: str, act_id: str, subject: str | None) -> Any:
    """What became of an act."""
    document = f"""query($source: String!, $id: String!, $subject: String) {{
      explainAct(source: $source, actId: $id, subject: $subject) {{
        fate reason partition offset act {{ ...A }} signals {{ ...S }} }} }} {ACT} {SIGNAL}"""
    return ask(server, document, source=source, id=act_id, subject=subject)["explainAct"]


STAY = "role from to person { key } team { key }"


def team(server: Server, key: str, as_of: str | None) -> Any:
    """A team, and who was in it at an instant."""
    document = f"""query($key: String!, $asOf: DateTime) {{ team(key: $key) {{
      key name parent {{ key }} children {{ key }} members(asOf: $asOf) {{ {STAY} }} leaders(asOf: $asOf) {{ key }}
    }} }}"""
    return ask(server, document, key=key, asOf=as_of)["team"]


def teams(server: Server, first: int) -> list[str]:
    """The keys of all teams, page by page."""
    document = """query($first: Int, $after: String) { teams(first: $first, after: $after) {
      edges { cursor node { key } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    return [node["key"] for node in pages(lambda after: ask(server, document, first=first, after=after)["teams"])]


def person(server: Server, key: str) -> Any:
    """A person's stays and customers."""
    document = f"""query($key: String!) {{ person(key: $key) {{
      key name memberships {{ {STAY} }} relationships(first: 100) {{ edges {{ node {{ customerKey }} }} }} }} }}"""
    return ask(server, document, key=key)["person"]
