"""A clock that stands still until a test moves it."""

from services.kit import instants


class FixedClock:
    """Called like `instants.now`: gives an instant in microseconds since the epoch (UTC)."""

    def __init__(self, start: str = "2026-03-02T09:00:00Z") -> None:
        self.instant = instants.parse_rfc3339(start)

    def __call__(self) -> int:
        return self.instant

    def advance(self, microseconds: int) -> None:
        """Let time pass: `clock.advance(5 * instants.MINUTE)`."""
        self.instant += microseconds
