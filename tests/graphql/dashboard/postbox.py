"""A write path that keeps what is posted, and answers as it is told."""

from typing import Any

import msgspec

from services.graphql.dashboard.posting import Reply
from services.kit.errors import Unavailable


class Postbox:
    """Keeps each event with the credential it came with. Without a status, nobody answers."""

    def __init__(self) -> None:
        self.posted: list[tuple[bytes, str | None]] = []
        self.status: int | None = 202
        self.body: dict[str, Any] = {"receipts": [], "position": "0:0"}

    async def post(self, event: bytes, authorization: str | None) -> Reply:
        """As `Posts` says."""
        self.posted.append((event, authorization))
        if self.status is None:
            raise Unavailable("nobody answers")
        return Reply(self.status, msgspec.json.encode(self.body))
