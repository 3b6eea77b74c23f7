"""Question, hits -> reading: how well each sentence answers the question, and whether any does."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.archive import Archive
from index.dates import fits_any, named_dates
from index.passages import Source, heading
from index.search import Hit, content_words
from index.sentences import Sentence

# Shares of the signals in a sentence's score, chosen on the training questions of SQuAD (rag/models/README.md).
WORDS = 0.35
PASSAGE = 0.15
DATE = 0.15
# Logistic regression of "is there an answer" on the best sentence's score and the share of the question's words
# that the best passage does not hold.
ANSWERABLE = (9.0, -4.0, -4.2)


@dataclass(frozen=True)
class ReadSentence:
    """A sentence of a retrieved passage; a higher `score` is better evidence."""

    source: Source
    sentence: Sentence
    score: float
    vector: np.ndarray  # (384,) unit vector of the sentence in its context


@dataclass(frozen=True)
class Reading:
    """All sentences of the hits, best first, and the probability that they answer the question."""

    sentences: tuple[ReadSentence, ...]
    answerable: float


def read(archive: Archive, question: str, hits: Sequence[Hit]) -> Reading:
    """Score every sentence of the hits for a standalone question."""
    weights = _word_weights(archive, question)
    dates = named_dates(question)
    best: dict[tuple[str, int], ReadSentence] = {}
    for hit in hits:
        source = hit.passage.source
        shared = PASSAGE * hit.score + DATE * fits_any(dates, source.metadata.date, hit.passage.text)
        head = heading(source.metadata)
        for sentence, similarity, vector in zip(hit.passage.evidence, hit.similarities, hit.vectors, strict=True):
            score = shared + float(similarity) + WORDS * _overlap(weights, sentence.text, head)
            key = (source.file, sentence.number)
            if key not in best or score > best[key].score:
                best[key] = ReadSentence(source, sentence, score, vector)
    ranked = tuple(sorted(best.values(), key=lambda item: -item.score))
    return Reading(ranked, _answerable(ranked, hits, weights))


def _answerable(ranked: Sequence[ReadSentence], hits: Sequence[Hit], weights: dict[str, float]) -> float:
    if not ranked:
        return 0.0
    missing = 1 - max(_overlap(weights, hit.passage.text, heading(hit.passage.source.metadata)) for hit in hits)
    score, unknown, bias = ANSWERABLE
    return 1 / (1 + math.exp(-(score * ranked[0].score + unknown * missing + bias)))


def _word_weights(archive: Archive, question: str) -> dict[str, float]:
    """Stem -> share of the question's meaning, by rarity among the passages (inverse document frequency)."""
    passages = archive.counts.passages
    weights = {
        _stem(word): math.log(1 + passages / (0.5 + archive.document_frequency(word)))
        for word in content_words(question)
    }
    total = sum(weights.values()) or 1.0
    return {stem: weight / total for stem, weight in weights.items()}


def _overlap(weights: dict[str, float], text: str, head: str) -> float:
    """The weighted share of the question's words that a text holds; words of the headline count half."""
    inside = {_stem(word) for word in _WORD.findall(text.lower())}
    above = {_stem(word) for word in _WORD.findall(head.lower())}
    return sum(weight * (1.0 if stem in inside else 0.5 * (stem in above)) for stem, weight in weights.items())


_WORD = re.compile(r"[^\W_]+")


def _stem(word: str) -> str:
    """The head of a word: enough to match plurals and verb forms in English."""
    return word[:5] if len(word) > 5 else word.rstrip("s") if len(word) > 3 else word
