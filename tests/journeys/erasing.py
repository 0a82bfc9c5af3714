"""What an erasure has to make disappear: texts that are found nowhere else, and how to look for them in raw bytes."""

from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

TEXTS = ("zanzibar marmalade 7713", "Wilhelmina Quetzalcoatl", "xylophone umbrella 4409", "Bartholomew Featherstone")
"""Personal texts about c-gone and r-gone, the persons who are erased."""
KEPT = "Kunigunde Nightingale"
"""A name of somebody who stays."""
CARD = """{ person(key: "r-gone") { name scorecard(period: {from: "2026-01-01", to: "2027-01-01"}) {
  scores { principle { id } kept breached n rate reasons { reason count } } } } }"""
READ = """{ relationship(customer: "c-gone") { customerName acts { edges { node { actId data } } } }
  person(key: "r-gone") { name } acts(filter: {rep: "r-gone"}) { edges { node { data } } } }"""


def event(act_id: str, type: str, subject: str, **data: Any) -> dict[str, Any]:
    """An act of January."""
    return {
        "specversion": "1.0",
        "id": act_id,
        "source": "/crm",
        "type": f"exemplar.{type}.v1",
        "subject": subject,
        "time": "2026-01-05T09:00:00Z",
        "data": data,
    }


ACTS = (
    event("team", "team.formed", "t-1", name="North"),
    event("joined", "team.joined", "t-1", person="r-gone", role="rep", name=TEXTS[3]),
    event("stays", "team.joined", "t-1", person="r-stays", role="rep", name=KEPT),
    event("known", "customer.known", "c-gone", name=TEXTS[1]),
    event("said", "contact.made", "c-gone", rep="r-gone", channel="call", purpose="introduce", text=TEXTS[0]),
    event("worried", "hesitation.voiced", "c-gone", rep="r-gone", concern=TEXTS[2]),
    event("goal", "goal.appealed", "c-gone", rep="r-gone", text=TEXTS[0]),
)
WRONG = event("wrong", "contact.made", "c-gone", rep="r-gone", channel="pigeon", purpose="introduce", text=TEXTS[0])
"""An act that is refused, with a text that nothing may repeat."""


def found_in(raw: bytes) -> list[str]:
    """Those of the texts that raw bytes hold, however they are encoded."""
    return [text for text in TEXTS if any(form in raw for form in _forms(text))]


def _forms(text: str) -> list[bytes]:
    """A text as UTF-8, UTF-16 and, at each of the three places where it may begin, base64."""
    shifted = [b64encode(b" " * shift + text.encode())[4:-4] for shift in range(3)]
    return [text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), *shifted]


def raw_files(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder, but those that a server beside it has renamed or removed meanwhile."""
    found: dict[Path, bytes] = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError, IsADirectoryError):
            found[path] = path.read_bytes()
    return found
