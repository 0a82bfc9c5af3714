"""`docker compose up --wait`: the production size in containers, with each of its parts restarted in turn."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.serving import free_port

pytestmark = [pytest.mark.compose, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
RECOVERY_SECONDS = 120  # it takes 10; other work on the machine is no reason to fail
COUNT = """{ person(key: "r-1") { scorecard(period: {from: "2026-01-01", to: "2027-01-01"}) {
  score(principle: OWN_GOALS) { kept } } } }"""


@dataclass
class Stack:
    """A compose project of its own, on ports of its own."""

    name: str
    events: int
    gateway: int
    key: str = ""

    def compose(self, *arguments: str) -> str:
        """A command of `docker compose` that must succeed; its stdout."""
        ports = {"EXEMPLAR_EVENTS_PORT": str(self.events), "EXEMPLAR_GATEWAY_PORT": str(self.gateway)}
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.name, *arguments],
            cwd=ROOT,
            env={**os.environ, **ports},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def ask(self, port: int, path: str, body: object, **headers: str) -> Any:
        """The JSON answer to a request, tried again while what was restarted is not back."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode())
        request.add_header("Authorization", f"Bearer {self.key}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        while True:
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    return json.load(answer)
            except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
                if isinstance(error, urllib.error.HTTPError) and error.code != 503:
                    raise
                if time.monotonic() > deadline:
                    raise AssertionError(f"{path}: not back after {RECOVERY_SECONDS} s") from error
                time.sleep(0.5)

    def post(self, number: int) -> str:
        """Post one act; its position."""
        event = {
            "specversion": "1.0",
            "id": f"contact-{number}",
            "source": "/crm",
            "type": "exemplar.contact.made.v1",
            "subject": f"c-{number}",
            "time": "2026-01-05T09:00:00Z",
            "data": {"rep": "r-1", "channel": "call", "purpose": "introduce"},
        }
        receipt = self.ask(self.events, "/v1/events", event, Content_Type="application/cloudevents+json")
        position: str = receipt["position"]
        return position

    def kept(self, position: str) -> int:
        """How often the principle was kept, once the fold is at the position."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        while True:
            answer = self.ask(
                self.gateway, "/graphql", {"query": COUNT}, Content_Type="application/json", Exemplar_Wait_For=position
            )
            if "errors" not in answer:
                count: int = answer["data"]["person"]["scorecard"]["score"]["kept"]
                return count
            code = answer["errors"][0]["extensions"]["code"]
            assert code in ("NOT_YET", "UNAVAILABLE"), answer
            assert time.monotonic() < deadline, answer


@pytest.fixture(scope="module")
def stack(docker_engine: None) -> Iterator[Stack]:
    """The stack of docker-compose.yml, up and healthy, with a first key; removed with its volumes at the end."""
    made = Stack(f"exemplar-{uuid.uuid4().hex[:8]}", free_port(), free_port())
    try:
        made.compose("up", "--build", "--wait", "--quiet-pull")
        made.key = made.compose(
            "exec", "-T", "graphql", "exemplar", "keys", "create", "--name", "ops", "--scope", "admin"
        ).strip()
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "0")


def test_every_part_may_be_restarted(stack: Stack) -> None:
    """Acts posted before, and after, each part was restarted are all there once, and the model is what the log says."""
    position = stack.post(0)
    assert stack.kept(position) == 1
    for number, part in enumerate(("events", "projections", "graphql", "postgres", "kafka"), start=1):
        stack.compose("restart", "--timeout", "10", part)
        position = stack.post(number)
        assert stack.kept(position) == number + 1, part
    status = json.loads(stack.compose("exec", "-T", "graphql", "exemplar", "status", "--json"))
    assert (status["acts"], status["waiting"], status["unreadable"], status["conflicts"]) == (6, 0, 0, 0)
    verified = json.loads(stack.compose("exec", "-T", "projections", "exemplar", "verify", "--json"))
    assert verified["equal"]


def test_services_run_with_few_rights(stack: Stack) -> None:
    """Each service runs as a user without rights, on a file system that it cannot write to, with no compiler in it."""
    for service in ("events", "projections", "graphql"):
        look = "id -u; touch /opt/x 2>&1 || true; command -v cc || echo no compiler"
        who = stack.compose("exec", "-T", service, "sh", "-c", look)
        assert who.split("\n")[0] == "10001"
        assert "Read-only file system" in who
        assert "no compiler" in who
