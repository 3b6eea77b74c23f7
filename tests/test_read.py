"""Files -> articles: hostile folders and bytes. Every file is read whole or skipped with its reason; nothing hangs."""

import codecs
import itertools
import os
import random
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import FolderError
from index.read import MAX_BYTES, MAX_DEPTH, Article, Found, Skipped, decode, list_folder, printable, read, shown

TEXT = "Le café est fermé.\r\nIt’s closed – “for good”.\n"


def read_folder(folder: Path) -> dict[str, Article | Skipped]:
    found = [read(one) if isinstance(one, Found) else one for one in list_folder(folder)]
    return {one.file: one for one in found}


def reason(folder: Path, file: str) -> str:
    one = read_folder(folder)[file]
    assert isinstance(one, Skipped), one
    return one.reason


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with one good article, which is still read whatever else lies in the folder."""
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "good.txt").write_text("A good article.")
    yield articles
    assert isinstance(read_folder(articles)["good.txt"], Article)


# Folders


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="missing does not exist"):
        list(list_folder(tmp_path / "missing"))


def test_file_instead_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(FolderError, match="is not a folder"):
        list(list_folder(tmp_path / "a.txt"))


def test_empty_folder_lists_nothing(tmp_path: Path) -> None:
    assert read_folder(tmp_path) == {}


def test_only_text_and_notes_apart(folder: Path) -> None:
    for name in ("b.md", "UPPER.TXT", "c.pdf", "d", "README.md", "SOURCES.md", "articles.toml", ".hidden.txt"):
        (folder / name).write_text("Something.")
    (folder / "sub").mkdir()
    (folder / "sub" / "README.md").write_text("An article of that name.")
    found = read_folder(folder)
    assert {name for name, one in found.items() if isinstance(one, Article)} == {
        *("good.txt", "b.md", "UPPER.TXT", "sub/README.md"),
    }
    assert {name for name, one in found.items() if isinstance(one, Skipped)} == {"c.pdf", "d"}


def test_order_is_that_of_names(folder: Path) -> None:
    for name in ("b.txt", "a.txt", "z.txt"):
        (folder / name).write_text(name)
    assert list(read_folder(folder)) == ["a.txt", "b.txt", "good.txt", "z.txt"]


def test_depth(folder: Path) -> None:
    deep = folder.joinpath(*["d"] * 60)
    deep.mkdir(parents=True)
    (deep / "a.txt").write_text("Deep.")
    assert isinstance(read_folder(folder)["d/" * 60 + "a.txt"], Article)
    below = folder.joinpath(*["e"] * (MAX_DEPTH + 50))
    below.mkdir(parents=True)
    (below / "b.txt").write_text("Too deep.")
    assert "folders deep" in reason(folder, "/".join(["e"] * (MAX_DEPTH + 1)))


# Things that are no regular files


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret.txt", "good.txt", "nowhere.txt", "link.txt"])
def test_symbolic_links_are_not_followed(folder: Path, target: str) -> None:
    (folder.parent / "secret.txt").write_text("Secret.")
    (folder / "link.txt").symlink_to(target)
    assert "link" in reason(folder, "link.txt")


def test_linked_folders_are_not_followed(folder: Path) -> None:
    (folder.parent / "outside").mkdir()
    (folder.parent / "outside" / "secret.txt").write_text("Secret.")
    (folder / "sub").symlink_to("../outside")
    (folder / "loop").symlink_to(".")
    assert set(read_folder(folder)) == {"good.txt", "loop", "sub"}


def test_link_put_in_place_after_listing(folder: Path) -> None:
    """The race that a check before opening loses."""
    (found,) = list_folder(folder)
    assert isinstance(found, Found)
    (folder.parent / "secret.txt").write_text("Secret.")
    found.path.rename(folder.parent / "kept.txt")
    found.path.symlink_to("../secret.txt")
    assert isinstance(read(found), Skipped)
    (folder.parent / "kept.txt").replace(found.path)


@pytest.mark.parametrize("late", [False, True], ids=["listed as such", "put in place after listing"])
def test_fifo_does_not_hang(folder: Path, late: bool) -> None:
    if late:
        (folder / "pipe.txt").write_text("x")
        found = next(one for one in list_folder(folder) if one.file == "pipe.txt")
        (folder / "pipe.txt").unlink()
        os.mkfifo(folder / "pipe.txt")
        assert isinstance(found, Found)
        assert read(found) == Skipped("pipe.txt", "not a regular file")
    else:
        os.mkfifo(folder / "pipe.txt")
        assert reason(folder, "pipe.txt") == "not a regular file"


def test_socket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # the name of a socket is limited to 108 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.txt")
        assert reason(folder, "socket.txt") == "not a regular file"


def test_folder_named_like_a_file(folder: Path) -> None:
    (folder / "a.txt").mkdir()
    (folder / "a.txt" / "b.txt").write_text("An article.")
    assert isinstance(read_folder(folder)["a.txt/b.txt"], Article)


def test_vanished_file(folder: Path) -> None:
    (folder / "a.txt").write_text("x")
    found = next(one for one in list_folder(folder) if one.file == "a.txt")
    (folder / "a.txt").unlink()
    assert isinstance(found, Found)
    assert read(found) == Skipped("a.txt", "cannot be read (No such file or directory)")


def test_file_that_vanishes_while_the_folder_is_listed(folder: Path) -> None:
    (folder / "a.txt").write_text("x")
    (folder / "b.txt").write_text("x")
    listing = list_folder(folder)
    next(listing)
    (folder / "b.txt").unlink()
    assert next(listing) == Skipped("b.txt", "cannot be read (No such file or directory)")


def test_unreadable_file_and_folder(folder: Path) -> None:
    (folder / "locked.txt").write_text("x")
    (folder / "locked.txt").chmod(0)
    (folder / "closed").mkdir(mode=0)
    for path in (folder, *folder.parents[:3]):
        path.chmod(path.stat().st_mode | 0o55)
    nobody = os.geteuid() == 0
    if nobody:
        os.seteuid(65534)  # to root every file is readable
    try:
        found = read_folder(folder)
    finally:
        if nobody:
            os.seteuid(0)
        (folder / "closed").chmod(0o700)
    assert found["locked.txt"] == Skipped("locked.txt", "cannot be read (Permission denied)")
    assert found["closed/"] == Skipped("closed/", "folder cannot be listed (Permission denied)")


# Names


@pytest.mark.parametrize(
    "name",
    [
        *("two words.txt", 'it\'s "quoted".txt', "new\nline.txt", "new\r\nline.txt", "Новости ☃.txt", "-rf.txt"),
        *(
            "%2e%2e.txt",
            "a\u202etxt.exe.txt",
            "\x1b[31mred.txt",
            "<img src=x onerror=alert(1)>.txt",
            "n" * 250 + ".txt",
        ),
        *("e\u0301.txt", "\u00e9.txt", "${x}.txt", "back\\slash.txt", "[1].txt"),
    ],
)
def test_any_valid_name_is_read(folder: Path, name: str) -> None:
    (folder / name).write_text("An article.")
    (folder / f"!{name}").write_bytes(b"")
    found = read_folder(folder)
    assert isinstance(found[name], Article)
    (empty,) = [one for one in found.values() if isinstance(one, Skipped) and one.reason == "empty"]
    assert empty.file.isprintable()


def test_name_that_is_not_utf8(folder: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("An article.")
    (folder / os.fsdecode(b"d\xff")).mkdir()
    (folder / os.fsdecode(b"d\xff") / "a.txt").write_text("An article.")
    assert reason(folder, r"caf\udce9.txt") == "file name is not valid UTF-8"
    assert reason(folder, r"d\udcff/a.txt") == "file name is not valid UTF-8"


@given(st.text(st.characters(), max_size=50))
def test_printable_names_hide_nothing(name: str) -> None:
    visible = printable(name)
    assert visible.isprintable()
    assert len(visible.encode("utf-8")) >= len(name)
    assert printable("a b é") == "a b é"


def test_shown_text_is_whole_but_steers_no_terminal() -> None:
    ordinary = (
        "10\u00a0000\u202f€\ttab\nline, \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645, 👩\u200d🚀, \ufffd, \ue000"
    )
    assert shown(ordinary) == ordinary
    assert shown("a\x1b[2J\r\x9b\u202eb\u2028\ufeff\ud800") == r"a\x1b[2J\r\x9b\u202eb\u2028\ufeff\ud800"


# Bytes


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (TEXT.encode(), TEXT, "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "\ufeff" + TEXT, "utf-8"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), TEXT, "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), TEXT, "utf-16"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), TEXT, "utf-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), TEXT, "utf-32"),
        (TEXT.encode("cp1252"), TEXT, "cp1252"),
        ("Новости".encode(), "Новости", "utf-8"),
        (b"one\ttab\x0cpage", "one\ttab\x0cpage", "utf-8"),
        (b"x", "x", "utf-8"),
    ],
)
def test_encodings(folder: Path, data: bytes, text: str, encoding: str) -> None:
    (folder / "a.txt").write_bytes(data)
    article = read_folder(folder)["a.txt"]
    assert isinstance(article, Article)
    assert (article.text, article.encoding) == (text, encoding)
    assert data.decode(article.encoding) == article.text


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(range(256)),
        b"\x7fELF\x02\x01\x01" + b"\0" * 9,
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 4,
        b"text with one \0 in it",
        b"\x01\x02\x03\x04" * 20,
        codecs.BOM_UTF16_LE + b"odd number of bytes",
        codecs.BOM_UTF16_LE + b"\x00\xd8a\x00",
        TEXT.encode("utf-16-le"),
        b"\x81\x8d\x8f\x90\x9d",
        ("Новости дня. " * 20).encode()[:-3],
        ("Новости дня. " * 20).encode() + b"\xff" + ("Новости дня. " * 20).encode(),
    ],
    ids=range(12),
)
def test_binary_and_damaged_files_are_skipped(folder: Path, data: bytes) -> None:
    (folder / "a.txt").write_bytes(data)
    assert reason(folder, "a.txt") == "binary, damaged, or in no known text encoding"


@pytest.mark.parametrize("data", [b"", b" \n\t", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF8 + b" \r\n"])
def test_empty_files_are_skipped(folder: Path, data: bytes) -> None:
    (folder / "a.txt").write_bytes(data)
    assert reason(folder, "a.txt") == "empty"


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_whole_or_not_at_all(data: bytes) -> None:
    decoded = decode(data)
    if decoded is not None:
        text, encoding = decoded
        assert data.decode(encoding) == text
        if encoding in ("utf-8", "cp1252"):
            assert text.encode(encoding) == data


@given(st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), min_size=1))
def test_windows_text_is_read(text: str) -> None:
    text = "A sentence in plain words stands before it. " * 3 + text
    decoded = decode(text.encode("cp1252"))
    assert decoded is None or decoded[0] == text or decoded[1] == "utf-8"
    if sum(character > "\x7f" for character in text) == 1:  # a lone accent never looks like UTF-8
        assert decoded == (text, "cp1252")


def test_a_huge_file_is_skipped_without_reading_it(folder: Path) -> None:
    with (folder / "big.txt").open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    tracemalloc.start()
    began = time.perf_counter()
    why = reason(folder, "big.txt")
    seconds = time.perf_counter() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert why == "larger than 5 MB"
    assert seconds < 0.5
    assert peak < 1024 * 1024


def test_a_file_of_exactly_the_limit_is_read(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"a" * MAX_BYTES)
    (folder / "b.txt").write_bytes(b"a" * (MAX_BYTES + 1))
    found = read_folder(folder)
    assert isinstance(found["a.txt"], Article)
    assert isinstance(found["b.txt"], Skipped)


def test_a_file_that_changes_while_it_is_read(folder: Path) -> None:
    """A writer rewrites it again and again: what is read is one of its versions, or it is skipped."""
    path = folder / "a.txt"
    versions = [(letter * 4_000_000).encode() for letter in "ab"]
    path.write_bytes(versions[0])
    stop, pause = threading.Event(), random.Random(1)

    def write() -> None:
        for turn in itertools.count():
            with path.open("r+b") as file:
                for start in range(0, 4_000_000, 25_000):
                    file.write(versions[turn % 2][start : start + 25_000])
                    file.flush()
            if stop.wait(pause.uniform(0, 0.06)):
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = [next(read(one) for one in list_folder(folder) if isinstance(one, Found)) for _ in range(25)]
    finally:
        stop.set()
        writer.join()
    torn = [one for one in found if isinstance(one, Article) and len(set(one.text)) > 1]
    assert not torn
    assert all(isinstance(one, Article) or "changed while it was read" in one.reason for one in found)
