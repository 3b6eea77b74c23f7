"""Sentence -> the fact in its short answer: an amount, a date or a person, by which articles can be compared."""

import re
from dataclasses import dataclass

from rag.amounts import Amount, amounts
from rag.events import Moment, apart, moments, published
from rag.names import Known, names
from rag.polarity import Says, polarity
from rag.reader import ReadSentence
from rag.speech import without_attribution
from rag.words import plain

_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Sir|Lord|Lady|President|Mayor|Minister|Chancellor|Senator|Governor|Pope|King|Queen)\.? $"
)


@dataclass(frozen=True)
class _Number:
    amount: Amount

    def differs(self, other: "Value") -> bool:
        return isinstance(other, _Number) and self.amount.differs(other.amount)

    def stands_in(self, item: ReadSentence) -> bool:
        return any(self.amount.agrees(found) for found in amounts(item.sentence.text))


@dataclass(frozen=True)
class _Date:
    moments: tuple[Moment, ...]  # that the words can stand for

    def differs(self, other: "Value") -> bool:
        return isinstance(other, _Date) and apart(self.moments, other.moments)

    def stands_in(self, item: ReadSentence) -> bool:
        found = moments(item.sentence.text, published(item))
        return bool(found) and not apart(self.moments, found)


@dataclass(frozen=True)
class _Person:
    roots: tuple[str, ...]  # the last one is the surname

    def differs(self, other: "Value") -> bool:
        return isinstance(other, _Person) and set(self.roots).isdisjoint(other.roots)

    def stands_in(self, item: ReadSentence) -> bool:
        return self.roots[-1] in Known(plain(item.sentence.text)).roots


@dataclass(frozen=True)
class _YesOrNo:
    question: str
    yes: bool

    def differs(self, other: "Value") -> bool:
        return isinstance(other, _YesOrNo) and self.yes != other.yes

    def stands_in(self, item: ReadSentence) -> bool:
        said = yes_or_no(self.question, item)
        return said is not None and said.yes == self.yes


# An answer of one of these kinds: `differs` tells whether both cannot be right, `stands_in` whether a sentence holds
# the same, however it is written.
Value = _Number | _Date | _Person | _YesOrNo


@dataclass(frozen=True)
class Fact:
    """A value and the words of its sentence that give it."""

    words: str
    value: Value
    item: ReadSentence


def number(item: ReadSentence) -> Fact | None:
    """The one amount that its short answer touches."""
    text, (start, end) = item.sentence.text, item.span
    asked = [found for found in amounts(text) if found.start < end and found.end > start]
    if len(asked) != 1:
        return None
    return Fact(text[min(start, asked[0].start) : max(end, asked[0].end)], _Number(asked[0]), item)


def day(item: ReadSentence) -> Fact | None:
    """The date in its short answer."""
    found = moments(item.short_answer, published(item))
    return Fact(item.short_answer, _Date(found), item) if found else None


def person(item: ReadSentence) -> Fact | None:
    """A first and last name, or a title and a name: "the Kremlin" and "Putin" may be the same."""
    short, before = item.short_answer, item.sentence.text[: item.span[0]]
    found = list(names(plain(f"it is {short}")))  # within a sentence every capital counts
    if len(found) != 1 or before.lower().endswith("the "):
        return None
    place = short.find(found[0].words[0])
    full = len(found[0].words) > 1 or (place >= 0 and _TITLED.search(before + short[:place]))
    return Fact(short, _Person(found[0].roots), item) if full else None


def answer(question: str, item: ReadSentence) -> Fact | None:
    """Yes or no, with the words that say it."""
    said = yes_or_no(question, item)
    return Fact(said.words, _YesOrNo(question, said.yes), item) if said and said.words in item.sentence.text else None


def yes_or_no(question: str, item: ReadSentence) -> Says | None:
    """What a sentence says to a yes/no question, whoever says it."""
    return polarity(question, without_attribution(item.sentence.text))
