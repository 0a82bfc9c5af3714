"""Helm, to render the chart with, and promtool, to try the alerts with: those of the machine, or made once.

Helm is built by Go, promtool taken out of Debian's package of Prometheus, in a second, without installing any of it.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HELM = "v3.19.2"
BUILD_SECONDS = 900
DOWNLOAD_SECONDS = 120


@pytest.fixture(scope="session")
def helm() -> str:
    """The command `helm`. Where there is none, Go builds it into the user's cache, in some minutes, once."""
    found = shutil.which("helm")
    if found:
        return found
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "exemplar" / f"helm-{HELM}"
    built = cache / "helm"
    if not built.exists():
        _build(cache)
    return str(built)


@pytest.fixture(scope="session")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command `promtool`. Where there is none, it comes out of the package `prometheus` of Debian and its like."""
    found = shutil.which("promtool")
    if found:
        return found
    if shutil.which("apt-get") is None:
        pytest.skip("neither promtool nor apt-get is there: alerts were parsed, not run")
    folder = tmp_path_factory.mktemp("prometheus")
    download = ("apt-get", "download", "prometheus")
    if _failure(folder, *download) and not _failure(folder, "apt-get", "update"):  # the list of packages may be old
        _failure(folder, *download)
    packages = list(folder.glob("*.deb"))
    if not packages or _failure(folder, "dpkg-deb", "--extract", str(packages[0]), "unpacked"):
        pytest.skip("promtool cannot be had: alerts were parsed, not run")
    return str(folder / "unpacked/usr/bin/promtool")


def _failure(folder: Path, *command: str) -> bool:
    """Whether the command fails, there, or takes too long."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=DOWNLOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def _build(cache: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("neither helm nor go is there: of the chart, only its values and their schema were checked")
    source = f"helm.sh/helm/v3/cmd/helm@{HELM}"
    environment = {**os.environ, "GOBIN": str(cache), "GOFLAGS": "-buildvcs=false"}
    try:
        done = subprocess.run(
            ["go", "install", source],
            env=environment,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"helm was not built within {BUILD_SECONDS} s: only the chart's values were checked")
    if done.returncode:
        pytest.skip(f"helm cannot be built, only the chart's values were checked: {done.stderr[-500:]}")
