"""`python -m ui [--articles DIR] [--port N]`: the chat window over a folder of articles, on this machine only."""

import argparse
import asyncio
import atexit
import logging
import os
import signal
import socket
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from index import PinciteError
from index.archive import Archive
from index.home import ARTICLES, default_articles, expanded
from ui import WORKER

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
FIRST_PORT = 7860
PATIENCE = 2.0  # seconds that Ctrl-C waits for what is being done
PORTS = 40  # tried one after the other when none is given


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 after Ctrl-C or SIGTERM, 2 when something must be mended (one line on stderr says what)."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    given = _parse(arguments)
    try:
        with _listen(given.port) as listener:
            return _serve(given.articles, listener)
    except PinciteError as error:
        print(f"pincite: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ui", description="Ask a folder of articles in a chat window.")
    parser.add_argument("--articles", metavar="DIR", type=Path, help=ARTICLES)
    parser.add_argument(
        "--port", metavar="N", type=int, help=f"port on {HOST} (default: the first free from {FIRST_PORT})"
    )
    return parser.parse_args(arguments)


class PortError(PinciteError):
    """The port is out of range, taken or not ours to use."""


class StartError(PinciteError):
    """The server did not start."""


def _listen(port: int | None) -> socket.socket:
    """A bound socket: on the port given (0: any free one), else on the first free one from 7860."""
    if port is not None and not 0 <= port <= 65535:
        raise PortError(f"port {port} does not exist: choose one from 1024 to 65535")
    reason: str | None = None
    tried = range(FIRST_PORT, FIRST_PORT + PORTS) if port is None else (port,)
    for number in tried:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, number))
            listener.listen()
            return listener
        except OSError as error:
            listener.close()
            reason = error.strerror
    what = f"port {port} cannot be used" if port is not None else f"ports {tried[0]} to {tried[-1]} are all in use"
    raise PortError(f"{what} ({reason}): choose another one with --port")


def _serve(articles: Path | None, listener: socket.socket) -> int:
    import uvicorn

    from rag import open_archive
    from ui.app import application
    from ui.door import Door

    folder = expanded(articles) if articles else default_articles(os.environ)
    with closing(_Progress()) as progress:
        archive = open_archive(folder, progress)
    port = listener.getsockname()[1]
    door = Door(application(folder, port), port)
    config = uvicorn.Config(
        door, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    # open pages are cut off at the end: uvicorn would print a traceback for each
    logging.getLogger("uvicorn.error").addFilter(lambda _: not server.should_exit)
    _run(server, listener, archive)
    _abandon()
    return 0


def _run(server: "uvicorn.Server", listener: socket.socket, archive: Archive) -> None:
    """Serve until Ctrl-C. Raises StartError."""
    try:
        asyncio.run(_until_ended(server, listener, archive))
    except KeyboardInterrupt:
        return
    except SystemExit:  # how uvicorn tells that the application failed to start
        pass
    if not server.started:
        raise StartError("the server did not start; what stands above says why")


async def _until_ended(server: "uvicorn.Server", listener: socket.socket, archive: Archive) -> None:
    announcing = asyncio.create_task(_announce(server, listener, archive))
    try:
        await server.serve(sockets=[listener])
    finally:
        announcing.cancel()


async def _announce(server: "uvicorn.Server", listener: socket.socket, archive: Archive) -> None:
    while not server.started:
        await asyncio.sleep(0.02)
    address = f"http://{HOST}:{listener.getsockname()[1]}/"
    print(f"Pincite is ready: open {address} in a browser. Ctrl-C ends it.", flush=True)
    threading.Thread(target=_warm, args=(archive,), name=WORKER, daemon=True).start()


def _abandon() -> None:
    """End now, also when a question is still being worked on: what it has indexed is kept, the rest comes again.

    Python must not shut down under a thread that is in native code (it aborts), so where waiting a moment does
    not help, the process ends without shutting down.
    """
    deadline = time.monotonic() + PATIENCE
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and (not thread.daemon or thread.name == WORKER):
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                atexit._run_exitfuncs()  # such as those that delete the copies of vectors
                os._exit(0)


def _warm(archive: Archive) -> None:
    """Load what the first question needs, while the reader still types."""
    from rag import ask

    with suppress(PinciteError):  # the first question will say what is wrong
        ask("Who was it?", archive, model="quotes")  # nothing is sent anywhere before somebody asks


class _Progress:
    """A bar on stderr while an archive is built, if that is a terminal. It goes when the archive stands."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm(desc="Reading the articles", unit=" passages", leave=False, disable=None, file=sys.stderr)

    def __call__(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends like Ctrl-C
    sys.exit(main())
