"""What a question asks for in words that can be checked: a number, a time or a name as the answer, and which names.

The reading model knows this only roughly. A question for a length of time is not answered by a sentence without one,
and a passage that never names Angela Merkel does not say what she thought.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.dates import MONTHS, without_dates

_NUMBER = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|dozens?|hundreds?|thousands?|millions?|billions?|"
    r"half|third|quarter|twice|once|several|no)\b"
)
_UNIT = r"(?:second|minute|hour|day|week|month|year|decade|centur)"
_WHEN = (
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d|"
    r"\d (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b(?:1[5-9]|20)\d\d\b|\d\d?(?::\d\d)? ?[ap]\.?m|"
    r"\b(?:yesterday|today|tomorrow|tonight|morning|evening|night|noon|spring|summer|autumn|winter|century|ago|"
    r"(?:last|next|this) (?:week|month|year))\b"
)
_HOW_MUCH = r"\bhow (?:many|much|often|far|large|big|high|tall)\b|\bwhat (?:number|share|percentage)\b"


@dataclass(frozen=True)
class Kind:
    """What the answer to a kind of question holds. `missing` is how a sentence without it counts (with it: 1)."""

    asked: re.Pattern[str]
    held: re.Pattern[str]
    missing: float

    def fit(self, text: str) -> float:
        return 1.0 if self.held.search(text) else self.missing


# The first that matches counts. A sentence without a quantity cannot tell how much; one without a capital may tell who.
_KINDS = (
    Kind(
        re.compile(r"\bhow (?:long|old)\b|\bhow many (?:minutes|hours|days)\b", re.IGNORECASE),
        re.compile(rf"(?:{_NUMBER})[\w -]{{0,12}}{_UNIT}|\ban? (?:half[ -])?{_UNIT}", re.IGNORECASE),
        -1.0,
    ),
    Kind(re.compile(_HOW_MUCH, re.IGNORECASE), re.compile(_NUMBER, re.IGNORECASE), -1.0),
    Kind(
        re.compile(r"\bwhen\b|\b(?:what|which) (?:date|day|year|month|time)\b", re.IGNORECASE),
        re.compile(_WHEN, re.IGNORECASE),
        0.0,
    ),
    Kind(
        re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE),
        re.compile(r"(?<!^)(?<![.!?] )(?<!“)(?<!\")\b[A-Z][\w’'-]+"),
        0.0,
    ),
)
_NAME = re.compile(r"(?<!^)(?<![.!?(:] )(?<![(“\"])\b(?:[A-Z][\w’'-]*\w|\d[\d.,]*\d)\b")
_STEM = 5  # characters: German and Germany, Ukraine and Ukrainian


def expected(question: str) -> Kind | None:
    """The kind of answer that a question asks for, or None when it does not tell."""
    return next((kind for kind in _KINDS if kind.asked.search(question)), None)


def names(question: str) -> tuple[str, ...]:
    """Stems of the names and numbers of a question, dates apart: capitalised words that do not open it."""
    found = (re.sub(r"[’']s?$", "", name).lower() for name in _NAME.findall(without_dates(question)))
    parts = (part for name in found for part in re.split(r"[-’']", name))
    return tuple(dict.fromkeys(part[:_STEM] for part in parts if len(part) > 1 and part not in MONTHS))


def share_named(stems: Sequence[str], text: str) -> float:
    """Share of the stems that begin a word of the text; 1 when there are none to look for."""
    words = {word[:_STEM] for word in re.findall(r"[^\W_]+", text.lower())}
    return sum(stem in words for stem in stems) / len(stems) if stems else 1.0
