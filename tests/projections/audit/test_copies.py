"""Where copies of checkpoints are kept: a folder, or a command."""

import sys
from pathlib import Path

import pytest

from services.kit.errors import Misconfigured, Unavailable
from services.projections.audit import notes
from services.projections.audit.copies import CommandCopies, FolderCopies
from tests.projections.audit.trees import ORIGIN, OURS

KEEPING = """
import sys
from pathlib import Path
kept = Path(sys.argv[1])
if sys.argv[2] == "keep":
    assert sys.argv[3].startswith("2026-")
    kept.write_bytes(sys.stdin.buffer.read())
else:
    assert sys.argv[2] == "newest"
    sys.stdout.buffer.write(kept.read_bytes() if kept.exists() else b"")
"""


def test_a_folder_has_the_last_of_each_month(tmp_path: Path) -> None:
    """A later checkpoint of a month takes the place of an earlier one; other months stay."""
    copies = FolderCopies(tmp_path / "made" / "by it")
    assert copies.kept() == []
    for note, day in (("a\none\n", "2026-02-28"), ("a\ntwo\n", "2026-03-02"), ("a\nthree — ✓\n", "2026-03-31")):
        copies.keep(note, day)
    assert list(copies.kept()) == ["a\none\n", "a\nthree — ✓\n"]
    assert len(list((tmp_path / "made" / "by it").iterdir())) == 2


def test_an_earlier_checkpoint_takes_no_later_ones_place(tmp_path: Path) -> None:
    """Who signed, hung, and comes back to keep its copy finds that of who went on, and leaves it."""
    copies = FolderCopies(tmp_path)
    later = notes.sign(notes.Checkpoint(ORIGIN, 9, bytes(32)), [OURS])
    copies.keep(later, "2026-03-02")
    copies.keep(notes.sign(notes.Checkpoint(ORIGIN, 8, bytes(32)), [OURS]), "2026-03-02")
    assert list(copies.kept()) == [later]


def test_a_folder_keeps_those_of_each_tree(tmp_path: Path) -> None:
    """A tree that is begun anew under another origin takes no copy of the old one's away."""
    copies = FolderCopies(tmp_path)
    copies.keep("example.com/one\n7\n", "2026-03-02")
    copies.keep("example.com/two\n0\n", "2026-03-02")
    assert sorted(copies.kept()) == ["example.com/one\n7\n", "example.com/two\n0\n"]


def test_a_command_keeps_and_tells(tmp_path: Path) -> None:
    """It gets each checkpoint as it is, and is asked for the newest."""
    program = tmp_path / "keep.py"
    program.write_text(KEEPING)
    copies = CommandCopies(f"{sys.executable} {program} {tmp_path / 'kept'}")
    assert copies.kept() == []
    copies.keep("one — ✓\n", "2026-03-02")
    assert list(copies.kept()) == ["one — ✓\n"]


@pytest.mark.parametrize("command", ["false", "/nowhere/to/be/found"])
def test_a_command_that_fails_is_told(command: str) -> None:
    """What does not do its work is unavailable, and tried again."""
    with pytest.raises(Unavailable, match="EXEMPLAR_AUDIT_COPIES_COMMAND"):
        CommandCopies(command).keep("one\n", "2026-03-02")


def test_no_command_is_refused() -> None:
    """Blanks are no command."""
    with pytest.raises(Misconfigured):
        CommandCopies("  ")
