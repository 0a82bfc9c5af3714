"""A browser, and two servers to look at in it: one with the sample year, one with nothing in it.

One of each for all tests of this folder, and gone before the tests of other folders: while a browser is driven, no
other event loop can run in this thread.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from services.events.credentials import ACTS_WRITE, ADMIN, AUDIT_READ, CARDS_READ, create_key
from services.kit import instants
from services.kit.settings import load_settings
from services.parts import opened as parts_of
from tests.browser.opened import SOON, Site, wanted_screenshots
from tests.serving import run, serving

CHROMIUM = "chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ENDS = "2026-01-01"
YEAR = "period=year&on=2025-07-01"
# Who looks: Summit's leader, one of Summit's reps, the director of all teams, compliance (who may see no cards), an
# operator.
PEOPLE = {"leader": "p-003", "rep": "p-011", "director": "p-001"}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    found = shutil.which(CHROMIUM)
    if found is None:
        reason = "no chromium is installed, to look at the dashboard with"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=SOON)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The sample year of 2025; `site.keys` has leader, rep, director, compliance and operator."""
    folder = tmp_path_factory.mktemp("year") / "data"
    done = run(folder, ["demo", "--load-only", "--port", "0", "--until", ENDS])
    assert done.returncode == 0, done.stderr
    with _served(folder) as made:
        yield made


@pytest.fixture(scope="package")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that nobody has sent an act to, with the same keys."""
    folder = tmp_path_factory.mktemp("empty") / "data"
    with _served(folder) as made:
        yield made


@contextmanager
def _served(folder: Path) -> Iterator[Site]:
    keys = _keys(folder)
    with serving(folder) as server:
        yield Site(server.url, keys, YEAR, wanted_screenshots(), folder)


def _keys(folder: Path) -> dict[str, str]:
    """Keys of a server's data folder; while it is closed."""
    with parts_of(load_settings(data_dir=folder)) as parts:
        control, now = parts.stores.control, instants.now()
        keys = {name: create_key(control, name, [CARDS_READ], now, person=key) for name, key in PEOPLE.items()}
        keys["compliance"] = create_key(control, "compliance", [AUDIT_READ], now)
        keys["operator"] = create_key(control, "operator", [ADMIN, ACTS_WRITE], now)
        return keys
