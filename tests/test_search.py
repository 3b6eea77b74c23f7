"""Question -> hits: the score is the published formula, and nothing in a question is an operator."""

from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from folders import STORIES, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.archive import Archive
from index.dates import fits_any, named_dates
from index.embed import embed
from index.home import CORPUS
from index.search import DATE_SHARE, DEPTH, KEYWORD_SHARE, content_words, search
from index.sync import open_archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """The default articles."""
    with closing(open_archive(CORPUS, tmp_path_factory.mktemp("home"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Three small articles of different topics."""
    folder = tmp_path_factory.mktemp("stories")
    for name, text in STORIES.items():
        write(folder, name, text)
    with closing(open_archive(folder, tmp_path_factory.mktemp("home"))) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How long did Putin and Macron speak?", ["long", "putin", "macron", "speak"]),
        ("Macron, MACRON and macron", ["macron"]),
        ("Who is it?", ["who", "is", "it"]),
        ("Ukraine's U.S. allies on 3 March", ["ukraine's", "u.s", "allies", "3", "march"]),
        ("snake_case and co-operation", ["snake", "case", "co", "operation"]),
        ("?!", []),
        ("", []),
    ],
)
def test_content_words(text: str, words: list[str]) -> None:
    assert content_words(text) == words


QUESTIONS = [
    "How long did Putin and Macron speak on 3 March 2022?",
    "Who asked for the call?",
    "nuclear power stations",
    "What was said on 28 January?",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_score_by_hand(archive: Archive, question: str) -> None:
    """In turn the best by both (best sentence's cosine + 0.3 of the share of the best BM25 score) and by meaning alone
    (cosines of the passage and of its best sentence); + 0.15 for the date that is named."""
    vector = embed([question])[0]
    passages = archive.passages_after(0, 1000)
    keywords = dict(archive.matching(content_words(question), DEPTH))
    vectors = archive.vectors([passage.id for passage in passages])
    both, meaning = {}, {}
    for passage in passages:
        whole, *sentences = vectors[passage.id] @ vector
        dated = DATE_SHARE * fits_any(named_dates(question), passage.source.metadata.date, passage.text)
        words = KEYWORD_SHARE * keywords.get(passage.id, 0) / max(keywords.values())
        both[passage.id] = max(sentences) + words + dated
        meaning[passage.id] = max(sentences) + whole + dated
    hits = search(archive, question, 10)
    assert [hit.score for hit in hits] == pytest.approx([both[hit.passage.id] for hit in hits], abs=1e-5)
    ranked = (sorted(order, key=lambda number: -order[number]) for order in (both, meaning))
    in_turn = list(dict.fromkeys(chain.from_iterable(zip(*ranked, strict=True))))
    assert [hit.passage.id for hit in hits] == in_turn[:10]


def test_hits_hold_a_vector_and_a_cosine_for_each_evidence_sentence(archive: Archive) -> None:
    vector = embed([QUESTIONS[0]])[0]
    for hit in search(archive, QUESTIONS[0]):
        assert hit.vectors.shape == (len(hit.passage.evidence), 384)
        np.testing.assert_allclose(hit.similarities, hit.vectors @ vector, atol=1e-6)


@pytest.mark.parametrize(
    ("question", "file"),
    [
        ("Northport", "a.txt"),  # a word
        ("Which port is open to vessels again?", "a.txt"),  # no word of the text but its sense
        ("resignation of the town's leader", "b.txt"),
        ("Who told the council about the drought?", "sub/c.txt"),
    ],
)
def test_words_and_sense_both_find(stories: Archive, question: str, file: str) -> None:
    assert search(stories, question, 1)[0].passage.source.file == file


def test_count(stories: Archive) -> None:
    assert len(search(stories, "the harbour", 2)) == 2
    assert len(search(stories, "the harbour", 1000)) <= stories.counts.passages


def test_order_is_the_same_every_time(archive: Archive) -> None:
    runs = [[hit.passage.id for hit in search(archive, QUESTIONS[0])] for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]


def test_keyword_search_stems_and_ignores_accents_and_case(stories: Archive) -> None:
    assert stories.matching(["resign"], 5) == stories.matching(["RÉSIGNED"], 5) != []
    assert stories.matching(["nowhere"], 5) == []
    assert stories.matching([], 5) == []


def test_keyword_scores_fall_and_are_higher_for_rarer_words(stories: Archive) -> None:
    scores = [score for _, score in stories.matching(["the", "resigned", "council"], 10)]
    assert scores == sorted(scores, reverse=True)
    assert stories.matching(["mayor"], 1)[0][1] > stories.matching(["the"], 1)[0][1]


SYNTAX = [
    *('"', '""', "'", "*", "mayor*", "NEAR(mayor monday)", "NEAR(", "-mayor", "title:mayor", "^mayor", "{title}:x"),
    *("AND", "OR NOT", "mayor AND", "(", ")", "+", "a + b", ";", "'; DROP TABLE passages; --", "%", "\\", "MATCH x"),
    *("\0", "a\0b", "\ud800", "mayor \udfff", "\ufeff", "\u202emayor", "e\u0301", "½ ² Ⅷ", "ⓐ", "مرحبا", "你好"),
    *("🎉", "🎉 🎉🎉", "👨\u200d👩\u200d👧", "", " ", "\n", "?", "?" * 4000, "a " * 2000, "mayor " * 650),
    " ".join(f"w{number}" for number in range(800)),
]


@pytest.mark.parametrize("question", SYNTAX, ids=range(len(SYNTAX)))
def test_nothing_in_a_question_is_syntax(stories: Archive, question: str) -> None:
    assert isinstance(search(stories, question), list)
    stories.matching([question], 5)


def test_operators_are_words(stories: Archive) -> None:
    assert stories.matching(["title:harbour"], 5) == stories.matching(["title harbour"], 5) == []
    assert stories.matching(["mayor NOT resigned"], 5) == []
    assert stories.matching(['mayor" OR "harbour'], 5) == []
    assert stories.matching(["mayo*"], 5) == []
    assert [number for number, _ in stories.matching(["-mayor"], 5)] == [
        number for number, _ in stories.matching(["mayor"], 5)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=12), max_size=5))
def test_any_words_can_be_matched(stories: Archive, words: list[str]) -> None:
    for _, score in stories.matching(words, 5):
        assert score == score


def test_archive_without_a_passage(tmp_path: Path) -> None:
    write(tmp_path / "articles", "a.txt", "Share\n")
    with closing(open_archive(tmp_path / "articles", tmp_path / "home")) as archive:
        assert search(archive, "Who shared it?") == []
