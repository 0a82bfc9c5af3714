"""Helm, to render the chart with: the one of the machine, or one that Go builds once."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HELM = "v3.19.2"
BUILD_SECONDS = 900


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
