"""The dashboard as routes to put into an application. Every page is asked for, answered and refused here."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.graphql import errors
from services.graphql.answering import Gateway
from services.graphql.dashboard.assets import Assets
from services.graphql.dashboard.disputing import PATH as DISPUTE
from services.graphql.dashboard.disputing import Disputes
from services.graphql.dashboard.failures import notice_of
from services.graphql.dashboard.figures import Figure, Shown
from services.graphql.dashboard.links import ROOT, SIGN_IN, local, path_of, with_query
from services.graphql.dashboard.pages import PAGES
from services.graphql.dashboard.periods import KINDS, PARAMETERS, neighbours, of_kind
from services.graphql.dashboard.posting import Posts
from services.graphql.dashboard.rendering import HEADERS, Renderer, compressed
from services.graphql.dashboard.signing import Signing
from services.graphql.dashboard.visiting import NOT_THERE, Failure, Page, Visit
from services.graphql.documents import Documents
from services.graphql.sign_in import SignIn, address_of, forget
from services.graphql.spreadsheet import MEDIA_TYPE as CSV
from services.graphql.spreadsheet import csv_of
from services.graphql.transport import Refusal, while_there
from services.kit.problems import challenge
from services.projections.leadership.policy import Policy

SVG = "image/svg+xml"
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
Endpoint = Callable[[Request], Awaitable[Response]]
_OF_PERIOD = (*PARAMETERS, "after")  # where a page of a list begins is gone with its period
_log = structlog.get_logger(__name__)


def create_dashboard(
    gateway: Gateway,
    documents: Documents,
    sign_in: SignIn,
    clock: Callable[[], int],
    policy: Policy,
    posts: Posts | None = None,
) -> list[BaseRoute]:
    """Everything below `/dashboard`. `clock` gives microseconds; `documents` has those of the pages.

    `posts` is where disputes go; without it none is offered.
    """
    assets = Assets()
    renderer = Renderer(assets)
    signing = Signing(gateway, renderer, sign_in)
    shows = _Dashboard(gateway, documents, sign_in, clock, policy, renderer, posts is not None)
    return [
        Route(f"{ROOT}/static/{{version}}/{{name}}", assets.serve, methods=["GET"]),
        Route(SIGN_IN, signing.form, methods=["GET"]),
        Route(SIGN_IN, signing.enter, methods=["POST"]),
        Route(f"{ROOT}/sign-out", signing.leave, methods=["POST"]),
        Route(f"{ROOT}/theme", signing.theme, methods=["POST"]),
        Route(DISPUTE, Disputes(posts, gateway, renderer, sign_in).send, methods=["POST"]),
        *(Route(path_of(page.name), shows.page(page), methods=["GET"]) for page in PAGES),
        *(Route(f"{ROOT}/{page.name}/{{figure}}.csv", shows.table(page), methods=["GET"]) for page in PAGES),
        *(Route(f"{ROOT}/{page.name}/{{figure}}.svg", shows.chart(page), methods=["GET"]) for page in PAGES),
        Route(f"{ROOT}/{{rest:path}}", shows.nothing, methods=["GET"]),
    ]


class _Dashboard:
    """The endpoints of the pages."""

    def __init__(
        self,
        gateway: Gateway,
        documents: Documents,
        sign_in: SignIn,
        clock: Callable[[], int],
        policy: Policy,
        renderer: Renderer,
        may_post: bool,
    ) -> None:
        self._gateway = gateway
        self._documents = documents
        self._sign_in = sign_in
        self._clock = clock
        self._policy = policy
        self._renderer = renderer
        self._may_post = may_post

    def page(self, page: Page) -> Endpoint:
        """The endpoint of a page."""

        def answer(request: Request, visit: Visit, shown: Shown) -> Response:
            context = self._context(request, visit, page, shown)
            return self._renderer.page(request, f"{page.name}.html", context)

        return self._endpoint(page, answer)

    def table(self, page: Page) -> Endpoint:
        """The endpoint of the tables of a page's figures."""

        def answer(request: Request, _visit: Visit, shown: Shown) -> Response:
            figure = _named(request, shown)
            if figure.table is None:
                raise Failure(NOT_THERE)
            heading = [column.heading for column in figure.table.columns]
            rows = [[cell.exported for cell in row] for row in figure.table.rows]
            return _file(request, figure, csv_of(heading, rows), CSV, "csv")

        return self._endpoint(page, answer)

    def chart(self, page: Page) -> Endpoint:
        """The endpoint of the charts of a page's figures."""

        def answer(request: Request, visit: Visit, shown: Shown) -> Response:
            figure = _named(request, shown)
            drawing = figure.drawing(_about(visit, page, shown))
            if drawing is None:
                raise Failure(NOT_THERE)
            return _file(request, figure, drawing, SVG, "svg")

        return self._endpoint(page, answer)

    async def nothing(self, request: Request) -> Response:
        """What is no page. Whoever is not signed in is told no more than that."""
        return await self._failed(request, Failure(NOT_THERE), None)

    def _endpoint(self, page: Page, answer: Callable[[Request, Visit, Shown], Response]) -> Endpoint:
        async def respond(request: Request) -> Response:
            visit = self._visit(request, page)
            try:
                shown = await while_there(request, page.build(visit))
                return await asyncio.to_thread(answer, request, visit, shown)
            except Failure as failure:
                return await self._failed(request, failure, visit)
            except Refusal as refusal:
                return refusal.response
            except Exception:  # noqa: BLE001  # whatever it is, people get a page that tells nothing more
                _log.exception("a page could not be made", page=page.name)
                return await self._failed(request, Failure(errors.INTERNAL), visit)

        return respond

    def _visit(self, request: Request, page: Page) -> Visit:
        return Visit(
            page.name,
            dict(request.query_params),
            self._sign_in.of_page(request),
            self._gateway,
            self._documents,
            self._clock(),
            self._policy,
            request.query_params.get("position"),
            address_of(request),
            self._may_post,
        )

    def _context(self, request: Request, visit: Visit, page: Page, shown: Shown) -> dict[str, Any]:
        """What every template gets besides what its page puts there."""
        return {
            **shown.context,
            "visit": visit,
            "page": page,
            "shown": shown,
            "figures": {figure.name: figure for figure in shown.figures},
            "account": _account(visit, self._sign_in.by_proxy(request)),
            "choice": _choice(visit) if page.periodic else None,
        }

    async def _failed(self, request: Request, failure: Failure, visit: Visit | None) -> Response:
        """The page that says so; to sign in where that helps, and back here after."""
        if failure.code == errors.UNAUTHENTICATED and "authorization" not in request.headers:
            return self._to_sign_in(request)
        notice = notice_of(failure)
        headers: dict[str, str] = {}
        if failure.retry_after is not None or notice.status in (429, 503):
            headers["retry-after"] = str(failure.retry_after or 1)
        if notice.status == 401:
            headers["www-authenticate"] = challenge(presented=True)
        account = None if visit is None else _account(visit, self._sign_in.by_proxy(request))
        context = {"notice": notice, "account": account}
        return await asyncio.to_thread(self._renderer.page, request, "notice.html", context, notice.status, headers)

    def _to_sign_in(self, request: Request) -> Response:
        presented = self._sign_in.of_page(request) is not None
        here = local(quote(request.url.path) + (f"?{request.url.query}" if request.url.query else ""))
        address = with_query(SIGN_IN, {"next": here, "why": "ended" if presented else ""})
        response = RedirectResponse(address, 303, HEADERS)
        if presented:
            forget(response, request)
        return response


def _account(visit: Visit, by_proxy: bool) -> Mapping[str, Any] | None:
    """Who is signed in, as the head of a page shows it; None before anybody is known."""
    if visit.viewer is None:
        return None
    signed_in = visit.authorization is not None
    return {"key": visit.viewer.key, "open": not signed_in, "may_leave": signed_in and not by_proxy}


def _choice(visit: Visit) -> Mapping[str, Any]:
    """What the form of periods shows."""
    period, today = visit.period, visit.today
    before, after = neighbours(period, today)
    kept = {name: value for name, value in visit.query.items() if name not in _OF_PERIOD}
    kinds = [(kind, visit.again(**_only(of_kind(kind, period, today).parameters))) for kind in KINDS if kind != "free"]
    return {
        "period": period,
        "before": None if before is None else visit.again(**_only(before.parameters)),
        "after": None if after is None else visit.again(**_only(after.parameters)),
        "kinds": kinds,
        "kept": kept,
    }


def _only(parameters: Mapping[str, str]) -> dict[str, str | None]:
    """These parameters of a period, and no others."""
    return {name: parameters.get(name) for name in _OF_PERIOD}


def _named(request: Request, shown: Shown) -> Figure:
    """The figure that is asked for. Raises Failure."""
    for figure in shown.figures:
        if figure.name == request.path_params["figure"]:
            return figure
    raise Failure(NOT_THERE)


def _about(visit: Visit, page: Page, shown: Shown) -> str:
    """What a chart that is taken elsewhere is about."""
    return f"{shown.title}, {visit.period.name} (UTC)" if page.periodic else shown.title


def _file(request: Request, figure: Figure, text: str, media_type: str, ending: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{figure.name}.{ending}"'}
    if media_type == SVG:
        headers["content-security-policy"] = _SVG_POLICY
    return compressed(request, text.encode(), media_type, 200, headers)
