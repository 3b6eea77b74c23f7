"""The evaluation program: what it reads, what it checks, what it writes, and its exit codes."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from evals.__main__ import main
from evals.cases import Articles, CaseError, Evidence, Span, load
from evals.exactness import citation_fault, faults
from evals.run import SYSTEM, run
from evals.scores import score
from rag import open_archive
from rag.types import Answer, Citation, Claim, Disagreement, Side, Turn

TEXTS = {
    "bridge.txt": "Bridge over the Lune closed\nThe bridge at Halton was closed on Monday after engineers found "
    "cracks. Repairs will cost 2.4 million pounds. Mayor Ellen Brook said that it would open again in May.\n",
    "old/school.md": "School wins prize\nPupils of Hornby school won the county science prize for a robot that sorts "
    "plastic. Their teacher, Omar Reid, called it a triumph of patience.\n",
    "windows.txt": "Ferry strike ends\nFerry crews went back to work on Friday. The strike had lasted eleven days. "
    "“We have won,” said union leader Marta Lind.\n",
}
ENCODINGS = {"windows.txt": "cp1252"}
ROWS: list[dict[str, Any]] = [
    {
        "id": "t1", "question": "Why was the bridge at Halton closed?", "type": "fact", "answers": ["cracks"],
        "evidence": [{"text": "engineers found cracks.", "files": ["bridge.txt"]}], "answerable": True,
    },
    {
        "id": "t2", "question": "What will it cost to repair it?", "type": "follow-up",
        "answers": ["2.4 million pounds"],
        "evidence": [{"text": "Repairs will cost 2.4 million pounds.", "files": ["bridge.txt"]}], "answerable": True,
        "history": [{"question": "Which bridge was closed?", "answer": "The bridge at Halton."}],
    },
    {
        "id": "t3", "question": "What does the robot of Hornby school do?", "type": "fact",
        "answers": ["sorts plastic"],
        "evidence": [{"text": "a robot that sorts plastic.", "files": ["old/school.md"]}], "answerable": True,
    },
    {
        "id": "t4", "question": "How long did the strike of the ferry crews last?", "type": "number",
        "answers": ["eleven days"], "answerable": True,
        "evidence": [{"text": "The strike had lasted eleven days.", "files": ["windows.txt"]}],
    },
    {
        "id": "t5", "question": "Who won the chess championship in Reykjavik?", "type": "unanswerable", "answers": [],
        "evidence": [], "answerable": False,
    },
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file, text in TEXTS.items():
        path = tmp_path / "articles" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(ENCODINGS.get(file, "utf-8")))
    return tmp_path / "articles"


def write(folder: Path, rows: Iterable[Any]) -> Path:
    file = folder.parent / "questions.jsonl"
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return file


# ── reading questions ──


def test_cases_hold_every_place_of_their_evidence(folder: Path) -> None:
    (folder / "twice.txt").write_text("It rained. Nobody came. It rained.", "utf-8")
    row = ROWS[0] | {"evidence": [{"text": "It rained.", "files": ["twice.txt"]}]}
    (case,) = load(write(folder, [row]), Articles(folder))
    assert case.evidence == (Evidence("It rained.", (Span("twice.txt", 0, 10), Span("twice.txt", 24, 34))),)


def test_evidence_is_found_in_files_of_every_encoding(folder: Path) -> None:
    row = ROWS[3] | {"evidence": [{"text": "“We have won,”", "files": ["windows.txt"]}]}
    (case,) = load(write(folder, [row]), Articles(folder))
    start = TEXTS["windows.txt"].index("“We")
    assert case.evidence[0].places == (Span("windows.txt", start, start + 14),)


def test_limit_byte_order_mark_and_blank_lines(folder: Path) -> None:
    file = write(folder, ["", *ROWS, ""])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert [case.id for case in load(file, Articles(folder))] == ["t1", "t2", "t3", "t4", "t5"]
    assert len(load(file, Articles(folder), limit=2)) == 2


@pytest.mark.parametrize(
    ("history", "turns"),
    [
        ([{"question": "Who?", "answer": "She."}], (Turn("Who?", "She."),)),
        (["Who?", "When?"], (Turn("Who?", ""), Turn("When?", ""))),
        ([{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "She."}], (Turn("Who?", "She."),)),
        ([{"role": "user", "content": "Who?"}], (Turn("Who?", ""),)),
    ],
)
def test_history_in_each_form(folder: Path, history: list[Any], turns: tuple[Turn, ...]) -> None:
    (case,) = load(write(folder, [ROWS[0] | {"history": history}]), Articles(folder))
    assert case.history == turns


def changed(**changes: Any) -> dict[str, Any]:
    return ROWS[0] | changes


BAD_ROWS = [
    ("{", "not JSON"),
    ("[1]", "not a JSON object"),
    (changed(id=None), '"id"'),
    (changed(id="a\x1b[2Jb"), '"id" must be one line'),
    (changed(type=" "), '"type"'),
    (changed(question=7), '"question"'),
    (changed(question="\ud800"), "surrogate"),
    (changed(answerable="yes"), '"answerable" must be true or false'),
    (changed(answers="cracks"), '"answers" must be a list'),
    (changed(answers=[""]), '"answers" must be text'),
    (changed(answers=[]), 'needs "answers"'),
    (changed(evidence=[]), 'needs "evidence"'),
    (changed(answerable=False), 'must have no "answers"'),
    (changed(answerable=False, answers=[]), 'must have no "evidence"'),
    (changed(evidence=["x"]), '"text" and "files"'),
    (changed(evidence=[{"text": "x", "files": []}]), "names no file"),
    (changed(evidence=[{"text": "x", "files": ["gone.txt"]}]), "no readable article gone.txt"),
    (changed(evidence=[{"text": "x", "files": ["../questions.jsonl"]}]), "no readable article"),
    (changed(evidence=[{"text": "No such words", "files": ["bridge.txt"]}]), "not in bridge.txt: No such words"),
    (changed(history=[3]), '"history" turn'),
    (changed(history=[{"role": "assistant", "content": "She."}]), 'beginning with "user"'),
    (changed(answer_groups=["a"]), '"answer_groups" must be a list'),
]


@pytest.mark.parametrize(("row", "says"), BAD_ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_bad_row_is_one_line_with_its_number(folder: Path, row: Any, says: str) -> None:
    with pytest.raises(CaseError) as error:
        load(write(folder, [ROWS[1], row]), Articles(folder))
    assert "questions.jsonl, line 2: " in str(error.value)
    assert says in str(error.value)
    assert str(error.value).isprintable()


def test_an_id_that_stands_twice_is_refused(folder: Path) -> None:
    with pytest.raises(CaseError, match='line 3: the id "t1" stands in an earlier row'):
        load(write(folder, [ROWS[0], ROWS[1], ROWS[0]]), Articles(folder))


# ── exactness ──


def exact(folder: Path) -> Citation:
    text = TEXTS["bridge.txt"]
    start = text.index("Repairs")
    end = text.index("pounds.") + len("pounds.")
    digest = sha256((folder / "bridge.txt").read_bytes()).hexdigest()
    return Citation(1, "bridge.txt", 3, start, end, text[start:end], None, None, None, digest)


def test_an_exact_citation_has_no_fault(folder: Path) -> None:
    assert citation_fault(exact(folder), Articles(folder)) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"file": "gone.txt"}, "no such readable file"),
        ({"file": "../questions.jsonl"}, "no such readable file"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"text": "Repairs will cost 2.5 million pounds."}, "does not stand at"),
        ({"start": 0}, "does not stand at"),
        ({"start": -1, "end": 0, "text": ""}, "does not stand at"),
        ({"sentence": 2}, "sentence 2 stands at"),
        ({"sentence": 0}, "no sentence 0"),
        ({"sentence": 99}, "no sentence 99"),
    ],
)
def test_each_way_of_not_being_exact_is_a_fault(folder: Path, changes: dict[str, Any], says: str) -> None:
    assert says in (citation_fault(replace(exact(folder), **changes), Articles(folder)) or "")


def test_a_file_that_changed_after_it_was_indexed_is_a_fault(folder: Path) -> None:
    citation = exact(folder)
    (folder / "bridge.txt").write_text(TEXTS["bridge.txt"].replace("2.4", "9.9"), "utf-8")
    assert "sha256" in (citation_fault(citation, Articles(folder)) or "")


def made(citations: Iterable[Citation], **changes: Any) -> Answer:
    given = tuple(citations)
    claims = tuple(Claim(citation.text, (citation.number,), "supported") for citation in given)
    text = " ".join(f"{citation.text} [{citation.number}]" for citation in given)
    answer = Answer("Why?", "answered", "quotes", text, None, claims, given, (), (), 0.1)
    return replace(answer, **changes)


def test_closest_sentences_and_numbers_are_checked_too(folder: Path) -> None:
    good = exact(folder)
    wrong = replace(good, start=0)
    articles = Articles(folder)
    assert faults(made([good], closest=(good,)), articles) == []
    assert len(faults(made([good], closest=(wrong,)), articles)) == 1
    assert len(faults(made([wrong, replace(wrong, number=2)]), articles)) == 2
    assert faults(made([good, good]), articles) == ["the numbers of the citations are not unique: [1, 1]"]
    assert faults(made([good], claims=(Claim("x", (1, 7), "supported"),)), articles) == [
        "[7] is used but is not a citation"
    ]
    sides = (Disagreement("x", (Side("y", (8,)),)),)
    assert faults(made([good], disagreements=sides), articles) == ["[8] is used but is not a citation"]


# ── the whole command, with the real models ──


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
