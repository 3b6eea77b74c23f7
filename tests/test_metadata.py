"""Headline, publisher and date: from articles.toml, else from the head of the text."""

import os
from pathlib import Path

import pytest

from index.errors import FolderError
from index.home import CORPUS
from index.metadata import METADATA_FILE, Metadata, byline_span, describe, read_metadata_file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Talks fail\nusatoday.com 2023-07-21\n\nThe talks failed.", ("Talks fail", "usatoday.com", "2023-07-21")),
        ("Talks fail\nReuters · 3 March 2022\n\nThe talks failed.", ("Talks fail", "Reuters", "2022-03-03")),
        ("Talks fail\nThe Guardian (via Wire)\n\nThe talks failed.", ("Talks fail", "The Guardian (via Wire)", None)),
        ("Talks fail in the U.S.\nReuters 2022-03-03\n\nNone.", ("Talks fail in the U.S.", "Reuters", "2022-03-03")),
        ("Talks fail\nBy Ana Ruiz\n\nThe talks failed.", ("Talks fail", None, None)),
        ("Talks fail\n\nKYIV, March 3rd, 2022 — The talks failed.", ("Talks fail", None, "2022-03-03")),
        ("Talks fail\n\nSept. 9, 2021\n\nThe talks failed.", ("Talks fail", None, "2021-09-09")),
        ("Talks fail\nKyiv says no deal was near\n\nThe talks failed.", ("Talks fail", None, None)),
        ("Talks fail\n\nStamped 2022-02-31.\n\nThe talks failed.", ("Talks fail", None, None)),
        ("The talks failed.\nNobody came.", (None, None, None)),
        ("One line only", (None, None, None)),
        ("\ufeffTalks fail\n\nThe talks failed.", ("Talks fail", None, None)),
        ("", (None, None, None)),
    ],
)
def test_head_of_a_text(text: str, expected: tuple[str | None, ...]) -> None:
    found = describe(text, {})
    assert (found.title, found.publisher, found.date) == expected


def test_a_date_far_down_belongs_to_the_story() -> None:
    assert describe("Headline\n\n" + "A sentence.\n" * 20 + "It began on 3 March 2022.", {}).date is None


def test_byline_is_exactly_its_line() -> None:
    text = "Talks fail\n  usatoday.com 2023-07-21  \n\nThe talks failed."
    span = byline_span(text)
    assert span is not None
    assert text[slice(*span)] == "usatoday.com 2023-07-21"


def test_given_values_win_and_an_empty_one_means_none() -> None:
    text = "Talks fail\nusatoday.com 2023-07-21\n\nThe talks failed."
    given = {"title": "", "date": "2022-03-03", "url": "https://example.org/1", "unknown": 5}
    assert describe(text, given) == Metadata(None, "usatoday.com", "2022-03-03", "https://example.org/1", None)


def write(folder: Path, content: bytes) -> Path:
    (folder / METADATA_FILE).write_bytes(content)
    return folder


def test_no_metadata_file_is_no_error(tmp_path: Path) -> None:
    assert read_metadata_file(tmp_path) == {}


@pytest.mark.parametrize(
    "content",
    [
        b'["a.txt"]\ntitle = "T"\ndate = 2022-03-03',
        b'["a.txt"]\r\ntitle = "T"\r\ndate = "2022-03-03"\r\n',
        b'\xef\xbb\xbf["a.txt"]\ntitle = "T"\ndate = "2022-03-03"',
    ],
    ids=["TOML date", "Windows line ends", "byte order mark"],
)
def test_metadata_file(tmp_path: Path, content: bytes) -> None:
    given = read_metadata_file(write(tmp_path, content))["a.txt"]
    found = describe("x", given)
    assert (found.title, found.date) == ("T", "2022-03-03")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[a.txt", "Expected ']'"),
        (b'["a.txt"]\ntitle = "\xe9"', "utf-8"),
        (b'\xff\xfe[\x00"\x00', "utf-8"),
        (b'title = "T"', '"title" is not a table'),
        (b'["a.txt"]\ntitle = 5', 'title of "a.txt" is not text'),
        (b'["a.txt"]\npublisher = ["A", "B"]', 'publisher of "a.txt" is not text'),
        (b'["a.txt"]\ndate = "yesterday"', 'date of "a.txt" is not a date'),
        (b'["a.txt"]\ndate = "20220303"', 'date of "a.txt" is not a date'),
        (b'["a.txt"]\ndate = 2022-03-03T10:00:00', 'date of "a.txt" is not a date'),
        (b'["a\\nb\\u202E.txt"]\nurl = 5', '"a\\nb\\u202e.txt"'),
        (b"a = " + b"[" * 100_000, "recursion"),
        (b"a = " + b"1" * 5000, "digits"),
        (b"#" * 6_000_000, "larger than 5 MB"),
    ],
)
def test_wrong_metadata_file_is_one_clear_line(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(FolderError) as raised:
        read_metadata_file(write(tmp_path, content))
    assert METADATA_FILE in str(raised.value)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_metadata_file_that_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / METADATA_FILE)
    with pytest.raises(FolderError, match="not a regular file"):
        read_metadata_file(tmp_path)
    (tmp_path / METADATA_FILE).unlink()
    (tmp_path / METADATA_FILE).mkdir()
    with pytest.raises(FolderError, match="cannot be read"):
        read_metadata_file(tmp_path)


def test_metadata_of_the_default_articles_names_existing_files() -> None:
    tables = read_metadata_file(CORPUS)
    assert set(tables) == {path.name for path in CORPUS.glob("*.txt")}
    for file, given in tables.items():
        found = describe((CORPUS / file).read_bytes().decode("utf-8"), given)
        assert found.date, file
        assert found.date_basis or file.startswith("004_"), f"{file}: where its date comes from is not said"
