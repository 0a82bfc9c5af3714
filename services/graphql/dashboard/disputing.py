"""Disputing an act: the form on the act's page, the event that is made of it, and what is said of the answer."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.graphql import errors
from services.graphql.answering import Gateway
from services.graphql.dashboard.answers import Act
from services.graphql.dashboard.failures import notice_of
from services.graphql.dashboard.forms import form_of
from services.graphql.dashboard.links import ROOT, SIGN_IN, page_link, with_query
from services.graphql.dashboard.periods import PARAMETERS
from services.graphql.dashboard.posting import Posts, Reply
from services.graphql.dashboard.rendering import HEADERS, Renderer
from services.graphql.dashboard.visiting import MALFORMED, NOT_YOURS, UNSENT, Failure, Visit
from services.graphql.errors import TooOften
from services.graphql.sign_in import SignIn, address_of
from services.kit.errors import ExemplarError, Unauthenticated, Unavailable
from services.kit.instants import format_rfc3339

PATH = f"{ROOT}/dispute"
SOURCE = "/dashboard"
LETTERS = 2000  # of a reason
_TYPE = "exemplar.act.disputed.v1"
_NAMED = ("source", "id", "subject", "at")
_FIELDS = (*_NAMED, "reason", *PARAMETERS)


class Form(NamedTuple):
    """The form by which somebody disputes an act: where it is sent, its hidden fields, and the longest reason."""

    fields: Mapping[str, str]
    path: str = PATH
    letters: int = LETTERS


def form_for(visit: Visit, act: Act) -> Form | None:
    """The form for the person whose act it is; for all others there is none.

    The dispute is dated when its form was made, so that a form that is sent twice says one thing.
    """
    viewer = visit.viewer.key if visit.viewer else None
    if not visit.may_post or viewer is None or act.data.get("rep") != viewer:
        return None
    named = {"source": act.source, "id": act.act_id, "subject": act.subject, "at": format_rfc3339(visit.now)}
    return Form({**named, **visit.period_parameters})


def event_of(sent: Mapping[str, str], person: str) -> Mapping[str, object]:
    """The event of a form that a person has sent; of the same form and the same words always the same. Raises Failure.

    What a form may not say, such as a time that is none, the events service refuses.
    """
    source, id_, subject, at = (sent.get(name, "") for name in _NAMED)
    reason = sent.get("reason", "").replace("\r\n", "\n").strip()
    if not reason:
        raise Failure(MALFORMED, "a dispute says what is wrong with the act")
    if len(reason) > LETTERS:
        raise Failure(MALFORMED, f"a dispute has at most {LETTERS:,} characters")
    said = msgspec.json.encode([person, source, id_, subject, at, reason])
    return {
        "specversion": "1.0",
        "id": hashlib.sha256(said).hexdigest()[:32],
        "source": SOURCE,
        "type": _TYPE,
        "subject": subject,
        "time": at,
        "data": {"disputes_source": source, "disputes_id": id_, "reason": reason, "by": person},
    }


class Disputes:
    """The route that takes the forms. `posts` is the write path; None where none can be reached from here."""

    def __init__(self, posts: Posts | None, gateway: Gateway, renderer: Renderer, sign_in: SignIn) -> None:
        self._posts = posts
        self._gateway = gateway
        self._renderer = renderer
        self._sign_in = sign_in

    async def send(self, request: Request) -> Response:
        """Record the dispute, and lead back to the act once it is in what is shown of it."""
        sent: Mapping[str, str] = {}
        try:
            sent = {name: value for name, value in (await form_of(request)).items() if name in _FIELDS}
            return self._back(sent, await self._post(request, sent))
        except Unauthenticated:
            return RedirectResponse(with_query(SIGN_IN, {"next": _page_of(sent), "why": "ended"}), 303, HEADERS)
        except Failure as failure:
            return await self._failed(request, failure, sent)
        except TooOften as error:
            return await self._failed(request, Failure(errors.RATE_LIMITED, retry_after=error.seconds), sent)
        except ExemplarError:
            return await self._failed(request, Failure(UNSENT), sent)

    async def _post(self, request: Request, sent: Mapping[str, str]) -> Reply:
        """What became of it. Raises Unauthenticated, Unavailable or Failure."""
        authorization = self._sign_in.of_page(request)
        credential = await self._gateway.admit(authorization, address_of(request))
        if credential.person is None:
            raise Failure(NOT_YOURS)
        if self._posts is None:
            raise Unavailable("there is no way from here to the events service")
        event = msgspec.json.encode(event_of(sent, credential.person))
        return await self._posts.post(event, authorization)

    def _back(self, sent: Mapping[str, str], reply: Reply) -> Response:
        """To the act. Raises Failure where nothing was recorded."""
        match reply.status:
            case 202:
                return RedirectResponse(f"{_page_of(sent, position=reply.position)}#disputes", 303, HEADERS)
            case 401:
                raise Unauthenticated("the credential is good no more", presented=True)
            case 403:
                raise Failure(NOT_YOURS)
            case 400 | 409 | 413 | 422:
                raise Failure(MALFORMED, reply.reason)
            case 429:
                raise Failure(errors.RATE_LIMITED, retry_after=1)
            case _:
                raise Failure(UNSENT)

    async def _failed(self, request: Request, failure: Failure, sent: Mapping[str, str]) -> Response:
        """What is said; with the form once more, as it was sent, where that may help."""
        notice = notice_of(failure)
        context = {"notice": notice, "sent": sent if notice.again else {}, "path": PATH, "page": _page_of(sent)}
        headers = {"retry-after": str(failure.retry_after or 1)} if notice.again else {}
        page = self._renderer.page
        return await run_in_threadpool(page, request, "unsent.html", context, notice.status, headers)


def _page_of(sent: Mapping[str, str], **more: str | None) -> str:
    """The address of the act that a form is about."""
    known = {name: sent.get(name) for name in ("source", "id", "subject", *PARAMETERS)}
    return page_link("act", known, **more) if known["source"] and known["id"] else ROOT
