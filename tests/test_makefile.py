"""The Makefile where Python is not as it should be: one line says so, and nothing half-made stays behind."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parent.parent / "Makefile"
pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="no make here")


def make(place: Path, python: str) -> "subprocess.CompletedProcess[str]":
    """Make the environment in an empty folder, with a shell script in the place of Python."""
    script = place / "python"
    script.write_text(f"#!/bin/sh\n{python}\n")
    script.chmod(0o755)
    command = ["make", "-f", str(MAKEFILE), "-C", str(place), ".venv/bin/python", f"PYTHON={script}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_python_that_is_too_old_is_said_before_anything_is_made(tmp_path: Path) -> None:
    done = make(tmp_path, '[ "$1" = -c ] && exit 1; mkdir -p .venv/bin; touch .venv/bin/python')
    assert done.returncode == 2
    assert "is not Python 3.11 to 3.13" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_an_environment_that_could_not_be_finished_is_removed(tmp_path: Path) -> None:
    broken = '[ "$1" = -c ] && exit 0; mkdir -p .venv/bin; touch .venv/bin/python; exit 1'
    assert make(tmp_path, broken).returncode == 2
    assert not (tmp_path / ".venv").exists()
    assert make(tmp_path, broken).returncode == 2  # not: "is up to date"


def test_the_running_python_is_accepted(tmp_path: Path) -> None:
    done = make(tmp_path, f'[ "$1" = -c ] && exec "{sys.executable}" "$@"; mkdir -p .venv/bin; touch .venv/bin/python')
    assert done.returncode == 0, done.stdout
    assert (tmp_path / ".venv/bin/python").exists()
