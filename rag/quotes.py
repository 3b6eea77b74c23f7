"""Evidence -> quotes, without a language model: the best sentences word for word, those that agree cited together."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.reader import ReadSentence

MAX_QUOTES = 3
MAX_WITNESSES = 3  # citations of the first quote; further ones have one: an answer is to be read at a glance
MARGIN = 2.5  # a further quote scores at most this much (logit) below the best one
WITNESS_MARGIN = 5.0  # one that says the same may score less
SAME = 0.8  # cosine from which two sentences say the same
RELATED = 0.5  # and from which they do when they hold the same short answer


@dataclass(frozen=True)
class Quote:
    """One claim: the sentence that is quoted first, and those of other articles that say the same."""

    evidence: tuple[ReadSentence, ...]

    @property
    def text(self) -> str:
        return self.evidence[0].sentence.text


def choose(evidence: Sequence[ReadSentence]) -> Iterator[Quote]:
    """One to MAX_QUOTES quotes, best first. Nothing is said twice: what repeats a quote is its witness."""
    if not evidence:
        return
    best = evidence[0].score
    left = [item for item in evidence if item.score >= best - WITNESS_MARGIN]
    for found in range(MAX_QUOTES):
        if not left or left[0].score < best - MARGIN:
            return
        lead = left[0]
        witnesses = {lead.source.file: lead}  # the best of each article
        rest = []
        for item in left[1:]:
            if agree(lead, item):
                witnesses.setdefault(item.source.file, item)
            else:
                rest.append(item)
        yield Quote(tuple(witnesses.values())[: 1 if found else MAX_WITNESSES])
        left = rest


def short_answer(quote: Quote, question: str) -> str | None:
    """The words of a quote that answer the question, when the reader sees such words and they are not the
    question's own."""
    lead = quote.evidence[0]
    new = _words(lead.short_answer) - _words(question)
    return lead.short_answer if lead.span_score > 0 and new else None


def agree(one: ReadSentence, other: ReadSentence) -> bool:
    """Whether the second sentence says what the first does: near in meaning and, where the first holds a short
    answer, with the same words in it."""
    near = float(one.vector @ other.vector)
    if one.span_score <= 0:
        return near >= SAME
    answer = _words(one.short_answer)
    return near >= RELATED and bool(answer) and answer <= _words(other.sentence.text)


_ARTICLES = frozenset(("a", "an", "the"))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower())) - _ARTICLES
