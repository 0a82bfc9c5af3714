"""A gateway over a small world, asked over HTTP in process."""

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from httpx2 import Response
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.testclient import TestClient

from services.events.credentials import ADMIN, CARDS_READ, OPEN, Credential
from services.graphql.answering import Backing
from services.graphql.app import EVERYTHING, Allowed, create_graphql
from services.graphql.dashboard.posting import Posts
from services.graphql.live import Live, LiveLimits
from services.graphql.loaders import Sources
from services.graphql.metrics import LiveMetrics
from services.kit.database import create_area, open_engine
from services.kit.errors import Unauthenticated
from services.projections.audit.copies import FolderCopies
from services.projections.audit.notes import Signer
from services.projections.audit.sequencer import Sequencer, Signing, Things
from services.projections.audit.tables import AREA
from services.projections.migrations import migrate_area
from services.projections.positions import Positions
from services.projections.queries.unfolded import find_unfolded
from services.projections.reads import record_reads
from tests.fixed_clock import FixedClock
from tests.projections.world import World

SIGNER = Signer("example.com/log", b"a" * 32)
GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


class Asker:
    """Posts queries to a gateway over the world. Credentials go by the key after `Bearer`: see `credentials`."""

    def __init__(
        self,
        folder: Path,
        clock: FixedClock,
        allowed: Allowed = EVERYTHING,
        posts: Posts | None = None,
        **backing: Any,
    ) -> None:
        self.world = World(folder, clock)
        self.credentials: dict[str, Credential] = {"admin": Credential("admin", frozenset({ADMIN}))}
        self.positions = Positions(self.world.stores.model)
        self.lag = 0.0
        world = self.world
        self.audit = open_engine(world.stores.url, AREA)
        settings: dict[str, Any] = {
            "model": world.stores.model,
            "sources": Sources(world.vault, world.catalogue, world.policy, self.audit),
            "clock": clock,
            "authenticate": self._authenticate,
            "wait_until": self.positions.wait_until,
            "lag_seconds": lambda: self.lag,
            "find_unfolded": partial(find_unfolded, world.reader),
            "record_reads": partial(record_reads, world.stores.control),
            "wait_for_seconds": 1.0,
        }
        self.registry = CollectorRegistry()
        self.backing = Backing(**settings | backing)
        limits = LiveLimits(recheck_seconds=0.2)
        self.live = Live(world.stores.model, self._ended, LiveMetrics(self.registry), limits, clock)
        world.listeners.append(lambda commit: self.live.told(commit.change))
        routes = create_graphql(self.backing, self.live, self.registry, allowed, posts)
        self.app = Starlette(routes=routes)
        self.client = TestClient(self.app, base_url="http://localhost")
        self.on_close = ExitStack()

    def person(self, key: str, *scopes: str) -> str:
        """Let a person in, by default to read cards; gives the key to ask with."""
        self.credentials[key] = Credential(key, frozenset(scopes or {CARDS_READ}), (), key)
        return key

    def number(self) -> None:
        """Give everything that is there its number in the audit tree, and sign it."""
        world = self.world
        create_area(self.audit, AREA)
        migrate_area(self.audit, "audit")
        reader = world.log.reader()
        things = Things(reader, world.stores.control, world.vault.erased)
        copies = FolderCopies(world.folder / "copies")
        sequencer = Sequencer(self.audit, things, Signing(SIGNER.verifier.name, [SIGNER]), copies, world.clock)
        sequencer.take_over()
        while sequencer.step():
            pass
        reader.close()

    def _authenticate(self, authorization: str | None) -> Credential:
        if authorization is None:
            return OPEN
        found = self.credentials.get(authorization.removeprefix("Bearer "))
        if found is None:
            raise Unauthenticated("the credential is unknown or was revoked", presented=True)
        return found

    def _ended(self, authorizations: Collection[str | None]) -> set[str | None]:
        """Those whose key was taken out of `credentials`."""
        return {a for a in authorizations if a is not None and a.removeprefix("Bearer ") not in self.credentials}

    def post(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        who: str | None = "admin",
        accept: str = JSON,
        **headers: str,
    ) -> Response:
        """The response to a query."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()} | {"accept": accept}
        if who is not None:
            headers["authorization"] = f"Bearer {who}"
        return self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    def ask(self, query: str, variables: Mapping[str, Any] | None = None, who: str | None = "admin") -> Any:
        """The body of the answer to a query."""
        response = self.post(query, variables, who)
        assert response.status_code == 200, response.text
        return response.json()

    def data(self, query: str, variables: Mapping[str, Any] | None = None, who: str | None = "admin") -> Any:
        """What a query reads; there must be no error."""
        body = self.ask(query, variables, who)
        assert "errors" not in body, body["errors"]
        return body["data"]

    def codes(self, query: str, variables: Mapping[str, Any] | None = None, who: str | None = "admin") -> list[str]:
        """The codes of the errors of a query."""
        body = self.ask(query, variables, who)
        return [error["extensions"]["code"] for error in body.get("errors", [])]

    def close(self) -> None:
        """Let go of everything."""
        self.on_close.close()
        self.client.close()
        self.audit.dispose()
        self.world.close()
