"""Training examples from invented news: three articles on one matter each, and questions in other words than theirs.

`stories.jsonl` was written for this; persons, quotations and most events are made up, some retell known ones. It
teaches what Wikipedia cannot: which of several similar events is meant, who did what to whom, who said it, and
questions that the articles all but answer. Persons have no names there, only places for them: {m1} is a man's full
name, {f2s} a woman's surname. Every example puts in other names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from index.dates import in_words
from rag.models.examples import MAX_PREFIX, Example, assemble, window
from rag.models.library import MAX_QUESTION, Document, Question

STORIES = Path(__file__).parent / "stories.jsonl"
MAX_ANSWER = 30  # tokens: a longer one has evidence and no span
DATED = 0.85  # of the articles; the others are read without their date
_PLACE = re.compile(r"\{([mf])(\d+)(s?)\}")
_MEN = (
    "James Robert David Thomas Daniel Peter Paul George Henry Ivan Sergei Andrei Pavel Jan Piotr Marek "
    "Josef Hans Klaus Jürgen Pierre Luc Michel Antoine Carlos Luis Jorge Miguel Pedro Marco Luca Giovanni Ahmed "
    "Omar Hassan Yusuf Ali Karim Mehmet Emre Wei Jun Hiroshi Kenji Min-ho Rajesh Arjun Vikram Kwame Kofi Samuel "
    "Joseph Emmanuel Themba Sipho Juma Aleksi Lars Erik Nils Dimitris"
).split()
_WOMEN = (
    "Mary Susan Linda Emma Sarah Laura Helen Alice Julia Anna Olga Irina Natalia Svetlana Eva Katarzyna Magda "
    "Jana Petra Ingrid Greta Claire Sophie Camille Isabelle Carmen Lucia Elena Maria Ana Paula Chiara Giulia "
    "Fatima Leila Amina Nour Zeynep Elif Aisha Mei Li Yuki Keiko Ji-woo Priya Anita Sunita Ama Grace Esther Ruth "
    "Thandi Nomsa Wanjiku Aino Astrid Sigrid Freja Eleni"
).split()
_SURNAMES = (
    "Smith Hughes Clarke Bennett Murphy Campbell Stewart Novak Kowalski Nowak Horvat Kovac Petrov "
    "Ivanov Volkov Sokolov Shevchenko Bondar Popescu Ionescu Müller Schneider Fischer Weber Bauer Huber Martin "
    "Bernard Dubois Moreau Lefebvre Garcia Lopez Fernandez Torres Silva Santos Oliveira Costa Rossi Ferrari Ricci "
    "Greco Haddad Mansour Khalil Aziz Rahman Hussain Yilmaz Demir Kaya Chen Wang Zhang Huang Tanaka Suzuki Sato "
    "Kim Park Lee Sharma Gupta Patel Singh Reddy Mensah Owusu Okafor Adeyemi Mwangi Otieno Dlamini Nkosi Virtanen "
    "Korhonen Nilsson Larsen Hansen Berg Papadopoulos Nikolaou Jansen Visser Bakker Peeters"
).split()


@dataclass(frozen=True)
class Asked:
    """A question of a story. `answers`: (article, sentence, words), all from 0; none when no article answers."""

    text: str
    answers: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class Article:
    title: str
    date: date
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    articles: tuple[Article, ...]
    questions: tuple[Asked, ...]


def read_stories(path: Path = STORIES) -> list[Story]:
    found = []
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        articles = tuple(
            Article(one["title"], date.fromisoformat(one["date"]), tuple(one["sentences"])) for one in row["articles"]
        )
        questions = tuple(Asked(one["question"], tuple(map(tuple, one["answers"]))) for one in row["questions"])
        found.append(Story(articles, questions))
    return found


def examples_of_stories(stories: list[Story], tokenizer: Tokenizer, rng: np.random.Generator) -> Iterator[Example]:
    """Without end: for every question a passage that answers, and two of the same story that do not."""
    plan = [(story, question) for story in stories for question in story.questions]
    while True:
        for at in rng.permutation(len(plan)).tolist():
            story, question = plan[at]
            yield from _about(story, question, Cast(rng), tokenizer, rng)


class Cast:
    """The names of one example: the same for the same place."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._order = {kind: rng.permutation(len(names)) for kind, names in (("m", _MEN), ("f", _WOMEN))}
        self._surnames = rng.permutation(len(_SURNAMES))

    def fill(self, text: str) -> str:
        return _PLACE.sub(self._name, text)

    def _name(self, place: re.Match[str]) -> str:
        kind, number, only_surname = place[1], int(place[2]), place[3]
        surname = _SURNAMES[self._surnames[2 * number + (kind == "f")]]
        first = (_MEN if kind == "m" else _WOMEN)[self._order[kind][number]]
        return surname if only_surname else f"{first} {surname}"


def _about(
    story: Story, question: Asked, cast: Cast, tokenizer: Tokenizer, rng: np.random.Generator
) -> Iterator[Example]:
    asked = tokenizer.encode(cast.fill(question.text), add_special_tokens=False).ids[:MAX_QUESTION]
    documents = [_document(article, cast, tokenizer) for article in story.articles]
    prefixes = [_prefix(article, cast, tokenizer, rng) for article in story.articles]
    answering = [tuple(sorted({s for a, s, _ in question.answers if a == n})) for n in range(len(documents))]
    plan: list[tuple[int, int, str | None]] = []  # article, sentence, and its words that answer
    if question.answers:
        plan.append(question.answers[int(rng.integers(len(question.answers)))])
    near = _nearest(asked, documents, answering)
    plan += [(*near[at], None) for at in rng.choice(min(6, len(near)), min(2, len(near)), replace=False).tolist()]
    for number, sentence, words in plan:
        document, evidence = documents[number], answering[number]
        run = window(document, sentence, int(rng.integers(70, 171)), rng, True, evidence if words is None else ())
        span = None
        if words is not None:
            span = _span(document, sentence, tokenizer.encode(cast.fill(words), add_special_tokens=False).ids)
        told = Question(asked, number, 0, span, evidence, ())
        one = assemble(told, document, run, prefixes[number], words is not None)
        if one is not None:
            yield one


def _document(article: Article, cast: Cast, tokenizer: Tokenizer) -> Document:
    pieces = [tokenizer.encode(cast.fill(text), add_special_tokens=False).ids for text in article.sentences]
    ids = np.array([token for piece in pieces for token in piece], np.int32)
    return Document(cast.fill(article.title), ids, np.cumsum([0, *map(len, pieces)]), np.zeros(len(pieces), int), 0)


def _prefix(article: Article, cast: Cast, tokenizer: Tokenizer, rng: np.random.Generator) -> list[int]:
    title = tokenizer.encode(cast.fill(article.title), add_special_tokens=False).ids[: MAX_PREFIX - 8]
    dated = f" · {in_words(article.date.isoformat())}" if rng.random() < DATED else ""
    return title + tokenizer.encode(dated, add_special_tokens=False).ids


def _nearest(asked: list[int], documents: list[Document], answering: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """(article, sentence) of those that do not answer, most shared word pieces first."""
    found = []
    for number, document in enumerate(documents):
        for sentence in range(len(document.paragraph)):
            if sentence not in answering[number]:
                held = document.ids[document.bounds[sentence] : document.bounds[sentence + 1]]
                found.append((len(set(asked).intersection(held.tolist())), number, sentence))
    return [(number, sentence) for _, number, sentence in sorted(found, key=lambda one: -one[0])]


def _span(document: Document, sentence: int, words: list[int]) -> tuple[int, int] | None:
    """First and last token of the words in the sentence; None when too long or cut inside a word."""
    if len(words) > MAX_ANSWER:
        return None
    first, end = int(document.bounds[sentence]), int(document.bounds[sentence + 1])
    ids = document.ids[first:end].tolist()
    for at in range(len(ids) - len(words) + 1):
        if ids[at : at + len(words)] == words:
            return first + at, first + at + len(words) - 1
    return None
