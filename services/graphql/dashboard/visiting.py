"""A visit: one request for a page, who makes it, and what the gateway answers it.

Pages ask trusted documents of the gateway, with the credential of the visitor and within the limits of any client.
There is no other way to the data.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, TypeVar

import msgspec

from services.graphql import errors
from services.graphql.answering import Gateway, Question
from services.graphql.dashboard.answers import Viewer
from services.graphql.dashboard.figures import Freshness, Paging, Shown
from services.graphql.dashboard.links import figure_link, page_link
from services.graphql.dashboard.periods import PARAMETERS, Period, period_of
from services.graphql.documents import Documents
from services.kit import instants
from services.kit.errors import Invalid
from services.projections.leadership.policy import Policy

NOT_THERE = "NOT_THERE"
MISSING_PARAMETER = "MISSING_PARAMETER"
MALFORMED = "MALFORMED"
FOREIGN = "FOREIGN"
NOT_YOURS = "NOT_YOURS"
UNSENT = "UNSENT"
Answered = TypeVar("Answered")


class Failure(Exception):
    """There is no page to show: a code of `errors` or of this module, and what there is to say besides."""

    def __init__(self, code: str, message: str = "", retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


@dataclass
class Visit:
    """A request for a page. `query` are the parameters of its address, `now` in microseconds.

    `wait_for` is a position that the answers must have reached: of what the visitor has just recorded. `address`: where
    the request comes from. `may_post`: whether acts can be recorded from here at all.
    """

    page: str
    query: Mapping[str, str]
    authorization: str | None
    gateway: Gateway
    documents: Documents
    now: int
    policy: Policy
    wait_for: str | None = None
    address: str | None = None
    may_post: bool = False
    viewer: Viewer | None = None
    freshness: Freshness | None = None

    @property
    def today(self) -> date:
        """The day, UTC."""
        return instants.to_date(self.now)

    @property
    def period(self) -> Period:
        """The period that the address asks for. Raises Failure."""
        try:
            return period_of(self.query, self.today)
        except Invalid as error:
            raise Failure(MALFORMED, str(error)) from error

    @property
    def period_parameters(self) -> dict[str, str]:
        """What the address says of the period: links to other pages go on with it."""
        return {name: self.query[name] for name in PARAMETERS if self.query.get(name)}

    def needed(self, name: str) -> str:
        """A parameter that the page cannot do without. Raises Failure."""
        value = self.query.get(name)
        if not value:
            raise Failure(MISSING_PARAMETER, f"this page is asked for with `{name}`")
        return value

    def chosen(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.query.get(name) == "true"

    def link(self, page: str, **parameters: str | None) -> str:
        """The address of another page over the same period."""
        return page_link(page, self.period_parameters, **parameters)

    def again(self, **changed: str | None) -> str:
        """The address of this page with some parameters changed; None takes one away."""
        return page_link(self.page, {**self.query, **changed})

    def paging(self, **cursors: str | None) -> Paging:
        """To the other pages of a list: by parameter, where it goes on, or None."""
        return Paging(
            self.again(**dict.fromkeys(cursors)) if cursors.keys() & self.query.keys() else None,
            self.again(**cursors) if any(cursors.values()) else None,
        )

    def file(self, figure: str, kind: str) -> str:
        """The address of one of the page's figures as a file."""
        return figure_link(self.page, figure, kind, self.query)

    async def ask(self, document: str, as_: type[Answered], **variables: Any) -> Answered:
        """What a document of `documents/dashboard` answers. Raises Failure, also where one of its root fields is null.

        What may not be seen further below is None in the answer; so a document asks it of a type that may be None.
        """
        id_ = self.documents.ids[f"dashboard/{document}"]
        asked = Question(
            None, variables, None, self.authorization, self.wait_for, document_id=id_, address=self.address
        )
        body = (await self.gateway.answer(asked)).body
        found = body.get("errors", ())
        for error in found:
            self._fail_unless_hidden(error)
        data = dict(body["data"])
        if any(value is None for value in data.values()):
            raise Failure(NOT_THERE)
        self._note(body["extensions"])
        if "viewer" in data:
            self.viewer = msgspec.convert(data.pop("viewer"), Viewer)
        return msgspec.convert(data, as_)

    def _fail_unless_hidden(self, error: Mapping[str, Any]) -> None:
        """Raises Failure, but for a field below the root that may not be seen."""
        code = error["extensions"]["code"]
        if code != errors.FORBIDDEN:
            raise Failure(code, error["message"], error["extensions"].get("retryAfter"))
        if len(error.get("path", ())) < 2:
            raise Failure(NOT_THERE)

    def _note(self, said: Mapping[str, Any]) -> None:
        """Note how fresh the answer is; of several the one that is furthest behind."""
        lag = float(said.get("lagSeconds", 0.0))
        if self.freshness is None or lag > self.freshness.lag_seconds:
            at = instants.to_datetime(self.now)
            self.freshness = Freshness(at, said.get("position", ""), lag, said.get("policy", ""))


class Page(NamedTuple):
    """A page: its name, which is its place in addresses and the name of its template, and how it is made."""

    name: str
    build: Callable[[Visit], Coroutine[Any, Any, Shown]]
    periodic: bool = True  # whether it is about a period, and has the form to choose one
