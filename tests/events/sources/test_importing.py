"""Importing a file: what is recorded, counted and reported."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.events.sources.importing import Progress, RefusedRow, Summary, import_file
from services.events.sources.mapping import parse_mapping
from services.events.sources.protocol import Event, Outcome
from services.kit.errors import Invalid, Unavailable
from tests.events.sources.memory_recorder import MemoryRecorder

DEALS = """
source = "crm"
[default]
subject = "{account}"
time = "{day}T09:00:00Z"
data.rep = "{rep}"
[[rule]]
act = "contact.made"
when = { kind = ["call", "won"] }
id = "{n}-contact"
data = { channel = "call", purpose = "introduce" }
[[rule]]
act = "order.placed"
when = { kind = "won" }
id = "{n}-order"
data = { amount = "{value}", currency = "USD", items = [] }
[[rule]]
act = "customer.assigned"
when = { kind = "owner" }
once = true
id = "{account}-{rep}"
"""
HEADER = "n,account,rep,day,kind,value\n"


class Journal:
    """Imports rows of deals and keeps what it was told."""

    def __init__(self, folder: Path) -> None:
        self.recorder = MemoryRecorder()
        self.refused: list[RefusedRow] = []
        self.progress: list[Progress] = []
        self._path = folder / "deals.csv"

    def run(self, rows: str, strict: bool = False) -> Summary:
        self._path.write_text(HEADER + rows, encoding="utf-8")
        return import_file(
            self._path,
            parse_mapping(DEALS),
            self.recorder,
            strict=strict,
            on_refused=self.refused.append,
            on_progress=self.progress.append,
        )

    def ids(self) -> list[str]:
        return [act.id for act in self.recorder.acts.values()]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """An empty journal."""
    return Journal(tmp_path)


def test_summary(journal: Journal) -> None:
    """A summary counts the rows read and those skipped, and the acts that are new in the log."""
    summary = journal.run("1,a,r,2026-01-01,won,5\n2,a,r,2026-01-01,note,\n3,a,r,2026-01-01,call,\n")

    assert summary == Summary(read=3, sent=3, duplicates=0, skipped=1, refused=0)
    assert journal.ids() == ["1-contact", "1-order", "3-contact"]


def test_importing_again(journal: Journal) -> None:
    """Importing a file again records nothing: its acts are known."""
    rows = "1,a,r,2026-01-01,won,5\n3,a,r,2026-01-01,call,\n"
    journal.run(rows)

    assert journal.run(rows) == Summary(read=2, sent=0, duplicates=3, skipped=0, refused=0)


def test_bad_rows(journal: Journal) -> None:
    """A bad row is reported once with its line and reason, and the rest goes on, its own other acts among it."""
    rows = (
        "1,a,r,2026-01-01,won,-5\n"  # one act of two is against the catalogue
        "2,a,r\n"  # not a row
        "3,,r,2026-01-01,won,5\n"  # the mapping needs the account, twice
        "4,a,r,yesterday,won,5\n"  # both acts are refused
        "5,a,r,2026-01-01,call,\n"
    )

    summary = journal.run(rows)

    assert summary == Summary(read=5, sent=2, duplicates=0, skipped=0, refused=4)
    assert journal.ids() == ["1-contact", "5-contact"]
    assert [(row.line, row.reason.partition(":")[0]) for row in journal.refused] == [
        (2, "/data/amount"),
        (3, "has 3 fields where the first line names 6"),
        (4, "contact.made"),
        (5, "/time"),
    ]


def test_reasons_hold_no_values(journal: Journal) -> None:
    """The reason of a refused row says what is wrong without quoting the row."""
    journal.run("1,a,r,secret-day,won,secret-amount\n2,a,r,2026-01-01,won,secret-amount\n")

    assert len(journal.refused) == 2
    assert "secret" not in " ".join(row.reason for row in journal.refused)


def test_conflict(journal: Journal) -> None:
    """A row whose act is known with another content is refused; the first stays."""
    journal.run("1,a,r,2026-01-01,call,\n")

    assert journal.run("1,a,another,2026-01-01,call,\n").refused == 1
    assert journal.recorder.named("contact.made")[0].data.rep == "r"  # type: ignore[attr-defined] # of ContactMade


def test_strict(journal: Journal) -> None:
    """A strict import stops at the first bad row, whatever is bad about it; what was recorded before stays."""
    good, bad = "1,a,r,2026-01-01,call,\n", "3,a,r,2026-01-01,call,\n"
    for place, fault in enumerate(["2,a,r,yesterday,call,\n", "2,,r,2026-01-01,call,\n", "2,a\n"], start=1):
        summary = journal.run(good + fault + bad, strict=True)

        assert (summary.read, summary.refused, len(journal.refused)) == (2, 1, place)
        assert journal.ids() == ["1-contact"]


def test_once(journal: Journal) -> None:
    """What a rule gives once is recorded for the first row that gives it, and is no duplicate for the others."""
    rows = "".join(f"{n},a,r,2026-01-01,owner,\n" for n in range(3))

    assert journal.run(rows) == Summary(read=3, sent=1, duplicates=0, skipped=0, refused=0)


def test_once_with_other_content(journal: Journal) -> None:
    """Once is about the same act: under the same id another one goes to the log, which refuses it."""
    summary = journal.run("1,a,r,2026-01-01,owner,\n2,a,r,2026-01-02,owner,\n")

    assert summary == Summary(read=2, sent=1, duplicates=0, skipped=0, refused=1)


def test_batches_and_progress(journal: Journal) -> None:
    """Acts are recorded some 500 at a time, and progress is told on the way, up to the end of the file."""
    rows = "".join(f"{n},a,r,2026-01-01,call,\n" for n in range(1200)) + "x,a,r,2026-01-01,note,\n" * 3000

    journal.run(rows)

    assert journal.recorder.calls == [500, 500, 200]
    assert [told.rows for told in journal.progress] == [500, 1000, 2000, 3000, 4000, 4200]
    assert journal.progress[-1].bytes_done == journal.progress[-1].bytes_total == len(HEADER + rows)


def test_misspelt_field(tmp_path: Path) -> None:
    """A mapping that names a column the file does not have is refused before anything is recorded."""
    path = tmp_path / "deals.csv"
    path.write_text("n,account,rep,day,kind,amount\n1,a,r,2026-01-01,won,5\n", encoding="utf-8")
    recorder = MemoryRecorder()

    with pytest.raises(Invalid, match="the mapping names `value`; the file has `n`"):
        import_file(path, parse_mapping(DEALS), recorder, on_refused=print, on_progress=print)
    assert recorder.calls == []


class FullLog:
    """A recorder that is not available."""

    def record(self, events: Sequence[Event]) -> Sequence[Outcome]:
        raise Unavailable("the log takes nothing")


def test_unavailable(tmp_path: Path) -> None:
    """What is unavailable is no fault of a row: the import ends with it."""
    path = tmp_path / "deals.csv"
    path.write_text(HEADER + "1,a,r,2026-01-01,call,\n", encoding="utf-8")

    with pytest.raises(Unavailable):
        import_file(path, parse_mapping(DEALS), FullLog(), on_refused=print, on_progress=print)
