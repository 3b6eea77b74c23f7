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
from index.sync import open_archive as open_synced
from rag.conversation import resolve
from rag.digest import asks_for_digest, digest, is_told
from rag.disagreement import Difference, differences, with_sides
from rag.evidence import cite, closest, gather, look
from rag.llm import Model, ModelError, configured
from rag.quotes import Quote, choose, short_answer
from rag.types import Answer, Citation, Claim, Turn
from rag.written import written

MAX_QUESTION = 4000  # characters
INSTEAD = "Quoted instead of written by a model: "  # the notice of such an answer, before the reason
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


def ask(
    question: str,
    archive: Archive | str | Path | None = None,
    history: Sequence[Turn] = (),
    model: Model | str | None = None,
) -> Answer:
    """The answer to a question, every sentence of it cited.

    `archive` is an open archive, a folder, or None for the default articles; `history` are the earlier turns of
    the conversation, earliest first. `model` writes the answer: a Model, the name of one at the server that the
    environment names, "quotes" for none, or None for what the environment says (OPENAI_API_KEY, OPENAI_BASE_URL,
    PINCITE_MODEL). When it fails, the answer is made of quotes and its `notice` says why.
    Raises QuestionError for an empty or overlong question, and what `open_archive` raises.
    """
    *_, answer = stream(question, archive, history, model)
    return answer


def stream(
    question: str,
    archive: Archive | str | Path | None = None,
    history: Sequence[Turn] = (),
    model: Model | str | None = None,
) -> Iterator[Answer]:
    """Growing answers, one checked sentence more at a time; the last one is what `ask` returns."""
    began = time.monotonic()
    question = checked(question)
    if not isinstance(archive, Archive):
        archive = open_archive(archive)
    notice = usage = None
    try:
        writer = model if isinstance(model, Model) else configured(os.environ, model)
        if writer:
            for answer in written(question, archive, history, writer):
                yield replace(answer, seconds=time.monotonic() - began)
            return
    except ModelError as error:
        notice, usage = f"{INSTEAD}{error}.", error.usage
    for answer in _quoted(question, archive, history):
        yield replace(answer, notice=notice, usage=usage, seconds=time.monotonic() - began)


def _quoted(question: str, archive: Archive, history: Sequence[Turn]) -> Iterator[Answer]:
    """Growing answers made of sentences of the articles, without a language model."""
    resolved = resolve(question, history)
    reading = look(archive, resolved)
    evidence = gather(reading)
    chosen: list[Quote] = []
    found: tuple[Difference, ...] = ()
    short = None
    if asks_for_digest(question) and (reading.answerable >= ANSWERABLE or is_told(question, reading.sentences)):
        chosen = digest(reading.sentences, question)
    elif reading.answerable >= ANSWERABLE and evidence:
        found = differences(resolved.read, evidence)
        chosen = with_sides(list(choose(evidence)), found)
        short = None if found else short_answer(chosen[0], resolved.read)
    if not chosen:
        yield Answer.empty(question, "quotes").refused(closest(evidence))
    for count in range(1, len(chosen) + 1):
        answer = _answer(question, chosen[:count], short)
        told = found if count == len(chosen) else ()  # when all sides are cited
        yield replace(answer, disagreements=tuple(one.cited(answer.citations) for one in told))


def checked(question: str) -> str:
    """The question without white space around it. Raises QuestionError when it is empty or too long."""
    question = question.strip()
    if not question:
        raise QuestionError("the question is empty: ask something about the articles")
    if len(question) > MAX_QUESTION:
        raise QuestionError(f"the question has {len(question):,} characters: shorten it to {MAX_QUESTION:,}")
    return question


def _answer(question: str, quotes: Sequence[Quote], short: str | None) -> Answer:
    citations: list[Citation] = []
    claims: list[Claim] = []
    for quote in quotes:
        numbers = range(len(citations) + 1, len(citations) + 1 + len(quote.evidence))
        pairs = zip(quote.evidence, numbers, strict=True)
        citations += [cite(item.source, item.sentence, number) for item, number in pairs]
        claims.append(Claim(quote.text, tuple(numbers), "supported"))
    return replace(
        Answer.empty(question, "quotes"),
        text="\n".join(claim.cited() for claim in claims),
        short_answer=short,
        claims=tuple(claims),
        citations=tuple(citations),
    )
