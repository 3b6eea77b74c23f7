"""The evaluation as a command, with the real models: what it writes, the gate, and its exit codes."""

import json
import shutil
from pathlib import Path

import pytest
from question_sets import ROWS, TEXTS, articles, write

from evals.__main__ import main
from evals.cases import Articles, load
from evals.run import SYSTEM, run
from evals.scores import score
from rag import open_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return articles(tmp_path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PINCITE_HOME", str(tmp_path / "home"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "PINCITE_MODEL", "PINCITE_ARTICLES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_scores_a_folder(home: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = write(folder, ROWS)
    assert main(["--articles", str(folder), "--questions", str(questions)]) == 0
    printed = capsys.readouterr().out
    name = home.name
    content = json.loads((home / "out" / "evals" / f"{name}.json").read_text("utf-8"))
    assert content["cases"] == 5
    assert content["exact"]["faults"] == []
    assert content["exact"]["checked"] >= 4
    system = content["systems"][SYSTEM]
    assert system["evidence_recall_10"] == {"value": 1.0, "n": 4, "interval": pytest.approx([0.51, 1.0], abs=0.01)}
    assert set(content["systems"]) == {SYSTEM, "keywords", "vectors", "nearest sentence"}
    assert [row["id"] for row in content["rows"]] == ["t1", "t2", "t3", "t4", "t5"]
    assert "Halton" in (home / "out" / "evals" / f"{name}.html").read_text("utf-8")
    assert printed.splitlines()[-1].startswith(f"evals {name}: 5 cases, first citation ")
    assert "95% interval" in printed


def test_the_gate_passes_what_was_accepted_and_tells_what_fell(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = home / "results.json"
    arguments = ["--articles", str(folder), "--questions", str(write(folder, ROWS))]
    assert main([*arguments, "--accept"], results) == 0
    assert main([*arguments, "--gate"], results) == 0
    assert capsys.readouterr().out.endswith("gate passed\n")
    entries = json.loads(results.read_text("utf-8"))
    entries[home.name]["cases"] = 6
    results.write_text(json.dumps(entries), "utf-8")
    assert main([*arguments, "--gate"], results) == 1
    printed = capsys.readouterr().out
    assert "FELL  cases: 6 before, 5 now\n" in printed
    assert "gate FAILED (" in printed.splitlines()[-1]


def test_the_command_writes_where_it_is_told(home: Path, folder: Path) -> None:
    options = ["--json", "numbers.json", "--html", "new/page.html", "--limit", "1"]
    assert main(["--articles", str(folder), "--questions", str(write(folder, ROWS)), *options]) == 0
    assert json.loads((home / "numbers.json").read_text("utf-8"))["cases"] == 1
    assert (home / "new" / "page.html").is_file()
    assert not (home / "out").exists()


def test_a_citation_that_is_not_in_the_files_is_counted(home: Path, folder: Path) -> None:  # noqa: ARG001
    cases = load(write(folder, ROWS), Articles(folder))
    archive = open_archive(folder)
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    (other / "bridge.txt").write_text("X" + TEXTS["bridge.txt"], "utf-8")
    scores = score(list(run(cases[:1], archive, Articles(other))))
    assert scores.faults
    assert all(fault.startswith("t1: ") for fault in scores.faults)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--questions", "questions.jsonl"], "go together"),
        (["--articles", "articles"], "go together"),
        (["--limit", "0"], "--limit"),
        (["--limit", "3", "--gate"], "--limit"),
        (["--limit", "3", "--accept"], "--limit"),
        (["--articles", "articles", "--questions", "gone.jsonl"], "gone.jsonl cannot be read"),
        (["--articles", "articles", "--questions", "empty.jsonl"], "holds no question"),
        (["--articles", "articles", "--questions", "latin.jsonl"], "not UTF-8"),
        (["--articles", "gone", "--questions", "questions.jsonl"], "gone does not exist"),
        (["--articles", "articles", "--questions", "questions.jsonl", "--gate"], "run once with --accept"),
        (
            ["--articles", "articles", "--questions", "questions.jsonl", "--json", "articles"],
            "articles cannot be written",
        ),
    ],
)
def test_what_can_be_mended_is_one_line_and_exit_code_2(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    write(folder, ROWS[:1])
    (home / "empty.jsonl").write_text("\n \n", "utf-8")
    (home / "latin.jsonl").write_bytes(b'{"id": "caf\xe9"}\n')
    assert main(arguments) == 2
    line = capsys.readouterr().err
    assert says in line
    assert line.count("\n") == 1
