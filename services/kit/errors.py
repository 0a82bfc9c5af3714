"""The errors of Exemplar, named by what the caller can do about them.

Adapters raise these `from` whatever happened below; one table at each edge turns them into an HTTP status, a
GraphQL error code or an exit code.
"""


class ExemplarError(Exception):
    """The root of all errors that Exemplar raises on purpose. `str()` is a sentence fit for the person who asked."""


class Invalid(ExemplarError):
    """What was given is wrong; giving the same again fails again. `pointer` is the JSON pointer of the fault."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class Malformed(Invalid):
    """Not even in the form that its format asks for (JSON, CloudEvents), so that its meaning cannot be judged."""


class Misconfigured(Invalid):
    """A setting is wrong; the message names the variable. Commands exit with 2."""


class Unauthenticated(ExemplarError):
    """No credential, or one that is not good (any more); `presented` tells the two apart."""

    def __init__(self, message: str, *, presented: bool = False) -> None:
        super().__init__(message)
        self.presented = presented


class Forbidden(ExemplarError):
    """The credential does not allow this."""


class NotFound(ExemplarError):
    """There is no such thing."""


class Conflict(ExemplarError):
    """It contradicts what is already recorded; the first stays."""


class Unavailable(ExemplarError):
    """Something needed does not answer now; the same call may succeed in `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Corrupt(ExemplarError):
    """What is stored contradicts itself: stop, and tell a human what to do."""
