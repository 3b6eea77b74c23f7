"""What the answers are compared with: simple systems over the same archive.

Each retrieves ten passages and answers with one sentence. None of them ever refuses.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from evals.cases import Span
from evals.metrics import Outcome
from index.archive import Archive
from index.embed import embed
from index.passages import Passage, Source
from index.search import content_words
from index.sentences import Sentence
from rag.evidence import cite
from rag.types import Answer, Claim

PASSAGES = 10

Baseline = Callable[[Archive, str], Outcome]


def baselines() -> Mapping[str, Baseline]:
    """Name of a column -> baseline, made anew for a run: the last one remembers vectors of sentences."""
    return {
        "keywords": keywords,
        "vectors": vectors,
        "nearest sentence": partial(nearest_sentence, known={}),
    }


def keywords(archive: Archive, question: str) -> Outcome:
    """Keyword search (BM25) alone; the answer is the first sentence of the best passage."""
    found = archive.matching(content_words(question), PASSAGES)
    return _first_sentence(question, _passages(archive, found))


def vectors(archive: Archive, question: str) -> Outcome:
    """Vector search alone; the answer is the first sentence of the best passage."""
    return _first_sentence(question, _passages(archive, archive.nearest(embed([question])[0], PASSAGES)))


def nearest_sentence(archive: Archive, question: str, known: dict[str, np.ndarray]) -> Outcome:
    """Vector search alone; the answer is the sentence of the ten passages whose own vector is nearest.

    `known` keeps the vectors of sentences seen so far: sentence text -> (384,) float32.
    """
    vector = embed([question])[0]
    passages = _passages(archive, archive.nearest(vector, PASSAGES))
    sentences = [(passage.source, sentence) for passage in passages for sentence in passage.evidence]
    new = list({sentence.text for _, sentence in sentences} - known.keys())
    known.update(zip(new, embed(new), strict=True))
    best = max(sentences, key=lambda pair: float(known[pair[1].text] @ vector), default=None)
    return Outcome(_answer(question, *best) if best else _none(question), spans(passages))


def spans(passages: list[Passage]) -> tuple[Span, ...]:
    """Where passages stand: from the start of the first sentence to the end of the last."""
    return tuple(
        Span(passage.source.file, passage.sentences[0].start, passage.sentences[-1].end) for passage in passages
    )


def _passages(archive: Archive, found: list[tuple[int, float]]) -> list[Passage]:
    passages = archive.passages([number for number, _ in found])
    return [passages[number] for number, _ in found]


def _first_sentence(question: str, passages: list[Passage]) -> Outcome:
    best = next(((passage.source, passage.evidence[0]) for passage in passages if passage.evidence), None)
    return Outcome(_answer(question, *best) if best else _none(question), spans(passages))


def _answer(question: str, source: Source, sentence: Sentence) -> Answer:
    claim = Claim(sentence.text, (1,), "supported")
    return Answer(
        question,
        "answered",
        "quotes",
        f"{sentence.text} [1]",
        None,
        (claim,),
        (cite(source, sentence, 1),),
        (),
        (),
        0.0,
    )


def _none(question: str) -> Answer:
    """Nothing was found at all, as with a question of which no article holds a word."""
    return Answer(question, "not_in_articles", "quotes", "", None, (), (), (), (), 0.0)
