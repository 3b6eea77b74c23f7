"""Sentence -> the event that it tells of, as far as days, ordinals and names tell: another day's call is another."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from index.dates import REPORTED_WITHIN
from index.search import content_words
from rag.days import dates
from rag.names import WEEKDAYS, Known
from rag.reader import ReadSentence
from rag.speech import without_attribution
from rag.words import plain

UNDATED = 0.6  # cosine from which sentences are of one event when the dates of their articles are not known

_ORDINAL = re.compile(
    r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|previous|next)\b", re.IGNORECASE
)
_WEEKDAY = re.compile(rf"\b({'|'.join(WEEKDAYS)})s?\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


# Words for a state that another sentence may not be in.
_STATE = re.compile(
    r"\b(?:before|earlier|previous(?:ly)?|former(?:ly)?|initial(?:ly)?|original(?:ly)?|once|plan(?:s|ned)?|proposed|propos(?:al|es)|"
    r"would|could|might|until|deputy|vice|acting|designate|candidate|no longer|ago|expect\w*|forecast|target|used to|"
    r"half|each|per|average|total|altogether|additional|another|almost|partly)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Told:
    """A sentence that answers a question, the words of it that are the answer, and what else its article says."""

    item: ReadSentence
    answer: str
    article: str

    @property
    def before(self) -> str:
        return self.item.sentence.text.partition(self.answer)[0]

    @property
    def rest(self) -> str:
        """The sentence without its answer, and without who says it."""
        return without_attribution(self.item.sentence.text.replace(self.answer, " ", 1))


@dataclass(frozen=True)
class Moment:
    """A date as far as it is told. A weekday is known by its name where its article has no date."""

    year: int | None = None
    month: int | None = None
    day: int | str | None = None

    def differs(self, other: "Moment") -> bool:
        """Whether something that both tell is not the same."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return any(one and two and one != two for one, two in pairs)


def moments(text: str, published: date | None) -> tuple[Moment, ...]:
    """All dates that the words of a text can stand for: "on Thursday" is this week's or next week's."""
    found = [Moment(named.year, named.month, named.day) for named in dates(text, published)]
    if published is None:
        found += [Moment(day=day.lower()) for day in _WEEKDAY.findall(text)]
    return tuple(found) or tuple(Moment(int(year)) for year in _YEAR.findall(text))


def days(text: str, published: date | None) -> tuple[Moment, ...]:
    """Those that are told to the day."""
    return tuple(moment for moment in moments(text, published) if moment.day)


def apart(one: Sequence[Moment], other: Sequence[Moment]) -> bool:
    """Whether both tell dates and share none."""
    return bool(one and other) and all(mine.differs(theirs) for mine in one for theirs in other)


def published(item: ReadSentence) -> date | None:
    """The date of the article of a sentence, where it is known."""
    try:
        return date.fromisoformat(item.source.metadata.date or "")
    except ValueError:
        return None


def same_event(one: Told, other: Told, question: str) -> bool:
    """Whether two sentences of different articles can tell of one thing that is asked; when in doubt they do not."""
    if not published_together(one.item, other.item):
        return False
    if apart(moments(one.rest, published(one.item)), moments(other.rest, published(other.item))):
        return False
    ordinals = [{found.lower() for found in _ORDINAL.findall(told.rest)} for told in (one, other)]
    if all(ordinals) and ordinals[0].isdisjoint(ordinals[1]):
        return False
    if _parts(one, question) != _parts(other, question):
        return False
    return not (_strangers(one, other) and _strangers(other, one))


def _parts(told: Told, question: str) -> set[str]:
    """What makes a sentence one of another state, or of a part or a member of what is asked for: "the former mayor",
    "a plan", "the engine of the ferry"."""
    words = content_words(question)
    asked = "|".join(map(re.escape, words))
    heads = re.findall(rf"(\w+) of (?:(?:the|an?|its|this) )?(?:\w+ )?(?:{asked})\b", told.before, re.IGNORECASE)
    owned = re.findall(rf"\b(?:{asked})[’']s (\w+)", told.before, re.IGNORECASE)
    return {word.lower() for word in (*heads, *owned, *_STATE.findall(told.item.sentence.text))} - set(words)


def published_together(one: ReadSentence, other: ReadSentence) -> bool:
    """Whether the articles of two sentences can report on one event."""
    dates = published(one), published(other)
    if dates[0] is None or dates[1] is None:
        return float(one.vector @ other.vector) >= UNDATED
    return abs(dates[0] - dates[1]) <= REPORTED_WITHIN


def _strangers(one: Told, other: Told) -> bool:
    """Whether a sentence names somebody or some place that the other article does not."""
    held = Known(plain(f"{other.article} {one.answer}"))
    return any(not held.holds(name) for name in Known(plain(one.rest)).names)
