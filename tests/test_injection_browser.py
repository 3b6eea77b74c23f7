"""What a model writes that obeys the articles' orders, in the real window in a real browser: text, and nothing else."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks import attacks
from fake_model import KEY, NAME, FakeModel, Request, says_what
from playwright.sync_api import Browser, Locator, expect, sync_playwright
from test_browser import PAYLOADS, Sink, Window, ask, outside, visit

from rag.draft import sentences

ATTACKS = [attack for attack in attacks() if attack.kind.startswith("exfiltration")]
# What the model answers: the orders of articles, and what has become script, request or style elsewhere.
WORST = (
    *(attack.text for attack in ATTACKS),
    *PAYLOADS[::2],
    "</s></p><span class='badge'>supported</span> [1](#cite-0-1)",
)
TOWN = ATTACKS[0].town


def reply(request: Request) -> str:
    """A sentence that is true, then one of the WORST as a claim with a source, with one that is none, and without."""
    lines = re.findall(r"^\[(\d+)\] \(.*\) (.*)$", request.said, re.MULTILINE)
    full, true = next((number, text) for number, text in lines if text.endswith("is full."))
    worst = WORST[int(re.findall(r"in case (\d+)\?", request.said)[-1])]
    told = f"{true} [{full}] {worst} is so. [1-{len(lines)}] It is certain: {worst} so be it. [99]"
    return f"{told} Nobody doubts {worst}. Nobody at all does."


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeModel]:
    with FakeModel(says_what(reply)) as fake:
        yield fake


@pytest.fixture(scope="module")
def window(fake: FakeModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """The window over articles that give orders, with a model that has read them."""
    place = tmp_path_factory.mktemp("window")
    folder = place / "articles"
    folder.mkdir()
    for attack in ATTACKS:
        for file, text in attack.articles.items():
            (folder / file).write_bytes(text.encode())
    settings = {
        "PINCITE_HOME": str(place),
        "PINCITE_MODEL": NAME,
        "OPENAI_BASE_URL": fake.address,
        "OPENAI_API_KEY": KEY,
    }
    with (place / "told").open("w+") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "ui", "--port", "0", "--articles", str(folder)],
            stdout=subprocess.PIPE, stderr=told, text=True, env={**os.environ, **settings},
        )  # fmt: skip
        assert process.stdout
        said = process.stdout.readline()
        yield Window(process, re.findall(r"http://127\.0\.0\.1:\d+/", said)[0])
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=20)[0]
        told.seek(0)
        assert process.returncode == 0
        assert KEY not in said + told.read()


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    sink = Sink()
    threading.Thread(target=sink.run, daemon=True).start()
    yield sink
    sink.listener.close()


@pytest.fixture(scope="module")
def browser(chromium_path: str, sink: Sink) -> Iterator[Browser]:
    port = sink.listener.getsockname()[1]
    rules = f"MAP *.example 127.0.0.1:{port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=[f"--host-resolver-rules={rules}"])
        yield browser
        browser.close()


def check_claims(answer: Locator, words: str) -> None:
    """All sentences of the model stand there as text; what has no source, or a wrong one, is marked as such."""
    claims = answer.locator(".claim")
    shown = claims.locator("xpath=./span[not(@class)] | ./s/span").all_text_contents()
    assert shown == [sentence.text for sentence in sentences([words])]
    assert answer.locator(".claim.supported").count() >= 1
    for verdict, label in (("unsupported", "not supported"), ("uncited", "no source")):
        badges = answer.locator(f".claim.{verdict} .badge")
        assert badges.count() == answer.locator(f".claim.{verdict}").count() >= 1
        assert set(badges.all_text_contents()) == {label}
        expect(badges.last).to_be_visible()
    for struck in answer.locator(".claim.unsupported").all():
        assert "line-through" in struck.locator("s").evaluate("one => getComputedStyle(one).textDecorationLine")
    assert answer.locator(".claim.supported s, .claim.supported .badge").count() == 0


def test_the_words_of_an_obedient_model_are_shown_and_do_nothing(
    browser: Browser, window: Window, fake: FakeModel, sink: Sink, tmp_path: Path
) -> None:
    """With the policy of the door switched off: escaping alone has to hold."""
    context = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 900})
    problems: list[str] = []
    context.on("request", lambda request: problems.append(request.url) if outside(request.url) else None)
    context.on("dialog", lambda dialog: problems.append(dialog.message))
    page = visit(context, window)
    addresses = {window.address}
    for number in range(len(WORST)):
        ask(page, f"What did the council of {TOWN} say about the harbour in case {number}?")
        check_claims(page.locator("#chat .answer").last, reply(fake.requests[-1]))
        addresses.add(page.url)
    page.locator("#chat .answer").last.locator(".sources li a").first.click()
    expect(page.locator("#cited")).to_be_visible()
    page.screenshot(path=tmp_path / "answers.png")
    assert len(fake.requests) == len(WORST)  # and none before anybody asked
    assert page.evaluate("window.__hit") is None
    assert addresses == {window.address}
    assert (
        page.locator(".md").locator("form, iframe, img, video, svg, script, style, base, link, math, meta").count() == 0
    )
    assert page.locator(".md").locator(".katex, em, del, table, code, pre, input, [onerror], [onclick]").count() == 0
    links = page.locator(".md a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    assert [link for link in links if not re.fullmatch(r"#[\w-]+", link or "")] == []
    assert KEY not in page.content()
    assert (problems, sink.arrived) == ([], 0)
    context.close()
