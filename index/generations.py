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
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from index.errors import ArchiveBusyError
from index.read import printable

MANIFEST = "MANIFEST.json"
CURRENT = "CURRENT"
DATABASE = "archive.sqlite"
CHROMA = "chroma"
LOCK_POLL = 0.02  # seconds
FORMAT = 3  # raised when the layout changes, or how sentences, passages and headings are made: older ones are rebuilt


@contextmanager
def writer_lock(home: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold the exclusive lock of an archive. Raises ArchiveBusyError when another holds it for `wait` seconds."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(home / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait
        while not _locked(handle):
            if time.monotonic() >= deadline:
                owner = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
                raise ArchiveBusyError(
                    f"process {owner} is building the archive in {printable(str(home))}: wait until it is done"
                )
            time.sleep(LOCK_POLL)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Take the exclusive lock of an open file, unless another one holds it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def current(home: Path) -> Path | None:
    """The folder of the published generation, or None when there is none. Says nothing about its health."""
    try:
        folder = home / (home / CURRENT).read_text("ascii").strip()
        return folder if (folder / MANIFEST).is_file() else None
    except (OSError, UnicodeDecodeError):
        return None


def hold(folder: Path) -> int | None:
    """A file handle that keeps a published generation from being deleted until it is closed; None for any other."""
    try:
        handle = os.open(folder / MANIFEST, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    with suppress(OSError):  # a file system without locks: as safe as it can be, the last two are kept
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return handle


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
    """Make a finished folder the current generation, durably, and drop all but it, its predecessor and what is held."""
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
            _drop(old)


def _drop(folder: Path) -> None:
    """Delete an old generation, unless an archive has it open."""
    try:
        handle = os.open(folder / MANIFEST, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # never published: nobody has it open
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        if _locked(handle):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


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
