"""Writing acts down: the one place of the made-up year where a CloudEvent is put together."""

from collections.abc import Mapping
from datetime import datetime
from itertools import count

CRM = "demo/crm"
PEOPLE = "demo/people"
CORRECTIONS = "demo/corrections"

Act = dict[str, object]
"""A CloudEvent 1.0 as JSON values."""


def event(subject: str, source: str, number: str, kind: str, at: datetime, data: Mapping[str, object]) -> Act:
    """The act `kind` (`contact.made`, …) with the id `number`; fields of `data` that are None are left out."""
    return {
        "specversion": "1.0",
        "id": number,
        "source": source,
        "type": f"exemplar.{kind}.v1",
        "subject": subject,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": {name: value for name, value in data.items() if value is not None},
    }


def kind_of(act: Act) -> str:
    """The act's name as the catalogue writes it: `contact.made`."""
    return str(act["type"]).removeprefix("exemplar.").removesuffix(".v1")


def time_of(act: Act) -> datetime:
    """When it happened."""
    return datetime.fromisoformat(str(act["time"]))


def data_of(act: Act) -> Mapping[str, object]:
    """The act's own fields."""
    data = act["data"]
    assert isinstance(data, dict)
    return data


class Notebook:
    """Collects the acts of one subject; their ids count up from 1 within it and its source."""

    def __init__(self, subject: str, source: str) -> None:
        self.subject, self.source = subject, source
        self.acts: list[Act] = []
        self._numbers = count(1)

    def write(self, kind: str, at: datetime, data: Mapping[str, object]) -> str:
        """Notes that `kind` happened and returns the act's id."""
        number = f"{self.subject}-{next(self._numbers)}"
        self.acts.append(event(self.subject, self.source, number, kind, at, data))
        return number
