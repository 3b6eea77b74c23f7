"""The front door: an ASGI application that stands before Gradio and lets through only what this page needs.

Why: Gradio answers any Host (a web page can reach a loopback server by DNS rebinding), takes bodies of any size,
sets no security headers, and serves some ninety routes of which a chat needs a dozen.
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from hashlib import sha256
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MAX_BODY = 64 * 1024  # bytes; a question of 4,000 characters needs at most 24 KiB as JSON
BODY_SECONDS = 10.0
_READ = re.compile(
    r"/|/page\.(?:css|js)|/theme\.css|/(?:assets|static)/[\w./-]+|/favicon\.ico|/manifest\.json"
    r"|/gradio_api/(?:heartbeat/\w+|queue/data)"
)
_WRITE = re.compile(r"/gradio_api/queue/join")
_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class Door:
    """ASGI middleware. Every response carries the security headers, also the refusals.

    Scripts run only from our own files, or inline when they stand in the page as Gradio sent it: their hashes are
    put into the policy. Nothing of an article stands in that page, all of it is fetched afterwards: so a script in
    an article could not run even if it were not escaped.
    """

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        names = ("127.0.0.1", "localhost", "[::1]")
        self.hosts = {f"{name}:{port}" for name in names}
        if port == 80:  # which browsers leave out
            self.hosts.update(names)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":  # no web sockets here
            return await send({"type": "websocket.close", "code": 1008})
        page = scope["path"] == "/"
        send = _Headers(send, whole=page).send
        refusal = self._refusal(scope)
        if refusal is None and scope["method"] == "POST":
            body = await _body(receive)
            if body is None:
                refusal = 413, "The request is too large."
            else:
                receive = _replay(body, receive)
        if refusal:
            return await _refuse(send, *refusal)
        if page:  # Gradio would compress it, and its scripts could not be hashed
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        return await self.app(scope, receive, send)

    def _refusal(self, scope: MutableMapping[str, Any]) -> tuple[int, str] | None:
        hosts = _values(scope, b"host")
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return 421, "This server answers only on its own loopback address."
        if any(origin not in {f"http://{host}" for host in self.hosts} for origin in _values(scope, b"origin")):
            return 403, "Another site asked; only this page may."
        allowed = {"GET": _READ, "HEAD": _READ, "POST": _WRITE}.get(scope["method"])
        if allowed is None or not allowed.fullmatch(scope["path"]) or ".." in scope["path"]:
            return 404, "Not here."
        return None


def _values(scope: MutableMapping[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key == name]


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large, breaks off or comes too slowly."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > MAX_BODY or message["type"] == "http.disconnect":
                    return None
                if not message.get("more_body"):
                    return body
    except TimeoutError:
        return None


def _replay(body: bytes, receive: Receive) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def _refuse(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode() + b"\n"})


class _Headers:
    """Adds the security headers. `whole` collects the body first, to put the hashes of its scripts into them."""

    def __init__(self, send: Send, whole: bool) -> None:
        self._send, self._whole = send, whole
        self._start: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            if not self._whole:
                await self._send(_secured(message, ()))
        elif self._whole and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send(_secured(self._start, _SCRIPT.findall(self._body)))
                await self._send({"type": "http.response.body", "body": self._body})
        else:
            await self._send(message)


def _secured(start: Message, scripts: Iterable[bytes]) -> Message:
    hashes = "".join(f" 'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in scripts)
    added = {
        b"content-security-policy": _POLICY.format(scripts=hashes).encode(),
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"no-referrer",
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
    }
    kept = [pair for pair in start.get("headers", []) if pair[0].lower() not in added]
    return {**start, "headers": [*kept, *added.items()]}
