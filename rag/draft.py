"""Evidence -> a prompt, and the model's words -> sentences with the numbers that they cite, one at a time.

The model is asked for numbers, never for text of an article: what a number stands for is printed by us.
"""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from index.sentences import split
from prompts import prompt
from rag.reader import ReadSentence
from rag.types import Turn

NOTHING = "NOT IN THE ARTICLES"  # what the prompt asks for when the evidence does not answer
MOST_SEARCHES = 3
LONGEST_SEARCH = 300  # characters
TURNS = 4  # of the conversation that are sent along
_LIST = r"\d+(?:\s*(?:[,;&–-]|and)\s*\d+)*"
# [7], [7, 9], [7-9], [^7], [source 7], 【7†source】; and (7) at the end of a sentence
_ROUND = r"\(\d{1,2}(?:\s*,\s*\d{1,2})*\)(?=[.!?]|\s*$)"
_MARK = rf"\[\s*(?:\^|evidence|sources?)?\s*{_LIST}\s*\]|【\s*\d+[^】\n]{{0,40}}】|{_ROUND}"
_MARKS = re.compile(rf"\s*(?:{_MARK})(?:\s*(?:{_MARK}))*", re.IGNORECASE)
_CLOSING = re.compile(r"[.!?]?[\"”’)*_]*(?=\s|$)")
_ENDED = re.compile(r"[.!?][\"”’)]*$")
_RANGE = re.compile(r"(\d+)\s*[–-]\s*(\d+)")
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_MARKDOWN = (
    (re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)"), ""),  # images
    (re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)"), r"\1"),  # links
    (re.compile(r"^\s*(?:#{1,6}|[-*+•>]|\d{1,2}\.)\s+", re.MULTILINE), ""),  # headings, lists, block quotes
    (re.compile(r"\*\*|__|`+"), ""),
)
_ALIKE = 8  # words in a row that show a sentence to be taken from the prompt


@dataclass(frozen=True)
class Drafted:
    """A sentence that a model wrote, without the marks, and the numbers that it cites."""

    text: str
    numbers: tuple[int, ...]


def answer_messages(question: str, evidence: Sequence[ReadSentence]) -> list[dict[str, str]]:
    """The chat messages that ask for an answer. Evidence is numbered from 1 in the order given."""
    lines = "\n".join(f"[{number}] {_line(item)}" for number, item in enumerate(evidence, 1))
    return _messages("answer", f"Evidence:\n{lines}\n\nQuestion: {_on_one_line(question)}")


def _line(item: ReadSentence) -> str:
    known = item.source.metadata
    where = ", ".join(part for part in (item.source.file, known.publisher, known.date) if part)
    return f"({_on_one_line(where)}) {_on_one_line(item.sentence.text)}"


def _on_one_line(text: str) -> str:
    """No line of an article can pass for another line of the prompt."""
    return " ".join(text.split())


def rewrite_messages(question: str, history: Sequence[Turn]) -> list[dict[str, str]]:
    """The chat messages that ask for questions to search with."""
    told = "".join(
        f"Reader: {_on_one_line(turn.question)}\nAnswer: {_on_one_line(turn.answer)}\n" for turn in history[-TURNS:]
    )
    return _messages("rewrite", f"Conversation:\n{told}Reader: {_on_one_line(question)}")


def _messages(name: str, asked: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": prompt(name)}, {"role": "user", "content": asked}]


def searches(reply: str, question: str) -> tuple[str, ...]:
    """The questions of a reply to `rewrite_messages`; the question itself where the reply holds none."""
    lines = (re.sub(r"^\s*(?:[-*•]|\d[.)])\s*", "", line).strip() for line in plain(reply).splitlines())
    found = dict.fromkeys(line for line in lines if 3 <= len(line) <= LONGEST_SEARCH and not from_prompt(line))
    return tuple(found)[:MOST_SEARCHES] or (question,)


def sentences(pieces: Iterable[str]) -> Generator[Drafted, None, None]:
    """The sentences of a growing text, each as soon as it is complete: when something follows its numbers."""
    text = ""
    for piece in pieces:
        text += piece
        if "<think>" in text and "</think>" not in text:
            continue
        text = _THOUGHT.sub("", text)
        for marks in _MARKS.finditer(text):
            end = _CLOSING.match(text, marks.end())
            if end is None or not text[end.end() :].strip():
                continue  # in the middle of a sentence, or more marks may follow
            yield from _drafted(text[: marks.start()], marks.group(), text[marks.end() : end.end()])
            text = text[end.end() :]
            break
    yield from _rest(_THOUGHT.sub("", text))


def _rest(text: str) -> Iterator[Drafted]:
    """The sentences of a whole text."""
    at = 0
    for marks in _MARKS.finditer(text):
        end = _CLOSING.match(text, marks.end())
        if end is not None:
            yield from _drafted(text[at : marks.start()], marks.group(), text[marks.end() : end.end()])
            at = end.end()
    yield from _drafted(text[at:], "", "")


def _drafted(text: str, marks: str, closing: str) -> Iterator[Drafted]:
    """The sentences up to some marks: the last one is what they belong to."""
    cleaned = plain(text).strip()
    if not _ENDED.search(cleaned):
        cleaned += closing.strip("*_")
    found = [sentence.text for sentence in split(cleaned) if re.search(r"\w", sentence.text)]
    for place, sentence in enumerate(found, 1):
        yield Drafted(sentence, numbers(marks) if place == len(found) else ())


def numbers(marks: str) -> tuple[int, ...]:
    """The numbers of marks, each once: "[1-3][7]" is 1, 2, 3 and 7."""
    marks = re.sub(r"(\d{9})\d+", r"\1", re.sub(r"†[^】]*", "", marks))  # int() refuses thousands of digits
    spread = _RANGE.sub(lambda found: " ".join(map(str, _range(int(found[1]), int(found[2])))), marks)
    return tuple(dict.fromkeys(map(int, re.findall(r"\d+", spread))))


def _range(first: int, last: int) -> Iterable[int]:
    return range(first, last + 1) if first <= last < first + 50 else (first, last)


def plain(text: str) -> str:
    """The text without Markdown. HTML stays, as text: what shows an answer escapes it."""
    for pattern, kept in _MARKDOWN:
        text = pattern.sub(kept, text)
    return text


def is_refusal(text: str) -> bool:
    """Whether the model says that the evidence does not answer."""
    return re.sub(r"[^A-Z ]", "", text.upper()).strip() == NOTHING


def from_prompt(text: str) -> bool:
    """Whether a text repeats what the model was told: not to be shown as an answer."""
    return not _runs(text).isdisjoint(_told())


@cache
def _told() -> frozenset[tuple[str, ...]]:
    return _runs(prompt("answer")) | _runs(prompt("rewrite"))


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[at : at + _ALIKE]) for at in range(len(words) - _ALIKE + 1))
