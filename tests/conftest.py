"""Fixtures that several files of tests use: a place for archives of its own, and the browser."""

import shutil
from pathlib import Path

import pytest


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
