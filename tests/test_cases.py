"""Reference questions as they are read, and citations as they are checked against the files."""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from question_sets import ROWS, TEXTS, articles, write

from evals.cases import Articles, CaseError, Evidence, Span, load
from evals.exactness import citation_fault, faults
from rag.types import Answer, Citation, Claim, Disagreement, Side, Turn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return articles(tmp_path)


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
