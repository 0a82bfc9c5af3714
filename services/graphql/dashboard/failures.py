"""What is said where there is no page to show: which status, what has happened, and what to do.

What is forbidden and what does not exist are said in the same words.
"""

from collections.abc import Mapping
from typing import NamedTuple

from services.graphql import errors
from services.graphql.dashboard.visiting import (
    FOREIGN,
    MALFORMED,
    MISSING_PARAMETER,
    NOT_THERE,
    NOT_YOURS,
    UNSENT,
    Failure,
)


class Notice(NamedTuple):
    """A page that says what has happened. `again`: to ask again may help."""

    status: int
    title: str
    says: str
    to_do: str
    again: bool = False


_TEAMS = "Go to your teams, or ask who sent you the link."
_ADDRESS = Notice(400, "The address cannot be understood", "Part of it is wrong.", "Correct it, or go to your teams.")
_NOTICES: Mapping[str, Notice] = {
    NOT_THERE: Notice(
        404,
        "There is nothing here for you",
        "There is no such page, team, person or customer, or you may not see it.",
        _TEAMS,
    ),
    MISSING_PARAMETER: Notice(400, "The address is not complete", "Part of it is missing.", _TEAMS),
    MALFORMED: _ADDRESS,
    errors.BAD_USER_INPUT: _ADDRESS,
    errors.LIMIT: Notice(400, "That is too much at once", "The page would be too large.", "Choose a shorter period."),
    FOREIGN: Notice(
        403,
        "This form was not sent from here",
        "A form counts only if a page of this server sent it.",
        "Open the page here, and send it again.",
    ),
    NOT_YOURS: Notice(
        403,
        "This act is not yours to dispute",
        "Nothing was recorded. A person can dispute the acts that they are the rep of, once they are in the figures.",
        "Tell whoever may correct acts what is wrong with it.",
    ),
    UNSENT: Notice(
        503,
        "Your dispute is not recorded yet",
        "What takes acts in does not answer now, and nobody can say whether it has come through.",
        "Send it again in a moment. However often it is sent, it is recorded once.",
        True,
    ),
    errors.UNAUTHENTICATED: Notice(
        401, "Please sign in", "The credential is missing or unknown, or has ended.", "Sign in again."
    ),
    errors.NOT_YET: Notice(
        503,
        "Recorded, and not yet in the figures",
        "What you did is recorded, and will be in the figures soon.",
        "Open the page again in a moment.",
        True,
    ),
    errors.RATE_LIMITED: Notice(
        429, "Too many pages at once", "You have asked for very many pages.", "Wait a moment.", True
    ),
    errors.TIMEOUT: Notice(
        504,
        "This took too long",
        "The page took longer to make than a page may.",
        "Choose a shorter period, or try again.",
        True,
    ),
    errors.UNAVAILABLE: Notice(
        503,
        "The figures cannot be read now",
        "The database of the figures does not answer. Nothing that was recorded is lost.",
        "Try again in a moment. If it stays so, tell who runs this server: /readyz says what is missing.",
        True,
    ),
}
_OTHER = Notice(
    500, "Something went wrong here", "The page could not be made; the server's log says why.", "Try again.", True
)
_QUOTED = frozenset({MISSING_PARAMETER, MALFORMED, errors.BAD_USER_INPUT, errors.LIMIT, errors.INTERNAL})


def notice_of(failure: Failure) -> Notice:
    """What is said of a failure; its own message where that tells what is wrong with the address."""
    found = _NOTICES.get(failure.code, _OTHER)
    if not failure.message or failure.code not in _QUOTED:
        return found
    return found._replace(says=f"{failure.message[0].upper()}{failure.message[1:].rstrip('.')}.")
