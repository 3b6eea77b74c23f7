"""Files of a folder -> articles. The text of an article is kept exactly as decoded, newlines included.

LlamaIndex's SimpleDirectoryReader is not used: it hangs on FIFOs, follows links out of the folder and drops
bytes that it cannot decode. Here nothing is dropped: a file is read whole, or skipped with the reason.
"""

import codecs
import hashlib
import os
import re
import stat
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from index.errors import FolderError

SUFFIXES = (".txt", ".md")
MAX_BYTES = 5 * 1024 * 1024  # a news article is a few kB; a file this large is something else
MAX_DEPTH = 100  # folders in folders
TICK_NS = 20_000_000  # longer than the resolution of file times, which is 1 to 10 ms
MAX_CONTROL_SHARE = 0.01  # more control characters than this and the file is not text
NOT_ARTICLES = ("SOURCES.md", "README.md", "LICENSE.md")  # notes about a corpus, beside its articles
_HIGH = bytes(range(0x80, 0x100))
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class Article:
    """One readable file. `file` is its path relative to the folder, `/`-separated."""

    file: str
    text: str
    sha256: str  # of the file's bytes
    encoding: str  # Python codec name: text == bytes.decode(encoding)


@dataclass(frozen=True)
class Skipped:
    """A file that is not indexed, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Found:
    """A file in the folder, not yet read. `stamp` (size, mtime and ctime in ns) changes when the file does.

    The change time is what tells two files apart that swapped names, or one that was edited and set back in time.
    """

    file: str
    path: Path
    stamp: tuple[int, int, int]


def list_folder(folder: Path) -> Iterator[Found | Skipped]:
    """Walk `folder` in the order of names, without following links or opening anything.

    Raises FolderError when the folder does not exist, is not a folder, or cannot be listed.
    """
    try:
        what = "" if folder.is_dir() else "is not a folder" if folder.exists() else "does not exist"
    except OSError as error:  # name too long, parent that may not be searched
        what = f"cannot be opened ({error.strerror})"
    if what:
        raise FolderError(f"{printable(str(folder))} {what}: name a folder of .txt or .md articles")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise FolderError(f"{printable(str(folder))} cannot be read: check its permissions")
    yield from _walk(folder, "")


def _walk(folder: Path, prefix: str) -> Iterator[Found | Skipped]:
    try:
        with os.scandir(folder) as handle:
            entries = sorted(handle, key=lambda entry: entry.name)
    except OSError as error:
        yield Skipped(printable(prefix), f"folder cannot be listed ({error.strerror})")
        return
    for entry in entries:
        name = prefix + entry.name
        if entry.name.startswith(".") or (not prefix and entry.name in ("articles.toml", *NOT_ARTICLES)):
            continue
        if entry.is_symlink():
            yield Skipped(printable(name), "symbolic link (links are not followed)")
        elif entry.is_dir():
            if prefix.count("/") < MAX_DEPTH:
                yield from _walk(Path(entry.path), name + "/")
            else:
                yield Skipped(printable(name), f"more than {MAX_DEPTH} folders deep")
        elif not entry.name.lower().endswith(SUFFIXES):
            yield Skipped(printable(name), "not a .txt or .md file")
        elif not entry.is_file():
            yield Skipped(printable(name), "not a regular file")
        elif not _is_utf8(name):
            yield Skipped(printable(name), "file name is not valid UTF-8")
        else:
            yield _found(name, entry)


def _found(name: str, entry: os.DirEntry[str]) -> Found | Skipped:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError as error:  # deleted since the folder was listed
        return Skipped(printable(name), f"cannot be read ({error.strerror})")
    return Found(name, Path(entry.path), (info.st_size, info.st_mtime_ns, info.st_ctime_ns))


def read(found: Found) -> Article | Skipped:
    """Read and decode one file; every failure is a `Skipped` with its reason, never an exception."""
    try:
        data = read_bytes(found.path)
    except NotReadError as error:
        return Skipped(printable(found.file), str(error))
    except OSError as error:
        return Skipped(printable(found.file), f"cannot be read ({error.strerror})")
    decoded = decode(data)
    if decoded is None:
        return Skipped(printable(found.file), "binary, damaged, or in no known text encoding")
    text, encoding = decoded
    if not text.strip().strip("\ufeff"):
        return Skipped(printable(found.file), "empty")
    return Article(found.file, text, hashlib.sha256(data).hexdigest(), encoding)


class NotReadError(OSError):
    """Why a file that could be opened is not read."""


def read_bytes(path: Path) -> bytes:
    """Bytes of a regular file. O_NONBLOCK keeps a FIFO from hanging, O_NOFOLLOW a late link from being followed.

    Raises NotReadError (not a regular file, too large, changed meanwhile) or OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise NotReadError("not a regular file")
        if before.st_size > MAX_BYTES:
            raise NotReadError(f"larger than {MAX_BYTES // 1024 // 1024} MB")
        if 0 <= time.time_ns() - before.st_mtime_ns < TICK_NS:
            time.sleep(TICK_NS / 1e9)  # else a write from now on could leave the same time stamp
        data = file.read(before.st_size + 1)
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise NotReadError("changed while it was read: run again")
    return data


def decode(data: bytes) -> tuple[str, str] | None:
    """Bytes -> (text, encoding) by the first codec of the ladder that decodes every byte, or None.

    UTF-16 and UTF-32 only with a byte order mark; then UTF-8; then cp1252, the usual encoding of old Windows
    files, unless it looks like UTF-8 with a damaged byte, which cp1252 would turn into nonsense. A UTF-8 byte
    order mark stays in the text as its first character, so that offsets are those of `data.decode("utf-8")`.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        ladder = ("utf-32",)
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        ladder = ("utf-16",)
    else:
        ladder = ("utf-8",) if _is_damaged_utf8(data) else ("utf-8", "cp1252")
    for encoding in ladder:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if _looks_binary(text) else (text, encoding)
    return None


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether most bytes above ASCII form valid UTF-8: in real cp1252 text next to none do."""
    high = len(data) - len(data.translate(None, _HIGH))
    return high > 2 * (len(data) - len(data.decode("utf-8", "ignore").encode()))


def _looks_binary(text: str) -> bool:
    return "\0" in text or len(_CONTROL.findall(text)) > MAX_CONTROL_SHARE * len(text)


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def printable(name: str) -> str:
    """A file name for a terminal or a log: control and direction marks as escapes, so that nothing can hide."""
    return "".join(character if character.isprintable() else _escaped(character) for character in name)


def shown(text: str) -> str:
    """Text of an article for a terminal: what could steer it or hide words as escapes, every other character as it is.

    Zero-width non-joiner and joiner stay: Persian, the scripts of India and emoji are spelled with them.
    """
    return "".join(_escaped(character) if _steers(character) else character for character in text)


def _steers(character: str) -> bool:
    return character not in "\t\n\u200c\u200d" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
