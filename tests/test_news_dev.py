"""The development questions over news articles: every place they cite is there, and every kind is there in number."""

from collections import Counter
from pathlib import Path

import pytest

from index.metadata import describe
from index.sentences import split
from rag.models.news import EVENTS, Question, articles, questions

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "basil.jsonl.gz"
ANSWERABLE = "fact paraphrase who-said number date which-event cross-article yes-no keywords headline".split()
UNANSWERABLE = "unmentioned wrong-person wrong-date no-event later".split()

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the articles are not ours to ship: ../shared is absent")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("news")
    articles(CORPUS, folder)
    return folder


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Question]:
    return questions(folder)  # raises when a place is not there


def test_the_folder_holds_every_event_by_three_publishers_with_their_dates(folder: Path) -> None:
    known = {path.name: describe(path.read_text("utf-8"), {}) for path in folder.iterdir()}
    assert Counter(name.split("-")[1] for name in known) == dict.fromkeys(EVENTS, 3)
    assert all(metadata.title and metadata.date for metadata in known.values())


def test_no_question_and_no_place_stands_twice(rows: list[Question]) -> None:
    for key in ([row.id for row in rows], [row.question.casefold() for row in rows]):
        assert [value for value, count in Counter(key).items() if count > 1] == []
    assert [row.id for row in rows if len(set(row.evidence)) < len(row.evidence)] == []


def test_every_kind_of_question_is_there_in_number(rows: list[Question]) -> None:
    count = Counter((row.answerable, row.type) for row in rows)
    assert set(count) == {*((True, kind) for kind in ANSWERABLE), *((False, kind) for kind in UNANSWERABLE)}
    assert min(count.values()) >= 15
    assert sum(row.answerable for row in rows) >= 150
    assert sum(not row.answerable for row in rows) >= 75


def test_answers_stand_in_the_articles_of_the_evidence(folder: Path, rows: list[Question]) -> None:
    texts = {path.name: path.read_bytes().decode() for path in folder.iterdir()}
    sentences = {(file, s.number): s for file, text in texts.items() for s in split(text)}
    for row in rows:
        assert bool(row.answers) == bool(row.evidence) == row.answerable, row.id
        answers = [
            answer.casefold() for answer in row.answers if not (row.type == "yes-no" and answer in ("yes", "no"))
        ]
        cited = " ".join(sentences[place].text for place in row.evidence).casefold()
        whole = " ".join(texts[file] for file, _ in row.evidence).casefold()
        assert [answer for answer in answers if answer not in whole] == [], row.id
        assert not row.answerable or any(answer in cited for answer in answers), row.id
        assert not any(sentences[place].boilerplate for place in row.evidence), row.id


def test_a_changed_article_is_noticed(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes().replace(b"bipolar", b"some").replace(b". ", b"; "))
    with pytest.raises(ValueError, match=r"fact-01: basil-f506aafc-hpo\.txt sentence 13 is not “The former national"):
        questions(tmp_path)
