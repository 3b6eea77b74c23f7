"""The front door of the window: who may ask, for what, and how much; and what every response carries."""

import asyncio
import json
import re
import subprocess
import sys
from typing import Any

import pytest

from ui.door import MAX_BODY, Door

PORT = 7860
PAGE = b"<html><script>window.config = 1;</script><script src='./a.js'></script></html>"
LIST_ROUTES = """
import json
from index.home import CORPUS
from ui.app import application

def routes(app):
    for route in app.routes:
        inner = [getattr(route, name, None) for name in ("app", "original_router")]
        inner = [one for one in inner if hasattr(one, "routes")]
        if inner:
            yield from routes(inner[0])
        else:
            yield from ((method, route.path) for method in getattr(route, "methods", None) or ["GET"])

print(json.dumps(sorted(routes(application(CORPUS, 7860)))))
"""
HOSTS = ("127.0.0.1:7860", "localhost:7860", "LOCALHOST:7860", "[::1]:7860")


class Inner:
    """The application behind the door: records what reached it."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.body = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(scope["path"])
        if scope["method"] == "POST":
            self.body = (await receive())["body"]
        headers = [(b"content-type", b"text/html"), (b"referrer-policy", b"unsafe-url")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": PAGE[:20], "more_body": True})
        await send({"type": "http.response.body", "body": PAGE[20:]})


def request(
    path: str = "/",
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (("host", HOSTS[0]),),
    parts: tuple[bytes, ...] = (b"",),
    port: int = PORT,
) -> tuple[int, dict[str, str], bytes, Inner]:
    """Send one request through the door: (status, headers, body, the application behind it)."""
    inner = Inner()
    messages: list[Any] = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)} for number, part in enumerate(parts, 1)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}
    asyncio.run(Door(inner, port)(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message["body"] for message in sent[1:]), inner


@pytest.mark.parametrize("host", HOSTS)
def test_the_page_is_served_to_its_own_address(host: str) -> None:
    status, _, body, _ = request(headers=(("host", host),))
    assert (status, body) == (200, PAGE)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("host", ""),),
        (("host", "evil.example"),),
        (("host", "evil.example:7860"),),
        (("host", "127.0.0.1"),),
        (("host", "127.0.0.1:7861"),),
        (("host", "127.0.0.1.evil.example:7860"),),
        (("host", "localhost:7860.evil.example"),),
        (("host", "evil@localhost:7860"),),
        (("host", "0.0.0.0:7860"),),
        (("host", "192.168.0.4:7860"),),
        (("host", HOSTS[0]), ("host", "evil.example")),
    ],
)
def test_any_other_host_is_misdirected(headers: tuple[tuple[str, str], ...]) -> None:
    status, _, _, inner = request(headers=headers)
    assert (status, inner.reached) == (421, [])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.0.0.1:80", "localhost:80"])
def test_browsers_leave_out_the_port_80(host: str) -> None:
    assert request(headers=(("host", host), ("origin", f"http://{host}")), port=80)[0] == 200
    assert request(headers=(("host", f"{host}.evil.example"),), port=80)[0] == 421


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:7860", 200),
        ("http://localhost:7860", 200),
        ("http://localhost:7861", 403),
        ("https://localhost:7860", 403),
        ("http://evil.example", 403),
        ("http://localhost:7860.evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_origin(origin: str, status: int) -> None:
    found = request("/gradio_api/queue/join", "POST", (("host", HOSTS[0]), ("origin", origin)), (b"{}",))
    assert found[0] == status


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ((b"x" * (MAX_BODY - 1),), 200),
        ((b"x" * MAX_BODY,), 200),
        ((b"x" * (MAX_BODY + 1),), 413),
        ((b"x" * MAX_BODY, b"x"), 413),
        ((b"x" * 1000,) * 60, 200),
    ],
)
def test_bodies_end_at_64_kib_however_they_are_cut(parts: tuple[bytes, ...], status: int) -> None:
    found = request("/gradio_api/queue/join", "POST", parts=parts)
    assert found[0] == status
    assert found[3].body == (b"".join(parts) if status == 200 else b"")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file=http://evil.example/"),
        ("GET", "/gradio_api/proxy=http://evil.example/"),
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/upload_progress"),
        ("POST", "/gradio_api/stream/1"),
        ("POST", "/gradio_api/vibe-edit/"),
        ("GET", "/gradio_api/vibe-code/"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/run/ask"),
        ("POST", "/gradio_api/call/ask"),
        ("POST", "/gradio_api/cancel"),
        ("POST", "/gradio_api/reset"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/mcp/"),
        ("GET", "/monitoring"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("POST", "/login"),
        ("GET", "/static/../../etc/passwd"),
        ("GET", "/assets/..%2f..%2fetc/passwd"),
        ("GET", "//"),
        ("GET", "/page.css/"),
        ("GET", "/\n"),
        ("POST", "/"),
        ("PUT", "/"),
        ("DELETE", "/gradio_api/cancel"),
        ("OPTIONS", "/"),
        ("TRACE", "/"),
    ],
)
def test_what_the_page_does_not_need_is_not_there(method: str, path: str) -> None:
    status, _, _, inner = request(path, method)
    assert (status, inner.reached) == (404, [])


@pytest.mark.parametrize(
    ("path", "host"), [("/", HOSTS[0]), ("/page.js", HOSTS[0]), ("/docs", HOSTS[0]), ("/", "evil")]
)
def test_every_response_carries_the_security_headers(path: str, host: str) -> None:
    _, headers, _, _ = request(path, headers=(("host", host),))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-eval'" not in policy
    assert not re.search(r"script-src[^;]*'unsafe-inline'", policy)


def test_only_the_inline_scripts_of_the_page_itself_may_run() -> None:
    policy = request("/")[1]["content-security-policy"]
    # printf %s 'window.config = 1;' | openssl dgst -sha256 -binary | base64
    assert re.findall(r"'sha256-([^']+)'", policy) == ["b7GhnDeSTKp2mWfbBifSDQAP29vql3MfdbjKoYzEk3U="]
    assert "sha256-" not in request("/page.js")[1]["content-security-policy"]


def test_a_web_socket_is_closed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Door(Inner(), PORT)({"type": "websocket", "path": "/", "headers": []}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_the_routes_that_answer_are_the_reviewed_ones() -> None:
    """Every route of the real application, by the pattern Gradio gives it; a new one of a later Gradio stays shut."""
    # in a process of its own: importing Gradio leaves event loops behind, which are warnings here
    command = [sys.executable, "-c", LIST_ROUTES]
    listed = subprocess.run(command, capture_output=True, check=True, text=True, timeout=120)
    routes = json.loads(listed.stdout)
    assert len(routes) > 60
    served = {
        f"{method} {path}" for method, path in routes if request(re.sub(r"\{[^}]*\}", "x", path), method)[0] == 200
    }
    assert served == {
        "GET /",
        "HEAD /",
        "GET /page.css",
        "GET /page.js",
        "GET /assets/{path:path}",
        "GET /static/{path:path}",
        "GET /theme.css",
        "GET /favicon.ico",
        "GET /manifest.json",
        "GET /gradio_api/heartbeat/{session_hash}",
        "GET /gradio_api/queue/data",
        "POST /gradio_api/queue/join",
    }
