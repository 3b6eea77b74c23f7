"""`python -m ui` as a command: what it prints, where it listens, how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from index import PinciteError
from ui.__main__ import FIRST_PORT, _listen, main


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


def test_it_prints_its_address_serves_and_ends_with_ctrl_c(shared_home: Path) -> None:
    """A page that is open does not hold up the end, nor do the models that are being loaded."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PINCITE", "OPENAI"))}
    with subprocess.Popen(
        [sys.executable, "-m", "ui", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment | {"PINCITE_HOME": str(shared_home)},
    ) as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, process.stderr.read()
        address = found[0]
        assert httpx.get(address).headers["content-security-policy"]
        assert httpx.get(address, headers={"Host": "evil.example"}).status_code == 421
        assert httpx.post(f"{address}gradio_api/upload", files={"files": b"x"}).status_code == 404
        assert httpx.post(f"{address}gradio_api/queue/join", content=b"[" * 200_000).status_code == 413
        assert httpx.post(f"{address}gradio_api/queue/join", content=b"[" * 60_000).status_code < 500
        with httpx.stream("GET", f"{address}gradio_api/heartbeat/abc") as heartbeat:
            assert heartbeat.status_code == 200
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 0
        assert process.stdout.read() == ""
        assert "Traceback" not in process.stderr.read()


def test_the_import_of_the_command_is_light() -> None:
    """Gradio takes seconds to import: a wrong argument must not wait for it."""
    code = "import sys, ui.__main__; print(sorted({'gradio', 'llama_index', 'chromadb', 'openai'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
