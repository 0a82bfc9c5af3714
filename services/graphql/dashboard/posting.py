"""How the dashboard records an act: by a post to the events service, with the credential of who is at the browser.

There is no second way to the log: what a form sends is judged as if the person had posted it themselves.
"""

from typing import NamedTuple, Protocol, TypeVar

import msgspec

Form = TypeVar("Form")
REPLY_BYTES = 64 * 1024
"""The most that is read of an answer."""


class Reply(NamedTuple):
    """What the events service answered."""

    status: int
    body: bytes

    @property
    def position(self) -> str | None:
        """Where the log has what was posted, for who wants to read it back; None if it was not taken."""
        return _read(self.body, _Taken).position if self.status == 202 else None

    @property
    def reason(self) -> str:
        """Why the event was refused, as far as that is said."""
        refused = _read(self.body, _Refused)
        return refused.errors[0].reason if refused.errors else refused.detail


class Posts(Protocol):
    """The write path. An adapter MUST hand the header on as it is, and add no credential of its own."""

    async def post(self, event: bytes, authorization: str | None) -> Reply:
        """The answer of `POST /v1/events` to one event in structured mode. Raises Unavailable where none comes."""


class _Fault(msgspec.Struct):
    reason: str = ""


class _Refused(msgspec.Struct):
    detail: str = ""
    errors: tuple[_Fault, ...] = ()


class _Taken(msgspec.Struct):
    position: str | None = None


def _read(body: bytes, form: type[Form]) -> Form:
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.MsgspecError:
        return form()
