"""The README keeps its word: its settings are all settings, its commands exist, and its calls work."""

import re
import subprocess
from pathlib import Path

import pytest

from services.kit.settings import PREFIX, Settings
from tests.serving import run, serving

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_setting_is_listed_with_its_default() -> None:
    """The table of settings has each of them with its default and meaning."""
    rows = re.findall(rf"^\| `({PREFIX}[A-Z_]+)` \| (.*?) \| (.*) \|$", README, re.MULTILINE)
    assert rows == [
        (
            f"{PREFIX}{name.upper()}",
            "" if info.default in ("", None) else f"`{info.default}`",
            info.description,
        )
        for name, info in Settings.model_fields.items()
    ]


def test_every_command_is_listed(tmp_path: Path) -> None:
    """The table of commands names those of `exemplar --help`, no more and no fewer."""
    rows = re.findall(r"^\| (`exemplar .*?) \|", README, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`exemplar ([a-z-]+)", row)}
    shown = run(tmp_path, ["--help"]).stdout.split("Commands:")[1]
    assert listed == set(re.findall(r"^  ([a-z-]+)  ", shown, re.MULTILINE))


@pytest.mark.parametrize("target", re.findall(r"^make ([a-z]+)", BLOCKS[0], re.MULTILINE))
def test_the_two_commands_are_targets(target: str) -> None:
    """`make demo` and `make test` are targets that set up what they need themselves."""
    assert re.search(rf"^{target}: setup ##", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_calls_work_as_shown(tmp_path: Path) -> None:
    """Posting an act and reading it back by the README's own curl calls gives a receipt and its signal."""
    _, post, query = BLOCKS[1].split("curl ")
    with serving(tmp_path / "data") as server:
        calls = [f"curl -sS {call}".replace("http://127.0.0.1:8000", server.url) for call in (post, query)]
        receipt = _bash(calls[0])
        assert receipt.startswith("HTTP/1.1 202")
        position = re.search(r'"position":"([0-9:,]+)"', receipt)
        assert position is not None
        assert "sold_without_appeal" in _bash(f"{calls[1].rstrip()} -H 'Exemplar-Wait-For: {position[1]}'")


def test_links_lead_somewhere() -> None:
    """Every relative link of the README names a file or folder that is there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def _bash(call: str) -> str:
    return subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=True, timeout=30).stdout
