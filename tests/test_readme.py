"""The README against the program: every file has its line, and every command that it shows exists."""

import os
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


def test_no_place_is_left_to_be_filled() -> None:
    assert re.findall(r"^(?:TRANSCRIPT|RESULTS|LIMITS)$", README, re.MULTILINE) == []


def test_the_python_example_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "a.txt").write_text("The mayor of Halton, Ellen Brook, resigned on Monday.\n", "utf-8")
    assert '"my_articles/"' in example
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PINCITE", "OPENAI"))}
    ran = subprocess.run(
        [sys.executable, "-c", example.replace("my_articles/", str(tmp_path / "articles"))],
        env=environment | {"PINCITE_HOME": str(tmp_path / "home")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.search(r"^.* \d{3}_[0-9a-f]{16}\.txt \d+$", ran.stdout, re.MULTILINE)
    assert "Ellen Brook" in ran.stdout
