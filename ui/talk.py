"""Question -> exchanges, as they grow. Nothing that happens inside raises: a page whose function raised stays broken.

No Gradio here: the page calls these functions and shows what they return.
"""

import logging
import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

from index import PinciteError
from index.archive import Archive
from index.home import CORPUS
from index.passages import Source
from rag import Answer, Citation, Model, Turn, open_archive, stream
from rag.llm import configured
from ui import WORKER, article, render

TICK = 0.2  # seconds
DEFAULT_EXAMPLES = (
    "How long did Putin and Macron talk on 3 March 2022?",
    "Who said that the worst is yet to come?",
    "What summit did Macron propose in February 2022?",
    "What did Putin miss in the American and NATO replies?",
)
_LINK = re.compile(r"(?P<kind>cite|near)-(?P<turn>\d{1,6})-(?P<number>\d{1,6})|(?P<file>file-[0-9a-f]{16})")
_log = logging.getLogger("pincite.ui")


@dataclass(frozen=True)
class Exchange:
    """A question and what came of it. `notice` says what went wrong, what is awaited, or that it was stopped."""

    question: str
    answer: Answer | None = None
    notice: str | None = None
    done: bool = False
    stop: Event = field(default_factory=Event, compare=False, repr=False)  # set by the stop button


def exchange(folder: Path, question: str, earlier: Sequence[Exchange]) -> Iterator[Exchange]:
    """Ask the folder as it is now; the last exchange that is yielded is `done`.

    The work is done in a thread, and the present state is yielded at every tick: so the stop button and Ctrl-C
    end a slow answer at once, not when its next sentence comes. Stopping ends this very sequence: were the page
    told by another event, a late tick could overwrite what that event shows.
    """
    now = Exchange(question.strip())
    found: SimpleQueue[Exchange] = SimpleQueue()
    work = (folder, now, tuple(earlier), found)
    Thread(target=_work, args=work, name=WORKER, daemon=True).start()
    try:
        yield now
        while not now.done:
            with suppress(Empty):
                now = found.get(timeout=TICK)
            if now.stop.is_set() and not now.done:
                now = replace(now, notice="Stopped.", done=True)
            yield now
    finally:
        now.stop.set()


def _work(folder: Path, now: Exchange, earlier: tuple[Exchange, ...], found: "SimpleQueue[Exchange]") -> None:
    """Put the exchange into `found` whenever it has grown. Ends after the next sentence when it is stopped."""

    def progress(done: int, total: int) -> None:
        found.put(replace(now, notice=f"Reading articles that are new: {done:,} of {total:,} passages …"))

    try:
        history = [Turn(one.question, one.answer.text) for one in earlier if one.answer and one.done]
        with closing(_growing(now.question, folder, progress, history)) as answers:
            for answer in answers:
                now = replace(now, answer=answer)
                found.put(now)
                if now.stop.is_set():
                    return
    except PinciteError as error:
        now = replace(now, notice=_sentence(error))
    except Exception:
        _log.exception("a question failed")
        now = replace(now, notice="Something went wrong with this question; the terminal says what. Please ask again.")
    found.put(replace(now, done=True))


def _growing(
    question: str, folder: Path, progress: Callable[[int, int], None], history: Sequence[Turn]
) -> Generator[Answer, None, None]:
    yield from stream(question, open_archive(folder, progress), history)


def _sentence(error: PinciteError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def stop(conversation: Sequence[Exchange]) -> None:
    """Stop the exchange that is still growing: it keeps what it has."""
    if conversation:
        conversation[-1].stop.set()


def messages(conversation: Sequence[Exchange]) -> list[dict[str, str]]:
    """The conversation as chat messages, all of them escaped HTML."""
    shown: list[dict[str, str]] = []
    for turn, one in enumerate(conversation):
        shown.append({"role": "user", "content": render.question(one.question or "…")})
        reply = render.answer(one.answer, turn, one.done) if one.answer else ""
        if not one.done and not one.answer:
            reply = render.waiting(one.notice or "Reading the articles …")
        elif one.notice:
            reply += render.notice(one.notice)
        shown.append({"role": "assistant", "content": reply})
    return shown


def follow(folder: Path, link: str, conversation: Sequence[Exchange]) -> str:
    """HTML of what a link of the page opens: the sentence of a citation, an article, or the list of articles."""
    try:
        archive = open_archive(folder)
        match = _LINK.fullmatch(link)
        if match is None:
            return article_list(archive)
        if match["file"]:
            found = [source for source in archive.sources() if article.file_link(source.file) == match["file"]]
            if found and not archive.is_in_folder(found[0]):  # the archive may lag behind the folder, as below
                return article.problem("This article has changed or is no longer in the folder.")
            return _article(archive, found[0], None, ()) if found else article_list(archive)
        return _cited(archive, conversation, match["kind"], int(match["turn"]), int(match["number"]))
    except PinciteError as error:
        return article.problem(_sentence(error))
    except Exception:
        _log.exception("an article could not be opened")
        return article.problem("This could not be opened; the terminal says why.")


def _cited(archive: Archive, conversation: Sequence[Exchange], kind: str, turn: int, number: int) -> str:
    answer = conversation[turn].answer if turn < len(conversation) else None
    if answer is None:  # the server was started anew, or the conversation was cleared in another tab
        return article.problem("This answer is no longer known here. Ask the question again.")
    offered = answer.citations if kind == "cite" else answer.closest
    citation = next((one for one in offered if one.number == number), None)
    if citation is None:
        return article.problem("This answer has no such source.")
    source = next((one for one in archive.sources() if one.file == citation.file), None)
    # the archive lags behind the folder while another thread or process brings it up to date, or its disk is full
    if source is None or source.sha256 != citation.sha256 or not archive.is_in_folder(source):
        return article.vanished(citation)
    return _article(archive, source, citation, offered)


def _article(archive: Archive, source: Source, citation: Citation | None, offered: Sequence[Citation]) -> str:
    also = {one.sentence for one in offered if one.file == source.file}
    cited = citation.sentence if citation else None
    return article.at_sentence(source, archive.text(source.file), archive.sentences(source.file), cited, also)


def front(folder: Path) -> tuple[str, str, Sequence[str]]:
    """Masthead, list of articles and example questions of the folder as it is now, for a page that is loaded."""
    name = folder.resolve().name
    try:
        archive = open_archive(folder)
        sources = archive.sources()
        return render.header(name, sources, _writer()), article_list(archive), _examples(folder, sources)
    except PinciteError as error:
        return render.header(name, ()), article.problem(_sentence(error)), ()


def _writer() -> Model | None:
    """The language model of the environment; none when it cannot be used, which each answer then says."""
    with suppress(PinciteError):
        return configured(os.environ)
    return None


def _examples(folder: Path, sources: Sequence[Source]) -> Sequence[str]:
    """Questions to start with: written for the default articles, headlines of any others."""
    if folder.resolve() == CORPUS.resolve():
        return DEFAULT_EXAMPLES
    titles = (source.metadata.title for source in article.shown(sources))
    return [title for title in titles if title and 20 <= len(title) <= 120][:3]


def article_list(archive: Archive) -> str:
    """The list of articles, with the first sentence of each."""
    sources = archive.sources()
    rows = [(source, _opening(archive, source)) for source in article.shown(sources)]
    return article.listing(rows, len(sources))


def _opening(archive: Archive, source: Source) -> str:
    """The first sentence of the story: it ends like one, which headings, captions and menus do not."""
    for sentence in archive.sentences(source.file):
        if not sentence.boilerplate and sentence.text.endswith((".", "!", "?", ".”", '."')):
            return sentence.text if len(sentence.text) <= 200 else sentence.text[:199].rstrip() + "…"
    return ""
