"""The models say what the table of acts in domain.md §1 says; `acts.md` is that table, copied."""

import re
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from services.events.catalog.acts import (
    ACTS,
    ROWS,
    ActData,
    CustomerAct,
    act_name,
    personal_fields,
)


class Row(NamedTuple):
    """A row of the table: the act, its subject, and its fields: name to (optional, personal)."""

    act: str
    subject: str
    fields: dict[str, tuple[bool, bool]]


def _row(line: str) -> Row:
    act, subject, data = (cell.strip() for cell in line.strip("|").split("|"))
    # What is in braces are fields of list elements; a name with a dot is an act.
    named = re.findall(r"`([a-z_]+)`(†?)(\??)", re.sub(r"\{.*?\}", "", data))
    fields = {name: (optional == "?", personal == "†") for name, personal, optional in named}
    if act == "`decision.made`":
        fields["until"] = (True, False)  # "in deferred only and required there"
        del fields["time"]  # the event's own, named in the text
    return Row(act.strip("`"), subject, fields)


TABLE = [_row(line) for line in (Path(__file__).parent / "acts.md").read_text(encoding="utf-8").splitlines()[2:]]


def test_there_is_a_model_for_each_row_in_their_order() -> None:
    """The order decides between acts of the same instant (domain.md §2)."""
    assert [act_name(model) for model in ACTS] == [row.act for row in TABLE]
    assert list(ROWS.values()) == list(range(len(TABLE)))


@pytest.mark.parametrize(("model", "row"), list(zip(ACTS, TABLE, strict=True)), ids=[row.act for row in TABLE])
def test_a_model_has_the_fields_of_its_row(model: type[ActData], row: Row) -> None:
    """Names, which are optional (`?`), and which are personal (†)."""
    personal = personal_fields(model)
    fields = {
        field.encode_name: (not field.required, field.encode_name in personal)
        for field in msgspec.structs.fields(model)
    }
    expected = dict(row.fields)
    if issubclass(model, CustomerAct):
        expected |= {"rep": (False, False), "deal": (True, False), "during": (True, False)}
    assert fields == expected


def test_customer_facing_acts_are_the_first_ones_and_have_a_customer_as_subject() -> None:
    """The rows from `contact.made` to `service.given` carry `rep`, and may carry `deal` and `during`."""
    facing = [row for model, row in zip(ACTS, TABLE, strict=True) if issubclass(model, CustomerAct)]
    assert facing == TABLE[: len(facing)]
    assert facing[-1].act == "service.given"
    assert {row.subject for row in facing} == {"customer"}
