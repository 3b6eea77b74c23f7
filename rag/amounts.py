"""Text -> amounts: quantities as ranges, with what they count, so that texts can be compared.

"About ninety minutes", "a 90-minute call" and "an hour and a half" agree, "more than one million" is not against
"1.2 million", and twelve people killed are not against thirty injured.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from index.dates import MONTHS
from index.search import STOP_WORDS
from rag.quantities import quantities
from rag.words import lemma

_LONGEST_BEFORE = 24  # characters that are looked at before a number
EXACT = 0.025  # share by which a plain number may be rounded, either way
COUNTED = 4  # words behind a number in which to look for what it counts

# What news counts most, under its several names.
_SAME = {
    **dict.fromkeys("killed killing died dead death deaths fatalities lives".split(), "dead"),
    **dict.fromkeys("injured injuring wounded hurt injuries".split(), "injured"),
    **dict.fromkeys("arrested arresting detained arrests detentions".split(), "arrested"),
}
_PEOPLE = frozenset(map(lemma, ("people", "person", "men", "women")))  # counted in every way: no kind of their own
_COARSE = ("week", "month", "year", "decade", "century")  # "six weeks" are so many to the nearest week
_VAGUE = re.compile(r"\b(?:few|several|many|couple of|couple) $", re.IGNORECASE)
_RANGE = re.compile(r"\s?[-–—]\s?| to | and ")
_SHORT_MONTHS = "|".join(month[:3] for month in MONTHS)
_MONTH_BEFORE = re.compile(rf"\b(?:{_SHORT_MONTHS})[a-z]*\.? $", re.IGNORECASE)
_MONTH_AFTER = re.compile(rf"(?:st|nd|rd|th)?(?: of)? (?:{_SHORT_MONTHS})", re.IGNORECASE)
_NAMED = re.compile(r"(?:19|20)\d\d|\d+:\d+")
_PHRASE_ENDS = re.compile(
    r"[.,;:()“”\"–—\d]|\s-|\b(?:on|in|at|by|after|before|during|from|for|with|near|since|as|and|but|who|when|while)\b"
)


@dataclass(frozen=True)
class Amount:
    """A range of what `kinds` name: stems of the words that may be counted, or one unit of measure or money."""

    start: int  # of the number with what qualifies it ("about"), in the text
    end: int
    low: float
    high: float
    kinds: frozenset[str]

    def agrees(self, other: "Amount") -> bool:
        """The same amount of what may be the same thing."""
        return (not self.kinds or not other.kinds or bool(self.kinds & other.kinds)) and self.meets(other)

    def differs(self, other: "Amount") -> bool:
        """Another amount of the same thing. Two amounts may neither agree nor differ."""
        return bool(self.kinds & other.kinds) and not self.meets(other)

    def meets(self, other: "Amount") -> bool:
        """The same amount, of whatever."""
        return self.low <= other.high and other.low <= self.high


def amounts(text: str) -> tuple[Amount, ...]:
    """The amounts of a text in order. Dates, years, times of day, ordinals and vague words ("hundreds of") are none."""
    found: list[Amount] = []
    for item in _each(text):
        if found and item.kinds and _RANGE.fullmatch(text, found[-1].end, item.start):  # between 40 and 60 people
            last = found.pop()
            item = replace(item, start=last.start, low=min(last.low, item.low), high=max(last.high, item.high))
        found.append(item)
    return tuple(found)


def _each(text: str) -> Iterator[Amount]:
    read = sorted(quantities(text), key=lambda one: (one.start, -one.end))
    for place, item in enumerate(read):
        part = any(one.start <= item.start and item.end <= one.end for one in read[:place])  # of "1 h 30 minutes"
        before, after = text[max(0, item.start - _LONGEST_BEFORE) : item.start], text[item.end :]
        named = _NAMED.fullmatch(item.text) or re.search(r"[^\W\d_]-$", before)  # 2022, 15:33, F-16
        dated = item.unit in ("th", "am", "pm") or _MONTH_BEFORE.search(before) or _MONTH_AFTER.match(after)
        if part or named or dated or _VAGUE.search(before) or (item.vague and not item.unit) or not item.value:
            continue
        below, above = item.shares if item.qualified < item.start else (EXACT, EXACT)
        value = item.measure[1]
        end = item.end if item.unit else item.end + _noun(after)
        kinds = frozenset((item.kind,)) if item.unit else _counted(text[: item.qualified], after)
        unit = value / item.value / 2 if item.unit in _COARSE and item.value % 1 == 0 else 0.0
        yield Amount(item.qualified, end, value * (1 - below) - unit, value * (1 + above) + unit, kinds)


def _counted(before: str, after: str) -> frozenset[str]:
    """Stems of the words that a number without a unit may count; for people, what was done to them."""
    behind = frozenset(_stems(_PHRASE_ENDS.split(after, maxsplit=1)[0])[:COUNTED])
    done = frozenset(_stems(before[-_LONGEST_BEFORE:])[-1:])
    return behind - _PEOPLE or (done or behind if behind else done & frozenset(_SAME.values()))


def _stems(text: str) -> list[str]:
    words = (word for word in re.findall(r"[^\W_]+", text.lower()) if word not in STOP_WORDS)
    return [_SAME.get(word) or lemma(word) for word in words]


def _noun(after: str) -> int:
    """Characters of the word right behind a number, if it can be what is counted."""
    found = re.match(r" [^\W\d_][\w’'-]*", after)
    return found.end() if found and found.group().strip().lower() not in STOP_WORDS else 0


def mixed_up(claim: str, source: str) -> tuple[str, str] | None:
    """A number of a claim and the other number that its source has for the same thing, where the source has both:
    2,000 civilians died and 350 were injured, instead of the reverse."""
    held = amounts(source)
    for mine in amounts(claim):
        others = [other for other in held if mine.differs(other)]
        if others and any(mine.meets(other) for other in held) and not any(mine.agrees(other) for other in held):
            return claim[mine.start : mine.end], source[others[0].start : others[0].end]
    return None
