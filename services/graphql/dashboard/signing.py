"""Signing in and out, and the choice of a theme: forms that change something at the browser, not at the server."""

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.graphql.answering import Gateway
from services.graphql.dashboard.failures import notice_of
from services.graphql.dashboard.forms import form_of
from services.graphql.dashboard.links import SIGN_IN, local, with_query
from services.graphql.dashboard.rendering import HEADERS, THEME_COOKIE, THEMES, Renderer
from services.graphql.dashboard.visiting import Failure
from services.graphql.errors import RATE_LIMITED, TooOften
from services.graphql.sign_in import SignIn, address_of, bearer, forget, is_credential, is_secure, keep
from services.kit.errors import ExemplarError, Unauthenticated

A_YEAR = 365 * 24 * 3600
_ENDED = "You were signed out: the key was revoked, or the token has ended. Sign in again to go on."
_OUT = "You are signed out."
_WHY = {"ended": _ENDED, "out": _OUT}
_REFUSED = "This key or token is not known here, or is good no more. Look whether all of it was copied."
_NOT_ONE = "This is neither a key, which begins with exk_, nor a token of at most 3,800 characters."


class Signing:
    """The routes that need no credential."""

    def __init__(self, gateway: Gateway, renderer: Renderer, sign_in: SignIn) -> None:
        self._gateway = gateway
        self._renderer = renderer
        self._sign_in = sign_in

    async def form(self, request: Request) -> Response:
        """The page to sign in at; whoever needs not to is told so."""
        why = _WHY.get(request.query_params.get("why", ""), "")
        is_open = await self._is_open()
        return await self._page(request, request.query_params.get("next"), why, is_open=is_open)

    async def enter(self, request: Request) -> Response:
        """Look at the credential, and have the browser keep it."""
        try:
            sent = await form_of(request)
        except Failure as failure:
            return await self._failed(request, failure)
        target, credential = local(sent.get("next")), sent.get("credential", "").strip()
        if not is_credential(credential):
            return await self._page(request, target, _NOT_ONE, status=400)
        try:
            await self._gateway.admit(bearer(credential), address_of(request))
        except Unauthenticated:
            return await self._page(request, target, _REFUSED, status=401)
        except TooOften as error:
            return await self._failed(request, Failure(RATE_LIMITED, retry_after=error.seconds))
        except ExemplarError:
            return await self._failed(request, Failure("UNAVAILABLE"))
        response = RedirectResponse(target, 303, HEADERS)
        keep(response, request, credential)
        return response

    async def leave(self, request: Request) -> Response:
        """Have the browser forget the credential."""
        try:
            await form_of(request)
        except Failure as failure:
            return await self._failed(request, failure)
        response = RedirectResponse(with_query(SIGN_IN, {"why": "out"}), 303, HEADERS)
        forget(response, request)
        return response

    async def theme(self, request: Request) -> Response:
        """Have the browser keep a theme, and go back to the page."""
        try:
            sent = await form_of(request)
        except Failure as failure:
            return await self._failed(request, failure)
        response = RedirectResponse(local(sent.get("next")), 303, HEADERS)
        theme = sent.get("theme")
        if theme in THEMES:
            kept = {"path": "/dashboard", "secure": is_secure(request), "httponly": True}
            response.set_cookie(THEME_COOKIE, theme, A_YEAR, samesite="lax", **kept)  # type: ignore[arg-type]  # of mixed types
        return response

    async def _is_open(self) -> bool:
        try:
            await self._gateway.admit(None)
        except ExemplarError:
            return False
        return True

    async def _page(
        self, request: Request, target: str | None, why: str, status: int = 200, is_open: bool = False
    ) -> Response:
        context = {"next": local(target), "why": why, "refused": status != 200, "is_open": is_open}
        make = partial(self._renderer.page, request, "sign-in.html", context, status)
        return await run_in_threadpool(make)

    async def _failed(self, request: Request, failure: Failure) -> Response:
        notice = notice_of(failure)
        page = self._renderer.page
        answer: Response = await run_in_threadpool(page, request, "notice.html", {"notice": notice}, notice.status)
        if failure.retry_after is not None:
            answer.headers["retry-after"] = str(failure.retry_after)
        return answer
