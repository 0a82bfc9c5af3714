"""The repository itself: what would break a newcomer's first hour, or another machine, and no other test notices."""

import hashlib
import re
import subprocess
from pathlib import Path

import graphql
import pytest

ROOT = Path(__file__).parent.parent
GRAPHIQL = ROOT / "services/graphql/static/graphiql"
LOCKS = ["runtime.txt", "dev.txt"]


def tracked_files() -> list[Path]:
    """The files in git, or, in an unpacked archive without git, a skip."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_graphql_is_graphql_core() -> None:
    """`import graphql` gives graphql-core, never `services/graphql` or `tests/graphql`."""
    assert Path(graphql.__file__).parts[-3:] == ("site-packages", "graphql", "__init__.py")
    assert graphql.version_info >= (3, 2)


def test_every_folder_of_tests_is_a_package() -> None:
    """A folder with tests has an `__init__.py`: without one, pytest would put the folder above it on `sys.path`."""
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_help_names_every_target() -> None:
    """`make help` prints each target of the Makefile with what it does."""
    printed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    described = re.findall(r"^  make (\w+) +\S", printed, re.MULTILINE)
    assert described == phony[1].split()


@pytest.mark.parametrize("lock", LOCKS)
def test_requirements_are_pinned_by_hash(lock: str) -> None:
    """Every locked requirement has an exact version and at least one SHA-256."""
    text = (ROOT / "requirements" / lock).read_text().replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert requirements
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_requirements_name_no_address(lock: str) -> None:
    """The locks say what to install, never from where."""
    text = (ROOT / "requirements" / lock).read_text()
    assert re.findall(r"\S*://\S*|--(?:extra-)?index-url.*|--find-links.*", text) == []


def test_development_adds_to_what_runs() -> None:
    """What is tested is what runs: `dev.txt` pins each requirement of `runtime.txt` at the same version."""
    runtime, dev = (
        set(re.findall(r"^\S+==\S+", (ROOT / "requirements" / lock).read_text(), re.MULTILINE)) for lock in LOCKS
    )
    assert runtime <= dev


def test_no_file_names_a_place_on_one_machine() -> None:
    """No file in git holds the path of a folder on the machine it was written on."""
    places = re.compile(rb"(?<![\w.*-])/(?:work|root|home/\w+)/")
    assert [path for path in tracked_files() if places.search(path.read_bytes())] == []


@pytest.mark.parametrize("folder", [GRAPHIQL, ROOT / "tests/browser/axe"])
def test_what_is_vendored_is_what_its_readme_says(folder: Path) -> None:
    """The vendored files are those of the versions named, byte for byte."""
    rows = re.findall(r"^\| `([\w.-]+)` .* `([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.MULTILINE)
    named = dict(rows)
    assert set(named) == {path.name for path in folder.iterdir() if re.search(r"\.min\.(js|css)$", path.name)}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in named} == named


def test_graphiql_needs_no_other_server() -> None:
    """The GraphiQL page refers only to files that lie beside it."""
    page = (GRAPHIQL / "index.html").read_text()
    references = re.findall(r'(?:src|href)="([^"]*)"', page)
    served = [name.removeprefix("/static/graphiql/") for name in references if name != "data:,"]
    assert served
    assert [name for name in served if not (GRAPHIQL / name).is_file()] == []
    styles = (GRAPHIQL / "graphiql.min.css").read_text()
    assert re.findall(r"url\((?!data:|\"data:|'data:)|@import", styles) == []
