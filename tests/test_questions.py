"""The reference questions and the hand-marked sentences say what the default articles say, byte for byte."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "index" / "corpus"
SENTENCES = ROOT / "tests" / "data" / "sentences"
TYPES = {
    "fact", "number", "date", "who-said", "paraphrase", "which-call", "cross-article", "follow-up", "keywords",
    "yes-no", "digest", "disagreement", "unanswerable",
}  # fmt: skip
REQUIRED = {"id", "question", "type", "answers", "evidence", "answerable"}
OPTIONAL = {"history", "answer_groups", "note"}

QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOT / "evals" / "questions.jsonl").read_text("utf-8").splitlines()
]
ANSWERABLE = [row for row in QUESTIONS if row["answerable"]]
TEXTS = {path.name: path.read_bytes().decode("utf-8") for path in sorted(CORPUS.glob("*.txt"))}
BOUNDARIES: dict[str, list[dict[str, Any]]] = json.loads((SENTENCES / "boundaries.json").read_text("utf-8"))
HARD: list[dict[str, Any]] = json.loads((SENTENCES / "hard.json").read_text("utf-8"))

each_question = pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row["id"])
each_answerable = pytest.mark.parametrize("row", ANSWERABLE, ids=lambda row: row["id"])
each_article = pytest.mark.parametrize("file", TEXTS)


def marked(file: str) -> list[str]:
    """The marked sentences of an article that are not boilerplate."""
    return [TEXTS[file][s["start"] : s["end"]] for s in BOUNDARIES[file] if not s["boilerplate"]]


def test_there_are_enough_questions_of_every_type() -> None:
    assert len(QUESTIONS) >= 100
    assert len(QUESTIONS) - len(ANSWERABLE) >= 20
    assert {row["type"] for row in QUESTIONS} == TYPES


def test_ids_and_questions_are_unique() -> None:
    assert len({row["id"] for row in QUESTIONS}) == len(QUESTIONS)
    asked = Counter((row["question"].casefold(), json.dumps(row.get("history"))) for row in QUESTIONS)
    assert [question for question, times in asked.items() if times > 1] == []


@each_question
def test_row_has_the_documented_shape(row: dict[str, Any]) -> None:
    assert set(row) >= REQUIRED
    assert set(row) <= REQUIRED | OPTIONAL
    assert row["type"] in TYPES
    assert row["question"].strip() == row["question"] != ""
    assert row["answerable"] is (row["type"] != "unanswerable")
    assert all(isinstance(answer, str) and answer.strip() for answer in row["answers"])
    for turn in row.get("history", []):
        assert set(turn) == {"question", "answer"}
        assert turn["question"].strip()
        assert turn["answer"].strip()


@each_question
def test_only_answerable_rows_have_answers_and_evidence(row: dict[str, Any]) -> None:
    assert bool(row["answers"]) is row["answerable"]
    assert bool(row["evidence"]) is row["answerable"]


@each_question
def test_follow_ups_have_history_and_other_questions_do_not_need_it(row: dict[str, Any]) -> None:
    assert row["type"] != "follow-up" or row["history"]
    assert row["type"] in ("follow-up", "unanswerable") or "history" not in row


@each_answerable
def test_evidence_is_a_marked_sentence_of_every_file_that_holds_it(row: dict[str, Any]) -> None:
    texts = [evidence["text"] for evidence in row["evidence"]]
    assert len(set(texts)) == len(texts)
    for evidence in row["evidence"]:
        assert evidence["files"] == [file for file in TEXTS if evidence["text"] in marked(file)] != []
        assert all(evidence["text"].encode() in (CORPUS / file).read_bytes() for file in evidence["files"])


@each_answerable
def test_an_accepted_answer_stands_in_the_evidence(row: dict[str, Any]) -> None:
    """A row whose answer stands in no sentence must say why in its `note`."""
    evidence = "\n".join(evidence["text"] for evidence in row["evidence"]).casefold()
    assert any(answer.casefold() in evidence for answer in row["answers"]) or row.get("note")


@each_answerable
def test_each_side_of_a_disagreement_stands_in_the_evidence(row: dict[str, Any]) -> None:
    assert ("answer_groups" in row) is (row["type"] == "disagreement")
    evidence = [evidence["text"].casefold() for evidence in row["evidence"]]
    for group in row.get("answer_groups", []):
        assert any(answer.casefold() in text for answer in group for text in evidence)
    assert len(row.get("answer_groups", [[], []])) >= 2


@each_article
def test_marked_sentences_cover_the_article_in_order(file: str) -> None:
    text, end = TEXTS[file], 0
    for sentence in BOUNDARIES[file]:
        assert text[end : sentence["start"]].strip() == ""
        inside = text[sentence["start"] : sentence["end"]]
        assert inside.strip() == inside != ""
        assert "\n" not in inside
        end = sentence["end"]
    assert text[end:].strip() == ""


def test_every_article_is_marked() -> None:
    assert set(BOUNDARIES) == set(TEXTS)
    assert len(TEXTS) == 5


@pytest.mark.parametrize("line", HARD, ids=lambda line: line["text"][:30])
def test_sentences_of_a_hard_line_are_its_slices_in_order(line: dict[str, Any]) -> None:
    rest = line["text"]
    for sentence in line["sentences"]:
        before, found, rest = rest.partition(sentence)
        assert found
        assert before.strip() == ""
        assert sentence.strip() == sentence
    assert rest.strip() == ""


def test_there_are_sixty_hard_lines() -> None:
    assert len({line["text"] for line in HARD}) == len(HARD) >= 60
