"""What is let in of a server's reply: an HTTP client that a hostile or broken server can neither fill nor hold up."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from httpx2 import BaseTransport, Client, Response, SyncByteStream

MOST_BYTES = 4_000_000  # of one reply: a long answer has some 10,000 characters, each in an event of 300 bytes
LONGEST_WAIT = 5.0  # seconds that a server may ask for before a second try


class Cut(Exception):
    """A reply that is refused, or that ended before it was whole. The text says how, after the name of the server."""


def client(transport: "BaseTransport | None", seconds: float) -> "Client":
    """A client that follows no redirect, takes no compressed reply, counts what it reads and waits `seconds` at most
    for each part of a reply. `transport`: instead of the network."""
    import httpx2

    hooks = {"response": [_admitted]}
    headers = {"Accept-Encoding": "identity"}
    timeout = httpx2.Timeout(max(0.1, seconds))
    return httpx2.Client(
        transport=transport, timeout=timeout, event_hooks=hooks, headers=headers, follow_redirects=False
    )


def _admitted(response: "Response") -> None:
    """Before a reply is read: a small compressed one may unfold to gigabytes; whether to try again is not the
    server's to say (openai obeys its headers, up to two minutes)."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Cut("sent a compressed answer, which was not asked for")
    limited: Any = _counted(response.stream)
    response.stream = limited
    passing = response.status_code in (408, 429) or response.status_code >= 500
    response.headers["x-should-retry"] = "true" if passing and _wait(response) <= LONGEST_WAIT else "false"


def _wait(response: "Response") -> float:
    """Seconds that the server asks to wait."""
    asked = response.headers.get("retry-after-ms"), response.headers.get("retry-after")
    try:
        return max(float(asked[0] or 0) / 1000, float(asked[1] or 0))
    except ValueError:  # a date, or nonsense
        return LONGEST_WAIT + 1


def _counted(stream: Any) -> "SyncByteStream":
    from httpx2 import SyncByteStream

    class Counted(SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            read = 0
            for chunk in stream:
                read += len(chunk)
                if read > MOST_BYTES:
                    raise Cut("sent more than an answer can hold")
                yield chunk

        def close(self) -> None:
            stream.close()

    return Counted()
