"""Write a generation: the changed articles into a copy of the last SQLite file, then the difference into Chroma."""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index import vectors
from index.archive import SCHEMA, Archive
from index.embed import MODEL_ID, embed_passages
from index.errors import ArchiveWriteError
from index.generations import CHROMA, DATABASE
from index.metadata import describe
from index.passages import Passage, parts, runs
from index.read import Article, Found
from index.sentences import split

COMMIT_EVERY = 256  # passages embedded between two commits: what a killed build loses at most

Progress = Callable[[int, int], None]  # passages embedded so far, passages to embed


@dataclass(frozen=True)
class Base:
    """The generation to start from; `chroma` is False when its vectors are damaged and must be built again."""

    folder: Path
    chroma: bool


@dataclass(frozen=True)
class Change:
    """What to write (article, where it was found, its `articles.toml` table as JSON) and which files to remove."""

    write: tuple[tuple[Article, Found, str], ...]
    remove: tuple[str, ...]


def build(folder: Path, base: Base | None, change: Change, killed: Sequence[Path], progress: Progress | None) -> int:
    """Write the next generation into the empty `folder`; returns the number of passages embedded.

    `killed` are folders of builds that did not finish: what they had embedded is taken over, then they are
    deleted. Raises OSError or sqlite3.Error when the disk does not take it.
    """
    if base:
        shutil.copyfile(base.folder / DATABASE, folder / DATABASE)
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        if not base:
            database.executescript(SCHEMA)
            database.execute("INSERT INTO meta VALUES ('model', ?)", (MODEL_ID,))
        _take_over(database, killed)  # first, so that builds killed one after the other do not pile up
        last = database.execute("SELECT coalesce(max(id), 0) FROM passages").fetchone()[0]
        removed = _write_articles(database, change)
        embedded = _embed_pending(database, progress)
        database.execute("DELETE FROM vectors WHERE key NOT IN (SELECT vector FROM passages)")
        database.commit()
    if base and base.chroma:
        shutil.copytree(base.folder / CHROMA, folder / CHROMA)
        _write_chroma(folder, removed, last)
    else:
        _write_chroma(folder, [], 0)
    return embedded


def _write_articles(database: sqlite3.Connection, change: Change) -> list[int]:
    """Apply the change to all tables but `vectors`; returns the ids of the passages removed."""
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("CREATE TEMP TABLE pending (key TEXT PRIMARY KEY, parts TEXT NOT NULL)")
    removed: list[int] = []
    for file in (*change.remove, *(article.file for article, _, _ in change.write)):
        query = "SELECT p.id FROM passages p JOIN articles a ON a.id = article WHERE file = ?"
        rows = database.execute(query, (file,)).fetchall()
        database.executemany("DELETE FROM keywords WHERE rowid = ?", rows)
        database.execute("DELETE FROM articles WHERE file = ?", (file,))
        removed += [number for (number,) in rows]
    for article, found, given in change.write:
        _insert(database, article, found, given)
    database.commit()
    return removed


def _insert(database: sqlite3.Connection, article: Article, found: Found, given: str) -> None:
    metadata = describe(article.text, json.loads(given))
    sentences = split(article.text)
    columns = {
        **{"file": article.file, "sha256": article.sha256, "encoding": article.encoding, "text": article.text},
        **dict(zip(("size", "mtime_ns", "ctime_ns"), found.stamp, strict=True)),
        "given": given,
        **vars(metadata),
    }
    insert = f"INSERT INTO articles ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    key = database.execute(insert, tuple(columns.values())).lastrowid
    database.executemany(
        "INSERT INTO sentences VALUES (?, ?, ?, ?, ?)",
        [(key, sentence.number, sentence.start, sentence.end, sentence.boilerplate) for sentence in sentences],
    )
    for first, last in runs(sentences):
        run = sentences[first - 1 : last]
        embedded = parts(metadata, run)
        written = json.dumps(embedded)
        name = hashlib.sha256(written.encode()).hexdigest()
        database.execute("INSERT OR IGNORE INTO pending VALUES (?, ?)", (name, written))
        insert = "INSERT INTO passages (article, first, last, vector) VALUES (?, ?, ?, ?)"
        number = database.execute(insert, (key, first, last, name)).lastrowid
        keywords = (number, metadata.title or "", " ".join(embedded[1:]))
        database.execute("INSERT INTO keywords (rowid, title, body) VALUES (?, ?, ?)", keywords)


def _take_over(database: sqlite3.Connection, killed: Sequence[Path]) -> None:
    """Copy the vectors that killed builds had committed, then delete what they left."""
    for folder in killed:
        try:
            database.execute("ATTACH ? AS killed", (str(folder / DATABASE),))
            database.execute(
                "INSERT OR IGNORE INTO vectors SELECT v.key, v.vector FROM killed.vectors v "
                "WHERE (SELECT value FROM killed.meta WHERE key = 'model') = ?",
                (MODEL_ID,),
            )
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise
            # else it was killed before its tables were made: nothing to take over
        database.commit()
        if any(name == "killed" for _, name, _ in database.execute("PRAGMA database_list").fetchall()):
            database.execute("DETACH killed")
        shutil.rmtree(folder, ignore_errors=True)


def _embed_pending(database: sqlite3.Connection, progress: Progress | None) -> int:
    query = "SELECT key, parts FROM pending WHERE key NOT IN (SELECT key FROM vectors) ORDER BY rowid"
    todo = database.execute(query).fetchall()
    for start in range(0, len(todo), COMMIT_EVERY):
        part = todo[start : start + COMMIT_EVERY]
        rows = embed_passages([json.loads(written) for _, written in part], threads=_cores())
        pairs = [(key, row.astype(np.float16).tobytes()) for (key, _), row in zip(part, rows, strict=True)]
        database.executemany("INSERT INTO vectors VALUES (?, ?)", pairs)
        database.commit()
        if progress:
            progress(start + len(part), len(todo))
    return len(todo)


def _cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _write_chroma(folder: Path, removed: Sequence[int], after: int) -> None:
    with closing(Archive(folder, folder)) as archive:
        count = vectors.update(folder / CHROMA, removed, _with_vectors(archive, after))
        if count != archive.counts.passages:
            raise ArchiveWriteError(
                f"Chroma holds {count} passages of {archive.counts.passages} in {folder}: run again"
            )


def _with_vectors(archive: Archive, after: int) -> Iterator[tuple[Passage, np.ndarray]]:
    """All passages with ids above `after`, each with its vector."""
    while batch := archive.passages_after(after, COMMIT_EVERY):
        vectors_of = archive.vectors([passage.id for passage in batch])
        yield from ((passage, vectors_of[passage.id][0]) for passage in batch)
        after = batch[-1].id
