"""Dates that a question names, and whether a passage fits them.

News repeats itself: several calls, votes or quakes have the same words and different dates. A question that names
a date means the articles of that date, or those that mention it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(
    rf"{month[:3]}(?:{month[3:]}|t)?" if month == "september" else f"{month[:3]}(?:{month[3:]})?" for month in MONTHS
)
_PATTERN = re.compile(
    rf"\b(?:(?P<iso_year>(?:19|20)\d\d)-(?P<iso_month>\d\d)-(?P<iso_day>\d\d)"
    rf"|(?P<day>\d\d?)(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<month>{_MONTH})\b\.?(?:,?\s+(?P<year>(?:19|20)\d\d))?"
    rf"|(?P<month2>{_MONTH})\b\.?(?:\s+(?P<day2>\d\d?)(?:st|nd|rd|th)?\b)?(?:,?\s+(?P<year2>(?:19|20)\d\d))?)",
    re.IGNORECASE,
)
_DATED = re.compile(rf"(?:\b(?:on|of|in|for|from|at)\s+)?(?:the\s+)?{_PATTERN.pattern}", re.IGNORECASE)
REPORTED_WITHIN = timedelta(days=3)  # an event is in the news of its day and of the next few
AHEAD = timedelta(days=1)  # time zones, and articles dated by the day before


def in_words(iso: str | None) -> str:
    """2022-03-03 -> 3 March 2022; "" for None; anything that is not a date stays as it is."""
    try:
        found = date.fromisoformat(iso or "")
    except ValueError:
        return iso or ""
    return f"{found.day} {MONTHS[found.month - 1].capitalize()} {found.year}"


@dataclass(frozen=True)
class NamedDate:
    """A date as far as it is named: day and year may be unknown."""

    month: int
    day: int | None = None
    year: int | None = None


def named_dates(text: str) -> tuple[NamedDate, ...]:
    """All dates that a text names with at least a month. The modal verb "may" and "march on" are not dates."""
    found = []
    for match in _PATTERN.finditer(text):
        name = match["month"] or match["month2"]
        day = match["iso_day"] or match["day"] or match["day2"]
        year = match["iso_year"] or match["year"] or match["year2"]
        if (
            name
            and not day
            and not year
            and (name.lower() in ("may", "march", "mar", "dec", "sep") or name[0].islower())
        ):
            continue
        month = int(match["iso_month"]) if match["iso_month"] else 1 + [m[:3] for m in MONTHS].index(name[:3].lower())
        if 1 <= month <= 12 and (not day or 1 <= int(day) <= 31):
            found.append(NamedDate(month, int(day) if day else None, int(year) if year else None))
    return tuple(found)


def without_dates(text: str) -> str:
    """A text with the dates cut out that `named_dates` finds in it, with the preposition before them."""
    return " ".join(_DATED.sub(lambda match: "" if named_dates(match.group()) else match.group(), text).split())


def fits(named: NamedDate, article_date: str | None) -> bool | None:
    """Whether an article of `article_date` (ISO) can report on a named date; None when its date is not known."""
    try:
        published = date.fromisoformat(article_date or "")
    except ValueError:
        return None
    if named.year and abs(named.year - published.year) > 1:
        return False
    if named.day is None:
        return published.month == named.month and named.year in (None, published.year)
    years = [named.year] if named.year else [published.year, published.year - 1]
    for year in years:
        try:
            event = date(year, named.month, named.day)
        except ValueError:  # 29 February
            continue
        if event - AHEAD <= published <= event + REPORTED_WITHIN:
            return True
    return False


def fits_any(dates: Sequence[NamedDate], article_date: str | None, text: str) -> bool:
    """Whether a passage belongs to one of the dates: its article can report on it, or its text names it."""
    if any(fits(named, article_date) for named in dates):
        return True
    mentioned = {(named.month, named.day) for named in named_dates(text)} if dates else set()
    return any((named.month, named.day) in mentioned for named in dates)
