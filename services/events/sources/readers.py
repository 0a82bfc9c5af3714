"""Readers of the files that acts are imported from: CSV, JSON lines and XES, each also gzipped.

They differ in form only: each gives rows of named texts, in the file's order and in constant memory. A row that cannot
be read is given as `Unreadable` in its place, and the rest goes on.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal, Protocol
from xml.sax import SAXParseException
from xml.sax.expatreader import ExpatParser
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml import DefusedXmlException
from defusedxml.sax import make_parser

from services.kit.errors import Invalid

Form = Literal["csv", "jsonl", "xes"]
Fields = Mapping[str, str | None]
_Bytes = BufferedReader | gzip.GzipFile

PLACE = "@place"
"""The field that an XES reader adds: the event's place in its trace, from 0."""
TRACE_PREFIX = "case:"
"""What the name of a trace's attribute begins with, in an XES row."""

_GZIP_MAGIC = b"\x1f\x8b"
_FORMS: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".xes": "xes"}
_LONGEST_LINE = 4 * 1024 * 1024
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it begins on (from 1) and its fields by name; None for an empty field."""

    line: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row, or the rest of a file, that cannot be read: its line (from 1) and why."""

    line: int
    reason: str


class RowFile:
    """An open file of rows. `columns` are the names of all fields where they are known beforehand (CSV), else None."""

    def __init__(
        self, raw: BufferedReader, size: int, rows: Iterable[Row | Unreadable], columns: tuple[str, ...] | None
    ) -> None:
        self._raw = raw
        self._rows = rows
        self.bytes_total = size
        self.columns = columns

    @property
    def bytes_done(self) -> int:
        """How far into the file, as it lies on the disk, the reader is."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[Row | Unreadable]:
        line = 0
        try:
            for row in self._rows:
                line = row.line
                yield row
        except (OSError, EOFError, zlib.error) as error:
            yield Unreadable(line + 1, f"the file cannot be read further: {error}")


@contextmanager
def open_rows(path: Path, form: Form | None = None, delimiter: str = ",") -> Iterator[RowFile]:
    """Open a file of rows; its form, where none is given, is told by its extension or else by how it begins.

    Raises Invalid if there is no such file, or if it cannot be one of rows at all.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from error
    with ExitStack() as opened:
        opened.enter_context(raw)
        try:
            rows = _rows_of(opened, raw, path, form, delimiter)
        except (OSError, EOFError, zlib.error, csv.Error, Invalid) as error:
            raise Invalid(f"{path}: {error}") from error
        yield rows


class _CsvReader(Protocol):
    """What `csv.reader` gives; the standard library has no public name for it."""

    line_num: int

    def __next__(self) -> list[str]: ...


def _rows_of(opened: ExitStack, raw: BufferedReader, path: Path, form: Form | None, delimiter: str) -> RowFile:
    zipped = raw.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
    plain = opened.enter_context(gzip.GzipFile(fileobj=raw)) if zipped else raw
    form = form or _form(path, plain.peek(_CHUNK))
    size = path.stat().st_size
    if form == "jsonl":
        return RowFile(raw, size, _json_rows(plain), None)
    if form == "xes":
        return RowFile(raw, size, _xes_rows(plain), None)
    # A byte that is not UTF-8 becomes a surrogate, so that it costs its row only.
    text = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="surrogateescape", newline="")
    lines = csv.reader(opened.enter_context(text), delimiter=delimiter)
    columns = _header(lines)
    return RowFile(raw, size, _csv_rows(lines, columns), columns)


def _form(path: Path, beginning: bytes) -> Form:
    named = path.with_suffix("") if path.suffix == ".gz" else path
    if named.suffix.lower() in _FORMS:
        return _FORMS[named.suffix.lower()]
    first = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return "xes" if first == b"<" else "jsonl" if first == b"{" else "csv"


def _header(lines: _CsvReader) -> tuple[str, ...]:
    try:
        columns = tuple(next(lines))
    except StopIteration:
        raise Invalid("the file is empty: a first line with the names of the columns is needed") from None
    if not _is_text("".join(columns)):
        raise Invalid("the first line is not UTF-8 text")
    if len(set(columns)) < len(columns):
        raise Invalid("two columns have the same name")
    return columns


def _csv_rows(lines: _CsvReader, columns: tuple[str, ...]) -> Iterator[Row | Unreadable]:
    while True:
        line = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield Unreadable(line, f"not CSV: {error}")
            continue
        if not cells:
            continue
        if len(cells) != len(columns):
            yield Unreadable(line, f"has {len(cells)} fields where the first line names {len(columns)}")
        elif not _is_text("".join(cells)):
            yield Unreadable(line, "not UTF-8 text")
        else:
            yield Row(line, {name: _or_none(cell) for name, cell in zip(columns, cells, strict=True)})


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _or_none(text: str) -> str | None:
    return None if not text or text.isspace() else text


def _json_rows(plain: _Bytes) -> Iterator[Row | Unreadable]:
    line = 0
    while text := plain.readline(_LONGEST_LINE):
        line += 1
        if len(text) == _LONGEST_LINE and not text.endswith(b"\n"):
            while text and not text.endswith(b"\n"):
                text = plain.readline(_LONGEST_LINE)
            yield Unreadable(line, f"longer than {_LONGEST_LINE} bytes")
        elif not text.isspace():
            yield _json_row(line, text)


def _json_row(line: int, text: bytes) -> Row | Unreadable:
    try:
        # Numbers stay the texts they are, so that no digit of an amount is lost.
        value = json.loads(text.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=_no_constant)
        if not isinstance(value, dict):
            return Unreadable(line, "not a JSON object")
        fields: dict[str, str | None] = {}
        _flatten("", value, fields)
    except RecursionError:
        return Unreadable(line, "not JSON: nested too deep")
    except ValueError as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeError) else f"not JSON: {error}"
        return Unreadable(line, reason)
    return Row(line, fields)


def _no_constant(name: str) -> str:
    raise ValueError(f"{name} is not a JSON number")


def _flatten(prefix: str, value: dict[str, object], into: dict[str, str | None]) -> None:
    for key, member in value.items():
        if isinstance(member, list):
            member = {str(place): each for place, each in enumerate(member)}
        if isinstance(member, dict):
            _flatten(f"{prefix}{key}.", member, into)
        elif isinstance(member, bool):
            into[prefix + key] = "true" if member else "false"
        else:
            text = None if member is None else str(member)
            into[prefix + key] = None if text is None else _or_none(text)


class _XesHandler(ContentHandler):
    """Gathers the events of an XES log (IEEE 1849) as rows, as the parser comes past them; keeps one event at most.

    The attributes of a trace stand before its events, as the standard's schema has it.
    """

    def __init__(self, parser: ExpatParser) -> None:
        super().__init__()
        self._parser = parser
        self.rows: list[Row] = []
        self._open: list[str] = []
        self._trace: dict[str, str | None] = {}
        self._event: dict[str, str | None] = {}
        self._place = 0
        self._line = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - the name that SAX calls
        tag = name.rpartition(":")[2]
        parent = self._open[-1] if self._open else ""
        if not parent and tag != "log":
            raise Invalid(f"not XES: the outermost element is <{tag}>, not <log>")
        if tag == "trace":
            self._trace, self._place = {}, 0
        elif tag == "event":
            self._event, self._line = {**self._trace, PLACE: str(self._place)}, self._parser.getLineNumber()
        elif parent == "event":
            self._event[attrs.get("key", "")] = _or_none(attrs.get("value", ""))
        elif parent == "trace":
            self._trace[TRACE_PREFIX + attrs.get("key", "")] = _or_none(attrs.get("value", ""))
        self._open.append(tag)

    def endElement(self, name: str) -> None:  # noqa: N802 - the name that SAX calls
        if self._open.pop() == "event":
            self.rows.append(Row(self._line, self._event))
            self._place += 1


def _xes_rows(plain: _Bytes) -> Iterator[Row | Unreadable]:
    parser = make_parser()
    handler = _XesHandler(parser)
    parser.setContentHandler(handler)
    fault: Unreadable | None = None
    while fault is None and (chunk := plain.read(_CHUNK)):
        fault = _feed(parser, chunk)
        yield from handler.rows
        handler.rows.clear()
    fault = fault or _feed(parser, None)
    if fault is not None:
        yield fault


def _feed(parser: ExpatParser, chunk: bytes | None) -> Unreadable | None:
    """Give the parser the next bytes, or None for the end; what is wrong with them, if anything."""
    try:
        if chunk is None:
            parser.close()
        else:
            parser.feed(chunk)
    except SAXParseException as error:
        return Unreadable(error.getLineNumber() or 1, f"the file cannot be read further: {error.getMessage()}")
    except DefusedXmlException as error:
        return Unreadable(
            parser.getLineNumber(), f"the file cannot be read further: forbidden in XML from outside: {error}"
        )
    except Invalid as error:
        return Unreadable(parser.getLineNumber(), str(error))
    return None
