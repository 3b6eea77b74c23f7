"""Article -> headline, publisher and date: from `articles.toml` where it says so, else from the head of the text."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from index.errors import FolderError
from index.read import printable, read_bytes

METADATA_FILE = "articles.toml"
HEAD_LINES = 12  # a date further down belongs to the story, not to the article
HEADLINE_LENGTH = 200
BYLINE_LENGTH = 60

_MONTHS: Sequence[str] = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATES = (
    re.compile(rf"\b{_YEAR}-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(rf"\b(?P<day>\d\d?)(?:st|nd|rd|th)? {_MONTH},? {_YEAR}\b"),
    re.compile(rf"\b{_MONTH} (?P<day>\d\d?)(?:st|nd|rd|th)?,? {_YEAR}\b"),
)


@dataclass(frozen=True)
class Metadata:
    """What is known about an article besides its text. `date` is ISO (2022-03-03)."""

    title: str | None = None
    publisher: str | None = None
    date: str | None = None
    url: str | None = None
    date_basis: str | None = None  # in words, where the text itself does not state the date


_KEYS = tuple(field.name for field in fields(Metadata))


def read_metadata_file(folder: Path) -> dict[str, dict[str, Any]]:
    """`articles.toml` of a folder as {file: {key: value}}; {} without one. Raises FolderError when it is not right."""
    path = folder / METADATA_FILE
    where = printable(str(path))
    try:
        tables = tomllib.loads(read_bytes(path).decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise FolderError(f"{where} cannot be read ({error}): mend or remove it") from None
    for file, table in tables.items():
        if not isinstance(table, dict):
            raise FolderError(f'{where}: "{printable(file)}" is not a table: write ["file.txt"] above its keys')
        for key, value in table.items():
            if why := _wrong_value(key, value):
                raise FolderError(f'{where}: {printable(key)} of "{printable(file)}" {why}')
    return tables


def _wrong_value(key: str, value: Any) -> str:
    """Why a value of `articles.toml` cannot be used, or "". Keys that mean nothing here may hold anything."""
    if key == "date":
        try:
            right = value == "" or date.fromisoformat(str(value)).isoformat() == str(value)
        except ValueError:
            right = False
        return "" if right else "is not a date: write 2022-03-03"
    return "is not text: put it in quotes" if key in _KEYS and not isinstance(value, str) else ""


def describe(text: str, given: Mapping[str, Any]) -> Metadata:
    """Metadata of one article. Keys given in `articles.toml` win; an empty string there means "has none"."""
    found = _from_head(text)
    return replace(found, **{key: str(given[key]) or None for key in _KEYS if key in given})


def byline_span(text: str) -> tuple[int, int] | None:
    """Where a second line such as `usatoday.com 2023-07-21` stands. It is metadata, not a sentence of the story.

    Without a date it must read like a name, every longer word in capitals: else it is a second headline.
    """
    lines = _head(text)
    if len(lines) < 2 or not _is_headline(lines[0][1]) or "\n\n" in text[lines[0][0] : lines[1][0]]:
        return None
    start, line = lines[1]
    if len(line) > BYLINE_LENGTH or line.endswith((".", "!", "?", "”", '"', ":")):
        return None
    if _find_date(line)[0] is None and any(word[0].islower() for word in re.findall(r"\w{4,}", line)):
        return None
    return start, start + len(line)


def _head(text: str) -> list[tuple[int, str]]:
    """The first non-empty lines with their offsets."""
    found = re.finditer(r"[^\s\ufeff][^\r\n]*", text[:4000])
    return [(match.start(), match.group().rstrip()) for match, _ in zip(found, range(HEAD_LINES), strict=False)]


_INITIALS = re.compile(r"\b(?:[A-Z]\.){2,}$")  # a headline may end with U.S. or G.O.P.


def _is_headline(line: str) -> bool:
    ends_open = not line.endswith((".", ".”", '."', ",", ";", ":")) or _INITIALS.search(line)
    return len(line) <= HEADLINE_LENGTH and bool(ends_open)


def _from_head(text: str) -> Metadata:
    lines = _head(text)
    byline = byline_span(text)
    stamp = publisher = None
    if byline:
        line = text[slice(*byline)]
        stamp, rest = _find_date(line)
        publisher = None if rest.lower().startswith("by ") else rest.strip(" ,|·-–—") or None
    if stamp is None:
        stamp = next(filter(None, (_find_date(line)[0] for _, line in lines if len(line) <= HEADLINE_LENGTH)), None)
    title = lines[0][1] if len(lines) > 1 and _is_headline(lines[0][1]) else None
    return Metadata(title=title, publisher=publisher, date=stamp)


def _find_date(line: str) -> tuple[str | None, str]:
    """The first full date in a line as ISO, and the line without it. Impossible dates (31 February) are none."""
    for pattern in _DATES:
        match = pattern.search(line)
        if match is None:
            continue
        month = match["month"]
        number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
        try:
            stamp = date(int(match["year"]), number, int(match["day"])).isoformat()
        except ValueError:
            continue
        return stamp, line[: match.start()] + line[match.end() :]
    return None, line
