"""Folder -> archive: make the archive equal to the folder, and open it.

Only what changed is read and only new passages are embedded. A build that is killed half way leaves the last
generation in place, and what it had embedded is used by the next one.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from index import generations
from index.archive import Archive, Counts
from index.build import Base, Change, Progress, build
from index.embed import MODEL_ID
from index.errors import ArchiveBusyError, ArchiveWriteError, FolderError
from index.generations import CHROMA, DATABASE
from index.metadata import read_metadata_file
from index.read import Article, Found, Skipped, list_folder, printable, read
from index.stamps import Stamps, read_stamps, write_stamps

RACY_NS = 2_000_000_000  # a file changed this recently may change again within its time stamp's resolution
UNSETTLED = (0, 0, 0)  # the stamp stored for such a file: it is read again at the next sync


@dataclass(frozen=True)
class Report:
    """What a sync did. `added`, `changed` and `removed` count articles; a renamed file counts in none of them."""

    counts: Counts
    added: int
    changed: int
    removed: int
    renamed: int
    embedded: int  # passages
    skipped: tuple[Skipped, ...]
    seconds: float


@dataclass(frozen=True)
class _Known:
    """An article of the last generation, as far as telling whether its file changed needs it."""

    sha256: str
    given: str
    stamp: tuple[int, ...]


def archive_home(articles: Path, home: Path) -> Path:
    """Where the archive of a folder is kept: its name to read by, and a hash of its full path to tell it apart."""
    path = Path(os.path.realpath(articles))  # unlike resolve(), no error for links that go in a circle
    name = "".join(character if character.isalnum() else "-" for character in path.name)[:40] or "root"
    return home / f"{name}-{hashlib.sha256(bytes(path)).hexdigest()[:12]}"


def open_archive(articles: Path, home: Path, progress: Progress | None = None) -> Archive:
    """Bring the archive of a folder up to date and open it. Where it cannot be written, or is being written by
    another process, the last published generation is opened as it is, where it is whole.

    Raises FolderError, ArchiveBusyError or ArchiveWriteError when there is nothing to open.
    """
    place = archive_home(articles, home)
    try:
        sync(articles, home, progress)
    except (ArchiveBusyError, ArchiveWriteError):
        base = _base(generations.current(place))
        if base is None or not base.chroma:
            raise
    generation = generations.current(place)
    if generation is None:
        raise ArchiveWriteError(f"the archive in {place} vanished while it was opened: run again")
    return Archive(articles, generation)


def sync(articles: Path, home: Path, progress: Progress | None = None, wait: float = 0.0) -> Report:
    """Make the archive equal to the folder, after up to `wait` seconds for another process that is writing it.

    Raises FolderError, ArchiveBusyError or ArchiveWriteError.
    """
    began = time.monotonic()
    place = archive_home(articles, home)
    listed = list(list_folder(articles))
    try:
        with generations.writer_lock(place, wait):
            return _sync(articles, place, listed, progress, began)
    except (OSError, sqlite3.Error, UnicodeEncodeError) as error:  # Chroma wants a path in UTF-8
        raise ArchiveWriteError(
            f"the archive in {printable(str(place))} cannot be written ({error}): free space or mend its permissions, "
            "or set PINCITE_HOME to another folder"
        ) from error


def _sync(
    articles: Path, place: Path, listed: list[Found | Skipped], progress: Progress | None, began: float
) -> Report:
    base = _base(generations.current(place))
    kept = read_stamps(place)
    known = _known(base.folder, kept) if base else {}
    change, skipped, settled = _compare(articles, listed, known)
    if len(known) == len(change.remove) and not change.write:
        raise FolderError(_nothing_to_read(articles, skipped))
    embedded = 0
    if base is None or not base.chroma or change.write or change.remove:
        killed = generations.unfinished(place)
        folder = generations.new(place)
        embedded = build(folder, base, change, killed, progress)
        generations.publish(place, folder)
    changed = {*change.remove, *(article.file for article, _, _ in change.write)}
    stamps = {file: stamp for file, stamp in (kept | settled).items() if file in known and file not in changed}
    if stamps != kept:
        write_stamps(place, stamps)
    generation = generations.current(place)
    assert generation is not None  # published just now, or it was the base
    with closing(Archive(articles, generation)) as archive:
        return _report(archive.counts, known, change, embedded, skipped, time.monotonic() - began)


def _base(generation: Path | None) -> Base | None:
    """The published generation, unless its database is damaged or was made with another embedding model."""
    if generation is None:
        return None
    damage = _damaged_once(generation, (generation / generations.MANIFEST).stat().st_mtime_ns)
    if DATABASE in damage:
        return None
    with closing(_read_only(generation)) as database:
        model = database.execute("SELECT value FROM meta WHERE key = 'model'").fetchone()
    return Base(generation, chroma=CHROMA not in damage) if model == (MODEL_ID,) else None


@lru_cache(maxsize=64)
def _damaged_once(generation: Path, published: int) -> frozenset[str]:  # noqa: ARG001 part of the key
    """Checksums are verified once per process and generation: a generation never changes."""
    return frozenset(generations.damaged(generation))


def _read_only(generation: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{(generation / DATABASE).absolute().as_uri()}?immutable=1", uri=True)


def _known(generation: Path, kept: Stamps) -> dict[str, _Known]:
    """The articles of a generation; a stamp that was kept for the same bytes is newer than the one in the database."""
    with closing(_read_only(generation)) as database:
        rows = database.execute("SELECT file, sha256, given, size, mtime_ns, ctime_ns FROM articles").fetchall()
    stamps = {(file, sha256): stamp for file, (sha256, stamp) in kept.items()}
    return {
        file: _Known(sha256, given, stamps.get((file, sha256), tuple(stamp))) for file, sha256, given, *stamp in rows
    }


def _compare(
    articles: Path, listed: list[Found | Skipped], known: dict[str, _Known]
) -> tuple[Change, list[Skipped], Stamps]:
    """Read what is new or may have changed: what must be written and removed, and new stamps of what has not."""
    tables = read_metadata_file(articles)
    write: list[tuple[Article, Found, str]] = []
    skipped: list[Skipped] = []
    unchanged: Stamps = {}
    present: set[str] = set()
    settled = time.time_ns() - RACY_NS
    for found in listed:
        if isinstance(found, Skipped):
            skipped.append(found)
            continue
        given = json.dumps(tables.get(found.file, {}), sort_keys=True, default=str)
        before = known.get(found.file)
        if before and before.given == given and before.stamp == found.stamp:
            present.add(found.file)
            continue
        article = read(found)
        if isinstance(article, Skipped):
            skipped.append(article)
            continue
        present.add(found.file)
        stamp = found.stamp if found.stamp[-1] < settled else UNSETTLED
        if before is None or (before.sha256, before.given) != (article.sha256, given):
            write.append((article, replace(found, stamp=stamp), given))
        elif stamp != UNSETTLED:
            unchanged[found.file] = article.sha256, stamp
    return Change(tuple(write), tuple(file for file in known if file not in present)), skipped, unchanged


def _nothing_to_read(articles: Path, skipped: list[Skipped]) -> str:
    where = printable(str(articles))
    if not skipped:
        return f"{where} is empty: put .txt or .md articles into it"
    first = skipped[0]
    why = f"{len(skipped)} skipped; {first.file}: {first.reason}"
    return f"{where} holds no readable article ({why}): add .txt or .md files"


def _report(
    counts: Counts, known: dict[str, _Known], change: Change, embedded: int, skipped: list[Skipped], seconds: float
) -> Report:
    gone = Counter(known[file].sha256 for file in change.remove)
    new = Counter(article.sha256 for article, _, _ in change.write if article.file not in known)
    renamed = (gone & new).total()
    return Report(
        counts=counts,
        added=new.total() - renamed,
        changed=len(change.write) - new.total(),
        removed=len(change.remove) - renamed,
        renamed=renamed,
        embedded=embedded,
        skipped=tuple(skipped),
        seconds=seconds,
    )
