"""Replies of language models, kept in a file: a run that can be repeated without a key and without a network.

A line of the file is {"request": sha256, "host": who answered, "status": 200 or 400, "reply": the body as far as it was
read}. The sha256 is that of the model's name and the messages as JSON with sorted keys. Kept are whole replies, and
that a request was not accepted (400). Other failures may pass: a run with the same file asks again for these, and for
nothing else.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from threading import Condition
from typing import Any

import httpx2

from evals.cases import CaseError
from index.read import printable
from rag.llm import SECONDS

OPENAI = "api.openai.com"
STREAM = {"content-type": "text/event-stream"}
NOBODY = 404  # is not tried again
SHORTEST_KEY = 16  # characters; shorter ones, such as "none", are no secret and stand in any text


class Replies(httpx2.BaseTransport):
    """Takes the place of the network: gives what the file holds, and sends on the rest when it records."""

    def __init__(self, file: Path, record: bool) -> None:
        """Raises CaseError when the file cannot be read, or is not one of replies."""
        self.given = 0  # replies that came from the file
        self._file = file
        self._name = printable(str(file))
        self._kept, self._host, whole = _read(file, may_be_new=record)
        self._asked: dict[str, float] = {}  # when each was asked first
        self._fault: str | None = None
        self._reading = 0  # replies that are not whole yet
        self._settled = Condition()
        self._client = httpx2.Client() if record else None  # a client and not a transport: it knows of proxies
        if record:
            _cut(file, whole)

    @property
    def address(self) -> str | None:
        """Where the model was that answered, in the form of Model.address."""
        return None if self._host in (None, OPENAI) else f"http://{self._host}/v1"

    @property
    def summary(self) -> str:
        """What the file was good for, in one line."""
        lacking = len(self._asked - self._kept.keys())
        given = f"; {self.given} were taken from it: the seconds leave out their model" if self.given else ""
        again = f"; {lacking} requests got none that can be kept: record once more" if lacking else ""
        return f"{self._name} holds {len(self._kept)} replies{given}{again}"

    def check(self) -> None:
        """Wait until all that was read is in the file. Raises CaseError when the run must end: a request without
        recorded reply, a file that cannot be written, a reply with the key in it."""
        with self._settled:
            self._settled.wait_for(lambda: not self._reading, SECONDS)
        if self._fault:
            raise CaseError(self._fault)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        digest = _digest(request)
        began = self._asked.setdefault(digest, time.monotonic())
        if digest in self._kept:
            self.given += 1
            status, reply = self._kept[digest]
            return httpx2.Response(status, headers=STREAM, content=reply)
        if self._client is None:
            self._fault = f"{self._name} holds no reply to a request ({digest[:12]}): run once with --record"
            return httpx2.Response(NOBODY)
        response = self._client.send(request, stream=True)
        until = began + request.extensions.get("timeout", {}).get("read", SECONDS)
        with self._settled:
            self._reading += 1

        def done(reply: bytes) -> None:
            try:
                if time.monotonic() < until:  # else nobody waits for it any more, and the answer fell back to quotes
                    self._keep(digest, request, response.status_code, reply)
            finally:
                with self._settled:
                    self._reading -= 1
                    self._settled.notify_all()

        return httpx2.Response(response.status_code, headers=response.headers, stream=_Copied(response, done))

    def _keep(self, digest: str, request: httpx2.Request, status: int, reply: bytes) -> None:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if status != 400 and not (status == 200 and _is_whole(reply)):
            return
        if status == 400:
            reply = b""  # the words of the server are shown nowhere
        if _holds(reply, key):
            self._fault = "the server repeats the key in its reply: not recorded"
        else:
            self._write(digest, request.url.netloc.decode(), status, reply)

    def _write(self, digest: str, host: str, status: int, reply: bytes) -> None:
        self._kept[digest] = status, reply
        text = reply.decode("utf-8", "surrogateescape")
        line = json.dumps({"request": digest, "host": host, "status": status, "reply": text})
        try:
            with self._file.open("ab", buffering=0) as file:
                file.write(f"{line}\n".encode())  # in one call: all of it, or a torn last line
        except OSError as error:
            self._fault = f"{self._name} cannot be written ({error.strerror})"

    def close(self) -> None:
        """A model closes its transport with every call; the file stays open for the next."""


def nowhere() -> httpx2.BaseTransport:
    """A network without anyone in it."""
    return httpx2.MockTransport(lambda _: httpx2.Response(NOBODY))


class _Copied(httpx2.SyncByteStream):
    """A reply that is copied while it is read. `done` gets the copy."""

    def __init__(self, response: httpx2.Response, done: Callable[[bytes], None]) -> None:
        self._response = response
        self._copy = bytearray()
        self._done = done

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._response.stream:  # type: ignore[union-attr]
            self._copy += chunk
            yield chunk

    def close(self) -> None:
        try:
            self._response.close()
        finally:
            self._done(bytes(self._copy))


def _digest(request: httpx2.Request) -> str:
    body = json.loads(request.read())
    said = {key: body.get(key) for key in ("model", "messages")}
    return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _is_whole(reply: bytes) -> bool:
    """As in rag.llm: the reason why it ended is told."""
    return re.search(rb'"finish_reason":\s*"', reply) is not None


def _holds(reply: bytes, key: str) -> bool:
    """Whether a reply holds the key, in one piece or over several pieces of its text."""
    pieces = re.findall(r'content":\s*("(?:[^"\\]|\\.)*")', reply.decode("utf-8", "replace"))
    said = "".join(_unescaped(piece) for piece in pieces)
    return len(key) >= SHORTEST_KEY and (key.encode() in reply or key in said)


def _unescaped(text: str) -> str:
    """The value of a JSON string; as it stands where it is none."""
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        return text[1:-1]


def _read(file: Path, may_be_new: bool) -> tuple[dict[str, tuple[int, bytes]], str | None, int]:
    """Replies by request, who answered last, and how many bytes of the file are whole lines."""
    name = printable(str(file))
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        if not may_be_new:
            raise CaseError(f"{name} does not exist: record it with --record") from None
        content = b""
    except OSError as error:
        raise CaseError(f"{name} cannot be read ({error.strerror})") from None
    whole = content.rfind(b"\n") + 1  # a line without end was being written when the program ended
    kept, host = {}, None
    for number, line in enumerate(content[:whole].splitlines(), 1):
        try:
            row: dict[str, Any] = json.loads(line)
            reply = row["reply"].encode("utf-8", "surrogateescape")
            kept[str(row["request"])], host = (int(row["status"]), reply), str(row["host"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CaseError(f"{name}, line {number}: not a recorded reply") from None
    return kept, host, whole


def _cut(file: Path, whole: int) -> None:
    """Make the file ready for the next line."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as opened:
            opened.truncate(whole)
    except OSError as error:
        raise CaseError(f"{printable(str(file))} cannot be written ({error.strerror})") from None
