"""Programs that post by an official CloudEvents SDK of another language, the acts they post, and what the log then has.

The SDKs differ in what they make of an event, so each program is told the event as JSON and builds it as the SDK's own
users do; the log is then held against the event that was meant.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.events.catalog.envelope import Catalogue
from services.events.log.sqlite import open_log
from services.kit.instants import parse_rfc3339
from tests.serving import Server

HERE = Path(__file__).parent
MODES = ("structured", "binary", "batch")
Event = dict[str, Any]

ACTS: Mapping[str, Event] = {
    "ordinary": {},
    "text": {
        "data": {"rep": "rep-7", "channel": "call", "purpose": "explore", "text": "Grüße aus 東京 😀: 100 % “gut”\n"}
    },
    "extensions": {
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "attempt": 3,
        "resent": True,
    },
    "space": {"id": "call 7 of 9"},
    "precise": {"time": "2025-03-01T09:30:00.123456789+05:30"},
}
"""What an act of each name has otherwise than `act` gives it: these go through in every mode of every SDK."""

ODD_ACTS: Mapping[str, Event] = {
    "not-ascii": {"id": "Anruf für 東京", "subject": "Käufer-7 東京"},
    "percent": {"id": "100% a%20b"},
    "quoted": {"id": '"7"'},
    "encoded-source": {"source": "https://crm.example.com/m%C3%BCller"},
}
"""What must not be sent by an SDK that encodes no header, but in structured mode or in a batch."""

_OUR_FAULT = re.compile(r"EUSAGE|EINTEGRITY|go\.sum|SECURITY ERROR")  # the lock is wrong, not the network


@dataclass(frozen=True)
class Outcome:
    """Whether the server took the events, and what it answered or why the SDK sent nothing."""

    accepted: bool
    answer: str


@dataclass(frozen=True)
class Client:
    """A program that posts the events on its standard input: `command URL MODE`."""

    command: Sequence[str]

    def post(self, server: Server, mode: str, *events: Event) -> Outcome:
        """Post events by the SDK: one, or several in mode `batch`."""
        command = [*self.command, f"{server.url}/v1/events", mode]
        done = subprocess.run(
            command, input=json.dumps(events), capture_output=True, text=True, timeout=120, check=True
        )
        return Outcome(**json.loads(done.stdout))


def act(name: str, mode: str, **changes: Any) -> dict[str, Any]:
    """The event of an act, of a subject of its own; a source for each mode, since source and id have one subject."""
    event = {
        "specversion": "1.0",
        "id": name,
        "source": f"https://crm.example.com/{mode}",
        "type": "exemplar.contact.made.v1",
        "subject": f"customer-{mode}-{name}",
        "time": "2025-03-01T09:30:00Z",
        "data": {"rep": "rep-7", "channel": "call", "purpose": "follow_up"},
    }
    return event | changes


def assert_logged(server: Server, event: Event) -> None:
    """The log has this act: it is known when sent again by hand, and GraphQL gives it back to the microsecond."""
    again = server.post(event)
    assert again.status == 202, again.body
    assert again.json()["receipts"][0]["duplicate"]
    subject = json.dumps(event["subject"], ensure_ascii=False)
    fields = "source actId subject time type data"
    document = f"{{ acts(filter: {{subject: {subject}}}) {{ edges {{ node {{ {fields} }} }} }} }}"
    answer = server.query(document, wait_for=again.json()["position"])
    assert "errors" not in answer, answer
    nodes = [edge["node"] for edge in answer["data"]["acts"]["edges"]]
    shown = [node for node in nodes if node["actId"] == event["id"]]
    assert [{**node, "time": parse_rfc3339(node["time"])} for node in shown] == [
        {
            "source": event["source"],
            "actId": event["id"],
            "subject": event["subject"],
            "time": parse_rfc3339(event["time"]),
            "type": event["type"],
            "data": event["data"],
        }
    ]


def extensions_logged(server: Server, event: Event) -> dict[str, object]:
    """The extension attributes that the log keeps with an act, but for the one that Exemplar sets itself."""
    reader = open_log(f"sqlite:///{server.folder / 'log.sqlite'}", 1).reader()
    try:
        records = reader.read(dict.fromkeys(reader.ends(), 0), 10_000, 0.0)
    finally:
        reader.close()
    acts = [Catalogue().decode_record(record.value) for record in records if record.key == event["subject"]]
    return {name: value for name, value in acts[0].extensions.items() if name != "recordedby"}


def copy_of(program: str, folder: Path, *needs: str) -> Path:
    """A copy of a program's folder below `folder`; skips where one of the tools that it needs is not installed."""
    for tool in needs:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    return Path(shutil.copytree(HERE / program, folder / program))


def fetch(command: Sequence[str], folder: Path, **variables: str) -> None:
    """Run what fetches a program's packages, again if need be; skips where they cannot be had, fails where the lock is
    at fault.
    """
    what = " ".join(command[:3])
    said = ""
    for _ in range(3):
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=os.environ | variables,
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"`{what}` did not end within 180 s")
        if not done.returncode:
            return
        said = done.stderr.strip()
        assert not _OUR_FAULT.search(said), said
    pytest.skip(f"`{what}` could not fetch what is needed: {said[:300]}")


def snippet(language: str, server: Server) -> str:
    """The one example in this language that the page for integrators shows, posting to this server."""
    page = (HERE.parents[1] / "docs" / "integrating.md").read_text()
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert "http://127.0.0.1:8000/" in found
    return str(found).replace("http://127.0.0.1:8000/", f"{server.url}/")


SHOWN = act(
    "call-20260301-0042",
    "",
    source="https://crm.example.com/emea",
    subject="customer-000123",
    time="2026-03-01T09:30:00Z",
    data={"rep": "rep-0042", "channel": "call", "purpose": "follow_up"},
)
"""The act that each example of that page posts."""
