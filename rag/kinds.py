"""What a question asks for in words that can be checked: a number, a time or a name as the answer, and which names.

The reading model knows this only roughly. A question for a length of time is not answered by a sentence without one,
and a passage that never names Angela Merkel does not say what she thought.
"""

import re
from collections.abc import Sequence

from index.dates import MONTHS, without_dates

_NUMBER = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|"
    r"billions?|half|third|quarter|twice|once|several|no)\b"
)
_UNIT = r"(?:second|minute|hour|day|week|month|year|decade|centur)"
_WHEN = (
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d|"
    r"\d (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b(?:1[5-9]|20)\d\d\b|\d\d?(?::\d\d)? ?[ap]\.?m|"
    r"\b(?:yesterday|today|tomorrow|tonight|morning|evening|night|noon|spring|summer|autumn|winter|century|ago|"
    r"(?:last|next|this) (?:week|month|year))\b"
)
_HOW_MUCH = r"\bhow (?:many|much|often|far|large|big|high|tall)\b|\bwhat (?:number|share|percentage)\b"
# (what the question says, what its answer holds); the first that matches counts
_KINDS = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(held, flags))
    for asked, held, flags in (
        (
            r"\bhow (?:long|old)\b|\bhow many (?:minutes|hours|days)\b",
            rf"(?:{_NUMBER})[\w -]{{0,12}}{_UNIT}",
            re.IGNORECASE,
        ),
        (_HOW_MUCH, _NUMBER, re.IGNORECASE),
        (r"\bwhen\b|\b(?:what|which) (?:date|day|year|month|time)\b", _WHEN, re.IGNORECASE),
        (r"\bwho(?:m|se)?\b", r"(?<!^)(?<![.!?] )(?<!“)(?<!\")\b[A-Z][\w’'-]+", 0),
    )
)
_NAME = re.compile(r"(?<!^)(?<![.!?(:] )(?<![(“\"])\b(?:[A-Z][\w’'-]*\w|\d[\d.,]*\d)\b")
_STEM = 5  # characters: German and Germany, Ukraine and Ukrainian


def expected(question: str) -> re.Pattern[str] | None:
    """A pattern of what the answer must hold, or None when the question does not tell."""
    return next((held for asked, held in _KINDS if asked.search(question)), None)


def names(question: str) -> tuple[str, ...]:
    """Stems of the names and numbers of a question, dates apart: capitalised words that do not open it."""
    found = (re.sub(r"[’']s?$", "", name).lower() for name in _NAME.findall(without_dates(question)))
    parts = (part for name in found for part in re.split(r"[-’']", name))
    return tuple(dict.fromkeys(part[:_STEM] for part in parts if len(part) > 1 and part not in MONTHS))


def share_named(stems: Sequence[str], text: str) -> float:
    """Share of the stems that begin a word of the text; 1 when there are none to look for."""
    words = {word[:_STEM] for word in re.findall(r"[^\W_]+", text.lower())}
    return sum(stem in words for stem in stems) / len(stems) if stems else 1.0
