"""Evidence -> differences: where articles answer the question about one event with another number, date or name.

Rather nothing than a false alarm: two sentences differ only when both answer the question with confidence, their values
are of one kind and exclude each other, neither article holds the other's value as well (one may correct itself),
and no day, ordinal or name tells that they are of different events.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.search import content_words
from index.sentences import is_statement
from rag.events import Told, published_together, same_event
from rag.facts import Fact, answer, day, number, person
from rag.names import root
from rag.polarity import asks_yes_no
from rag.quotes import MAX_WITNESSES, RELATED, WITNESS_MARGIN, Quote
from rag.reader import ReadSentence
from rag.speech import asks_who_said, is_reported, speaker
from rag.types import Citation, Disagreement, Side

MAX_SIDES = 3

_WHEN = re.compile(r"\bwhen\b|\b(?:what|which) (?:date|day|year|month)\b", re.IGNORECASE)
# Questions with one right name: several may attend or speak, one is the mayor.
_WHO = re.compile(
    r"\bwho (?:(?:is|was|will be|became|becomes) (?:the |its |their |his |her |[A-Z]\S*[’']s )|(?:"
    r"won|wins|leads|led|heads|headed|chairs|chaired|founded|invented|discovered|wrote|directed|composed|designed|owns|commands|commanded|"
    r"initiated|requested|started|captains|captained|succeeds|succeeded|replaces|replaced|hosts|hosted)\b)",
    re.IGNORECASE,
)
_ANY_WHO = re.compile(r"\bwh(?:o|ose|om|y|ere)\b", re.IGNORECASE)
# A speaker who is told from others: a name, or somebody's source. "The president" may be anyone's.
_VOICE = re.compile(r"(?:\b[A-ZÀ-Þ][\w’'-]+|source|aide|official|adviser|diplomat|spokes\w+|ministry|office)$")


@dataclass(frozen=True)
class Version:
    """What one side says, word for word from its first sentence, and the sentences that say it, one per article."""

    says: str
    evidence: tuple[ReadSentence, ...]


@dataclass(frozen=True)
class Difference:
    """A disagreement before its sentences have numbers in an answer."""

    about: str
    sides: tuple[Version, ...]

    def cited(self, citations: Sequence[Citation]) -> Disagreement:
        """With the numbers that its sentences have among the citations of an answer."""
        numbers = {(citation.file, citation.sentence): citation.number for citation in citations}
        sides = []
        for side in self.sides:
            held = (numbers.get((item.source.file, item.sentence.number)) for item in side.evidence)
            sides.append(Side(side.says, tuple(number for number in held if number)))
        return Disagreement(self.about, tuple(sides))


def differences(question: str, evidence: Sequence[ReadSentence]) -> tuple[Difference, ...]:
    """On what the articles disagree that the question asks for: nothing, or one thing with two or three sides."""
    if asks_who_said(question):
        sides = _misheaded(question, evidence)
    else:
        sides = _sides(_facts(question, evidence), _by_file(evidence), question)
    return (Difference(question.strip().rstrip("?"), tuple(sides[:MAX_SIDES])),) if len(sides) > 1 else ()


def with_sides(quotes: Sequence[Quote], found: Sequence[Difference]) -> list[Quote]:
    """The quotes of an answer, and one more for each side of a difference that none of them gives."""
    held = {(item.source.file, item.sentence.number) for quote in quotes for item in quote.evidence}
    missing = [
        Quote(side.evidence[:MAX_WITNESSES])
        for difference in found
        for side in difference.sides
        if held.isdisjoint((item.source.file, item.sentence.number) for item in side.evidence)
    ]
    return [*quotes, *missing]


def _facts(question: str, evidence: Sequence[ReadSentence]) -> list[Fact]:
    """The best fact of each article, best first."""
    found: dict[str, Fact] = {}
    for item in evidence:
        near = item.dated and item.score >= evidence[0].score - WITNESS_MARGIN
        if near and is_statement(item.sentence.text) and (fact := _fact(question, item)):
            found.setdefault(item.source.file, fact)
    return list(found.values())


def _fact(question: str, item: ReadSentence) -> Fact | None:
    if asks_yes_no(question):
        return answer(question, item)
    if item.span_score <= 0:
        return None
    if _WHEN.search(question):
        return day(item)
    if _ANY_WHO.search(question):
        return person(item) if _WHO.search(question) else None
    return number(item)


def _by_file(evidence: Sequence[ReadSentence]) -> dict[str, list[ReadSentence]]:
    files: dict[str, list[ReadSentence]] = {}
    for item in evidence:
        files.setdefault(item.source.file, []).append(item)
    return files


def _sides(facts: Sequence[Fact], articles: Mapping[str, Sequence[ReadSentence]], question: str) -> list[Version]:
    """The first fact and those that exclude it, each with the facts that agree; what does neither is left out."""
    sides: list[list[Fact]] = []
    for fact in facts:
        alike = (side for side in sides if fact.value.stands_in(side[0].item))
        if side := next(alike, None):
            if published_together(fact.item, side[0].item):
                side.append(fact)
        elif all(_exclude(side[0], fact, articles, question) for side in sides):
            sides.append([fact])
    return [Version(side[0].words, tuple(fact.item for fact in side)) for side in sides]


def _exclude(one: Fact, other: Fact, articles: Mapping[str, Sequence[ReadSentence]], question: str) -> bool:
    """Whether two articles cannot both be right."""
    if not one.value.differs(other.value) or float(one.item.vector @ other.item.vector) < RELATED:
        return False
    mine, theirs = articles[one.item.source.file], articles[other.item.source.file]
    if any(map(one.value.stands_in, theirs)) or any(map(other.value.stands_in, mine)):
        return False
    told = Told(one.item, one.words, _text(mine)), Told(other.item, other.words, _text(theirs))
    return same_event(*told, question)


def _text(items: Sequence[ReadSentence]) -> str:
    return " ".join([items[0].source.metadata.title or "", *(item.sentence.text for item in items)])


def _misheaded(question: str, evidence: Sequence[ReadSentence]) -> list[Version]:
    """Words that a headline gives to one, and the text below it only to others: the headline, then each of those."""
    asked = {word for word in content_words(question) if not is_reported(word)}
    voiced = [
        (item, who)
        for item in evidence
        if len(asked) > 1 and asked <= set(content_words(item.sentence.text)) and (who := speaker(item.sentence.text))
    ]
    for headline, claimed in voiced:
        near = [(item, who) for item, who in voiced if published_together(item, headline)]
        below = [who for item, who in voiced if item.source == headline.source and is_statement(item.sentence.text)]
        if is_statement(headline.sentence.text) or not below:
            continue
        if any(_same_voice(claimed, who) or not _VOICE.search(who) for who in below):
            continue
        sides = {claimed: [headline]}
        for item, who in near:
            if is_statement(item.sentence.text) and _VOICE.search(who) and not _same_voice(claimed, who):
                sides.setdefault(next((side for side in sides if _same_voice(side, who)), who), []).append(item)
        return [Version(who, tuple(items)) for who, items in sides.items()]
    return []


def _same_voice(one: str, other: str) -> bool:
    return not {root(word) for word in one.split()}.isdisjoint(root(word) for word in other.split() if word != "The")
