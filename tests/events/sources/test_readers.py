"""Readers of CSV, JSON lines and XES."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from services.events.sources.readers import Form, Row, Unreadable, open_rows
from services.kit.errors import Invalid

XES = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
  <string key="about" value="the log"><string key="deeper" value="still the log"/></string>
  <trace>
    <string key="concept:name" value="A1"><string key="nested" value="x"/></string>
    <event>
      <string key="concept:name" value="sent"><int key="nested" value="1"/></string>
      <date key="time:timestamp" value="2026-01-01T09:00:00+01:00"/>
    </event>
    <event>
      <string key="concept:name" value="back"/>
      <string key="org:resource" value=""/>
    </event>
  </trace>
  <trace><string key="concept:name" value="A2"/><event><string key="concept:name" value="sent"/></event></trace>
</log>
"""


def read(path: Path, content: str | bytes, form: Form | None = None, delimiter: str = ",") -> list[Row | Unreadable]:
    """All rows of a file with this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_rows(path, form, delimiter) as rows:
        return list(rows)


def test_csv_rows(tmp_path: Path) -> None:
    """A CSV row is its fields by the names of the first line, with the line it begins on; an empty field is None."""
    rows = read(tmp_path / "f.csv", '\ufeffid,text,who\r\n1,"two\r\nlines, quoted",Ann\r\n\r\n2,, \r\n')

    assert rows == [
        Row(2, {"id": "1", "text": "two\r\nlines, quoted", "who": "Ann"}),
        Row(5, {"id": "2", "text": None, "who": None}),
    ]


def test_csv_delimiter(tmp_path: Path) -> None:
    """CSV may be divided by another sign than a comma."""
    assert read(tmp_path / "f.csv", "a;b\n1;2,5\n", delimiter=";") == [Row(2, {"a": "1", "b": "2,5"})]


def test_bad_csv_rows(tmp_path: Path) -> None:
    """A CSV row of another length, not in UTF-8 or over-long is unreadable where it stands, and the rest goes on."""
    content = b"a,b\n1\n1,2,3\nM\xfcller,1\n" + b"x" * 140_000 + b",2\n3,4\n"

    rows = read(tmp_path / "f.csv", content)

    assert rows[:3] == [
        Unreadable(2, "has 1 fields where the first line names 2"),
        Unreadable(3, "has 3 fields where the first line names 2"),
        Unreadable(4, "not UTF-8 text"),
    ]
    assert isinstance(rows[3], Unreadable)
    assert rows[4:] == [Row(6, {"a": "3", "b": "4"})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"a,b,a\n", "two columns have the same name"),
        ("a,b\n1,2\n".encode("utf-16"), "the first line is not UTF-8 text"),
    ],
)
def test_csv_without_header(tmp_path: Path, content: bytes, message: str) -> None:
    """A CSV file whose first line cannot name the columns is refused."""
    with pytest.raises(Invalid, match=message):
        read(tmp_path / "f.csv", content)


def test_json_lines(tmp_path: Path) -> None:
    """A JSON line is its leaves by their paths, numbers to the last digit, booleans as words."""
    rows = read(
        tmp_path / "f.jsonl", '{"id": 7, "paid": 12.50, "who": {"name": "Ann", "tags": ["a", true]}, "x": null}\n'
    )

    assert rows == [
        Row(1, {"id": "7", "paid": "12.50", "who.name": "Ann", "who.tags.0": "a", "who.tags.1": "true", "x": None})
    ]


def test_bad_json_lines(tmp_path: Path) -> None:
    """A line that is no JSON object is unreadable where it stands, and the rest goes on; empty lines are none."""
    content = (
        b'{"a": 1\n\n[1]\n{"a": NaN}\n{"a": "\xff"}\n'
        + b"[" * 100_000
        + b'\n{"a": "'
        + b"x" * 5_000_000
        + b'"}\n{"a": 2}'
    )

    rows = read(tmp_path / "f.ndjson", content)

    assert [(row.line, row.reason.partition(":")[0]) for row in rows if isinstance(row, Unreadable)] == [
        (1, "not JSON"),
        (3, "not a JSON object"),
        (4, "not JSON"),
        (5, "not UTF-8 text"),
        (6, "not JSON"),
        (7, "longer than 4194304 bytes"),
    ]
    assert rows[-1] == Row(8, {"a": "2"})


def test_xes_events(tmp_path: Path) -> None:
    """An XES row is an event's attributes, those of its trace under `case:`, and its place in the trace from 0."""
    assert read(tmp_path / "f.xes", XES) == [
        Row(
            7,
            {
                "case:concept:name": "A1",
                "@place": "0",
                "concept:name": "sent",
                "time:timestamp": "2026-01-01T09:00:00+01:00",
            },
        ),
        Row(11, {"case:concept:name": "A1", "@place": "1", "concept:name": "back", "org:resource": None}),
        Row(16, {"case:concept:name": "A2", "@place": "0", "concept:name": "sent"}),
    ]


def test_broken_xes(tmp_path: Path) -> None:
    """XML that breaks off gives the events before it, then the line and the reason."""
    rows = read(tmp_path / "f.xes", XES.partition("</trace>")[0] + "<oops </log>")

    assert [type(row) for row in rows] == [Row, Row, Unreadable]
    assert rows[2].line == 15


def test_xml_other_than_xes(tmp_path: Path) -> None:
    """XML that is no XES log is said to be none."""
    assert read(tmp_path / "f.xml", "<html></html>") == [
        Unreadable(1, "not XES: the outermost element is <html>, not <log>")
    ]


def test_xes_with_entities(tmp_path: Path) -> None:
    """XML that declares entities, which could blow up or read other files, is not read."""
    rows = read(tmp_path / "f.xes", '<!DOCTYPE log [<!ENTITY a "aaaa">]><log><trace><event/></trace></log>')

    assert [type(row) for row in rows] == [Unreadable]


@pytest.mark.parametrize(
    ("name", "content", "fields"),
    [
        ("export", "a,b\n1,2\n", {"a": "1", "b": "2"}),
        ("export", '\n {"a": 1}\n', {"a": "1"}),
        ("export", "<log><trace><event/></trace></log>", {"@place": "0"}),
        ("export.CSV", '{"a"\n1\n', {'{"a"': "1"}),
        ("export.ndjson.gz", '{"a": 1}\n', {"a": "1"}),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_recognised_form(tmp_path: Path, name: str, content: str, fields: dict[str, str], zipped: bool) -> None:
    """A file's form is told by its extension, else by how it begins; whether it is gzipped by its first bytes alone."""
    rows = read(tmp_path / name, gzip.compress(content.encode()) if zipped else content)

    assert [row.fields for row in rows if isinstance(row, Row)] == [fields]


def test_truncated_gzip(tmp_path: Path) -> None:
    """A gzipped file that was cut off gives what can be read, then the reason."""
    content = "a\n" + "".join(f"{number * 7919 % 100_003}\n" for number in range(100_000))

    rows = read(tmp_path / "f.csv.gz", gzip.compress(content.encode())[:-20_000])

    assert len(rows) > 10_000
    assert isinstance(rows[-1], Unreadable)
    assert rows[-1].reason.startswith("the file cannot be read further")


def test_no_such_file(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is named."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(Invalid, match=path.name), open_rows(path):
            pass


def test_progress_in_bytes(tmp_path: Path) -> None:
    """How far a reader is counts the bytes of the file as it lies on the disk."""
    path = tmp_path / "f.csv.gz"
    path.write_bytes(gzip.compress(b"a\n1\n2\n"))

    with open_rows(path) as rows:
        assert rows.bytes_total == path.stat().st_size
        assert len(list(rows)) == 2
        assert rows.bytes_done == rows.bytes_total


@pytest.mark.parametrize("form", ["csv", "jsonl", "xes"])
def test_constant_memory(tmp_path: Path, form: Form) -> None:
    """Reading a long file takes no more memory than reading its beginning."""
    one = {
        "csv": "1,some text\n",
        "jsonl": '{"a": 1, "b": "some text"}\n',
        "xes": '<event><string key="a" value="1"/></event>\n',
    }
    before, after = {"csv": ("a,b\n", ""), "jsonl": ("", ""), "xes": ("<log><trace>", "</trace></log>")}[form]
    path = tmp_path / "long"
    path.write_text(before + one[form] * 30_000 + after)

    tracemalloc.start()
    with open_rows(path, form) as rows:
        count = sum(1 for _ in rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 30_000
    assert peak < 1_500_000
