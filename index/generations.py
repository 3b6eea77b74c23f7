"""Immutable generations of an archive on disk, one writer, crash-safe publication.

    home/<name>/LOCK             held by the one writer; released by the system when its process dies
    home/<name>/CURRENT          the name of the generation that readers open
    home/<name>/gen-000007/      archive.sqlite, chroma/, and MANIFEST.json with the sha256 of every file

A generation is built in its folder, every file is fsynced, MANIFEST.json is written last, and then CURRENT is
replaced by a rename. A crash at any point leaves the last generation in place. Nothing is written in place.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import ArchiveBusyError
from index.read import printable

MANIFEST = "MANIFEST.json"
CURRENT = "CURRENT"
DATABASE = "archive.sqlite"
CHROMA = "chroma"
FORMAT = 3  # raised when the layout changes, or how sentences, passages and headings are made: older ones are rebuilt


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """Hold the exclusive lock of an archive. Raises ArchiveBusyError at once when another process holds it."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(home / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise ArchiveBusyError(
                f"process {owner} is building the archive in {printable(str(home))}: wait until it is done"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def current(home: Path) -> Path | None:
    """The folder of the published generation, or None when there is none. Says nothing about its health."""
    try:
        folder = home / (home / CURRENT).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return folder if (folder / MANIFEST).is_file() else None


def damaged(folder: Path) -> set[str]:
    """Which parts of a generation are not what was published: a subset of {"archive.sqlite", "chroma"}."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        expected: dict[str, str] = manifest["sha256"]
        if manifest["format"] != FORMAT:
            return {DATABASE, CHROMA}
    except (OSError, ValueError, KeyError, TypeError):
        return {DATABASE, CHROMA}
    found = _checksums(folder)
    wrong = {name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)}
    return {name.split("/")[0] for name in wrong}


def new(home: Path) -> Path:
    """An empty folder for the next generation."""
    folder = home / f"gen-{max(map(_number, home.glob('gen-*')), default=0) + 1:06d}"
    folder.mkdir(mode=0o700)
    return folder


def unfinished(home: Path) -> list[Path]:
    """Folders of builds that were killed before they were published: those newer than the current generation."""
    published = current(home)
    newest = _number(published) if published else 0
    return [folder for folder in home.glob("gen-*") if _number(folder) > newest]


def _number(folder: Path) -> int:
    digits = folder.name.removeprefix("gen-")
    return int(digits) if digits.isdigit() else 0


def publish(home: Path, folder: Path) -> None:
    """Make a finished folder the current generation, durably, and drop all but it and its predecessor."""
    previous = current(home)
    for path in _files(folder):
        path.chmod(0o600)
        _fsync(path)
    manifest = {"format": FORMAT, "sha256": _checksums(folder)}
    _write(folder / MANIFEST, json.dumps(manifest, indent=1))
    for directory in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        _fsync(directory)
    _write(home / f"{CURRENT}.new", folder.name)
    (home / f"{CURRENT}.new").replace(home / CURRENT)
    _fsync(home)
    for old in home.glob("gen-*"):
        if old not in (folder, previous):
            shutil.rmtree(old, ignore_errors=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)


def _checksums(folder: Path) -> dict[str, str]:
    sums = {}
    for path in _files(folder):
        with path.open("rb") as file:
            sums[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return sums


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    _fsync(path)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
