"""The mapping language: what it says of a row, and how it tells what is wrong with a mapping."""

import re
from pathlib import Path

import pytest

from services.events.sources.mapping import load_mapping, parse_mapping
from services.events.sources.readers import Fields
from services.kit.errors import Invalid

CRM = 'source = "crm"\n'
RULE = """
[[rule]]
act = "contact.made"
subject = "{customer}"
id = "{n}"
time = "{day}T09:00:00Z"
data = { rep = "{rep}", channel = "call", purpose = "other" }
"""
ROW: dict[str, str | None] = {
    "customer": "Acme & Sons Ltd.",
    "n": "7",
    "day": "2026-01-02",
    "rep": "Ann",
    "empty": None,
}


def data_of(data: str, row: Fields = ROW, act: str = "proposal.made", head: str = "") -> object:
    """The data that a rule gives for a row, or the row's fault."""
    text = f"""source = "crm"
{head}
[[rule]]
act = "{act}"
subject = "{{customer}}"
id = "{{n}}"
time = "2026-01-02T09:00:00Z"
data = {{ {data} }}
"""
    events, fault = parse_mapping(text).map(row)
    return fault or events[0].event["data"]


def contact(**fields: str) -> str:
    """The data of a `contact.made`, as TOML, with these fields besides or instead."""
    return ", ".join(
        f"{name} = {value}"
        for name, value in {"rep": '"r"', "channel": '"call"', "purpose": '"other"', **fields}.items()
    )


def test_event() -> None:
    """A rule gives a whole CloudEvent of the act at its current version."""
    events, fault = parse_mapping(CRM + RULE).map(ROW)

    assert fault is None
    assert [mapped.event for mapped in events] == [
        {
            "specversion": "1.0",
            "source": "crm",
            "type": "exemplar.contact.made.v1",
            "id": "7",
            "subject": "Acme & Sons Ltd.",
            "time": "2026-01-02T09:00:00Z",
            "datacontenttype": "application/json",
            "data": {"rep": "Ann", "channel": "call", "purpose": "other"},
        }
    ]


def test_slug() -> None:
    """`|slug` gives lower case, each run of anything but a–z and 0–9 as one dash, at the ends too."""
    assert data_of(contact(rep='"{customer|slug}"', deal='"x-{n|slug}"'), act="contact.made") == {
        "rep": "acme-sons-ltd-",
        "channel": "call",
        "purpose": "other",
        "deal": "x-7",
    }


def test_slug_of_nothing() -> None:
    """A text without a–z and 0–9 has no slug: the row has an error, which holds none of its values."""
    fault = data_of(contact(rep='"{customer|slug}"'), ROW | {"customer": "株式会社"}, "contact.made")

    assert fault == "contact.made: rep: `customer`: nothing of a–z and 0–9 is left for a key"


def test_braces() -> None:
    """A brace written twice is the sign itself."""
    assert data_of(contact(text='"{{{n}}}"'), act="contact.made") == {
        "rep": "r",
        "channel": "call",
        "purpose": "other",
        "text": "{7}",
    }


def test_empty_field_is_left_out() -> None:
    """A text with an empty or absent field in it is no value: the act's field, or the list's member, is left out."""
    row = ROW | {"need": None}
    assert data_of('rep = "{absent}", items = [{ item = "a {n}", needs = ["{need}", "n1", "{absent}"] }]', row) == {
        "items": [{"item": "a 7", "needs": ["n1"]}]
    }


@pytest.mark.parametrize(
    ("row", "rep"),
    [({"who": "11"}, "11"), ({"who": "112"}, "nobody-7"), ({"who": None}, "nobody-7"), ({}, "nobody-7")],
)
def test_default(row: Fields, rep: str) -> None:
    """`default` stands in for what is empty, absent or in `except`."""
    data = contact(rep='{ from = "{who}", except = ["112"], default = "nobody-{n}" }')

    assert data_of(data, {**ROW, **row}, "contact.made") == {"rep": rep, "channel": "call", "purpose": "other"}


def test_map() -> None:
    """`map` translates words; one that is not in it is an error of the row, unless there is a default."""
    mapped = '{ from = "{kind}", map = { Phone = "call" }'
    assert data_of(contact(channel=mapped + " }"), ROW | {"kind": "Phone"}, "contact.made") == {
        "rep": "r",
        "channel": "call",
        "purpose": "other",
    }
    assert data_of(contact(channel=mapped + ', default = "other" }'), ROW | {"kind": "Fax"}, "contact.made") == {
        "rep": "r",
        "channel": "other",
        "purpose": "other",
    }
    fault = data_of(contact(channel=mapped + " }"), ROW | {"kind": "Fax"}, "contact.made")
    assert fault == "contact.made: channel: its value is not in `map`, and there is no `default`"


def test_as() -> None:
    """`as` makes whole numbers and booleans of texts; what is none is an error of the row."""
    data = (
        'rep = "r", channel = "call", purpose = "other", asked_minutes = 30, '
        'actual_minutes = { from = "{took}", as = "integer" }, '
        'extended_by_customer = { from = "{more}", as = "boolean" }'
    )
    assert data_of(data, ROW | {"took": "35", "more": "Yes"}, "meeting.held") == {
        "rep": "r",
        "channel": "call",
        "purpose": "other",
        "asked_minutes": 30,
        "actual_minutes": 35,
        "extended_by_customer": True,
    }
    assert data_of(data, ROW | {"took": "half an hour"}, "meeting.held") == (
        "meeting.held: actual_minutes: not a whole number"
    )
    assert data_of(data, ROW | {"took": "3", "more": "perhaps"}, "meeting.held") == (
        "meeting.held: extended_by_customer: neither true, yes, 1 nor false, no, 0"
    )


def test_values() -> None:
    """A value has a name, and goes before a field of that name; a later value may use it."""
    head = '[values]\nrep = { from = "{rep}", default = "nobody" }\nkey = "{rep|slug}-{n}"'

    assert data_of(contact(rep='"{key}"'), ROW | {"rep": "Ann B"}, "contact.made", head) == {
        "rep": "ann-b-7",
        "channel": "call",
        "purpose": "other",
    }


@pytest.mark.parametrize(
    ("when", "row", "holds"),
    [
        ('stage = "Won"', {"stage": "Won"}, True),
        ('stage = "Won"', {"stage": "won"}, False),
        ('stage = "Won"', {}, False),
        ('stage = ["Won", "Lost"]', {"stage": "Lost"}, True),
        ('stage = ["Won", "Lost"]', {"stage": "Open"}, False),
        ("stage = true", {"stage": "x"}, True),
        ("stage = true", {"stage": None}, False),
        ("stage = false", {}, True),
        ("stage = false", {"stage": "x"}, False),
        ('stage = "Won", n = "7"', {"stage": "Won"}, True),
        ('stage = "Won", n = "8"', {"stage": "Won"}, False),
    ],
)
def test_when(when: str, row: Fields, holds: bool) -> None:
    """A rule holds for rows where every condition does: a field equals a text, is one of a list, is there or is not."""
    mapping = parse_mapping(CRM + RULE + f"when = {{ {when} }}")

    assert mapping.map({**ROW, **row}) == (mapping.map({**ROW, **row})[0], None)
    assert len(mapping.map({**ROW, **row})[0]) == int(holds)


def test_fault_of_a_value() -> None:
    """A value that cannot be made is an error of the row only if a rule holds for it; else the row is skipped."""
    mapping = parse_mapping(CRM + '[values]\nrep = "{rep|slug}"' + RULE + 'when = { stage = "Won" }')

    assert mapping.map({**ROW, "rep": "李", "stage": "Won"}) == (
        [],
        "values.rep: `rep`: nothing of a–z and 0–9 is left for a key",
    )
    assert mapping.map({**ROW, "rep": "李", "stage": "Lost"}) == ([], None)


def test_default_data() -> None:
    """A rule takes the fields of `[default]` that its act has, unless it gives them itself."""
    text = CRM + '[default]\nid = "{n}"\nsubject = "c"\ntime = "t"\ndata = { rep = "Bo", segment = "s" }\n'
    text += '[[rule]]\nact = "referral.given"\ndata.referred = "x"\n[[rule]]\nact = "customer.known"\n'
    text += '[[rule]]\nact = "customer.assigned"\ndata.rep = "Cy"\n'

    events, _ = parse_mapping(text).map(ROW)

    assert [each.event["data"] for each in events] == [{"rep": "Bo", "referred": "x"}, {"segment": "s"}, {"rep": "Cy"}]


def test_several_rules() -> None:
    """A row gives an act for each rule that holds, in their order; a fault of one takes nothing from the others."""
    text = 'source = "crm"\n[default]\ndata.rep = "{rep}"\ntime = "{day}T17:00:00Z"\nsubject = "c"\n'
    text += '[[rule]]\nact = "decision.made"\nid = "{n}-d"\ndata.outcome = "accepted"\n'
    text += '[[rule]]\nact = "prospect.released"\nid = "{n}-r"\ntime = "{empty}"\n'
    text += '[[rule]]\nact = "referral.given"\nid = "{n}-f"\nonce = true\ndata = { rep = "other", referred = "x" }\n'

    events, fault = parse_mapping(text).map(ROW)

    assert [(mapped.event["id"], mapped.event["data"], mapped.once) for mapped in events] == [
        ("7-d", {"rep": "Ann", "outcome": "accepted"}, False),
        ("7-f", {"rep": "other", "referred": "x"}, True),
    ]
    assert fault == "prospect.released: time: a field that it is made of is empty"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source = \n", "not TOML: .*line 1"),
        (RULE, "the table missing required key `source`"),
        ('source = ""' + RULE, "source: must not be empty"),
        (
            'source = "a b"' + RULE,
            "source: must be a URI reference in ASCII, such as crm or https://crm.example.com/eu",
        ),
        ('source = "crm"', "the table missing required key `rule`"),
        (CRM + "rule = []", "rule: at least one [[rule]] is needed"),
        (CRM + "sorce = 1" + RULE, "the table contains unknown key `sorce`"),
        (CRM + '[file]\nform = "xls"' + RULE, "file.form: Invalid enum value 'xls'"),
        (CRM + '[file]\ndelimiter = ";;"' + RULE, "file.delimiter: must be one sign"),
        (CRM + '[values]\na = "{n"' + RULE, "values.a: a '{' without its pair; write it twice"),
        (CRM + '[values]\na = "{n|upper}"' + RULE, "values.a: unknown change `|upper`; known: slug"),
        (CRM + '[values]\na = { form = "{n}" }' + RULE, "values.a: the table contains unknown key `form`"),
        (CRM + "[values]\na = 5" + RULE, "values.a: must be a text in quotes or a table, is int"),
        (CRM + '[values]\na = { from = "{n}", as = "integer" }' + RULE, "values.a, as: only in data"),
        (CRM + "[default]\ndata.reb = 1" + RULE, "default.data.reb: no act of the rules has such a field"),
        (CRM + RULE + "colour = 1", "[[rule]] 1: the table contains unknown key `colour`"),
        (CRM + RULE + "when = { n = 5 }", "when.n: must be true or false or a text in quotes or a list, is int"),
        (CRM + RULE + RULE + 'once = "x"', "[[rule]] 2, once: must be true or false, is str"),
        (CRM + RULE.replace(".made", ".mad"), "[[rule]] 1, act: the catalogue has no act 'contact.mad'"),
        (CRM + RULE.replace('id = "{n}"', ""), "[[rule]] 1 (contact.made), id: missing, here and in [default]"),
        (CRM + RULE.replace("channel", "chanel"), "data.chanel: the act has no such field; it has `rep`"),
        (CRM + RULE.replace(', purpose = "other"', ""), "data.purpose: missing, here and in [default]"),
        (CRM + RULE.replace('"call"', "2.5"), "data.channel: must be a text in quotes, a whole number"),
        (CRM + RULE.replace('"call"', '"{a"'), "[[rule]] 1 (contact.made), data.channel: a '{' without"),
        (CRM + RULE.replace('"call"', '{ from = "{a}", to = 1 }'), "data.channel: the table contains unknown key `to`"),
        (
            CRM + RULE.replace('"{day}T09:00:00Z"', "2026-01-01"),
            "[[rule]] 1, time: must be a text in quotes or a table",
        ),
    ],
)
def test_faults_of_a_mapping(tmp_path: Path, text: str, message: str) -> None:
    """A mapping that says nothing sensible is refused when it is loaded, with its file, table and key."""
    path = tmp_path / "crm.toml"
    path.write_text(text, encoding="utf-8")

    pattern = message if ".*" in message else re.escape(message)
    with pytest.raises(Invalid, match=rf"crm\.toml: .*{pattern}"):
        load_mapping(path)


def test_no_such_mapping(tmp_path: Path) -> None:
    """A mapping file that is not there is named."""
    with pytest.raises(Invalid, match=r"none\.toml: No such file"):
        load_mapping(tmp_path / "none.toml")


def test_columns() -> None:
    """A mapping knows the fields that it names, in conditions too, so that a misspelt one shows at once."""
    mapping = parse_mapping(
        'source = "crm"\n[values]\nk = "{rep|slug}"' + RULE + 'when = { stage = "{literal}", k = true }'
    )

    assert mapping.fields == {"customer", "n", "day", "rep", "stage"}
    mapping.check_columns(["customer", "n", "day", "rep", "stage", "more"])
    with pytest.raises(Invalid, match="the mapping names `rep`, `stage`; the file has `customer`, `n`, `day`, `agent`"):
        mapping.check_columns(["customer", "n", "day", "agent"])
