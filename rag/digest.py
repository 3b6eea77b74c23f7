"""Evidence -> a short digest, for questions that ask what happened rather than for one fact.

What is central to the evidence (centroid similarity: Radev et al. 2004, "Centroid-based summarization of multiple
documents"), answers what is asked, stands early in its article, and adds to what was chosen before (maximal marginal
relevance: Carbonell and Goldstein 1998), in the order of date and text.
"""

import re
from collections.abc import Sequence

import numpy as np

from index.archive import Archive
from index.dates import fits_any, named_dates, without_dates
from index.embed import embed
from index.metadata import HEAD_LINES
from index.search import STOP_WORDS, Hit, content_words
from index.sentences import is_statement
from rag.events import apart, days, moments, published
from rag.polarity import is_negated
from rag.quotes import SAME, Quote
from rag.reader import ReadSentence
from rag.speech import asked_for, reports

SENTENCES = 5
BUDGET = 20  # of the sentences nearest to a topic; without a topic all of them count
WORTH = 0.5  # share of the most relevant sentence's relevance, and of the best one's worth, that all need

# What a sentence is worth: weights of values up to 1, round numbers.
RELEVANT = 2.0  # half the reader's score, half the likeness to the question
LOGITS = 5.0  # below the best score at which a sentence is a third as relevant
CENTRAL = 1.5  # cosines to the centroid lie close together
EARLY = 0.7  # news says the most important first
FULL = 0.3  # for content words, ...
FULL_WORDS = 12  # ... from this many on all of it
DANGLING = 0.8  # less for a sentence that opens with "He" or "This": without the one before it nobody is meant
REPEATS = 0.7  # less for each unit of cosine to the nearest sentence already chosen

_ASKS = re.compile(
    r"\s*(?:please\s+)?(?:what (?:happened|is known|do we know|has happened|was said)\b|summar|list\b|outline\b|"
    r"describe\b|recap|timeline|overview|tell me (?:about|what)|give (?:me )?(?:an? )?(?:short )?(?:overview|summary))",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(r"\b(?:give an overview|in summary|summarise|summarize)\b", re.IGNORECASE)


def asks_for_digest(question: str) -> bool:
    """ "What happened on …", "Summarise …", "List …", "Give an overview of …"."""
    return bool(_ASKS.match(question) or _ANYWHERE.search(question))


_WORDING = re.compile(  # what such a question is made of besides its topic
    r"\b(?:what|has|have|happen\w*|known|know|said|events?|summar\w*|list|outline|describe|recap|timeline|overview|short|"
    r"brief|give|tell|articles?|news|stor(?:y|ies)|reports?|day|everything|main|key|points?|all)\b",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"[\W_]*(?:(?:but|and|however|then|meanwhile),? )?(?:he|she|it|they|his|her|their|this|that|these|those)\b", re.I
)


def topic(question: str) -> list[str]:
    """The words of a digest's question that tell what it is to be about, besides a date; none: all there is."""
    words = content_words(_WORDING.sub(" ", without_dates(question)))
    return [word for word in words if word not in STOP_WORDS]


def is_told(question: str, sentences: Sequence[ReadSentence]) -> bool:
    """Whether what was read of one article holds every word of the topic: the reader knows questions, no requests."""
    held: dict[str, set[str]] = {}
    for item in sentences:
        words = held.setdefault(item.source.file, set(content_words(item.source.metadata.title or "")))
        words.update(content_words(item.sentence.text))
    return any(words.issuperset(topic(question)) for words in held.values())


def leads(archive: Archive, question: str, count: int) -> list[Hit]:
    """Up to `count` passages, the first ones of the articles of the days that a question without a topic names; of
    the latest articles when it names no day. Its words would find nothing: "What happened on 3 March?"."""
    asked = named_dates(question)
    sources = [one for one in archive.sources() if not asked or fits_any(asked, one.metadata.date, "")]
    sources = sorted(sources, key=lambda one: one.metadata.date or "", reverse=True)[:count]
    passages = [passage for one in sources for passage in archive.passages_of(one.file, count // len(sources))]
    vectors, asking = archive.vectors([passage.id for passage in passages]), embed([question])[0]
    rows = [vectors[passage.id][1:] for passage in passages]
    return [Hit(passage, 0.0, near @ asking, near) for passage, near in zip(passages, rows, strict=True)]


def digest(sentences: Sequence[ReadSentence], question: str) -> list[Quote]:
    """Up to SENTENCES quotes in the order of date and place; none when no statement fits what is asked for.

    `sentences` are all that were read, best first: what is central is seen in all of them.
    """
    fitting = [item for item in sentences if is_statement(item.sentence.text) and _of_the_days(item, question)]
    if speaker := asked_for(question):
        fitting = [item for item in fitting if reports(speaker, item.sentence.text)]
    about = bool(topic(question))
    fitting = fitting[: BUDGET if about else None]
    if not fitting:
        return []
    chosen = _varied(fitting, _worth(fitting, about))
    return sorted((Quote(tuple(items)) for items in chosen), key=_place)


def _of_the_days(item: ReadSentence, question: str) -> bool:
    """Whether a sentence tells of a day asked for: its article is of that day and it names no other one."""
    asked = named_dates(question)
    if not asked:
        return True
    told = days(item.sentence.text, published(item))
    return not apart(moments(question, None), told) and fits_any(asked, item.source.metadata.date, item.sentence.text)


def _worth(items: Sequence[ReadSentence], about: bool) -> np.ndarray:
    """(n,) what each sentence is worth on its own."""
    scores, near = np.array([item.score for item in items]), np.array([item.similarity for item in items])
    relevant = (np.exp((scores - scores.max()) / LOGITS) + near / max(near.max(), 0.01)) / 2 * about
    vectors = np.stack([item.vector for item in items])
    centroid = (relevant + 0.1) @ vectors
    central = vectors @ centroid / np.linalg.norm(centroid)
    opening = {item.source.file: item.sentence.number for item in sorted(items, key=lambda one: -one.sentence.number)}
    above = [first if (first := opening[item.source.file]) <= HEAD_LINES else 1 for item in items]  # menus, captions
    early = np.array([3 / (3 + item.sentence.number - first) for item, first in zip(items, above, strict=True)])
    full = np.array([min(1.0, len(content_words(item.sentence.text)) / FULL_WORDS) for item in items])
    dangling = np.array([bool(_DANGLING.match(item.sentence.text)) for item in items])
    worth = RELEVANT * relevant + CENTRAL * central + EARLY * early + FULL * full - DANGLING * dangling
    return np.where(relevant >= WORTH * relevant.max(), worth, 0.0)


def _varied(items: Sequence[ReadSentence], worth: np.ndarray) -> list[list[ReadSentence]]:
    """The sentences chosen one by one, each with those of other articles that say the same."""
    vectors = np.stack([item.vector for item in items])
    repeats = np.zeros(len(items))
    left = {place for place in range(len(items)) if worth[place] >= WORTH * worth.max()}
    chosen: list[list[ReadSentence]] = []
    while left and len(chosen) < SENTENCES:
        best = max(left, key=lambda place: (worth[place] - REPEATS * repeats[place], -place))
        same = [place for place in sorted(left - {best}) if _repeats(items[best], items[place])]
        files = {items[best].source.file: items[best]}
        for item in (items[place] for place in same):
            files.setdefault(item.source.file, item)
        chosen.append(list(files.values()))
        left -= {best, *same}
        repeats = np.maximum(repeats, vectors @ vectors[best])
    return chosen


def _repeats(one: ReadSentence, other: ReadSentence) -> bool:
    """Whether two sentences say the same as a whole: they were not read for a short answer."""
    return float(one.vector @ other.vector) >= SAME and is_negated(one.sentence.text) == is_negated(other.sentence.text)


def _place(quote: Quote) -> tuple[str, str, int]:
    first = quote.evidence[0]
    return first.source.metadata.date or "9999", first.source.file, first.sentence.number
