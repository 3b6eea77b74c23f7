"""Fixtures that several files of tests use: a place for archives of its own, and the browser."""

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks the model, or goes through the proxy, of whoever runs it."""
    for name in os.environ:
        if name.upper().startswith(("OPENAI_", "PINCITE_MODEL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")):
            monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PINCITE_HOME."""
    place = tmp_path / "home"
    monkeypatch.setenv("PINCITE_HOME", str(place))
    return place


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PINCITE_HOME for the processes that tests start: the default articles are indexed there once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's Chromium. Playwright's own is a download that a test must not need."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium here: apt-get install chromium")
    return found
