"""What a claim is checked against: a cited sentence, its article's heading and date, and what stands before it."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from index.archive import Archive
from index.passages import heading
from rag.types import Verdict

CONTEXT = 3  # sentences before a cited one: what its "he" and "the president" stand for


@dataclass(frozen=True)
class Grounds:
    """One cited sentence and what it is read with."""

    text: str
    heading: str  # of its article: headline, date in words, publisher
    date: str | None  # ISO, of the article
    context: str  # up to CONTEXT sentences before it, joined

    @property
    def published(self) -> datetime.date | None:
        try:
            return datetime.date.fromisoformat(self.date or "")
        except ValueError:
            return None


@dataclass(frozen=True)
class Checked:
    """A verdict on a claim or on a detail of it; the reason is one line for a reader."""

    verdict: Verdict
    reason: str | None


def grounds(archive: Archive, file: str, sentence: int) -> Grounds:
    """The cited sentence (counted from 1). Raises KeyError for a file or sentence that is not in the archive."""
    sentences, passages = archive.sentences(file), archive.passages_of(file, 1)
    if not 0 < sentence <= len(sentences) or not passages:  # what is in no passage is boilerplate
        raise KeyError(f"{file}: sentence {sentence}")
    metadata = passages[0].source.metadata
    before = [one.text for one in sentences[: sentence - 1] if not one.boilerplate][-CONTEXT:]
    above = " · ".join(part for part in (heading(metadata), metadata.publisher) if part)
    return Grounds(sentences[sentence - 1].text, above, metadata.date, " ".join(before))


def missing(detail: str, cited: Sequence[Grounds], says: str = "") -> Checked:
    """A detail of a claim that none of its sources holds; `says`: what stands there in its place."""
    place, it_says = ("sentence", "it says") if len(cited) == 1 else ("sentences", "they say")
    return Checked("unsupported", f'"{_short(detail)}" is not in the cited {place}' + (says and f": {it_says} {says}"))


def before(detail: str, cited: Sequence[Grounds]) -> Checked:
    """A detail that stands close by."""
    place, it = ("sentence", "it") if len(cited) == 1 else ("sentences", "them")
    return Checked("partly", f'"{_short(detail)}" stands before the cited {place}, not in {it}')


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57].rstrip() + "…"
