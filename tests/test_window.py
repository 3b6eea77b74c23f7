"""`python -m ui` as a command: what it prints, where it listens, how it ends."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from index import PinciteError
from index.generations import writer_lock
from index.sync import archive_home
from rag import Answer, open_archive
from rag.types import Citation
from ui import WORKER, talk
from ui.__main__ import FIRST_PORT, StartError, _listen, _run, main
from ui.article import file_link
from ui.talk import Exchange


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--articles", "no/such/folder", "--port", "0"], "no/such/folder does not exist"),
        (["--articles", __file__, "--port", "0"], "is not a folder"),
        (["--port", "70000"], "port 70000 does not exist"),
        (["--port", "-1"], "port -1 does not exist"),
    ],
)
def test_what_can_be_mended_is_one_line_and_exit_code_2(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert printed.err.startswith("pincite: ")
    assert said in printed.err
    assert not home.exists()


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PinciteError, match=f"port {port} cannot be used"):
            _listen(port)


def test_the_next_free_port_is_taken_when_none_is_given_and_only_on_loopback() -> None:
    with _listen(None) as first, _listen(None) as second:
        (host, port), (_, following) = first.getsockname(), second.getsockname()
        assert host == "127.0.0.1"
        assert FIRST_PORT <= port < following


@contextlib.contextmanager
def running(*arguments: str, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`python -m ui` and the address that it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PINCITE", "OPENAI"))}
    with subprocess.Popen(
        [sys.executable, "-m", "ui", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=kept | environment,
    ) as process:
        try:
            assert process.stdout
            assert process.stderr
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found, process.stderr.read()
            yield process, found[0]
            assert process.stdout.read() == ""
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


def test_it_prints_its_address_serves_and_ends_with_ctrl_c(shared_home: Path) -> None:
    """A page that is open does not hold up the end, nor do the models that are being loaded."""
    with running(PINCITE_HOME=str(shared_home)) as (process, address):
        assert httpx.get(address).headers["content-security-policy"]
        assert httpx.get(address, headers={"Host": "evil.example"}).status_code == 421
        assert httpx.post(f"{address}gradio_api/upload", files={"files": b"x"}).status_code == 404
        assert httpx.post(f"{address}gradio_api/queue/join", content=b"[" * 200_000).status_code == 413
        assert httpx.post(f"{address}gradio_api/queue/join", content=b"[" * 60_000).status_code < 500
        with httpx.stream("GET", f"{address}gradio_api/heartbeat/abc") as heartbeat:
            assert heartbeat.status_code == 200
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 0


def written(place: Path) -> Path:
    """A folder of one article."""
    folder = place / "quagga"
    folder.mkdir()
    (folder / "a.txt").write_text("Harbour of Northport reopens\n\nShips came at once. Nobody had expected it.\n")
    return folder


def test_no_word_of_the_articles_stands_in_the_page_whose_scripts_may_run(tmp_path: Path) -> None:
    """And SIGTERM ends it like Ctrl-C, with nothing left in the temporary folder."""
    folder, temporary = written(tmp_path), tmp_path / "tmp"
    temporary.mkdir()
    places = {"PINCITE_HOME": str(tmp_path / "home"), "TMPDIR": str(temporary)}
    with running("--articles", str(folder), **places) as (process, address):
        page = httpx.get(address).text
        assert "gradio_config" in page
        assert not re.search("Northport|Ships|Nobody|quagga", page)
        deadline = time.monotonic() + 60
        while not list(temporary.glob("pincite-*")):  # the vectors, when the models are loaded
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert list(temporary.glob("pincite-*")) == []


def test_what_still_works_at_the_end_leaves_nothing_in_the_temporary_folder(tmp_path: Path) -> None:
    code = (
        "import tempfile, threading, time; from ui.__main__ import _abandon\n"
        "kept = tempfile.TemporaryDirectory(prefix='pincite-')\n"
        f"threading.Thread(target=time.sleep, args=(60,), name={WORKER!r}, daemon=True).start()\n"
        "_abandon()"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, timeout=30, check=False).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_fails_to_start_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    server = uvicorn.Server(uvicorn.Config(application, lifespan="on", log_level="critical"))
    with _listen(0) as listener, pytest.raises(StartError, match="did not start"):
        _run(server, listener, archive=None)  # type: ignore[arg-type]
    assert capsys.readouterr().out == ""


def test_a_deleted_article_is_not_shown_while_the_archive_still_holds_it(home: Path, tmp_path: Path) -> None:
    """The archive lags behind the folder where it cannot be written, or while another question brings it up to date."""
    folder = written(tmp_path)
    (folder / "b.txt").write_text("The mayor resigned on Monday.\n")
    source, other = open_archive(folder).sources()
    text = "Ships came at once."
    citation = Citation(1, source.file, 2, 30, 49, text, None, None, None, source.sha256)
    answer = Answer("What?", "answered", "quotes", text, None, (), (citation,), (), (), 0.1)
    conversation = (Exchange("What?", answer, done=True),)
    assert 'id="cited"' in talk.follow(folder, "cite-0-1", conversation)
    with writer_lock(archive_home(folder, home)):  # another process builds
        (folder / "a.txt").unlink()
        assert "no longer in the folder" in talk.follow(folder, "cite-0-1", conversation)
        assert "Ships" not in talk.follow(folder, file_link(source.file), ())
        assert "resigned" in talk.follow(folder, file_link(other.file), ())


def test_the_import_of_the_command_is_light() -> None:
    """Gradio takes seconds to import: a wrong argument must not wait for it."""
    code = "import sys, ui.__main__; print(sorted({'gradio', 'llama_index', 'chromadb', 'openai'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
