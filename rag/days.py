"""The dates of a claim against the dates of its sources: those they name, and those that "on Thursday" stands for."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from index.dates import MONTHS, NamedDate, named_dates
from rag.grounds import Checked, Grounds, missing
from rag.names import WEEKDAYS
from rag.quantities import quantities

_WEEKDAY = re.compile(rf"\b(?:(last|next) )?({'|'.join(WEEKDAYS)})\b", re.IGNORECASE)
_NEAR_DAYS = (
    (re.compile(r"\b(?:today|tonight|this (?:morning|afternoon|evening))\b", re.IGNORECASE), 0),
    (re.compile(r"\b(?:yesterday|last night)\b", re.IGNORECASE), -1),
    (re.compile(r"\btomorrow\b", re.IGNORECASE), 1),
)
_OF_LAST_WEEK = 30  # characters: "on Monday and Thursday of last week"
_MONTH = "|".join(MONTHS)
_RANGES = (
    (re.compile(rf"\b(\d\d?) ?(?:-|to|and|or|until) ?(\d\d?) ({_MONTH})\b", re.IGNORECASE), r"\1 \3, \2 \3"),
    (re.compile(rf"\b({_MONTH}) (\d\d?) ?(?:-|to|and|or|until) ?(\d\d?)\b(?!\d)", re.IGNORECASE), r"\1 \2, \1 \3"),
)


def spread(text: str) -> str:
    """ "3 to 5 March" as "3 March, 5 March", and 9/11 as the day that it was."""
    text = re.sub(r"\b9/11\b", "11 September", text)
    for pattern, both in _RANGES:
        text = pattern.sub(both, text)
    return text


def spoken(text: str, published: date | None) -> Iterator[date]:
    """The days that the words of an article stand for: today, on Thursday, last Monday, two days ago."""
    if published is None:
        return
    for pattern, offset in _NEAR_DAYS:
        if pattern.search(text):
            yield published + timedelta(offset)
    for found in _WEEKDAY.finditer(text):
        back = (published.weekday() - WEEKDAYS.index(found[2].lower())) % 7
        latest, weeks = published - timedelta(back), (0, 1)  # the latest one or, of what is to come, the next one
        if "last week" in text[found.end() : found.end() + _OF_LAST_WEEK]:
            weeks = (-1,) if back <= published.weekday() else (0,)
        elif found[1]:
            weeks = (-1, 0) if found[1].lower() == "last" else (1, 2)
        yield from (latest + timedelta(7 * week) for week in weeks)
    for ago in quantities(text):
        if ago.unit in ("day", "week") and re.match(r"\W*(?:ago|earlier)\b", text[ago.end :]) and ago.value < 5000:
            yield published - timedelta(seconds=ago.measure[1])


def dates(text: str, published: date | None) -> Iterator[NamedDate]:
    """All dates of a text, a year filled in from its article where it names none."""
    for named in named_dates(spread(text)):
        yield NamedDate(named.month, named.day, named.year or (published.year if published else None))
    yield from (NamedDate(day.month, day.day, day.year) for day in spoken(text, published))


def known_years(cited: Sequence[Grounds]) -> set[int]:
    """The years that the articles are of, and those that "last year" and "next year" stand for in them."""
    told = [(one.published.year, one.text.lower()) for one in cited if one.published]
    offsets = (("", 0), ("last year", -1), ("next year", 1))
    return {year + offset for year, text in told for words, offset in offsets if words in text}


def check_dates(claim: str, cited: Sequence[Grounds]) -> Iterator[Checked]:
    """Each date and weekday of a claim that its sources do not name, and each that was worked out from them."""
    own = [named for one in cited for named in dates(one.text, one.published)]
    near = [named for one in cited for named in dates(f"{one.context} {one.heading}", one.published)]
    days = [named for named in own if named.day]
    claimed = tuple(dict.fromkeys(named_dates(spread(claim))))
    said = {found[2].lower() for one in cited for found in _WEEKDAY.finditer(one.text)}
    # the article's own date may stand beside the day that its sentence names, but not for it
    placed = any(_agree(one, other) for one in claimed for other in own) or any(day in claim.lower() for day in said)
    for named in claimed:
        if any(_agree(named, other) for other in own):
            continue
        if not any(_agree(named, other) for other in near):
            yield missing(_in_words(named), cited, _in_words(days[0]) if days else "")
        elif days and named.day and not placed:
            yield Checked("partly", f'"{_in_words(named)}" is near the cited sentence, which says {_in_words(days[0])}')
    for day in sorted({found[2].lower() for found in _WEEKDAY.finditer(claim)} - said):
        fitting = next((named for named in (*own, *near) if _weekday(named) == day), None)
        if said or not fitting:
            yield missing(day.capitalize(), cited, min(said).capitalize() if said else "")
        else:
            yield Checked("supported", f"{_in_words(fitting)} was a {day.capitalize()}")


def _weekday(named: NamedDate) -> str | None:
    try:
        return WEEKDAYS[date(named.year or 0, named.month, named.day or 0).weekday()]
    except ValueError:  # not told to the day, or 31 February
        return None


def _agree(claimed: NamedDate, known: NamedDate) -> bool:
    return (
        claimed.month == known.month
        and claimed.day in (None, known.day)
        and (claimed.year is None or known.year is None or claimed.year == known.year)
    )


def _in_words(named: NamedDate) -> str:
    parts = (named.day, MONTHS[named.month - 1].capitalize(), named.year)
    return " ".join(str(part) for part in parts if part)
