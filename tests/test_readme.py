"""The README against the program: every file has its line, and every command that it shows exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def tracked_modules() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [name for name in listed.split() if re.fullmatch(r"(index|rag|ui|evals)/\w+\.(py|css|js)", name)]
    return [name for name in found if not name.endswith("__init__.py")]


def test_every_file_is_explained() -> None:
    assert [name for name in tracked_modules() if f"`{name}`" not in README] == []


def test_no_file_is_explained_that_is_not_there() -> None:
    named = set(re.findall(r"`((?:index|rag|ui|evals)/[\w./-]+\.\w+)`", README))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ([\w.]+)", README)) - {"venv"}))
def test_every_command_has_help(module: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert shown.returncode == 0
    assert "usage:" in shown.stdout


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
