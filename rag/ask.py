"""Question -> answer: the stages in order. Every surface goes through `stream`."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from index.archive import Archive
from index.errors import QuestionError
from index.home import default_articles, default_home, expanded
from index.search import search
from index.sync import open_archive as open_synced
from rag.conversation import resolve
from rag.digest import asks_for_digest, digest
from rag.evidence import cite, gather
from rag.quotes import Quote, choose, short_answer
from rag.reader import ReadSentence, read
from rag.types import NOT_IN_ARTICLES, Answer, Citation, Claim, Turn

MAX_QUESTION = 4000  # characters
PASSAGES = 10  # retrieved and read for a question
CLOSEST = 3  # sentences offered when there is no answer
ANSWERABLE = 0.5  # probability from which the question is answered

_opened: dict[Path, Archive] = {}
_opening: dict[Path, threading.Lock] = {}


def open_archive(folder: str | Path | None = None, progress: Callable[[int, int], None] | None = None) -> Archive:
    """The archive of a folder (default: PINCITE_ARTICLES, else the default articles), equal to what it holds now.

    Built on first use; afterwards only what changed is read. While another thread brings it up to date, the archive
    as it was is returned. `progress(done, total)` counts passages embedded.
    Raises FolderError, ArchiveBusyError or ArchiveWriteError.
    """
    path = expanded(folder) if folder else default_articles(os.environ)
    lock = _opening.setdefault(path, threading.Lock())
    before = _opened.get(path)
    if before is not None and before.closed:
        before = None
    if not lock.acquire(blocking=before is None):
        assert before is not None  # else the lock was waited for
        return before
    try:
        return _synced(path, progress)
    finally:
        lock.release()


def _synced(path: Path, progress: Callable[[int, int], None] | None) -> Archive:
    archive = open_synced(path, default_home(os.environ), progress)
    before = _opened.get(path)
    if before is not None and not before.closed and before.generation == archive.generation:
        archive.close()
        return before
    _opened[path] = archive
    return archive


def ask(question: str, archive: Archive | str | Path | None = None, history: Sequence[Turn] = ()) -> Answer:
    """The answer to a question, every sentence of it cited.

    `archive` is an open archive, a folder, or None for the default articles; `history` are the earlier turns of
    the conversation, earliest first. Raises QuestionError for an empty or overlong question, and what
    `open_archive` raises.
    """
    *_, answer = stream(question, archive, history)
    return answer


def stream(
    question: str, archive: Archive | str | Path | None = None, history: Sequence[Turn] = ()
) -> Iterator[Answer]:
    """Growing answers, one checked sentence more at a time; the last one is what `ask` returns."""
    began = time.monotonic()
    question = checked(question)
    if not isinstance(archive, Archive):
        archive = open_archive(archive)
    resolved = resolve(question, history)
    found = search(archive, resolved.search, PASSAGES)
    present = {source for source in {hit.passage.source for hit in found} if archive.is_in_folder(source)}
    hits = [hit for hit in found if hit.passage.source in present]
    reading = read(resolved.read, hits)
    evidence = gather(reading)
    chosen: list[Quote] = []
    short = None
    if reading.answerable >= ANSWERABLE and asks_for_digest(question):
        chosen = digest(evidence)
    elif reading.answerable >= ANSWERABLE and evidence:
        chosen = list(choose(evidence))
        short = short_answer(chosen[0], resolved.read)
    if not chosen:
        yield _refusal(question, evidence, time.monotonic() - began)
    for count in range(1, len(chosen) + 1):
        yield _answer(question, chosen[:count], short, time.monotonic() - began)


def checked(question: str) -> str:
    """The question without white space around it. Raises QuestionError when it is empty or too long."""
    question = question.strip()
    if not question:
        raise QuestionError("the question is empty: ask something about the articles")
    if len(question) > MAX_QUESTION:
        raise QuestionError(f"the question has {len(question):,} characters: shorten it to {MAX_QUESTION:,}")
    return question


def _answer(question: str, quotes: Sequence[Quote], short: str | None, seconds: float) -> Answer:
    citations: list[Citation] = []
    claims: list[Claim] = []
    for quote in quotes:
        numbers = range(len(citations) + 1, len(citations) + 1 + len(quote.evidence))
        pairs = zip(quote.evidence, numbers, strict=True)
        citations += [cite(item.source, item.sentence, number) for item, number in pairs]
        claims.append(Claim(quote.text, tuple(numbers), "supported"))
    text = "\n".join(claim.text + " " + "".join(f"[{number}]" for number in claim.citations) for claim in claims)
    return replace(
        _empty(question, seconds),
        text=text,
        short_answer=short,
        claims=tuple(claims),
        citations=tuple(citations),
    )


def _refusal(question: str, evidence: Sequence[ReadSentence], seconds: float) -> Answer:
    closest = tuple(cite(item.source, item.sentence, number) for number, item in enumerate(evidence[:CLOSEST], 1))
    return replace(_empty(question, seconds), status="not_in_articles", text=NOT_IN_ARTICLES, closest=closest)


def _empty(question: str, seconds: float) -> Answer:
    return Answer(
        question=question,
        status="answered",
        mode="quotes",
        text="",
        short_answer=None,
        claims=(),
        citations=(),
        closest=(),
        disagreements=(),
        seconds=seconds,
    )
