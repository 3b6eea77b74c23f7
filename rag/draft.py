"""Evidence -> a prompt, and the model's words -> sentences with the numbers that they cite, one at a time.

The model is asked for numbers, never for text of an article: what a number stands for is printed by us.
"""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from unicodedata import category

from index.sentences import split
from prompts import prompt
from rag.reader import ReadSentence
from rag.types import Turn

NOTHING = "NOT IN THE ARTICLES"  # what the prompt asks for when the evidence does not answer
MOST_SEARCHES = 3
LONGEST_SEARCH = 300  # characters
LONGEST = 8000  # characters without marks that are waited for: no sentence has as many
TURNS = 4  # of the conversation that are sent along
_LIST = r"\d+(?:\s*(?:[,;&–-]|and)\s*\d+)*"
# [7], [7, 9], [7-9], [^7], [source 7], 【7†source】; and (7) where a sentence ends
_ONE_OR_MORE = r"\(\d{1,2}(?:\s*,\s*\d{1,2})*\)"
_ROUND = rf"(?:(?<=[.!?] )|(?<=[.!?])){_ONE_OR_MORE}|{_ONE_OR_MORE}(?=[.!?]|\s*$)"
_MARK = rf"\[\s*(?:\^|evidence|sources?)?\s*{_LIST}\s*\]|【\s*\d+[^】\n]{{0,40}}】|{_ROUND}"
_MARKS = re.compile(rf"\s*(?:{_MARK})(?:\s*(?:{_MARK}))*", re.IGNORECASE)
_CLOSING = re.compile(r"[\"”’)*_]*[.!?]?[\"”’)*_]*(?=\s|$)")
_MAY_BE_MARK = re.compile(r"[\[(【*_][^\])】]{0,60}$")  # the beginning of more marks, as far as it has come
_ENDED = re.compile(r"[.!?][\"”’)]*$")
_RANGE = re.compile(r"(\d+)\s*[–-]\s*(\d+)")
_LINKED = re.compile(r"\[(\^?\d[\d, ]*)\]\([^)\s]*\)")
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)|^.*?</think>", re.DOTALL)
_MARKDOWN = (
    (re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)"), ""),  # images
    (re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)"), r"\1"),  # links
    (re.compile(r"^\s*(?:#{1,6}|[-*+•>]|\d{1,2}\.)\s+", re.MULTILINE), ""),  # headings, lists, block quotes
    (re.compile(r"\*\*|__|`+"), ""),
)
_NAMES = re.compile(r"(?<=\s)\w*[A-ZÀ-Þ0-9]\w*")
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


def searches(reply: str, question: str, history: Sequence[Turn]) -> tuple[str, ...]:
    """The questions of a reply to `rewrite_messages`; the question itself where the reply holds none.

    A line with a name or a number that is not in the conversation is none of them: the model made it up.
    """
    said = " ".join([question, *(f"{turn.question} {turn.answer}" for turn in history[-TURNS:])]).lower()
    lines = (re.sub(r"^\s*(?:[-*•]|\d[.)])\s*", "", line).strip() for line in plain(reply).splitlines())
    found = dict.fromkeys(line for line in lines if 3 <= len(line) <= LONGEST_SEARCH and not from_prompt(line))
    known = [line for line in found if all(name.lower() in said for name in _NAMES.findall(line))]
    return tuple(known)[:MOST_SEARCHES] or (question,)


def sentences(pieces: Iterable[str]) -> Generator[Drafted, None, None]:
    """The sentences of a growing text, each as soon as it is complete: when something follows its numbers."""
    text = ""
    for piece in pieces:
        text += piece
        if "<think>" in text and "</think>" not in text:
            continue
        text = _read(text)
        if len(text) > LONGEST:
            yield from _drafted(text)
            text = ""
        while end := _complete(text):
            yield from _drafted(text[:end])
            text = text[end:]
    text = _read(text)
    while end := _complete(text, whole=True):
        yield from _drafted(text[:end])
        text = text[end:]
    yield from _drafted(text)


def _read(text: str) -> str:
    """Without the model's thoughts, whose beginning some servers leave out; marks that are links are marks."""
    return _LINKED.sub(r"[\1]", _THOUGHT.sub("", text))


def _complete(text: str, whole: bool = False) -> int:
    """Where the first sentence with marks ends; 0 when there is none, or more of it may come unless `whole`."""
    for marks in _MARKS.finditer(text):
        end = _CLOSING.match(text, marks.end())
        rest = text[end.end() :].lstrip() if end else ""
        if end and (whole or (rest and not _MAY_BE_MARK.match(rest))):
            return end.end()
        if end and not whole:
            return 0
    return 0


def _drafted(text: str) -> Iterator[Drafted]:
    """The sentences of a text that ends with marks or has none; marks at its end belong to the last sentence."""
    last = next(reversed(list(_MARKS.finditer(text))), None)
    cited: tuple[int, ...] = ()
    if last and _CLOSING.fullmatch(text, last.end()):
        cited, closing, text = numbers(last.group()), text[last.end() :], text[: last.start()]
        text += "" if _ENDED.search(plain(text).strip()) else closing
    cleaned = re.sub(r"\s+\.(?=\s|$)", ".", plain(text).strip())  # what is left of "word **[7]**."
    found = [one.text for one in split(cleaned) if re.search(r"\w", one.text)]
    for place, sentence in enumerate(found, 1):
        inside = numbers(" ".join(_MARKS.findall(sentence)))
        yield Drafted(_MARKS.sub("", sentence).strip(), inside + (cited if place == len(found) else ()))


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
    seen = "".join(mark for mark in text.lower() if category(mark) != "Cf")  # no run is hidden by what is not seen
    words = re.findall(r"[^\W_]+", seen)
    return frozenset(tuple(words[at : at + _ALIKE]) for at in range(len(words) - _ALIKE + 1))
