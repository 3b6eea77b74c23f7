"""What the reader is trained on that is ours: invented news with questions, and questions of SQuAD in other words."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from rag.models.library import REWRITES, held_out, read_rows
from rag.models.stories import Article, Cast, Story, examples_of_stories, read_stories
from rag.reader import MODEL_FOLDER

TRAINING = Path(__file__).parents[2] / "shared" / "data" / "train"


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return read_stories()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))


def test_every_answer_stands_in_the_sentence_that_is_named(stories: list[Story]) -> None:
    wrong = [
        words
        for story in stories
        for question in story.questions
        for article, sentence, words in question.answers
        if words not in story.articles[article].sentences[sentence]
    ]
    assert wrong == []


def test_every_story_has_questions_that_are_answered_and_some_that_are_not(stories: list[Story]) -> None:
    assert len(stories) == 400
    for story in stories:
        answered = sum(bool(question.answers) for question in story.questions)
        assert len(story.articles) == 3
        assert answered >= 8
        assert len(story.questions) - answered >= 2


def test_persons_have_places_for_names(stories: list[Story]) -> None:
    texts = [text for story in stories for article in story.articles for text in (article.title, *article.sentences)]
    texts += [question.text for story in stories for question in story.questions]
    marks = {mark for text in texts for mark in re.findall(r"\{[^}]*\}?|\}", text)}
    assert {mark for mark in marks if not re.fullmatch(r"\{[mf]\d+s?\}", mark)} == set()


def test_a_person_has_one_name_in_an_example_and_another_in_the_next() -> None:
    rng = np.random.default_rng(0)
    cast, other = Cast(rng), Cast(rng)
    full, surname = cast.fill("{m1}|{m1s}").split("|")
    assert full.endswith(f" {surname}")
    assert cast.fill("{m1}") == full != other.fill("{m1}")
    assert len({cast.fill(f"{{{kind}{number}s}}") for kind in "mf" for number in range(12)}) == 24


def test_a_passage_holds_the_answer_or_no_sentence_that_gives_it(stories: list[Story], tokenizer: Tokenizer) -> None:
    """The reader would learn a wrong answer, or that a right one is none."""
    plain = Story(tuple(map(_unnamed, stories[0].articles)), stories[0].questions)  # so that sentences can be told
    answering = {
        tokenizer.decode(tokenizer.encode(plain.articles[article].sentences[number]).ids): question.text
        for question in plain.questions
        for article, number, _ in question.answers
    }
    held = {True: 0, False: 0}
    for question in plain.questions:
        one = Story(plain.articles, (question,))
        for example in itertools.islice(examples_of_stories([one], tokenizer, np.random.default_rng(0)), 12):
            text = tokenizer.decode(example.ids[example.sentence >= 0].tolist())
            gives = any(sentence in text for sentence, asked in answering.items() if asked == question.text)
            assert gives == example.evidence.any() == (example.span != (0, 0))
            held[gives] += 1
            if example.span and gives:
                inside = example.sentence[example.span[0] : example.span[1] + 1]
                assert set(inside.tolist()) <= set(np.flatnonzero(example.evidence).tolist())
    assert min(held.values()) >= 40


def _unnamed(article: Article) -> Article:
    return Article(article.title, article.date, tuple(re.sub(r"[{}]", "", text) for text in article.sentences))


@pytest.mark.skipif(not TRAINING.exists(), reason="SQuAD is not ours to ship: ../shared is absent")
def test_rewritten_questions_belong_to_articles_that_are_trained_on() -> None:
    rows = [json.loads(line) for line in REWRITES.read_text("utf-8").splitlines()]
    old = {row["id"]: row for row in read_rows(TRAINING / "squad1_train.questions.jsonl.gz")}
    passages = {row["id"]: row for row in read_rows(TRAINING / "squad1_train.passages.jsonl.gz")}
    assert {key for row in rows for key in row} == {"of", "about", "question"}
    assert [
        row for row in rows if "of" in row and row["question"].casefold() == old[row["of"]]["question"].casefold()
    ] == []
    cited = {old[row["of"]]["doc_id"] if "of" in row else row["about"] for row in rows}
    assert [place for place in cited if held_out(passages[place]["title"])] == []
