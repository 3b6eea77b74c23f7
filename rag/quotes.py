"""Evidence -> quotes, without a language model: the best sentences word for word, those that agree cited together."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.amounts import amounts
from rag.events import apart, days, published
from rag.facts import day, number, person
from rag.polarity import asks_yes_no, is_negated, polarity
from rag.reader import ReadSentence
from rag.speech import is_reported

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
    question's own. To a yes/no question "Yes" or "No", and only where all that is cited plainly says so itself."""
    lead = quote.evidence[0]
    if asks_yes_no(question):
        told = [
            None if is_reported(text := item.sentence.text) else polarity(question, text) for item in quote.evidence
        ]
        said = {one and one.yes for one in told}
        return "Yes" if said == {True} else "No" if said == {False} else None
    new = _words(lead.short_answer) - _words(question)
    return lead.short_answer if lead.span_score > 0 and new else None


def agree(one: ReadSentence, other: ReadSentence) -> bool:
    """Whether the second sentence says what the first does: near in meaning, of no other day and, where the first
    holds a short answer, with the same amount, date, person or words in it; not its opposite."""
    near, mine, theirs = float(one.vector @ other.vector), one.sentence.text, other.sentence.text
    if near < RELATED or apart(days(mine, published(one)), days(theirs, published(other))):
        return False
    opposite = is_negated(mine) != is_negated(theirs)
    if one.span_score <= 0:
        differs = any(amount.differs(found) for amount in amounts(mine) for found in amounts(theirs))
        return near >= SAME and not opposite and not differs
    if fact := number(one) or day(one) or person(one):
        return fact.value.stands_in(other)
    words = _words(one.short_answer)
    return not opposite and bool(words) and words <= _words(theirs)


_ARTICLES = frozenset(("a", "an", "the"))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower())) - _ARTICLES
