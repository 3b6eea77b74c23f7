"""Messages -> a language model's words, as they come, from any OpenAI-compatible server. The only user of openai.

Nothing that a server does may keep the reader waiting beyond the deadline, or get the key to where it can be read:
the call runs in a thread of its own and is given up when the time is over (a name that does not resolve, or a server
that sends a byte a second, outlast every timeout of the transport); of a failure only our own words are shown.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from index.errors import PinciteError
from rag.prices import dollars
from rag.types import Usage
from rag.wire import Cut, client

if TYPE_CHECKING:
    from httpx2 import BaseTransport, Client

QUOTES = "quotes"  # the name that stands for no language model
DEFAULT_NAME = "gpt-5-mini"  # at OpenAI; other servers have models of their own
SHORTEST_KEY = 8  # characters; local servers take any word, such as "none"
SECONDS = 60.0  # for a whole answer


class ModelError(PinciteError):
    """No answer, or only a part of one, came from the language model. The text is for a person, in our words only.

    `usage` is what was paid for all the same, where that is known.
    """

    def __init__(self, text: str, usage: Usage | None = None) -> None:
        super().__init__(text)
        self.usage = usage


@dataclass(frozen=True)
class Model:
    """A language model and where it is served. `seconds` is the time for a whole answer, retries included."""

    name: str
    key: str = field(repr=False)
    address: str | None = None  # base URL; None: OpenAI's
    seconds: float = SECONDS
    transport: "BaseTransport | None" = field(default=None, repr=False, compare=False)  # instead of the network

    @property
    def host(self) -> str:
        """Where the model is served, fit to be shown: without user, password and path."""
        if not self.address:
            return "OpenAI"
        parts = urlsplit(self.address)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    def holds_key(self, text: str) -> bool:
        """Whether a text gives the key away. A server has seen it, and may say it."""
        return len(self.key) >= SHORTEST_KEY and self.key in text


@dataclass(frozen=True)
class Piece:
    """Some more words. The last piece has no words, and the usage."""

    text: str
    usage: Usage | None = None


def configured(environ: Mapping[str, str], name: str | None = None) -> Model | None:
    """The model that the environment names (OPENAI_API_KEY, OPENAI_BASE_URL, PINCITE_MODEL), None when it names none.

    `name` comes before PINCITE_MODEL; "quotes" is the name for none. Raises ModelError when what the
    environment says cannot be used.
    """
    key, address = environ.get("OPENAI_API_KEY", "").strip(), environ.get("OPENAI_BASE_URL", "").strip()
    chosen = name or environ.get("PINCITE_MODEL", "").strip()
    if chosen == QUOTES:
        return None
    if not key and not address:
        if chosen:
            raise ModelError(f"the model {chosen} needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own")
        return None
    if not re.fullmatch(r"[!-~]*", key):
        raise ModelError("OPENAI_API_KEY holds characters that no key has: copy it anew")
    if address:
        _check_address(address, bool(key))
        if not chosen:
            raise ModelError("PINCITE_MODEL is not set: name the model that the server of OPENAI_BASE_URL has")
    return Model(chosen or DEFAULT_NAME, key or "none", address or None)


def _check_address(address: str, with_key: bool) -> None:
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ModelError("OPENAI_BASE_URL is not an address: it looks like http://localhost:11434/v1")
    if "@" in urlsplit(address).netloc:
        raise ModelError("OPENAI_BASE_URL holds a password, which would stand in logs: put the key into OPENAI_API_KEY")
    if with_key and urlsplit(address).scheme == "http" and not _is_near(str(urlsplit(address).hostname)):
        raise ModelError("OPENAI_BASE_URL would send the key in clear over the network: use https")


def _is_near(host: str) -> bool:
    """Whether a host is this machine or on a private network: a private address, or a name without a public domain."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal", ".home.arpa"))


def complete(model: Model, messages: Sequence[Mapping[str, str]], deadline: float) -> tuple[str, Usage]:
    """The whole reply at once. Raises ModelError, also for a reply that was cut."""
    pieces = list(write(model, messages, deadline))
    return "".join(piece.text for piece in pieces), pieces[-1].usage or Usage(model.name, None, None, None)


def write(model: Model, messages: Sequence[Mapping[str, str]], deadline: float) -> Iterator[Piece]:
    """The reply to chat messages ({"role", "content"}) as it comes; `deadline` is a time of `time.monotonic`.

    Raises ModelError, at once or after some pieces, when no whole reply came in time.
    """
    found: SimpleQueue[Piece | BaseException] = SimpleQueue()
    http = client(model.transport, deadline - time.monotonic())
    Thread(target=_call, args=(model, messages, http, found), name="pincite model", daemon=True).start()
    begun = False
    try:
        while True:
            left = deadline - time.monotonic()
            try:
                piece = found.get(timeout=left) if left > 0 else None
            except Empty:
                piece = None
            if piece is None:
                raise ModelError(_too_late(model))
            if isinstance(piece, BaseException):
                raise ModelError(_explained(piece, model, begun)) from None  # the cause may hold the key
            yield piece
            begun = True
            if piece.usage:
                return
    finally:
        http.close()  # ends the thread with its next byte, and any further try


def _call(
    model: Model, messages: Sequence[Mapping[str, str]], http: "Client", found: "SimpleQueue[Piece | BaseException]"
) -> None:
    """Put the pieces of the reply into `found`, and at the end the usage or what went wrong."""
    try:
        from openai import OpenAI

        openai = OpenAI(api_key=model.key, base_url=model.address or "https://api.openai.com/v1", http_client=http)
        with openai.chat.completions.create(
            model=model.name,
            messages=list(messages),  # type: ignore[arg-type]
            stream=True,
            stream_options={"include_usage": True},
        ) as events:
            for piece in _pieces(events, model):
                found.put(piece)
    except BaseException as error:
        found.put(error)


_BROKEN = "broke off in the middle of the answer"
_UNFINISHED = {"length": "stopped at its longest answer", "content_filter": "withheld the rest of the answer"}


def _pieces(events: Any, model: Model) -> Iterator[Piece]:
    """Events -> pieces. Typed as Any because servers send what no type holds: absent choices, null contents."""
    ended, counted = None, None
    for event in events:
        counted = getattr(event, "usage", None) or counted
        for choice in getattr(event, "choices", None) or ():
            ended = choice.finish_reason or ended
            text = getattr(choice.delta, "content", None)
            if text and isinstance(text, str):
                yield Piece(text)
        if ended and counted:
            break  # some servers hold the line
    if ended is None:  # openai reports a stream that breaks off as if it were whole
        raise Cut(_BROKEN)
    if ended in _UNFINISHED:
        raise Cut(_UNFINISHED[ended])
    yield Piece("", _usage(model, counted))


def _usage(model: Model, counted: Any) -> Usage:
    sent, received = (getattr(counted, f"{kind}_tokens", None) for kind in ("prompt", "completion"))
    if not isinstance(sent, int) or not isinstance(received, int):
        return Usage(model.name, None, None, None)
    return Usage(model.name, sent, received, None if model.address else dollars(model.name, sent, received))


_BY_STATUS = {
    400: "did not accept the request (400): a model with a longer context may",
    401: "refused the key (401): check OPENAI_API_KEY",
    403: "does not let this key use {name} (403): check the account, or set PINCITE_MODEL",
    404: "has no model {name} there (404): check PINCITE_MODEL and OPENAI_BASE_URL",
    429: "asks to wait (429): try again later, or check the quota of the account",
}


def _too_late(model: Model) -> str:
    return f"{model.host} did not answer in {model.seconds:g} seconds"


def _explained(error: BaseException, model: Model, begun: bool) -> str:
    """What went wrong, for a person. The words of the server stay out: they may hold the key, or an instruction."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, Cut):
            return f"{model.host} {cause}"
        cause = cause.__cause__ or cause.__context__
    status = getattr(error, "status_code", None)
    if status in _BY_STATUS:
        return f"{model.host} {_BY_STATUS[status].format(name=model.name)}"
    if isinstance(status, int):
        mend = "put its final address into OPENAI_BASE_URL" if 300 <= status < 400 else "try again later"
        return f"{model.host} did not answer ({status}): {mend}"
    kind = type(error).__name__
    if "Timeout" in kind:
        return _too_late(model)
    if re.search("Connect|Network|Protocol|ReadError", kind) and begun:
        return f"{model.host} {_BROKEN}"
    if re.search("Connect|Network|Protocol|ReadError", kind):
        return f"{model.host} cannot be reached: check OPENAI_BASE_URL and the network"
    return f"{model.host} sent something that is not an answer"
