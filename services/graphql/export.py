"""`GET /export/scorecards.csv`: scorecards as a table, for whoever works in a spreadsheet.

The figures are those of two trusted documents, asked for by the same credential: there is no second way to them.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.graphql.answering import Gateway, Question
from services.graphql.documents import Documents
from services.graphql.errors import STATUSES
from services.graphql.metrics import REFUSED, QueryMetrics, outcome_of
from services.graphql.sign_in import address_of
from services.graphql.spreadsheet import MEDIA_TYPE, csv_of
from services.graphql.transport import WAIT_FOR, Refusal, headers_of, while_there
from services.kit.errors import Malformed
from services.kit.problems import problem

COLUMNS = (
    *("kind", "key", "name", "from", "to", "asOf", "policy", "principle", "title"),
    *("kept", "breached", "n", "notRecorded", "rate", "low", "high", "evidenceLevel"),
    *("previousN", "previousRate", "change", "changeLow", "changeHigh"),
)
_FLAGS = {"true": True, "false": False}
_PARAMETERS = frozenset({"team", "person", "from", "to", "asOf", "includeSubteams", "members"})


class _Ended:
    """How a request ended: see `QueryMetrics`."""

    outcome = REFUSED


class Export:
    """The endpoint."""

    def __init__(self, gateway: Gateway, documents: Documents, metrics: QueryMetrics) -> None:
        self._gateway = gateway
        self._documents = documents
        self._metrics = metrics

    async def scorecards(self, request: Request) -> Response:
        """A row for each principle of a team or a person, and with `members` of each rep in the team now."""
        started, ended = time.perf_counter(), _Ended()
        try:
            return await self._answer(request, ended)
        finally:
            self._metrics.observe(ended.outcome, time.perf_counter() - started)

    async def _answer(self, request: Request, ended: _Ended) -> Response:
        try:
            name, variables = _asked(request.query_params)
        except Malformed as error:
            return problem(400, str(error))
        headers = request.headers
        authorization, wait_for = headers.get("authorization"), headers.get(WAIT_FOR)
        id_ = self._documents.ids[name]
        asked = Question(None, variables, None, authorization, wait_for, document_id=id_, address=address_of(request))
        try:
            answer = (await while_there(request, self._gateway.answer(asked))).body
        except Refusal as refusal:
            return refusal.response
        ended.outcome = outcome_of(answer)
        if errors := answer.get("errors"):
            return _refused(errors[0], asked)
        if None in answer["data"].values():
            return problem(404, "there is no such team or person")
        text = csv_of(COLUMNS, _rows(answer["data"]))
        disposition = 'attachment; filename="scorecards.csv"'
        given = {"content-disposition": disposition, "cache-control": "no-store", "x-content-type-options": "nosniff"}
        return Response(text, 200, given, MEDIA_TYPE)


def _asked(given: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The name of the document, and its variables. Raises Malformed."""
    if unknown := sorted(given.keys() - _PARAMETERS):
        raise Malformed(f"there is no parameter {', '.join(unknown)}: there are {', '.join(sorted(_PARAMETERS))}")
    if ("team" in given) == ("person" in given) or not {"from", "to"} <= given.keys():
        raise Malformed("give `team` or `person`, and the dates `from` and `to`, such as ?team=north&from=…&to=…")
    period = {name: given[name] for name in ("from", "to", "asOf") if name in given}
    if "person" in given:
        if {"includeSubteams", "members"} & given.keys():
            raise Malformed("`includeSubteams` and `members` are of a team")
        return "export_person", {"person": given["person"], "period": period}
    flags = {name: _flag(given, name) for name in ("includeSubteams", "members")}
    return "export_team", {"team": given["team"], "period": period, **flags}


def _flag(given: Mapping[str, str], name: str) -> bool:
    value = _FLAGS.get(given.get(name, "false"))
    if value is None:
        raise Malformed(f"`{name}` is true or false")
    return value


def _refused(error: Mapping[str, Any], asked: Question) -> Response:
    status = STATUSES.get(error["extensions"]["code"], 400)
    return problem(status, error["message"], headers=headers_of(status, error, asked))


def _rows(data: Mapping[str, Any]) -> Iterator[list[Any]]:
    for kind, shown in data.items():
        yield from _card(kind, shown)
        for member in shown.get("members", ()):
            if member["role"] == "REP":
                yield from _card("person", member["person"])


def _card(kind: str, shown: Mapping[str, Any]) -> Iterator[list[Any]]:
    """A row for each score of a card; what there is none of is empty."""
    card = shown["scorecard"]
    about = [kind, shown["key"], shown["name"], card["from"], card["to"], card["asOf"], card["policy"]]
    for score in card["scores"]:
        change, previous = score["change"] or {}, score["previous"] or {}
        counts = [score[name] for name in ("kept", "breached", "n", "notRecorded", "rate")]
        yield [
            *about,
            *(score["principle"]["id"], score["principle"]["title"], *counts, *_ends(score), score["evidenceLevel"]),
            *(previous.get("n"), previous.get("rate"), change.get("value"), *_ends(change)),
        ]


def _ends(figure: Mapping[str, Any]) -> tuple[float | None, float | None]:
    interval = figure.get("interval") or {}
    return interval.get("low"), interval.get("high")
