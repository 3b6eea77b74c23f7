"""An archive, opened for reading: articles, sentences, passages, keyword search (SQLite) and vectors (Chroma).

SQLite is the truth; Chroma is built from it. An open archive is one immutable generation: a sync that runs
meanwhile makes a new one and does not disturb it.
"""

import hashlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from index import generations
from index.embed import DIMENSIONS
from index.errors import ArchiveWriteError
from index.generations import CHROMA, DATABASE
from index.metadata import Metadata
from index.passages import Passage, Source
from index.read import read_bytes
from index.sentences import Sentence
from index.vectors import Vectors

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE articles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL, encoding TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    given TEXT NOT NULL, text TEXT NOT NULL,
    title TEXT, publisher TEXT, date TEXT, url TEXT, date_basis TEXT
);
CREATE TABLE sentences (
    article INTEGER NOT NULL REFERENCES articles ON DELETE CASCADE, number INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, boilerplate INTEGER NOT NULL,
    PRIMARY KEY (article, number)
) WITHOUT ROWID;
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, article INTEGER NOT NULL REFERENCES articles ON DELETE CASCADE,
    first INTEGER NOT NULL, last INTEGER NOT NULL, vector TEXT NOT NULL
);
CREATE INDEX passages_of_article ON passages (article);
CREATE INDEX passages_of_vector ON passages (vector);
CREATE TABLE vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL); -- float16 (1 + sentences, 384)
CREATE VIRTUAL TABLE keywords USING fts5 (title, body, tokenize = 'porter unicode61 remove_diacritics 2');
"""

_SOURCE = "file, sha256, encoding, title, publisher, date, url, date_basis"


@dataclass(frozen=True)
class Counts:
    """What an archive holds."""

    articles: int
    sentences: int
    passages: int


class Archive:
    """One generation of the archive of a folder. Safe to use from several threads."""

    def __init__(self, articles: Path, generation: Path) -> None:
        self.articles = articles
        self.generation = generation
        # immutable=1: SQLite takes no locks and writes no journal, so a read-only disk is no obstacle
        location = (generation / DATABASE).absolute().as_uri()
        self._database = sqlite3.connect(f"{location}?immutable=1", uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        self._vectors: Vectors | None = None
        self._vectors_lock = threading.Lock()
        self._release = weakref.finalize(self, _release, self._database, generations.hold(generation))

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return not self._release.alive

    def close(self) -> None:
        """Release the database, the generation and the copy of the vectors. Once more does nothing."""
        with self._lock, self._vectors_lock:
            self._release()
            if self._vectors:
                self._vectors.close()

    def _chroma(self) -> Vectors:
        """The copy of the vectors, made when it is first needed, and once."""
        with self._vectors_lock:
            try:
                self._vectors = self._vectors or Vectors(self.generation / CHROMA)
            except OSError as error:
                raise ArchiveWriteError(
                    f"no copy of the vectors can be made ({error}): free space for it, or set TMPDIR to another folder"
                ) from error
            return self._vectors

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    @cached_property
    def counts(self) -> Counts:
        """Number of articles, sentences and passages."""
        tables = ("articles", "sentences", "passages")
        return Counts(*(self._rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables))

    def sources(self) -> list[Source]:
        """All articles without their text, in the order of file names."""
        return [_source(row) for row in self._rows(f"SELECT {_SOURCE} FROM articles ORDER BY file")]

    def text(self, file: str) -> str:
        """The decoded text of an article as it was indexed. Raises KeyError for a file that is not in it."""
        rows = self._rows("SELECT text FROM articles WHERE file = ?", (file,))
        if not rows:
            raise KeyError(file)
        return rows[0][0]

    def sentences(self, file: str) -> tuple[Sentence, ...]:
        """All sentences of an article. Raises KeyError for a file that is not in the archive."""
        text = self.text(file)
        rows = self._rows(
            'SELECT number, start, "end", boilerplate FROM sentences JOIN articles ON id = article '
            "WHERE file = ? ORDER BY number",
            (file,),
        )
        return tuple(_sentence(text, row) for row in rows)

    def passages(self, numbers: Sequence[int]) -> dict[int, Passage]:
        """Passages by id. Ids that are not in the archive are left out."""
        marks = ",".join("?" * len(numbers))
        return {passage.id: passage for passage in self._passages(f"p.id IN ({marks})", numbers)}

    def passages_after(self, number: int, count: int) -> list[Passage]:
        """The next `count` passages with ids above `number`, in the order of ids."""
        return self._passages("p.id > ? ORDER BY p.id LIMIT ?", (number, count))

    def passages_of(self, file: str, count: int) -> list[Passage]:
        """The first `count` passages of an article."""
        return self._passages("a.file = ? ORDER BY first LIMIT ?", (file, count))

    def _passages(self, where: str, values: Sequence[int | str]) -> list[Passage]:
        columns = f"p.id, first, last, article, {_SOURCE}"
        rows = self._rows(f"SELECT {columns} FROM passages p JOIN articles a ON a.id = article WHERE {where}", values)
        # each text once: of one article of 4 MB there can be 2,000 passages
        texts = {file: self.text(file) for file in {row[4] for row in rows}}
        return [self._passage(_source(row[4:]), texts[row[4]], *row[:4]) for row in rows]

    def _passage(self, source: Source, text: str, number: int, first: int, last: int, article: int) -> Passage:
        rows = self._rows(
            'SELECT number, start, "end", boilerplate FROM sentences '
            "WHERE article = ? AND number BETWEEN ? AND ? ORDER BY number",
            (article, first, last),
        )
        sentences = tuple(_sentence(text, row) for row in rows)
        return Passage(number, source, sentences, text[sentences[0].start : sentences[-1].end])

    def vectors(self, passages: Sequence[int]) -> dict[int, np.ndarray]:
        """Unit vectors by passage id, each (1 + k, 384) float32: the passage, then its k evidence sentences."""
        marks = ",".join("?" * len(passages))
        query = f"SELECT p.id, v.vector FROM passages p JOIN vectors v ON v.key = p.vector WHERE p.id IN ({marks})"
        found = self._rows(query, passages)
        joined = np.frombuffer(b"".join(stored for _, stored in found), np.float16).reshape(-1, DIMENSIONS)
        ends = np.cumsum([len(stored) // (2 * DIMENSIONS) for _, stored in found])
        rows = np.split(joined.astype(np.float32), ends[:-1]) if found else []
        return dict(zip((number for number, _ in found), rows, strict=True))

    def nearest(self, vector: np.ndarray, count: int) -> list[tuple[int, float]]:
        """(passage id, cosine) of the nearest passages to a unit vector of shape (384,), best first."""
        return self._chroma().nearest(vector, count)

    def matching(self, words: Sequence[str], count: int) -> list[tuple[int, float]]:
        """(passage id, BM25 score) of the passages that hold any of the words, best first (higher is better)."""
        if not words:
            return []
        query = " OR ".join(map(_phrase, words))
        rows = self._rows(
            "SELECT rowid, -bm25(keywords, 0.5, 1.0) AS score FROM keywords WHERE keywords MATCH ? "
            "ORDER BY score DESC LIMIT ?",
            (query, count),
        )
        return [(number, score) for number, score in rows]

    def is_in_folder(self, source: Source) -> bool:
        """Whether the file still stands in the folder exactly as it was indexed."""
        try:
            data = read_bytes(self.articles / source.file)
        except OSError:
            return False
        return hashlib.sha256(data).hexdigest() == source.sha256


def _release(database: sqlite3.Connection, held: int | None) -> None:
    database.close()
    if held is not None:
        os.close(held)


def _phrase(word: str) -> str:
    """A word in the query language of FTS5: quoted, so that nothing in it is an operator."""
    text = word.replace('"', '""').replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    return f'"{text}"'


def _source(row: Sequence[Any]) -> Source:
    file, sha256, encoding, *metadata = row
    return Source(file, sha256, encoding, Metadata(*metadata))


def _sentence(text: str, row: Sequence[Any]) -> Sentence:
    number, start, end, boilerplate = row
    return Sentence(number, start, end, text[start:end], bool(boilerplate))
