"""Reading -> evidence: the sentences that an answer may cite, in one numbered list."""

from dataclasses import dataclass

import numpy as np

from index.passages import Source
from index.sentences import Sentence
from rag.reader import Reading
from rag.types import Citation

BUDGET = 20  # sentences: what a person can check, and what a small language model reads well


@dataclass(frozen=True)
class Evidence:
    """A sentence that may be cited, numbered from 1 in the order of its score (best first)."""

    number: int
    source: Source
    sentence: Sentence
    score: float  # logit
    short_answer: str  # the words of the sentence that answer the question best
    short_score: float  # logit; below 0 the sentence holds no short answer
    similarity: float  # cosine to the question
    dated: bool  # whether it fits the dates that the question names
    vector: np.ndarray  # (384,) unit vector of the sentence in its context


def gather(reading: Reading) -> tuple[Evidence, ...]:
    """The best sentences of a reading; none without a quantity when a quantity is asked for."""
    best = [item for item in reading.sentences if item.fits_kind][:BUDGET]
    return tuple(
        Evidence(
            number=number,
            source=item.source,
            sentence=item.sentence,
            score=item.score,
            short_answer=item.short_answer,
            short_score=item.span_score,
            similarity=item.similarity,
            dated=item.dated,
            vector=item.vector,
        )
        for number, item in enumerate(best, 1)
    )


def cite(source: Source, sentence: Sentence, number: int) -> Citation:
    """The citation of a sentence under the number that it has in an answer."""
    known = source.metadata
    return Citation(
        number=number,
        file=source.file,
        sentence=sentence.number,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        title=known.title,
        publisher=known.publisher,
        date=known.date,
        sha256=source.sha256,
    )
