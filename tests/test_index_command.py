"""`python -m index`: what it prints, and its exit codes."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from folders import STORIES, write

from index.__main__ import main
from index.generations import writer_lock
from index.home import CORPUS, default_articles, default_home, expanded
from index.sync import archive_home

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three articles, and an empty PINCITE_HOME."""
    monkeypatch.setenv("PINCITE_HOME", str(tmp_path / "home"))
    for name, text in STORIES.items():
        write(tmp_path / "articles", name, text)
    return tmp_path / "articles"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], list[str]]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.splitlines()


def test_first_run_and_second(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = printed(capsys, str(folder))
    assert code == 0
    assert out[:2] == ["3 articles, 33 sentences, 5 passages", "added 3"]
    assert out[2] == f"archive: {next((folder.parent / 'home').iterdir())}"
    assert out[3].endswith(" s")
    assert err == ["embedding 5 passages"]
    code, out, err = printed(capsys, str(folder))
    assert (code, out[1], err) == (0, "nothing changed", [])


def test_changes_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(folder)])
    write(folder, "new.txt", "A new article. It is short.")
    write(folder, "a.txt", "A changed article. It is short.")
    (folder / "b.txt").rename(folder / "renamed.txt")
    (folder / "sub" / "c.txt").unlink()
    capsys.readouterr()
    _, out, _ = printed(capsys, str(folder))
    assert out[:2] == ["3 articles, 7 sentences, 3 passages", "added 1, changed 1, removed 1, renamed 1"]


def test_one_of_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.txt", "sub/c.txt"):
        (folder / name).unlink()
    write(folder, "b.txt", "One sentence.")
    assert printed(capsys, str(folder))[1][0] == "1 article, 1 sentence, 1 passage"


def test_skipped_files_are_grouped_by_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        write(folder, f"p{number:02}.pdf", "%PDF")
    write(folder, "empty.txt", "")
    (folder / "\x1b[31mline\nfeed\u202e<img onerror=x>.txt").write_bytes(b"\0\0")
    code, out, _ = printed(capsys, str(folder))
    assert code == 0
    assert "skipped 14 files:" in out
    pdfs = ", ".join(f"p{number:02}.pdf" for number in range(10))
    assert f"  not a .txt or .md file: {pdfs}, and 2 more" in out
    assert "  empty: empty.txt" in out
    assert r"  binary, damaged, or in no known text encoding: \x1b[31mline\nfeed\u202e<img onerror=x>.txt" in out
    assert all(line.isprintable() for line in out)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist"),
        ({}, "is empty"),
        ({"a.pdf": b"%PDF"}, "no readable article (1 skipped; a.pdf: not a .txt or .md file)"),
        ({"a.txt": b"\0"}, "no readable article (1 skipped; a.txt: binary"),
        ({"a.txt": b"Text.", "articles.toml": b"["}, "articles.toml cannot be read"),
        ({"a.txt": b"Text.", "articles.toml": b"\xff"}, "articles.toml cannot be read"),
        ({"a.txt": b"Text.", "articles.toml": b'["a.txt"]\ntitle = 5'}, 'title of "a.txt" is not text'),
    ],
    ids=["missing", "empty", "no article", "binary", "no TOML", "TOML not UTF-8", "wrong type"],
)
def test_what_a_person_can_mend_is_one_line_and_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], content: dict[str, bytes] | None, says: str
) -> None:
    place = folder.parent / "other\nfolder"
    if content is not None:
        place.mkdir()
        for name, data in content.items():
            (place / name).write_bytes(data)
    code, out, err = printed(capsys, str(place))
    assert (code, out, len(err)) == (2, [], 1)
    assert says in err[0]
    assert r"other\nfolder" in err[0]


def test_home_that_cannot_be_written(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINCITE_HOME", str(folder / "a.txt"))
    code, out, err = printed(capsys, str(folder))
    assert (code, out, len(err)) == (2, [], 1)
    assert "set PINCITE_HOME to another folder" in err[0]


@pytest.mark.parametrize("place", ["n" * 300, "circle", "circle/deeper", "closed/articles", "~nosuchuser/articles"])
def test_path_that_no_system_call_takes(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(folder.parent)
    (folder.parent / "circle").symlink_to("circle")
    (folder.parent / "closed").mkdir(mode=0)
    for articles, home in ((place, "home"), (str(folder), place)):
        if home == "closed/articles" and os.geteuid() == 0:
            continue  # permissions do not hold root back
        monkeypatch.setenv("PINCITE_HOME", home)
        code, out, err = printed(capsys, articles)
        assert (code, out, len(err)) == (2, [], 1), (articles, home)
        assert place in err[0]


def test_current_folder_that_was_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    code, out, err = printed(capsys, "articles")
    assert (code, out, len(err)) == (2, [], 1)


def test_waits_for_a_lock_that_is_held_for_a_moment(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = threading.Event()

    def hold(seconds: float) -> None:
        with writer_lock(archive_home(folder, folder.parent / "home")):
            held.set()
            time.sleep(seconds)

    for seconds, expected in ((0.3, 0), (3.0, 2)):
        held.clear()
        thread = threading.Thread(target=hold, args=(seconds,))
        thread.start()
        held.wait()
        code, _, err = printed(capsys, str(folder))
        assert code == expected
        thread.join()
    assert len(err) == 1
    assert f"process {os.getpid()} is building the archive" in err[0]


def test_wrong_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["a", "b"])
    assert raised.value.code == 2
    assert "usage: python -m index" in capsys.readouterr().err


def test_as_a_process_on_a_terminal_of_ascii(folder: Path) -> None:
    write(folder, "Новости.pdf", "%PDF")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PINCITE_ARTICLES": str(folder)}
    done = subprocess.run([sys.executable, "-m", "index"], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"3 articles, 33 sentences" in done.stdout
    assert rb"\u041d\u043e" in done.stdout


def test_interrupted(folder: Path) -> None:
    """Ctrl-C: one line, code 130, and what was embedded is kept for the next run."""
    for number in range(700):
        write(folder, f"many/{number}.txt", f"Article {number}. It is one of many.")
    command = [sys.executable, "-m", "index", str(folder)]
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell lets its background jobs ignore Ctrl-C
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeds
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "embedding 705 passages\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert out == ""
    assert err == "interrupted: nothing is lost, run again to go on\n"
    (kept,) = (folder.parent / "home").glob("*/gen-*/archive.sqlite")
    with closing(sqlite3.connect(kept)) as database:
        assert database.execute("SELECT count(*) FROM vectors").fetchone()[0] >= 256


def test_places() -> None:
    home = Path("~").expanduser()
    assert default_home({}) == home / ".cache" / "pincite"
    assert default_home({"PINCITE_HOME": "", "XDG_CACHE_HOME": ""}) == home / ".cache" / "pincite"
    assert default_home({"XDG_CACHE_HOME": "/x"}) == Path("/x/pincite")
    assert default_home({"XDG_CACHE_HOME": "relative"}) == home / ".cache" / "pincite"
    assert default_home({"PINCITE_HOME": "~/p", "XDG_CACHE_HOME": "/x"}) == home / "p"
    assert default_articles({}) == default_articles({"PINCITE_ARTICLES": ""}) == CORPUS
    assert default_articles({"PINCITE_ARTICLES": "~/a"}) == home / "a"
    assert expanded("a") == Path.cwd() / "a"
