"""Forms that are sent: only those that a page of this server has sent are read."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from services.graphql.dashboard.visiting import FOREIGN, MALFORMED, Failure
from services.graphql.sign_in import is_own_page

BYTES_AT_MOST = 64 * 1024
_FIELDS_AT_MOST = 50


async def form_of(request: Request) -> dict[str, str]:
    """The fields of the form in a request's body, the last of each name. Raises Failure."""
    if not is_own_page(request):
        raise Failure(FOREIGN)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Failure(MALFORMED, "a form is sent as application/x-www-form-urlencoded")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BYTES_AT_MOST:
            raise Failure(MALFORMED, "the form is too large")
    try:
        pairs = parse_qsl(bytes(body).decode(), keep_blank_values=True, max_num_fields=_FIELDS_AT_MOST, errors="strict")
    except ValueError as error:
        raise Failure(MALFORMED, "the form cannot be read") from error
    return dict(pairs)
