"""An OpenAI-compatible server on loopback that does what a test tells it to: answer well, badly, late or without end.

A `Reply` writes the response to one request. `FakeModel(first, second)` gives the first request the first reply and
every later one the second. Standard library only, so that a fault is exactly the bytes that are written here.
"""

import json
import select
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

KEY = "sk-canary-7Qm2Zr9TbX4nLw8K"  # no part of it may show up anywhere but in the Authorization header
NAME = "fake-1"  # a model without a known price
NOWHERE = "http://pincite.invalid/v1"  # a host name that never resolves (RFC 2606)
PIECE = 6  # characters of a delta: words, numbers and [n] arrive in parts
DONE = b"data: [DONE]\n\n"
HTML = b"<!doctype html><html><title>Welcome to the hotel</title><body>Accept our terms to go on.</body></html>"
MEGABYTE = bytes(1_000_000)


@dataclass(frozen=True)
class Request:
    """What reached the server. Names of headers are in lower case; a body that is no JSON object is empty."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def said(self) -> str:
        """The texts of the messages, one after the other."""
        return "\n".join(str(message["content"]) for message in self.body.get("messages", ()))


class Wire:
    """The connection to the client. Writing raises OSError once the client is gone or the server is closing."""

    def __init__(self, handler: BaseHTTPRequestHandler, closing: threading.Event) -> None:
        self.sent = 0  # bytes of the body
        self._handler = handler
        self._closing = closing

    def head(self, status: int, kind: str, **headers: str) -> None:
        self._handler.send_response(status)
        for name, value in {"content-type": kind, "connection": "close", **headers}.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def send(self, data: bytes) -> None:
        if self._closing.is_set():
            raise ConnectionAbortedError
        self._handler.wfile.write(data)
        self.sent += len(data)

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._closing.wait(min(left, 0.05)):
                raise ConnectionAbortedError
            client = self._handler.connection
            here = select.poll()  # select() knows no file above 1,023
            here.register(client, select.POLLIN)
            if here.poll(0) and not client.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError

    def reset(self) -> None:
        """Break the connection off without the bytes that end it in good order."""
        self._handler.connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError


Reply = Callable[[Request, Wire], None]


class FakeModel:
    """The server, while it is entered. `requests` are those to its chat completions, in the order of arrival."""

    def __init__(self, *script: Reply) -> None:
        self.requests: list[Request] = []
        self.sent = 0  # bytes of bodies, of replies that have ended
        self._open = 0  # replies that have not
        self._script = script
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def is_left(self, seconds: float) -> bool:
        """Whether, within some seconds, no client waits for the end of a reply any more."""
        until = time.monotonic() + seconds
        while self._open and time.monotonic() < until:
            time.sleep(0.02)
        return not self._open

    def answer(self, request: Request, wire: Wire) -> None:
        if request.path == "/v1/models":
            _json(wire, 200, {"object": "list", "data": [{"id": NAME, "object": "model", "owned_by": "tests"}]})
        elif request.path == "/v1/chat/completions":
            self.requests.append(request)
            self._script[min(len(self.requests), len(self._script)) - 1](request, wire)
        else:
            _json(wire, 404, {"error": {"message": f"no such address: {request.path}"}})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                """Not on standard error."""

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, json.loads(body) if body else {})
                wire = Wire(self, fake._closing)
                fake._open += 1
                with suppress(OSError):  # the client has left, or the server closes
                    fake.answer(request, wire)
                fake._open -= 1
                fake.sent += wire.sent
                self.close_connection = True

            do_POST = do_GET

        return Handler


def refused_address() -> str:
    """An address on loopback at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/v1"


def says(text: str, finish: str | None = "stop", pause: float = 0.0, late: float = 0.0) -> Reply:
    """The text in small deltas, `pause` seconds before each, the first byte after `late` seconds."""
    return says_what(lambda _: text, finish, pause, late)


def says_what(
    write: Callable[[Request], str], finish: str | None = "stop", pause: float = 0.0, late: float = 0.0
) -> Reply:
    """As `says`, the text worked out from the request."""

    def reply(request: Request, wire: Wire) -> None:
        text = write(request)
        wire.wait(late)
        if not request.body.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
            return _json(wire, 200, {"object": "chat.completion", "choices": [choice], "usage": _usage(request, text)})
        wire.head(200, "text/event-stream")
        for event in _deltas(text):
            wire.wait(pause)
            wire.send(event)
        if finish:
            wire.send(_event(_choice({}, finish)))
        if (request.body.get("stream_options") or {}).get("include_usage"):
            wire.send(_event(choices=[], usage=_usage(request, text)))
        return wire.send(DONE)

    return reply


def breaks_off(text: str, how: Callable[[Wire], None]) -> Reply:
    """The text as a good stream begins, then `how` in the place of what would end it."""

    def reply(_: Request, wire: Wire) -> None:
        wire.head(200, "text/event-stream")
        for event in _deltas(text):
            wire.send(event)
        how(wire)

    return reply


def cut(text: str) -> Reply:
    """The server closes the connection in good order, without finish_reason and [DONE]."""
    return breaks_off(text, lambda _: None)


def reset(text: str) -> Reply:
    """Half a line, and the connection breaks inside a chunk of the transfer encoding."""

    def reply(_: Request, wire: Wire) -> None:
        wire.head(200, "text/event-stream", transfer_encoding="chunked")
        for event in _deltas(text):
            wire.send(f"{len(event):x}\r\n".encode() + event + b"\r\n")
        wire.send(b'400\r\ndata: {"choices": [{"del')
        wire.reset()

    return reply


def stalls(text: str) -> Reply:
    """Nothing follows the text, and the connection stays open."""
    return breaks_off(text, lambda wire: wire.wait(600))


def goes_on_with(text: str, *lines: str) -> Reply:
    """Lines of any content after the text, each as an event."""
    return breaks_off(text, lambda wire: wire.send("".join(f"{line}\n\n" for line in lines).encode() + DONE))


def fails(status: int, message: str, code: str | None = None, **headers: str) -> Reply:
    """An error in OpenAI's form."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return lambda _, wire: _json(wire, status, {"error": error}, **headers)


def tells_the_key(status: int) -> Reply:
    """An error, or a text, that repeats the Authorization header."""

    def reply(request: Request, wire: Wire) -> None:
        told = f"Incorrect API key provided: {request.headers.get('authorization')}."
        (says(f"{told} [1]") if status == 200 else fails(status, told, "invalid_api_key"))(request, wire)

    return reply


def page(status: int) -> Reply:
    """The HTML page of a gateway (502) or of a captive portal (200)."""

    def reply(_: Request, wire: Wire) -> None:
        wire.head(status, "text/html", content_length=str(len(HTML)))
        wire.send(HTML)

    return reply


def silent(_: Request, wire: Wire) -> None:
    """Not one byte."""
    wire.wait(600)


def drips(_: Request, wire: Wire) -> None:
    """A byte of an event that never ends, every 50 milliseconds: no single read ever times out."""
    wire.head(200, "text/event-stream")
    wire.send(b"data: ")
    while True:
        wire.send(b" ")
        wire.wait(0.05)


def drips_headers(_: Request, wire: Wire) -> None:
    """The same, before the response has even begun."""
    wire.send(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while True:
        wire.send(b"a")
        wire.wait(0.05)


def endless(text: str, pause: float = 0.0) -> Reply:
    """The text again and again, as fast as it is read."""

    def forever(wire: Wire) -> None:
        while True:
            wire.wait(pause)
            wire.send(_event(_choice({"content": text})))

    return breaks_off("", forever)


def endless_line(_: Request, wire: Wire) -> None:
    """A body without a line break and without end."""
    wire.head(200, "text/event-stream")
    wire.send(b"data: ")
    while True:
        wire.send(b"x" * 65_536)


def gzip_bomb(_: Request, wire: Wire) -> None:
    """A hundred kilobytes that unpack to a hundred megabytes."""
    wire.head(200, "text/event-stream", content_encoding="gzip", content_length=str(len(_bomb())))
    wire.send(_bomb())


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(MEGABYTE) for _ in range(100)) + packer.flush()


def redirects(address: str, status: int = 307) -> Reply:
    """To the same path of another server."""

    def reply(_: Request, wire: Wire) -> None:
        wire.head(status, "text/plain", location=f"{address}/chat/completions", content_length="0")

    return reply


def _deltas(text: str) -> Iterator[bytes]:
    yield _event(_choice({"role": "assistant", "content": ""}))
    for start in range(0, len(text), PIECE):
        yield _event(_choice({"content": text[start : start + PIECE]}))


def _choice(delta: Mapping[str, str], finish: str | None = None) -> list[Any]:
    return [{"index": 0, "delta": delta, "finish_reason": finish}]


def _event(choices: list[Any], **more: Any) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": NAME, "choices": choices}
    return b"data: " + json.dumps({**chunk, **more}).encode() + b"\n\n"


def _usage(request: Request, text: str) -> dict[str, int]:
    sent, back = len(request.said) // 4, len(text) // 4 + 1
    return {"prompt_tokens": sent, "completion_tokens": back, "total_tokens": sent + back}


def _json(wire: Wire, status: int, value: Any, **headers: str) -> None:
    data = json.dumps(value).encode()
    wire.head(status, "application/json", content_length=str(len(data)), **headers)
    wire.send(data)
