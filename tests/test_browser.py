"""The window in a real browser, against the real server. Nothing is replaced; no request may leave the machine."""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from index.home import CORPUS

ASKED = "How long did Putin and Macron talk on 3 March 2022?"
NOT_THERE = "How do I bake sourdough bread?"
expect.set_options(timeout=20_000)  # milliseconds; a busy machine is no failure

# Twenty-five ways in which text has become something else: script, request, form, style, formula, template.
PAYLOADS = (
    "<img src=x onerror=window.__hit=1>",
    "<img src='http://evil.example/pixel.png'>",
    "![pixel](http://evil.example/pixel.png)",
    "[![pixel](http://evil.example/a.png)](http://evil.example/)",
    "![ref][1] [1]: http://evil.example/ref.png",
    "<script>window.__hit=1</script>",
    "</script><script>window.__hit=1</script>",
    "<svg onload=window.__hit=1><animate onbegin=window.__hit=1 attributeName=x dur=1s>",
    "<iframe srcdoc='<script>parent.__hit=1</script>'></iframe>",
    "<details open ontoggle=window.__hit=1>",
    "<a href='javascript:window.__hit=1'>click</a> [click](javascript:window.__hit=1)",
    "<form action='http://evil.example/'><button>send</button></form>",
    "<div style='position:fixed;inset:0;background:url(http://evil.example/bg.png)'>cover</div>",
    "<style>@import 'http://evil.example/style.css'; body{display:none}</style>",
    "<link rel=stylesheet href=http://evil.example/style.css><meta http-equiv=refresh content='0;http://evil.example/'>",
    "<base href='http://evil.example/'>",
    "${window.__hit=1} {{7*7}} {{constructor.constructor('window.__hit=1')()}} #{7*7} <%= 7*7 %>",
    "`${window.__hit=1}` ```mermaid graph TD; A[<img src=x onerror=window.__hit=1>] ```",
    r"$$x^2$$ \(y\) $\href{javascript:window.__hit=1}{z}$ \unicode{x}",
    "&lt;img src=x onerror=window.__hit=1&gt; &#60;b&#62; &amp;amp;",
    "\"><img src=x onerror=window.__hit=1> '><b onclick=window.__hit=1>",
    "--><!--<mark id=cited>fake</mark> <a href=#cite-0-1>fake</a>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.__hit=1>",
    "**bold** _italic_ ~~gone~~ | a | b | # title > quote - [ ] task www.evil.example http://evil.example/auto",
    "<mark id=cited>fake</mark></div></main><video poster=http://evil.example/p.png><source onerror=window.__hit=1>",
)


@dataclass
class Window:
    """A running `python -m ui`."""

    process: "subprocess.Popen[str]"
    address: str


@contextlib.contextmanager
def running(home: Path, *arguments: str) -> Iterator[Window]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PINCITE", "OPENAI"))}
    complaints = home / f"stderr-{time.monotonic_ns()}"
    with complaints.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "ui", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment | {"PINCITE_HOME": str(home)},
        )
    assert process.stdout
    try:
        line = process.stdout.readline()  # the tests' own time limit ends a server that never says it
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line
        yield Window(process, found[0])
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(20)
        process.stdout.close()
    assert code == 0  # Ctrl-C is the ordinary end
    assert "Traceback" not in complaints.read_text("utf-8")


@dataclass
class Sink:
    """Where the payloads' host resolves to: counts the connections that arrive, and those that ask for something."""

    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    arrived: int = 0
    asked: int = 0

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.arrived += 1
                with connection, contextlib.suppress(TimeoutError):
                    connection.settimeout(0.3)
                    self.asked += bool(connection.recv(1))


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    sink = Sink()
    thread = threading.Thread(target=sink.run, daemon=True)
    thread.start()
    yield sink
    sink.listener.shutdown(socket.SHUT_RDWR)
    sink.listener.close()
    thread.join(5)


@pytest.fixture(scope="module")
def browser(chromium_path: str, sink: Sink) -> Iterator[Browser]:
    port = sink.listener.getsockname()[1]
    # Chromium itself asks for its maker's hosts: these are not found, and what a page asks for is listened to
    rules = f"MAP *.example 127.0.0.1:{port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=[f"--host-resolver-rules={rules}"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def window(shared_home: Path) -> Iterator[Window]:
    """The window over the default articles."""
    with running(shared_home) as window:
        yield window


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, window: Window, sink: Sink) -> Iterator[Page]:
    before = sink.arrived
    problems: list[str] = []
    context.on("request", lambda request: problems.append(request.url) if outside(request.url) else None)
    page = visit(context, window)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    assert problems == []
    assert sink.arrived == before


def outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def visit(context: BrowserContext, window: Window) -> Page:
    page = context.new_page()
    page.goto(window.address)
    expect(page.locator("#question textarea")).to_be_visible(timeout=60_000)
    expect(page.locator("#article .article")).to_be_visible()
    return page


def ask(page: Page, question: str) -> None:
    """Ask and wait until the answer stands."""
    before = page.locator("#chat .foot, #chat .notice:not(.waiting)").count()
    box = page.locator("#question textarea")
    box.fill(question)
    for _ in range(20):  # until it is taken: on a busy machine the page may still be closing the answer before
        box.press("Enter")
        with contextlib.suppress(AssertionError):
            expect(box).to_have_value("", timeout=1000)
            break
    expect(page.locator("#chat .foot, #chat .notice:not(.waiting)").nth(before)).to_be_visible(timeout=60_000)
    expect(page.locator("#send")).to_be_visible()


def in_view(page: Page, selector: str, frame: str) -> bool:
    """Whether an element stands wholly within the visible part of its frame."""
    inner, outer = page.locator(selector).bounding_box(), page.locator(frame).bounding_box()
    assert inner is not None
    assert outer is not None
    return outer["y"] <= inner["y"] and inner["y"] + inner["height"] <= outer["y"] + outer["height"]


def test_a_citation_opens_the_article_at_exactly_its_sentence(page: Page) -> None:
    expect(page.locator("#top")).to_contain_text("5 articles, 28 January to 3 March 2022")
    ask(page, ASKED)
    sources = page.locator("#chat .sources li")
    for number in range(min(sources.count(), 3)):
        where = sources.nth(number).locator(".where").inner_text()
        file, sentence = re.findall(r"^(\S+) · sentence (\d+)", where)[0]
        text = sources.nth(number).locator(".sentence").text_content()
        page.locator(f'a.cite[href="#cite-0-{number + 1}"]').first.click()
        expect(page.locator("#article .place")).to_contain_text(f"{file} · sentence {sentence} of ")
        assert page.locator("#article mark#cited").all_text_contents() == [text]
        assert text in (CORPUS / file).read_text("utf-8")
        page.wait_for_timeout(600)  # scrolling is smooth
        assert in_view(page, "#cited", "#article")


def test_the_source_list_and_the_keyboard_open_it_too(page: Page) -> None:
    ask(page, ASKED)
    page.locator("a.cite").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#cited")).to_be_visible()
    expect(page.locator("#spoken")).to_contain_text("Opened beside the conversation")
    page.locator("#article .bar a", has_text="All articles").click()
    expect(page.locator("#article .list li")).to_have_count(5)
    page.locator("#chat .sources li a").first.click()
    expect(page.locator("#cited")).to_be_visible()
    page.locator("#top a").click()
    page.locator("#article .list li a", has_text="crunch talks").click()
    expect(page.locator("#article h2")).to_have_text("Putin & Macron hold crunch talks")
    expect(page.locator("#cited")).to_have_count(0)


def test_what_is_not_there_is_refused_with_the_closest_sentences(page: Page) -> None:
    ask(page, NOT_THERE)
    expect(page.locator("#chat .refusal")).to_have_text("Not in these articles.")
    expect(page.locator("#chat .sources h3")).to_have_text("The closest sentences, which do not answer it")
    text = page.locator("#chat .sources .sentence").first.text_content()
    page.locator("#chat .sources li a").first.click()
    expect(page.locator("#cited")).to_be_visible()
    assert page.locator("#cited").text_content() == text


def test_a_follow_up_is_understood_and_earlier_citations_stay_theirs(page: Page) -> None:
    ask(page, ASKED)
    ask(page, "Who initiated it?")
    expect(page.locator("#chat .question")).to_have_count(2)
    expect(page.locator("#chat .answer").nth(1).locator("a.cite").first).to_be_visible()
    for turn in (0, 1):
        answer = page.locator("#chat .answer").nth(turn)
        text = answer.locator(".sources .sentence").first.text_content()
        answer.locator("a.cite").first.click()
        expect(page.locator("#cited")).to_have_text(text or "")
        opened = page.locator("#chat a.open").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
        assert set(opened) == {f"#cite-{turn}-1"}


def test_an_example_is_asked_and_the_answer_copied_with_its_sources(context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#chat .example").first.click()
    expect(page.locator("#chat .foot")).to_be_visible()
    expect(page.locator("#chat .question")).to_have_text(ASKED)
    page.locator("#chat a.copy").click()
    expect(page.locator("#chat a.copy")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(ASKED)
    assert re.search(r"\[1\] \S+\.txt, sentence \d+, .*“.+”", copied)


def test_a_new_conversation_starts_empty(page: Page) -> None:
    ask(page, ASKED)
    page.locator("#clear").click()
    expect(page.locator("#chat .question")).to_have_count(0)
    expect(page.locator("#chat .example").first).to_be_visible()
    ask(page, ASKED)
    expect(page.locator('a.cite[href="#cite-0-1"]')).to_be_visible()


@pytest.mark.parametrize(
    ("question", "said"), [("", "question is empty"), ("   ", "question is empty"), ("x" * 4001, "4,001 characters")]
)
def test_a_question_that_cannot_be_asked_gets_a_polite_line(page: Page, question: str, said: str) -> None:
    ask(page, question)
    expect(page.locator("#chat .notice")).to_contain_text(said)
    ask(page, ASKED)
    expect(page.locator("#chat .answer")).to_be_visible()


def test_on_a_phone_the_article_covers_the_conversation_until_it_is_closed(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    ask(page, ASKED)
    expect(page.locator("#article")).to_be_hidden()
    page.locator("a.cite").first.click()
    expect(page.locator("#cited")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#article .close").click()
    expect(page.locator("#article")).to_be_hidden()
    expect(page.locator("a.cite").first).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


CONTRAST = """(selector) => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const element = document.querySelector(selector);
  let behind = element;
  const opaque = (e) => { const c = rgb(getComputedStyle(e).backgroundColor); return c.length < 4 || c[3] > 0.99; };
  while (!opaque(behind)) behind = behind.parentElement;
  const [a, b] = [light(rgb(getComputedStyle(element).color)), light(rgb(getComputedStyle(behind).backgroundColor))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_readable(browser: Browser, window: Window, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = visit(context, window)
    ask(page, ASKED)
    page.locator("a.cite").first.click()
    expect(page.locator("#cited")).to_be_visible()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) > 3 * 128) == (scheme == "light")
    for selector in ("#top .promise", ".question", ".claim span", "a.cite", ".where", ".foot", "#cited", ".body span"):
        assert page.evaluate(CONTRAST, selector) >= 4.5, selector  # WCAG 2.1 AA
    context.close()


def hostile_folder(folder: Path) -> None:
    """Each payload as an article's text, its title and its file name."""
    folder.mkdir()
    tables = []
    for number, payload in enumerate(PAYLOADS):
        name = f"{number:02} {payload.replace('/', '∕')[:80]}.txt"
        (folder / name).write_text(
            f"Reporter{number:02} wrote {payload} in the notebook.\n\nThe end came later.\n", "utf-8"
        )
        quoted = "".join(f"\\u{ord(character):04x}" for character in f"T{number:02} {payload}")
        key = "".join(f"\\u{ord(character):04x}" for character in name)
        tables.append(f'["{key}"]\ntitle = "{quoted}"\npublisher = "{quoted}"\n')
    (folder / "articles.toml").write_text("\n".join(tables), "utf-8")


@pytest.fixture(scope="module")
def hostile(shared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Window, Path]]:
    folder = tmp_path_factory.mktemp("hostile") / "${window.__hit=1}<img src=x onerror=window.__hit=1>"
    hostile_folder(folder)
    with running(shared_home, "--articles", str(folder)) as window:
        yield window, folder


def test_text_is_shown_and_never_becomes_anything_else(
    browser: Browser, hostile: tuple[Window, Path], sink: Sink
) -> None:
    """With the policy of the door switched off: escaping alone has to hold."""
    before = sink.arrived
    context = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 800})
    problems: list[str] = []
    context.on("request", lambda request: problems.append(request.url) if outside(request.url) else None)
    context.on("dialog", lambda dialog: problems.append(dialog.message))
    page = visit(context, hostile[0])
    expect(page.locator("#article .list li")).to_have_count(len(PAYLOADS))
    for number, payload in enumerate(PAYLOADS):
        question = f"What did Reporter{number:02} write in the notebook? {payload}"
        ask(page, question)
        assert page.locator("#chat .question").last.text_content() == question
        sources = page.locator("#chat .answer").last.locator(".sources li a")
        sentence = f"Reporter{number:02} wrote {payload} in the notebook."
        page.locator("#top a").click()
        page.locator(f'#article .list a[href="#{file_link(hostile[1], number)}"]').click()
        expect(page.locator("#article h2")).to_have_text(f"T{number:02} {payload}")
        assert sentence in (page.locator("#article .body").text_content() or "")
        assert sources.count() > 0
    shown = "\n".join(page.locator("#chat .sources .sentence").all_text_contents())
    assert sum(payload in shown for payload in PAYLOADS) > 20  # as citations, too
    assert page.evaluate("window.__hit") is None
    assert page.url == hostile[0].address
    assert page.locator(".md").locator("form, iframe, img, video, svg, script, style, base, link, math").count() == 0
    assert page.locator(".md").locator(".katex, em, del, table, code, pre, input").count() == 0
    assert page.locator(".md strong:not(.refusal strong, .short strong), .md #cited").count() == 0
    assert (problems, sink.arrived) == ([], before)
    context.close()


def file_link(folder: Path, number: int) -> str:
    name = next(path.name for path in folder.iterdir() if path.name.startswith(f"{number:02} "))
    return "file-" + hashlib.sha256(name.encode()).hexdigest()[:16]


MARKUP = """() => {
  const place = document.querySelector('#article');
  place.innerHTML = '<img src=x onerror="window.__hit=1"><img src="http://evil.example/a.png">'
    + '<iframe src="http://evil.example/"></iframe><style>@import "http://evil.example/a.css"</style>';
  const script = document.createElement('script');
  script.textContent = 'window.__hit = 2';
  place.append(script);
}"""


def test_behind_the_escaping_stands_the_policy(browser: Browser, window: Window, sink: Sink) -> None:
    """Markup that got in all the same runs nothing and reaches nobody."""
    before = sink.asked
    context = browser.new_context()
    page = visit(context, window)
    page.evaluate(MARKUP)
    page.wait_for_timeout(800)
    assert page.evaluate("window.__hit") is None
    assert sink.asked == before  # Chromium opens a connection ahead of what it then refuses to ask for
    context.close()


@pytest.fixture(scope="module")
def edited(shared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Window, Path]]:
    """The window over a copy of the default articles that tests change; each test leaves readable articles."""
    folder = tmp_path_factory.mktemp("edited") / "articles"
    shutil.copytree(CORPUS, folder)
    with running(shared_home, "--articles", str(folder)) as window:
        yield window, folder


def test_a_changed_or_vanished_article_is_said_and_an_error_does_not_end_the_page(
    context: BrowserContext, edited: tuple[Window, Path]
) -> None:
    page, folder = visit(context, edited[0]), edited[1]
    ask(page, ASKED)
    file = page.locator("#chat .sources .file").first.inner_text()
    text = page.locator("#chat .sources .sentence").first.text_content() or ""
    changed = (folder / file).read_text("utf-8").replace(text, "Nothing was said.")
    (folder / file).write_text(changed, "utf-8")
    page.locator("a.cite").first.click()
    expect(page.locator("#article .notice")).to_have_text("This article has changed or is no longer in the folder.")
    expect(page.locator("#article blockquote")).to_have_text(text)
    expect(page.locator("#article mark")).to_have_count(0)
    ask(page, ASKED)
    assert text not in page.locator("#chat .answer").last.locator(".sources .sentence").all_text_contents()

    away = folder.with_name("away")
    folder.rename(away)
    ask(page, ASKED)
    expect(page.locator("#chat .notice").last).to_contain_text("does not exist")
    page.locator("a.cite").first.click()
    expect(page.locator("#article .notice")).to_contain_text("does not exist")
    away.rename(folder)
    ask(page, ASKED)
    expect(page.locator("#chat .answer")).to_have_count(3)


def test_stop_ends_a_slow_answer_and_the_next_question_is_answered(
    context: BrowserContext, edited: tuple[Window, Path]
) -> None:
    page, folder = visit(context, edited[0]), edited[1]
    for number in range(40):  # the next question has to index them first
        lines = (
            f"Witness {number} of village {line} saw {number * line} trucks pass the bridge." for line in range(40)
        )
        (folder / f"new-{number}.txt").write_text("\n".join(lines), "utf-8")
    page.locator("#question textarea").fill(ASKED)
    page.locator("#question textarea").press("Enter")
    expect(page.locator("#chat .waiting")).to_be_visible()
    expect(page.locator("#send")).to_be_hidden()
    expect(page.locator("#clear")).to_be_disabled()
    page.locator("#stop").click()
    expect(page.locator("#chat .notice")).to_have_text("Stopped.")
    expect(page.locator("#send")).to_be_visible()
    ask(page, ASKED)
    expect(page.locator("#chat .answer").last.locator("a.cite").first).to_be_visible()
