"""questions.jsonl -> cases: questions with their accepted answers, and where the evidence stands in the files.

A row that is wrong is never skipped: the score of a set must not depend on which rows could be read.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from index import PinciteError
from index.read import Article, Found, Skipped, list_folder, printable, read
from index.sentences import Sentence, split
from rag.types import Turn


class CaseError(PinciteError):
    """A questions file that cannot be used: missing, empty, or with a row that is wrong."""


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` (code points) of the decoded text of a file of the articles folder."""

    file: str
    start: int
    end: int


@dataclass(frozen=True)
class Evidence:
    """A text that answers the question, and every place where it stands in the files that the row names."""

    text: str
    places: tuple[Span, ...]


@dataclass(frozen=True)
class Case:
    """One reference question. An unanswerable one has neither `answers` nor `evidence`."""

    id: str
    question: str
    type: str
    answerable: bool
    answers: tuple[str, ...]  # accepted strings; any of them will do
    evidence: tuple[Evidence, ...]
    history: tuple[Turn, ...] = ()
    answer_groups: tuple[tuple[str, ...], ...] = ()  # accepted strings of each side of a disagreement


class Articles:
    """The files of a folder, read from disk with the decoding of `index.read` and not through an archive.

    The checks of citations rest on it: an archive that had altered a text would agree with itself.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Article | None] = {}
        self._sentences: dict[str, tuple[Sentence, ...]] = {}

    @cached_property
    def _found(self) -> dict[str, Found]:
        return {found.file: found for found in list_folder(self.folder) if not isinstance(found, Skipped)}

    def article(self, file: str) -> Article | None:
        """The article, or None when the folder holds no such readable file."""
        if file not in self._read:
            found = self._found.get(file)
            article = read(found) if found else None
            self._read[file] = article if isinstance(article, Article) else None
        return self._read[file]

    def sentences(self, file: str) -> tuple[Sentence, ...]:
        """The sentences of an article; none when there is no such article."""
        if file not in self._sentences:
            article = self.article(file)
            self._sentences[file] = split(article.text) if article else ()
        return self._sentences[file]


def load(questions: Path, articles: Articles, limit: int | None = None) -> tuple[Case, ...]:
    """The first `limit` cases of a questions file, all when it is None.

    Raises CaseError (one line naming the file, the line and what is wrong) and FolderError.
    """
    cases: dict[str, Case] = {}
    for number, row in json_lines(questions):
        if limit is not None and len(cases) == limit:
            break
        try:
            case = _case(row, articles)
            if case.id in cases:
                raise CaseError(f'the id "{case.id}" stands in an earlier row too')
        except CaseError as error:
            raise CaseError(f"{printable(str(questions))}, line {number}: {error}") from None
        cases[case.id] = case
    if not cases:
        raise CaseError(f"{printable(str(questions))} holds no question: write one JSON row a line")
    return tuple(cases.values())


def json_lines(file: Path) -> Iterator[tuple[int, Any]]:
    """(line number from 1, JSON value) of each line that is not blank. A file that ends in .gz is unpacked.

    Raises CaseError (one line naming the file, the line and what is wrong).
    """
    name = printable(str(file))
    try:
        data = file.read_bytes()
        text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError(f"{name} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise CaseError(f"{name} cannot be read ({reason}): name a file with a JSON row a line") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise CaseError(f"{name}, line {number}: not JSON ({error})") from None


def _case(row: Any, articles: Articles) -> Case:
    if not isinstance(row, Mapping):
        raise CaseError("not a JSON object")
    answerable = row.get("answerable")
    if not isinstance(answerable, bool):
        raise CaseError('"answerable" must be true or false')
    answers = _strings(row.get("answers", []), "answers")
    evidence = tuple(_evidence(item, articles) for item in _list(row.get("evidence", []), "evidence"))
    if answerable and not (answers and evidence):
        raise CaseError(f'an answerable question needs "{"evidence" if answers else "answers"}"')
    if not answerable and (answers or evidence):
        raise CaseError(f'an unanswerable question must have no "{"answers" if answers else "evidence"}"')
    return Case(
        id=_name(row.get("id"), "id"),
        question=_string(row.get("question"), "question"),
        type=_name(row.get("type"), "type"),
        answerable=answerable,
        answers=answers,
        evidence=evidence,
        history=_history(_list(row.get("history", []), "history")),
        answer_groups=tuple(
            _strings(group, "answer_groups") for group in _list(row.get("answer_groups", []), "answer_groups")
        ),
    )


def _evidence(item: Any, articles: Articles) -> Evidence:
    if not isinstance(item, Mapping):
        raise CaseError('each "evidence" must be an object with "text" and "files"')
    text = _string(item.get("text"), "evidence text")
    files = _strings(item.get("files"), "evidence files")
    if not files:
        raise CaseError(f"evidence names no file: {_short(text)}")
    return Evidence(text, tuple(place for file in files for place in _places(text, file, articles)))


def _places(text: str, file: str, articles: Articles) -> list[Span]:
    """Every place of `text` in a file, at least one."""
    article = articles.article(file)
    if article is None:
        raise CaseError(f"{printable(str(articles.folder))} holds no readable article {printable(file)}")
    places: list[Span] = []
    start = article.text.find(text)
    while start >= 0:
        places.append(Span(file, start, start + len(text)))
        start = article.text.find(text, start + 1)
    if not places:
        raise CaseError(f"the evidence is not in {printable(file)}: {_short(text)}")
    return places


def _history(turns: Sequence[Any]) -> tuple[Turn, ...]:
    """Earlier turns: {"question", "answer"} objects, chat messages {"role", "content"}, or questions alone."""
    history: list[Turn] = []
    for turn in turns:
        if isinstance(turn, str):
            history.append(Turn(_string(turn, "history"), ""))
        elif not isinstance(turn, Mapping):
            raise CaseError('each "history" turn must be an object or a string')
        elif "role" not in turn:
            history.append(Turn(_string(turn.get("question"), "history question"), str(turn.get("answer") or "")))
        elif turn["role"] == "assistant" and history:
            history[-1] = Turn(history[-1].question, _string(turn.get("content"), "history content"))
        elif turn["role"] == "user":
            history.append(Turn(_string(turn.get("content"), "history content"), ""))
        else:
            raise CaseError('"history" messages must be of the roles "user" and "assistant", beginning with "user"')
    return tuple(history)


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise CaseError(f'"{name}" must be a list')
    return value


def _strings(value: Any, name: str) -> tuple[str, ...]:
    return tuple(_string(item, name) for item in _list(value, name))


def _name(value: Any, name: str) -> str:
    """A short text that is printed as it is."""
    if not _string(value, name).isprintable() or len(value) > 100:
        raise CaseError(f'"{name}" must be one line of at most 100 printable characters')
    return value


def _string(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise CaseError(f'"{name}" must be text and not empty')
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise CaseError(f'"{name}" holds half of a surrogate pair')
    return value


def _short(text: str) -> str:
    return printable(text if len(text) <= 80 else text[:79] + "…")
